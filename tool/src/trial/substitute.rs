//! What takes the place of what only a VM's root may do: the call is changed on its way into the kernel, or made once more
//! with other arguments after a refusal.

use anyhow::Result;
use language::Verb;
use libc::{
    EACCES, EINVAL, ENOENT, ENOSYS, EPERM, EROFS, MS_BIND, MS_REC, SYS_faccessat as FACCESSAT,
    SYS_finit_module as MODULE, SYS_mount as MOUNT, SYS_openat as OPENAT, SYS_prlimit64 as PRLIMIT64,
    SYS_wait4 as WAIT4, SYS_write as WRITE,
};

use super::ledger::Taken;
use super::sandbox::{self, STORE};
use crate::tracer::{Memory, Registers};

/// Below the stack pointer and its red zone: nothing of init's.
const SCRATCH: u64 = 4096;
const ROOM: u64 = 256;

/// A call with other arguments or another result, and what to report about it.
pub struct Substitute {
    pub registers: Registers,
    /// It is made once more.
    pub is_again: bool,
    pub note: &'static str,
}

/// Before a call: what must not even be tried.
pub fn before(memory: &Memory, registers: &Registers) -> Result<Option<Substitute>> {
    if registers.number() != MOUNT {
        return Ok(None);
    }
    match memory.string(registers.arguments()[2]).as_deref() {
        Some("devtmpfs") => {
            let note = "substitute: a directory with the devices that any user may open";
            bound(memory, *registers, "dev", note).map(Some)
        }
        Some("cgroup2" | "cgroup") => {
            let note = "substitute: a directory with empty files of cgroup2's names";
            bound(memory, *registers, "cgroup", note).map(Some)
        }
        _ => Ok(None),
    }
}

/// After a refusal: what a VM's kernel would not refuse.
pub fn after(memory: &Memory, registers: &Registers, step: Option<&Taken>, tries: usize) -> Result<Option<Substitute>> {
    let errno = -registers.result() as i32;
    let verb = step.map(|step| step.verb);
    match registers.number() {
        MOUNT if errno == EPERM => mounted(memory, registers, tries),
        MOUNT if errno == EINVAL && tries == 0 => without_owner(memory, registers),
        OPENAT if verb == Some(Verb::Write) && tries == 0 => written(memory, registers, errno),
        WRITE if verb == Some(Verb::Write) && matches!(errno, EACCES | EPERM) => {
            Ok(Some(done(registers, registers.arguments()[2] as i64, NOT_WRITTEN)))
        }
        FACCESSAT if verb == Some(Verb::Wait) && errno == ENOENT => Ok(plugged_in(memory, registers)),
        PRLIMIT64 if errno == EPERM => Ok(Some(done(registers, 0, "not raised: only a VM's root may"))),
        WAIT4 if verb == Some(Verb::Run) => passed_over(memory, registers, step.map_or("", |step| &step.text)),
        MODULE if matches!(errno, EPERM | ENOSYS) => Ok(Some(done(registers, 0, "not loaded: only a VM's root may"))),
        _ => Ok(None),
    }
}

/// A device that is waited for.
fn plugged_in(memory: &Memory, registers: &Registers) -> Option<Substitute> {
    let path = memory.string(registers.arguments()[1]).unwrap_or_default();
    let is_device = ["/dev/", "/sys/"].iter().any(|directory| path.starts_with(directory));
    is_device.then(|| done(registers, 0, "taken as there: no device is plugged in here"))
}

/// The failure of a program that was to do something with a device that is not here.
fn passed_over(memory: &Memory, registers: &Registers, step: &str) -> Result<Option<Substitute>> {
    let [whom, status, ..] = registers.arguments();
    let is_device = |word: &str| word.contains("/dev/") && !sandbox::has_device(word);
    // Init waits for one child alone to learn why that could not be executed.
    let has_ended = whom as i32 == -1 && registers.result() > 0;
    if !has_ended || !step.split(' ').any(is_device) || memory.bytes(status, 4).is_none_or(|status| status == [0; 4]) {
        return Ok(None);
    }
    memory.write(status, &[0; 4])?;
    Ok(Some(done(registers, registers.result(), "it failed, and that is passed over: no device is plugged in here")))
}

const NOT_WRITTEN: &str = "refused here, so written to nowhere: only a VM's root may";

/// What init may not mount.
fn mounted(memory: &Memory, registers: &Registers, tries: usize) -> Result<Option<Substitute>> {
    let found = match (memory.string(registers.arguments()[2]).as_deref(), tries) {
        (Some("proc"), 0) => bound(memory, *registers, "proc", "substitute after EPERM: this machine's own /proc")?,
        (Some("sysfs"), 0) => bound(memory, *registers, "sys", "substitute after EPERM: this machine's own /sys")?,
        (Some("tmpfs"), _) => return Ok(None),
        _ => empty(memory, *registers)?,
    };
    Ok(Some(again(found)))
}

/// A file's owner among mount options: the namespace has user and group 0 alone, and refuses any other by EINVAL.
fn without_owner(memory: &Memory, registers: &Registers) -> Result<Option<Substitute>> {
    let options = memory.string(registers.arguments()[4]).unwrap_or_default();
    let is_owner = |option: &&str| option.starts_with("uid=") || option.starts_with("gid=");
    if !options.split(',').any(|option| is_owner(&option)) {
        return Ok(None);
    }
    let others: Vec<&str> = options.split(',').filter(|option| !is_owner(option)).collect();
    let note = "mounted without uid= and gid=: only user and group 0 exist here";
    let registers = registers.with_argument(4, put(memory, registers, 1, &others.join(","))?);
    Ok(Some(again(Substitute { registers, is_again: true, note })))
}

/// What init may not open to write, or what a network namespace does not have: of /proc/sys/net it shows a part.
fn written(memory: &Memory, registers: &Registers, errno: i32) -> Result<Option<Substitute>> {
    let path = memory.string(registers.arguments()[1]).unwrap_or_default();
    let is_network = path.trim_start_matches('/').starts_with("proc/sys/net/");
    let note = match errno {
        EACCES | EPERM | EROFS => NOT_WRITTEN,
        ENOENT if is_network => "written to nowhere: this network namespace has no such file",
        _ => return Ok(None),
    };
    let sink = put(memory, registers, 0, &format!("{STORE}/sink"))?;
    let registers = registers.with_argument(0, libc::AT_FDCWD as u64).with_argument(1, sink);
    Ok(Some(again(Substitute { registers, is_again: true, note })))
}

/// As if the call had been done, with this result.
fn done(registers: &Registers, result: i64, note: &'static str) -> Substitute {
    Substitute { registers: registers.with_result(result), is_again: false, note }
}

/// A bind mount of something in the store, which the working directory of init holds.
fn bound(memory: &Memory, registers: Registers, name: &str, note: &'static str) -> Result<Substitute> {
    let source = put(memory, &registers, 0, &format!("{STORE}/{name}"))?;
    let changes = [(0, source), (2, 0), (3, MS_BIND | MS_REC), (4, 0)];
    let registers = changes.iter().fold(registers, |registers, (place, value)| registers.with_argument(*place, *value));
    Ok(Substitute { registers, is_again: true, note })
}

/// An empty tmpfs.
fn empty(memory: &Memory, registers: Registers) -> Result<Substitute> {
    let registers = registers.with_argument(2, put(memory, &registers, 1, "tmpfs")?).with_argument(4, 0);
    Ok(Substitute { registers, is_again: true, note: "substitute: an empty tmpfs; only a VM's root may mount this" })
}

/// The same instruction once more, with the arguments of `changed`.
fn again(changed: Substitute) -> Substitute {
    Substitute { registers: changed.registers.again(), ..changed }
}

fn put(memory: &Memory, registers: &Registers, place: u64, text: &str) -> Result<u64> {
    let address = registers.stack_pointer() - SCRATCH + place * ROOM;
    memory.write(address, &[text.as_bytes(), &[0]].concat())?;
    Ok(address)
}
