//! What moveroot says: one message grammar, one printing site, one death path.
//!
//! `moveroot: PLAN:LINE: STEP OBJECT: ERRNO (NUMBER)`, to standard error and to the kernel's log, where a failure
//! has priority 3 and a warning 4 (syslog(2)). The exit code, which the kernel prints when pid 1 ends, is the line.

use crate::built_in;
use crate::errno;
use crate::scratch::Scratch;
use crate::sys::child::Ended;
use crate::sys::file::{make_character_device, make_directory, open_device};
use crate::sys::process::{exit, has_standard_error, open_stdout_and_stderr, standard_error};
use crate::sys::{Descriptor, Errno};
use language::{CStrPtr, Fault, Step};

/// The exit codes that aren't a plan's line.
pub struct ExitCode;

impl ExitCode {
    /// Not pid 1: EX_USAGE of sysexits.h.
    pub const USAGE: u8 = 64;
    /// Line 199 or a later one.
    pub const LATER_LINE: u8 = 199;
    /// The plan cannot be read or is too long.
    pub const NO_PLAN: u8 = 200;
    /// The plan ends without `exec` or `spawn`, or with a `-exec` or `-spawn` that has failed.
    pub const NO_EXEC: u8 = 201;
    /// Descriptors 0 to 2 cannot be opened, or a panic (main.rs).
    pub const OTHER: u8 = 202;
}

/// What is wrong.
#[derive(Clone, Copy)]
pub enum Reason {
    Errno(Errno),
    /// The same, where the working directory is no longer the initramfs and cannot be again.
    Stranded(Errno),
    Fault(Fault),
    Ended(Ended),
}

impl From<Errno> for Reason {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Ended> for Reason {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

/// How a message begins. The priority, `<3>`, is for the kernel's log only.
const FAILURE: CStrPtr = CStrPtr::new(c"<3>moveroot: ");
const WARNING: CStrPtr = CStrPtr::new(c"<4>moveroot: ");
const PRIORITY: usize = "<3>".len();

/// In bytes; no argument is added to a message that is longer. /dev/kmsg refuses a record of more than 1024 bytes, prefix included
/// (devkmsg_write in kernel/printk/printk.c).
const MAX_OBJECTS: usize = 640;

/// Reports on a plan.
pub struct Report {
    /// The plan's name.
    pub plan: CStrPtr<'static>,
}

impl Report {
    /// Reports what is wrong with the plan, in a step or as a whole, and exits.
    pub fn fatal(&self, step: Option<&Step>, reason: Reason, scratch: &mut Scratch) -> ! {
        self.tell(step, reason, scratch);
        // Not reached: none of these is a warning.
        exit(ExitCode::OTHER)
    }

    /// Reports what is wrong, with a step or with the plan as a whole, and exits with its code; returns only if a step has failed that
    /// may. A message that cannot be written is lost: there is nowhere to report that.
    pub fn tell(&self, step: Option<&Step>, reason: Reason, message: &mut Scratch) {
        let is_warning = step.is_some_and(|step| step.may_fail) && !matches!(reason, Reason::Fault(_));
        message.clear();
        message.add(if is_warning { WARNING } else { FAILURE });
        message.add(self.plan);
        if let Some(step) = step {
            message.add(CStrPtr::new(c":"));
            message.add_number(step.line());
            add_objects(message, step);
        }
        print(reason, message);
        if !is_warning {
            exit(match (step, reason) {
                (Some(step), _) => step.line().min(ExitCode::LATER_LINE.into()) as u8,
                (None, Reason::Fault(Fault::NoExec)) => ExitCode::NO_EXEC,
                (None, _) => ExitCode::NO_PLAN,
            });
        }
    }
}

/// Prints `moveroot: SUBJECT: REASON`, as a warning, about something that no step has done.
pub fn say(subject: CStrPtr, reason: Reason, message: &mut Scratch) {
    message.clear();
    message.add(WARNING);
    message.add(subject);
    print(reason, message);
}

/// Adds the reason to a message, and prints it.
fn print(reason: Reason, message: &mut Scratch) {
    add_reason(message, reason);
    let _ = standard_error().write(message.bytes().get(PRIORITY..).unwrap_or_default());
    // A missing /dev/kmsg is made in the working directory. That must be the initramfs: the new root has only what the plan puts there.
    if matches!(reason, Reason::Stranded(_)) {
        return;
    }
    if let Ok(log) = open_or_make_device(CStrPtr::new(c"dev/kmsg"), 1, 11) {
        let _ = log.write(message.bytes());
    }
}

/// Adds the verb and those arguments that the verb's row in `verbs!` (language/src/verb.rs) says a message names.
fn add_objects(message: &mut Scratch, step: &Step) {
    let mut named = step.named & step.verb().named_words();
    let (mut separator, mut next) = (CStrPtr::new(c": "), CStrPtr::new(c" "));
    // A `root` that the plan doesn't have.
    if step.words().is_empty() {
        message.add(CStrPtr::new(c": root"));
    }
    for word in step.words() {
        if named & 1 != 0 && message.bytes().len() < MAX_OBJECTS {
            message.add(separator);
            message.add(word);
        }
        named >>= 1;
        (separator, next) = (next, step.verb().separator());
    }
}

fn add_reason(message: &mut Scratch, reason: Reason) {
    match reason {
        Reason::Errno(errno) | Reason::Stranded(errno) => {
            message.add(CStrPtr::new(c": E"));
            errno::letters(errno.number()).for_each(|letter| message.push(letter));
            message.add(CStrPtr::new(c" ("));
            message.add_number(errno.number());
            message.add(CStrPtr::new(c")"));
        }
        Reason::Fault(fault) => {
            message.add(CStrPtr::new(c": "));
            message.add(built_in::fault_text(fault));
        }
        Reason::Ended(ended) if built_in::STARTS_PROGRAMS => {
            let signal = ended.signal();
            message.add(CStrPtr::new(if signal.is_some() { c": signal " } else { c": exit status " }));
            message.add_number(signal.unwrap_or(ended.exit_status()).into());
        }
        Reason::Ended(_) => {}
    }
    message.add(CStrPtr::new(c"\n"));
}

/// Opens a character device of the initramfs, which is the working directory. If that fails, makes it first: whether it could be made
/// shows when it is opened.
fn open_or_make_device(path: CStrPtr, major: u8, minor: u8) -> Result<Descriptor, Errno> {
    open_device(path).or_else(|_| {
        let _ = make_directory(CStrPtr::new(c"dev"), 0o755);
        let _ = make_character_device(path, major, minor);
        open_device(path)
    })
}

/// Opens descriptors 0, 1 and 2, on `/dev/console`, else on `/dev/null`, if the kernel could not open `/dev/console`
/// (console_on_rootfs in init/main.c). Must be called before anything else is opened. Fails if neither can be opened.
pub fn open_standard_descriptors() -> Result<(), Errno> {
    if has_standard_error() {
        return Ok(());
    }
    let console = open_or_make_device(CStrPtr::new(c"dev/console"), 5, 1);
    let stdin = console.or_else(|_| open_or_make_device(CStrPtr::new(c"dev/null"), 1, 3))?;
    open_stdout_and_stderr(stdin)
}

/// Says on standard error alone how init is meant to be run, and exits.
pub fn not_pid_1() -> ! {
    let _ = standard_error().write(b"moveroot: not pid 1: pack me as /init of an initramfs\n");
    exit(ExitCode::USAGE)
}
