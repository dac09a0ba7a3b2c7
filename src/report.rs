//! What moveroot says: one message grammar, one printing site, one death path.
//!
//! `moveroot: PLAN:LINE: STEP OBJECT: ERRNO (NUMBER)`, to standard error and to the kernel's log, where a failure
//! has priority 3 and a warning 4 (syslog(2)). The exit code, which the kernel prints when pid 1 ends, is the line.

use crate::errno;
use crate::fault::Fault;
use crate::line::{Line, add};
use crate::plan::{MAX_WORDS, Step};
use crate::sys::{self, Errno, Name, Word};
use crate::verb::Verb;
use ufmt::uwrite;

/// The exit codes that aren't a plan's line.
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
    /// Anything else: descriptors 0 to 2 cannot be opened, or a panic (main.rs).
    pub const OTHER: u8 = 202;
}

/// No further word from here on, so that there is room for one and for the reason.
const MAX_OBJECTS: usize = 640;

/// How a message begins; the kernel's log takes the priority for itself, standard error is spared it.
const PRIORITY: usize = "<3>".len();

/// Reports on a plan.
pub struct Report<'t> {
    /// The plan's name.
    pub plan: Name<'t>,
}

impl Report<'_> {
    /// The one printing site and the one death path: returns only after the failure of a step that may fail, and `/` is
    /// the initramfs then. A step without words stands for the plan as a whole. Where a message cannot go, there is
    /// nobody to tell.
    #[inline(never)]
    pub fn tell(&self, step: &Step, reason: Reason) {
        let mut message = Line::new();
        let is_warning = step.may_fail && matches!(reason, Reason::Errno(_));
        add(&mut message, Name::literal(if is_warning { c"<4>moveroot: " } else { c"<3>moveroot: " }), 0);
        add(&mut message, self.plan, 0);
        let mut code = match reason {
            Reason::Fault(Fault::NoExec) => Exit::NO_EXEC,
            _ => Exit::NO_PLAN,
        };
        if step.count > 0 {
            code = step.line.min(Exit::LATER_LINE.into()) as u8;
            add(&mut message, COLON, 0);
            add_number(&mut message, step.line);
            add_objects(&mut message, step);
        }
        match reason {
            Reason::Errno(errno) => {
                add(&mut message, Name::literal(c": E"), 0);
                for letter in errno::letters(errno) {
                    let _ = message.push(letter);
                }
                add(&mut message, Name::literal(c" ("), 0);
                add_number(&mut message, errno.number());
                add(&mut message, Name::literal(c")\n"), 0);
            }
            Reason::Fault(fault) => {
                add(&mut message, Name::literal(c": "), 0);
                add(&mut message, fault.text(), 0);
                add(&mut message, Name::literal(c"\n"), 0);
            }
        }
        let _ = sys::write(sys::STANDARD_ERROR, message.get(PRIORITY..).unwrap_or_default());
        // Where the device has to be made, it is made in the initramfs: the new root has what the plan says, no more.
        let log = sys::enter_initramfs().and_then(|()| sys::open_device(Name::literal(c"/dev/kmsg"), 1, 11));
        if let Ok(log) = log {
            let _ = sys::write(log, &message);
            sys::close(log);
        }
        if !is_warning {
            sys::exit(code);
        }
    }
}

/// What is wrong.
pub enum Reason {
    Errno(Errno),
    Fault(Fault),
}

const COLON: Name = Name::literal(c":");
const SPACE: Name = Name::literal(c" ");

/// The verb, its first word, the place if that is another one; all names of controllers.
#[inline(never)]
fn add_objects(message: &mut Line, step: &Step) {
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
            add(message, before, 0);
            add(message, **word, b' ');
            (before, next, last) = (next, joint, *word);
        }
    }
}

#[inline(never)]
fn add_number(message: &mut Line, number: u16) {
    let _ = uwrite!(message, "{}", number);
}

/// Says how init is meant to be run, to standard error alone, and ends.
#[inline(always)]
pub fn usage() -> ! {
    let _ = sys::write(sys::STANDARD_ERROR, b"moveroot: not pid 1: pack me as /init of an initramfs\n");
    sys::exit(Exit::USAGE)
}
