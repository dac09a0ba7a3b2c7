//! What moveroot says: one message grammar, one printing site, one death path.
//!
//! `moveroot: PLAN:LINE: STEP OBJECT: ERRNO (NUMBER)`, to standard error and to the kernel's log, where a failure
//! has priority 3 and a warning 4 (syslog(2)). The exit code, which the kernel prints when pid 1 ends, is the line.

use crate::errno;
use crate::plan::{Fault, MAX_WORDS, Step, Verb};
use crate::sys::{self, Errno, Name, Word};
use heapless::Vec;
use ufmt::uwrite;

/// The exit codes that aren't a plan's line. 202, anything else, is the panic handler's in main.rs.
pub struct Exit;

impl Exit {
    /// Not pid 1.
    pub const USAGE: u8 = 64;
    /// A line that has no code of its own.
    pub const LATER_LINE: u8 = 199;
    /// The plan cannot be read or is too long.
    pub const NO_PLAN: u8 = 200;
    /// The plan ends without `exec`.
    pub const NO_EXEC: u8 = 201;
}

/// printk drops a record of more than 1024 bytes with its prefix (LOG_LINE_MAX in kernel/printk): a message stays
/// well below, and so does each word of it.
const MAX_MESSAGE: usize = 960;
const MAX_WORD: usize = 240;
/// No further word from here on, so that there is room for one and for the reason.
const MAX_OBJECTS: usize = 640;

/// How a message begins; the kernel's log takes the priority for itself, standard error is spared it.
const PRIORITY: usize = "<3>".len();

type Message = Vec<u8, MAX_MESSAGE>;

/// Reports on a plan, by its name.
pub struct Report<'t> {
    pub plan: Name<'t>,
}

impl Report<'_> {
    /// A step has failed. Returns only if it may.
    pub fn failed(&self, step: &Step, errno: Errno) {
        self.print(Some(step), Reason::Errno(errno));
        if !step.may_fail {
            sys::exit(code(step));
        }
    }

    /// A line of the plan, or the plan as a whole, is wrong.
    pub fn refused(&self, step: Option<&Step>, fault: Fault) -> ! {
        self.print(step, Reason::Fault(fault));
        sys::exit(match (step, fault) {
            (Some(step), _) => code(step),
            (None, Fault::NoExec) => Exit::NO_EXEC,
            (None, _) => Exit::NO_PLAN,
        })
    }

    /// The plan cannot be read.
    pub fn unreadable(&self, errno: Errno) -> ! {
        self.print(None, Reason::Errno(errno));
        sys::exit(Exit::NO_PLAN)
    }

    /// The one printing site; `/` is the initramfs afterwards. Where a message cannot go, there is nobody to tell.
    #[inline(never)]
    fn print(&self, step: Option<&Step>, reason: Reason) {
        let mut message = Message::new();
        let warning = matches!(reason, Reason::Errno(_)) && step.is_some_and(|step| step.may_fail);
        add(&mut message, Name::literal(if warning { c"<4>moveroot: " } else { c"<3>moveroot: " }));
        add(&mut message, self.plan);
        if let Some(step) = step {
            add(&mut message, COLON);
            add_number(&mut message, step.line);
            add_objects(&mut message, step);
        }
        match reason {
            Reason::Errno(errno) => {
                add(&mut message, Name::literal(c": E"));
                for letter in errno::letters(errno) {
                    let _ = message.push(letter);
                }
                add(&mut message, Name::literal(c" ("));
                add_number(&mut message, errno.number());
                add(&mut message, Name::literal(c")\n"));
            }
            Reason::Fault(fault) => {
                add(&mut message, Name::literal(c": "));
                add(&mut message, fault.text());
                add(&mut message, Name::literal(c"\n"));
            }
        }
        let _ = sys::write(&sys::standard_error(), message.get(PRIORITY..).unwrap_or_default());
        // Where the device has to be made, it is made in the initramfs: the new root has what the plan says, no more.
        let _ = sys::enter_initramfs();
        if let Ok(log) = sys::open_device(Name::literal(c"/dev/kmsg"), 1, 11) {
            let _ = sys::write(&log, &message);
        }
    }
}

const COLON: Name = Name::literal(c":");
const SPACE: Name = Name::literal(c" ");

/// The verb, its first word, the place if that is another one; all names of controllers.
fn add_objects(message: &mut Message, step: &Step) {
    let (joint, most) = match step.verb {
        Verb::CONTROLLERS => (SPACE, MAX_WORDS),
        Verb::MOUNT | Verb::BIND => (Name::literal(c" on "), 3),
        _ => (Name::literal(c" to "), if step.has_target() { 3 } else { 2 }),
    };
    let (mut before, mut next) = (Name::literal(c": "), SPACE);
    let mut last = Word::NONE;
    for word in step.words.iter().take(most) {
        // The target that was left out is the source once more.
        if !word.is_none() && *word != last && message.len() < MAX_OBJECTS {
            add(message, before);
            add(message, **word);
            (before, next, last) = (next, joint, *word);
        }
    }
}

/// Adds what there is room for, of a long word its beginning: a message that is cut is better than none.
#[inline(never)]
fn add(message: &mut Message, text: Name) {
    for byte in text.bytes().take(MAX_WORD) {
        let _ = message.push(byte);
    }
}

#[inline(never)]
fn add_number(message: &mut Message, number: u16) {
    let _ = uwrite!(message, "{}", number);
}

enum Reason {
    Errno(Errno),
    Fault(Fault),
}

/// Says how init is meant to be run, to standard error alone, and ends.
pub fn usage() -> ! {
    let _ = sys::write(&sys::standard_error(), b"moveroot: not pid 1: pack me as /init of an initramfs\n");
    sys::exit(Exit::USAGE)
}

fn code(step: &Step) -> u8 {
    step.line.min(Exit::LATER_LINE.into()) as u8
}
