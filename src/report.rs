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
    /// Not pid 1.
    pub const USAGE: u8 = 64;
    /// A line that has no code of its own.
    pub const LATER_LINE: u8 = 199;
    /// The plan cannot be read or is too long.
    pub const NO_PLAN: u8 = 200;
    /// The plan ends without `exec`.
    pub const NO_EXEC: u8 = 201;
    /// Anything else: descriptors 0 to 2 cannot be opened, or a panic (main.rs).
    pub const OTHER: u8 = 202;
}

/// What is wrong.
#[derive(Clone, Copy)]
pub enum Reason {
    Errno(Errno),
    /// The same, and there is no way back to the initramfs.
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

/// No argument is added after this length: printk drops a record of more than 1024 bytes with its prefix (LOG_LINE_MAX in
/// kernel/printk).
const MAX_OBJECTS: usize = 640;

/// Reports on a plan.
pub struct Report {
    /// The plan's name.
    pub plan: CStrPtr<'static>,
}

impl Report {
    /// Says what is wrong with the plan, in a step or as a whole, and ends.
    pub fn fatal(&self, step: Option<&Step>, reason: Reason, scratch: &mut Scratch) -> ! {
        self.tell(step, reason, scratch);
        exit(ExitCode::OTHER)
    }

    /// Says what is wrong, with a step or with the plan as a whole, and ends, unless a step has failed that may.
    /// Where a message cannot go, there is nobody to tell.
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

/// Says what became of something that is no step's, in a boot that goes on.
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
    // A device that is missing is made in the initramfs: the new root has what the plan says, no more.
    if matches!(reason, Reason::Stranded(_)) {
        return;
    }
    if let Ok(log) = open_or_make_device(CStrPtr::new(c"dev/kmsg"), 1, 11) {
        let _ = log.write(message.bytes());
    }
}

/// Adds the verb and those arguments that its row in `verbs!` says a message names.
fn add_objects(message: &mut Scratch, step: &Step) {
    let mut named = step.named & step.verb().named_words();
    let (mut separator, mut next) = (CStrPtr::new(c": "), CStrPtr::new(c" "));
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

/// Opens a character device of the initramfs, the working directory, and makes it if it isn't there. Whether that went well shows when it is opened.
fn open_or_make_device(path: CStrPtr, major: u8, minor: u8) -> Result<Descriptor, Errno> {
    open_device(path).or_else(|_| {
        let _ = make_directory(CStrPtr::new(c"dev"), 0o755);
        let _ = make_character_device(path, major, minor);
        open_device(path)
    })
}

/// Opens descriptors 0, 1 and 2 where the kernel could not, for want of a `/dev/console` that opens: on the console, else on
/// `/dev/null`. Must come before anything else is opened; there is nowhere to report a failure.
pub fn open_standard_descriptors() -> Result<(), Errno> {
    if has_standard_error() {
        return Ok(());
    }
    let console = open_or_make_device(CStrPtr::new(c"dev/console"), 5, 1);
    let stdin = console.or_else(|_| open_or_make_device(CStrPtr::new(c"dev/null"), 1, 3))?;
    open_stdout_and_stderr(stdin)
}

/// Says how init is meant to be run, to standard error alone, and ends.
pub fn not_pid_1() -> ! {
    let _ = standard_error().write(b"moveroot: not pid 1: pack me as /init of an initramfs\n");
    exit(ExitCode::USAGE)
}
