//! The plan of a program that runs no other, the feature `fixed-plan`: all that can be worked out of it was when the program was
//! built. It knows the same as src/plan.rs, reads no file and has no parser.

use crate::built_in;
use crate::report::Report;
use crate::scratch::Scratch;
use crate::sys::Errno;
use core::ops::{Deref, DerefMut};
use language::{CStrPtr, MountFlags, Plan};
use linux_raw_sys::errno::ENAMETOOLONG;

/// A NUL included: copy_mount_options in fs/namespace.c.
const MOST_OPTIONS: usize = 4096;

/// There is nothing to be kept.
pub struct Memory;

/// A step of the plan.
pub struct Step {
    step: language::Step<'static>,
    flags: MountFlags,
}

impl Deref for Step {
    type Target = language::Step<'static>;

    fn deref(&self) -> &Self::Target {
        &self.step
    }
}

impl DerefMut for Step {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.step
    }
}

impl Step {
    /// What the options of `mount` say: flags, and what is the filesystem's, which takes their place in the line.
    pub fn mount_options(&self, _: &mut Scratch) -> (MountFlags, CStrPtr<'static>) {
        let [.., options] = self.arguments();
        // No other flag is in the plan: so what only others need is not in the program.
        (self.flags.only(built_in::ALL_FLAGS), options)
    }

    /// What the options of `root` say. ENAMETOOLONG of more than mount(2) takes.
    pub fn root_options(&self, large_pages: bool, _: &mut Scratch) -> Result<(u32, CStrPtr<'static>), Errno> {
        let options = if large_pages { built_in::ROOT_WITH_LARGE_PAGES } else { built_in::ROOT };
        if options.count_bytes() < MOST_OPTIONS {
            Ok((self.flags.set, CStrPtr::new(options)))
        } else {
            Err(Errno::of(ENAMETOOLONG))
        }
    }
}

/// The steps.
pub fn find(
    _: &[Option<CStrPtr<'static>>],
    _: &'static mut Memory,
    _: &mut Scratch,
) -> (Report, impl Iterator<Item = Step> + use<>) {
    let steps = Plan::built_in(built_in::LINES).steps().zip(built_in::FLAGS);
    (Report { plan: built_in::NAME }, steps.map(|(step, flags)| Step { step, flags: *flags }))
}
