//! What the service finds: its descriptors, arguments and environment; and becoming it.

use crate::plan::{NO_WORDS, Step, Words};
use crate::sys::{self, Errno, Name, Word};
use linux_raw_sys::errno::E2BIG;

/// The service to be.
#[repr(C)]
pub struct Service<'t> {
    arguments: &'t [Word<'t>],
    environment: Words<'t>,
}

impl<'t> Service<'t> {
    /// Starts from what the kernel passed.
    #[inline(always)]
    pub fn new(arguments: &'t [Word<'t>], kernel: &[Word<'t>]) -> Self {
        // The first is the kernel's name for us.
        let arguments = arguments.get(1..).unwrap_or_default();
        let mut service = Self { arguments, environment: NO_WORDS };
        for (place, variable) in service.environment.iter_mut().zip(kernel) {
            *place = *variable;
        }
        service
    }

    /// `env NAME=VALUE`: takes the place of a variable of the same name.
    #[inline(never)]
    pub fn set(&mut self, step: &Step<'t>) -> Result<(), Errno> {
        let assignment = step.words[1];
        let [variables @ .., _] = &mut self.environment;
        for variable in variables {
            if variable.is_none() || is_same_name(**variable, *assignment) {
                *variable = assignment;
                return Ok(());
            }
        }
        Err(Errno::of(E2BIG))
    }

    /// `exec PATH [ARG…]`: PATH, the plan's words, then the kernel's behind its name for us. Returns on failure only.
    #[inline(never)]
    pub fn execute(&mut self, step: &mut Step<'t>) -> Result<(), Errno> {
        let back = sys::leave_initramfs()?;
        let count = step.count;
        for word in self.arguments {
            step.add(*word);
        }
        let [_, arguments @ ..] = &step.words;
        let result = sys::execute(*step.words[1], arguments, &self.environment);
        // For the report, for a second try, and for an `exec` to fall back to.
        step.truncate(count);
        let returned = sys::return_to_initramfs(back);
        // Without a way back no other service can be tried, whatever the plan says.
        step.may_fail &= returned.is_ok();
        returned.and(result)
    }
}

fn is_same_name(one: Name, other: Name) -> bool {
    let mut same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b);
    same.any(|(byte, _)| byte == b'=')
}

/// Opens 0, 1 and 2 where the kernel could not, for want of a `/dev/console` that opens: on the console, else on
/// `/dev/null`. Must come before anything else is opened; a failure has no descriptor to be told on.
pub fn open_descriptors() -> Result<(), Errno> {
    if sys::has_standard_error() {
        return Ok(());
    }
    let console = sys::open_device(Name::literal(c"/dev/console"), 5, 1);
    let file = console.or_else(|_| sys::open_device(Name::literal(c"/dev/null"), 1, 3));
    file.and_then(sys::become_standard)
}
