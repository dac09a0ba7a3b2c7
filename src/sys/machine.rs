//! The machine as a whole: time, disks, its end.

use super::call::{Errno, call};
use core::mem::MaybeUninit;
use language::Action;
use linux_raw_sys::errno::ETIMEDOUT;
use linux_raw_sys::general::{
    CLOCK_BOOTTIME, LINUX_REBOOT_CMD_CAD_OFF, LINUX_REBOOT_CMD_HALT, LINUX_REBOOT_CMD_POWER_OFF,
    LINUX_REBOOT_CMD_RESTART, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, timespec,
};

/// Calls `attempt` every five milliseconds as long as it fails with the errno `on`. ETIMEDOUT after so many seconds.
pub fn retry(on: Errno, seconds: u64, attempt: &mut dyn FnMut() -> Result<(), Errno>) -> Result<(), Errno> {
    let mut end = None;
    loop {
        match attempt() {
            Err(errno) if errno == on => {}
            result => return result,
        }
        let now = now()?;
        if now >= *end.get_or_insert(now + seconds.min(FOREVER) * SECOND) {
            return Err(Errno::of(ETIMEDOUT));
        }
        let time = timespec { tv_sec: 0, tv_nsec: 5_000_000 };
        // SAFETY: a struct timespec, and a null pointer: nanosleep(2).
        unsafe { call!(nanosleep, &raw const time, 0) }.done()?;
    }
}

/// In nanoseconds.
const SECOND: u64 = 1_000_000_000;
/// In seconds, 30 years: longer waits are cut to this, so that no sum overflows.
const FOREVER: u64 = 1_000_000_000;

/// `clock_gettime(CLOCK_BOOTTIME)`: nanoseconds since the kernel started: clock_gettime(2).
fn now() -> Result<u64, Errno> {
    let mut time = MaybeUninit::<timespec>::uninit();
    // SAFETY: the kernel fills the whole of a struct timespec: put_timespec64 in kernel/time/time.c.
    let time = unsafe {
        call!(clock_gettime, CLOCK_BOOTTIME, time.as_mut_ptr()).done()?;
        time.assume_init()
    };
    Ok(time.tv_sec as u64 * SECOND + time.tv_nsec as u64)
}

/// `sync()`: returns when all that is to be written to disks has been: sync(2).
pub fn sync() {
    // SAFETY: takes nothing, cannot fail.
    let _ = unsafe { call!(sync) };
}

/// `reboot(LINUX_REBOOT_CMD_CAD_OFF)`: ctrl-alt-del only sends pid 1 a SIGINT from now on: reboot(2).
pub fn disable_ctrl_alt_del() -> Result<(), Errno> {
    reboot(LINUX_REBOOT_CMD_CAD_OFF)
}

/// `reboot(action)`: returns on failure only: reboot(2). Not for [`Action::Panic`], which is an exit.
pub fn end(action: Action) -> Result<(), Errno> {
    reboot(match action {
        Action::Reboot => LINUX_REBOOT_CMD_RESTART,
        Action::Halt => LINUX_REBOOT_CMD_HALT,
        _ => LINUX_REBOOT_CMD_POWER_OFF,
    })
}

fn reboot(command: u32) -> Result<(), Errno> {
    // SAFETY: no memory is touched.
    unsafe { call!(reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, 0) }.done()
}
