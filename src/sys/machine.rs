//! The machine as a whole: time, disks, its end.

use super::call::{Errno, call};
use language::Action;
use linux_raw_sys::errno::ETIMEDOUT;
use linux_raw_sys::general::{
    LINUX_REBOOT_CMD_CAD_OFF, LINUX_REBOOT_CMD_HALT, LINUX_REBOOT_CMD_POWER_OFF, LINUX_REBOOT_CMD_RESTART,
    LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, timespec,
};

/// How often [`retry`] tries in a second.
const TRIES: u64 = 200;

/// Calls `attempt`, and again as long as it fails with this errno, with a sleep of 5 ms between: ETIMEDOUT after so many seconds,
/// or some more where sleeps take longer. Sleeps are counted, not a clock read, which a VM that was suspended finds far ahead.
pub fn retry(on: Errno, seconds: u64, attempt: &mut dyn FnMut() -> Result<(), Errno>) -> Result<(), Errno> {
    let mut left = seconds.saturating_mul(TRIES);
    loop {
        match attempt() {
            Err(errno) if errno == on => {}
            result => return result,
        }
        left = left.checked_sub(1).ok_or(Errno::of(ETIMEDOUT))?;
        let time = timespec { tv_sec: 0, tv_nsec: 1_000_000_000 / TRIES as i64 };
        // SAFETY: a struct timespec, and no memory for what is left of it. nanosleep(2)
        unsafe { call!(nanosleep, &raw const time, 0) }.done()?;
    }
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
