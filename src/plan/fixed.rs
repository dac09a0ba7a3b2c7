//! The plan of an init that runs no other, with the feature `fixed-plan`. It has the same functions as src/plan.rs, but reads no file
//! and has no parser: linker/build.rs has computed steps, flags and options.

use crate::built_in;
use crate::report::Report;
use crate::scratch::Scratch;
use crate::sys::Errno;
use core::ops::{Deref, DerefMut};
use language::{CStrPtr, MountFlags, Plan};
use linux_raw_sys::errno::ENAMETOOLONG;

/// How many bytes of options mount(2) takes, with a NUL: copy_mount_options in fs/namespace.c.
const MAX_OPTIONS: usize = 4096;

/// Empty: the plan is part of the program.
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
    /// The options of `mount`: flags, and what is left for the filesystem, which is all that linker/build.rs has left in the line.
    pub fn mount_options(&self, _: &mut Scratch) -> (MountFlags, CStrPtr<'static>) {
        let [.., options] = self.arguments();
        // Changes no value. It tells the compiler which flags can occur, so code for the others is left out.
        (self.flags.only(built_in::ALL_FLAGS), options)
    }

    /// The options of `root`: flags as MS_* bits, and the tmpfs's options. ENAMETOOLONG if these are longer than mount(2) takes.
    pub fn root_options(&self, large_pages: bool, _: &mut Scratch) -> Result<(u32, CStrPtr<'static>), Errno> {
        let options = if large_pages { built_in::ROOT_WITH_LARGE_PAGES } else { built_in::ROOT };
        if options.count_bytes() < MAX_OPTIONS {
            Ok((self.flags.set, CStrPtr::new(options)))
        } else {
            Err(Errno::of(ENAMETOOLONG))
        }
    }
}

/// The built-in plan's steps, and how to report on them.
pub fn find(
    _: &[Option<CStrPtr<'static>>],
    _: &'static mut Memory,
    _: &mut Scratch,
) -> (Report, impl Iterator<Item = Step> + use<>) {
    let steps = Plan::built_in(built_in::LINES).steps().zip(built_in::FLAGS);
    (Report { plan: built_in::NAME }, steps.map(|(step, flags)| Step { step, flags: *flags }))
}
