//! What moveroot says: one message grammar, one printing site, one death path.
//!
//! `moveroot: PLAN:LINE: STEP OBJECT: ERRNO (NUMBER)`, to standard error and to the kernel's log, where a failure
//! has priority 3 and a warning 4 (syslog(2)). The exit code, which the kernel prints when pid 1 ends, is the line.

use crate::errno;
use crate::fault::Fault;
use crate::line::{add, add_number, add_text, push};
use crate::plan::Step;
use crate::sys::{self, Errno, Name, Tail, rows};
use crate::texts::{self, Packed};

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

/// What is told of beside the step, and what a service is given beside the plan's.
pub struct Boot<'t> {
    /// The plan's name.
    pub plan: Name<'t>,
    /// What stood behind `--` on the kernel's command line.
    pub arguments: Tail,
}

impl Boot<'_> {
    /// The one printing site and the one death path: returns only after the failure of a step that may fail, and `/` is
    /// the initramfs then. A step without words stands for the plan as a whole. Where a message cannot go, there is
    /// nobody to tell.
    #[inline(always)]
    pub fn tell(&self, step: &mut Step, reason: Reason) {
        let Reason(number) = reason;
        let is_errno = number < FAULTS;
        step.may_fail &= is_errno;
        step.frame.line.clear();
        add(step.frame.line, if step.may_fail { texts::WARNING } else { texts::FAILURE }, self.plan);
        if step.count > 0 {
            add_text(step.frame.line, texts::COLON);
            add_number(step.frame.line, step.line as u16);
            add_objects(step);
        }
        let message = &mut *step.frame.line;
        if is_errno {
            add_text(message, texts::ERRNO);
            for letter in errno::letters(number) {
                push(message, letter);
            }
            add_text(message, texts::NUMBER);
            add_number(message, number as u16);
            add_text(message, texts::END);
        } else {
            add_text(message, texts::COLON_SPACE);
            add_text(message, Packed((number as u8).into()));
            add_text(message, texts::NEW_LINE);
        }
        let _ = sys::write_behind(sys::STANDARD_ERROR, message, PRIORITY);
        // Where the device has to be made, it is made in the initramfs: the new root has what the plan says, no more.
        let entered = step.frame.run(rows!(sys::enter(sys::INITRAMFS)));
        let log = entered.and_then(|()| sys::open_device(Name::literal(c"/dev/kmsg"), 1, 11));
        if let Ok(log) = log {
            let _ = sys::write_behind(log, &*step.frame.line, 0);
            sys::close_now(log);
        }
        if !step.may_fail {
            let mut code = step.line.min(Exit::LATER_LINE.into()) as u8;
            if step.count == 0 {
                code = if reason == Fault::NoExec.into() { Exit::NO_EXEC } else { Exit::NO_PLAN };
            }
            sys::exit(code);
        }
    }
}

/// What is wrong: an errno, or a fault of the plan beyond all errnos; or nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reason(u32);

/// MAX_ERRNO in include/linux/err.h, and one.
const FAULTS: u32 = 4096;

impl Reason {
    pub const NONE: Self = Self(0);
}

impl From<Result<(), Errno>> for Reason {
    fn from(result: Result<(), Errno>) -> Self {
        result.map_or_else(|errno| Self(errno.number() as u32), |()| Self::NONE)
    }
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        Self(FAULTS | fault as u32)
    }
}

const _: () = assert!(texts::SPACE.0 == texts::COLON_SPACE.0 + 1, "what stands before the first two words");

/// The verb, its first word, the place if the line has one; all names of controllers.
fn add_objects(step: &mut Step) {
    let (joint, most) = (step.needs.joint(), step.needs.told().into());
    let frame = &mut step.frame;
    for (place, word) in frame.words.iter().enumerate().take(usize::from(step.count).min(most)) {
        if !word.is_none() && frame.line.len() < MAX_OBJECTS {
            let before = if place < 2 { Packed(texts::COLON_SPACE.0 + place as u32) } else { joint };
            add(frame.line, before, **word);
        }
    }
}

/// Says how init is meant to be run, to standard error alone, and ends.
#[inline(always)]
pub fn usage() -> ! {
    let _ = sys::write(sys::STANDARD_ERROR, b"moveroot: not pid 1: pack me as /init of an initramfs\n");
    sys::exit(Exit::USAGE)
}
