//! What comes after a spawned service: all processes are ended, disks are unmounted.

use crate::report;
use crate::roots::Roots;
use crate::scratch::Scratch;
use crate::sys::Errno;
use crate::sys::child::{Pid, reap};
use crate::sys::machine::{retry, sync};
use crate::sys::mount::{change_mount, unmount};
use crate::sys::signal::{EVERYONE, send};
use heapless::Vec;
use language::CStrPtr;
use linux_raw_sys::errno::{EAGAIN, ECHILD, ETIMEDOUT};
use linux_raw_sys::general::{MS_RDONLY, MS_REMOUNT, SIGCONT, SIGKILL, SIGTERM};

/// Buffer for /proc/mounts, enough for some 600 mounts. Others are not unmounted, only written out: sync(2).
pub type MountTable = Vec<u8, 0x10000>;

/// How many seconds processes have to end after each signal.
const TIMEOUT: u64 = 5;

/// Ends all processes but this one, by SIGTERM, then by SIGKILL, and reaps them.
pub fn end_processes() -> Result<(), Errno> {
    for signal in [SIGTERM, SIGKILL] {
        // Fail with ESRCH if no process is left. A stopped one acts on SIGTERM only after SIGCONT: signal(7).
        let _ = send(EVERYONE, signal);
        let _ = send(EVERYONE, SIGCONT);
        match retry(STILL_THERE, TIMEOUT, &mut reap_all) {
            Err(NO_CHILD) => return Ok(()),
            Err(TIMED_OUT) => {}
            other => return other,
        }
    }
    // A process that outlives SIGKILL is stuck in the kernel, on a broken disk for example: the machine must end nevertheless.
    Ok(())
}

const STILL_THERE: Errno = Errno::of(EAGAIN);
const NO_CHILD: Errno = Errno::of(ECHILD);
const TIMED_OUT: Errno = Errno::of(ETIMEDOUT);

/// Never succeeds: `STILL_THERE`, or `NO_CHILD` when all have ended.
fn reap_all() -> Result<(), Errno> {
    while reap()?.0 != Pid::NONE {}
    Err(STILL_THERE)
}

/// Makes the filesystems of disks read-only and unmounts them, the last mount first, so that they are marked clean. Of one that
/// can't be unmounted, such as the upper layer's of an overlay, read-only is enough. Reports only those where both failed.
pub fn save_disks(mounts: &mut MountTable, roots: &Roots, scratch: &mut Scratch) {
    if let Err(errno) = roots.read_mounts(mounts) {
        report::say(CStrPtr::new(c"/proc/mounts"), errno.into(), scratch);
    }
    for line in mounts.rsplit_mut(|byte| *byte == b'\n') {
        if let Some(target) = mount_point_of_disk(line) {
            let read_only = change_mount(target, MS_REMOUNT | MS_RDONLY);
            if let Err(errno) = unmount(target).or(read_only) {
                report::say(target, errno.into(), scratch);
            }
        }
    }
    sync();
}

/// From a line of /proc/mounts, `SOURCE TARGET …`: TARGET, decoded in place, if SOURCE is a path. Octal escapes such as `\040` stand for
/// blanks and backslashes (mangle_path in fs/seq_file.c).
fn mount_point_of_disk(line: &mut [u8]) -> Option<CStrPtr<'_>> {
    let mut at = line.iter().position(|byte| *byte == b' ').filter(|_| line.first() == Some(&b'/'))? + 1;
    let mut length = 0;
    loop {
        let byte = match line.get(at..)? {
            [b'\\', high, middle, low, ..] => {
                at += 3;
                (high & 7) << 6 | (middle & 7) << 3 | low & 7
            }
            [b' ', ..] => 0,
            [byte, ..] => *byte,
            [] => return None,
        };
        *line.get_mut(length)? = byte;
        (length, at) = (length + 1, at + 1);
        if byte == 0 {
            return CStrPtr::terminated(line.get(..length)?);
        }
    }
}
