//! The machine as a whole: time, disks, its end.

use super::call::{Errno, call};
use core::mem::MaybeUninit;
use language::Action;
use linux_raw_sys::general::{
    CLOCK_BOOTTIME, LINUX_REBOOT_CMD_CAD_OFF, LINUX_REBOOT_CMD_HALT, LINUX_REBOOT_CMD_POWER_OFF,
    LINUX_REBOOT_CMD_RESTART, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, timespec,
};

/// `clock_gettime(CLOCK_BOOTTIME)`: milliseconds since the kernel has started: clock_gettime(2).
pub fn now() -> Result<u64, Errno> {
    let mut time = MaybeUninit::<timespec>::uninit();
    // SAFETY: the kernel fills the whole of a struct timespec: put_timespec64 in kernel/time/time.c.
    let time = unsafe {
        call!(clock_gettime, CLOCK_BOOTTIME, time.as_mut_ptr()).done()?;
        time.assume_init()
    };
    Ok(time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000)
}

/// `nanosleep(time)`, less than a second: nanosleep(2).
pub fn sleep(milliseconds: u16) -> Result<(), Errno> {
    let time = timespec { tv_sec: 0, tv_nsec: i64::from(milliseconds) * 1_000_000 };
    // SAFETY: a struct timespec, and no memory for what is left of it.
    unsafe { call!(nanosleep, &raw const time, 0) }.done()
}

/// `sync()`: all that is to be written to disks is there: sync(2).
pub fn sync() {
    // SAFETY: takes nothing, cannot fail.
    let _ = unsafe { call!(sync) };
}

/// `reboot(LINUX_REBOOT_CMD_CAD_OFF)`: ctrl-alt-del sends pid 1 a SIGINT, no more: reboot(2).
pub fn disable_ctrl_alt_del() -> Result<(), Errno> {
    reboot(LINUX_REBOOT_CMD_CAD_OFF)
}

/// `reboot(action)`: returns only to say why not. reboot(2)
pub fn end(action: Action) -> Result<(), Errno> {
    reboot(match action {
        Action::Reboot => LINUX_REBOOT_CMD_RESTART,
        Action::Halt => LINUX_REBOOT_CMD_HALT,
        _ => LINUX_REBOOT_CMD_POWER_OFF,
    })
}

fn reboot(command: u32) -> Result<(), Errno> {
    // SAFETY: no memory is touched; of this process nothing is left to do.
    unsafe { call!(reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, 0) }.done()
}
