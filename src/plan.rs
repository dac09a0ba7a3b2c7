//! The plan: read and checked before its first step runs.
//!
//! With the feature `fixed-plan`, plan/fixed.rs replaces this file: the build script has done all of this then.

use crate::built_in;
use crate::report::Report;
use crate::scratch::Scratch;
use crate::sys::{Errno, file};
use core::ops::{Deref, DerefMut};
use language::{CStrPtr, LARGE_PAGES, Lines, MountFlags, Plan, ROOT_MODE, ROOT_OPTIONS, Refusal, Text};
use linux_raw_sys::errno::{ENAMETOOLONG, ENOENT};

/// Buffers for a plan's text and for what was read from it.
#[repr(C)]
pub struct Memory {
    text: Text,
    lines: Lines<'static>,
}

/// A step of the plan.
pub struct Step(language::Step<'static>);

impl Deref for Step {
    type Target = language::Step<'static>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Step {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Step {
    /// The options of `mount`: flags, and what is left for the filesystem.
    pub fn mount_options<'s>(&self, scratch: &'s mut Scratch) -> (MountFlags, CStrPtr<'s>) {
        let [.., options] = self.arguments();
        scratch.clear();
        let flags = add_options(options, scratch);
        (flags, scratch.c_str())
    }

    /// The options of `root`: flags as MS_* bits, and the tmpfs's options. ENAMETOOLONG if these are longer than mount(2) takes.
    pub fn root_options<'s>(&self, large_pages: bool, scratch: &'s mut Scratch) -> Result<(u32, CStrPtr<'s>), Errno> {
        let [options, ..] = self.arguments();
        scratch.clear();
        scratch.add(if large_pages { LARGE_PAGES } else { CStrPtr::EMPTY });
        scratch.add(ROOT_MODE);
        let flags = add_options(if options.is_empty() { ROOT_OPTIONS } else { options }, scratch);
        if scratch.buffer().is_full() { Err(Errno::of(ENAMETOOLONG)) } else { Ok((flags.set, scratch.c_str())) }
    }
}

/// Adds the filesystem's options to `scratch`, and returns the flags.
fn add_options(options: CStrPtr, scratch: &mut Scratch) -> MountFlags {
    MountFlags::take(options, |byte| scratch.push(byte))
}

/// Reads the plan that `moveroot_plan=` names, else `/boot.plan`, else the built-in one, and returns its steps, and how to report on
/// them. Reports and exits if the plan cannot be read or is wrong.
pub fn find(
    environment: &[Option<CStrPtr<'static>>],
    memory: &'static mut Memory,
    scratch: &mut Scratch,
) -> (Report, impl Iterator<Item = Step> + use<>) {
    let named = name(environment);
    let path = named.unwrap_or(CStrPtr::new(c"/boot.plan"));
    let report = Report { plan: path.strip_prefix(CStrPtr::new(c"/")).unwrap_or(path) };
    let read = match file::open_to_read(path) {
        Err(errno) if named.is_none() && errno == Errno::of(ENOENT) => {
            return (Report { plan: built_in::NAME }, Plan::built_in(built_in::LINES).steps().map(Step));
        }
        file => file.and_then(|file| file.read_to_end(&mut memory.text)),
    };
    if let Err(errno) = read {
        report.fatal(None, errno.into(), scratch);
    }
    match Plan::read(&mut memory.text, &mut memory.lines) {
        Ok(plan) => (report, plan.steps().map(Step)),
        Err(Refusal { step, fault }) => report.fatal(step.as_ref(), fault.into(), scratch),
    }
}

/// The value of the last `moveroot_plan=`, if it isn't empty.
fn name(environment: &[Option<CStrPtr<'static>>]) -> Option<CStrPtr<'static>> {
    let prefix = CStrPtr::new(c"moveroot_plan=");
    let last = environment.iter().map_while(|variable| *variable).filter_map(|it| it.strip_prefix(prefix)).last();
    last.filter(|value| !value.is_empty())
}
