//! The boot, as a story: read the plan, run each step, hand over to the service.
//!
//! Holds on entry: the kernel has just started this program; the working directory is the root of the initramfs.
//! Holds on exit: there is none. The service runs in our place, or a report ends the process.

use crate::fault::Fault;
use crate::plan::{MAX_LEN, Pass, Step, Text, blank_out};
use crate::report::{self, Exit, Reason, Report};
use crate::service::{self, Service};
use crate::sys::{self, Errno, Name, Word};
use crate::verb::Verb;
use crate::{carry, mounts, root};
use core::ffi::CStr;
use linux_raw_sys::errno::{EINTR, ENOENT};

/// The plan that runs where the initramfs has none, and its file's name.
const BUILT_IN: &[u8] = include_bytes!(env!("MOVEROOT_PLAN_FILE"));
const BUILT_IN_NAME: &CStr = match CStr::from_bytes_with_nul(concat!(env!("MOVEROOT_PLAN_NAME"), "\0").as_bytes()) {
    Ok(name) => name,
    Err(_) => panic!("a file's name has no NUL"),
};

const INTERRUPTED: Errno = Errno::of(EINTR);

/// Boots, with the arguments and the environment that the kernel passed.
#[inline(always)]
pub fn run(arguments: &[Word], environment: &[Word]) -> ! {
    if sys::process_id() != 1 {
        report::usage();
    }
    #[cfg(feature = "marks")]
    sys::begin_marks();
    if service::open_descriptors().is_err() {
        // A service without them would take the first file it opens for its standard input.
        sys::exit(Exit::OTHER);
    }
    let mut text = Text::new();
    let (plan, first_pass) = read_plan(environment, &mut text);
    let report = Report { plan };
    let mut step = Step::before(&mut text);
    let first = step.rest;
    let mut service = Service::new(arguments, environment);
    let mut pass = first_pass.unwrap_or_else(|reason| {
        report.tell(&step, reason);
        Pass::Check
    });
    loop {
        match step.read(pass) {
            Ok(()) if pass == Pass::Check => {}
            Ok(()) => run_step(&mut step, &mut service, &report),
            Err(Fault::NoExec) if pass == Pass::Check && step.verb == Verb::EXEC => {
                (pass, step.verb, step.line, step.rest) = (Pass::Run, Verb::NONE, 0, first);
            }
            Err(fault) => report.tell(&step, Reason::Fault(fault)),
        }
    }
}

/// Reads the plan that `moveroot_plan=` names, else `/boot.plan`, else the one that was built in; says which, and what
/// is to be done first or is wrong with it as a whole. The build script has checked the one that was built in.
#[inline(always)]
fn read_plan<'t>(environment: &[Word<'t>], text: &mut Text) -> (Name<'t>, Result<Pass, Reason>) {
    let named = environment.iter().find_map(|word| word.strip_prefix(b"moveroot_plan="));
    let path = named.unwrap_or(Name::literal(c"/boot.plan"));
    let name = path.strip_prefix(b"/").unwrap_or(path);
    let file = sys::open(path);
    if named.is_none() && file == Err(Errno::of(ENOENT)) {
        let _ = text.extend_from_slice(BUILT_IN);
        return (Name::literal(BUILT_IN_NAME), Ok(Pass::Run));
    }
    let result = file.and_then(|file| {
        while sys::read(file, text)? > 0 {}
        blank_out(text);
        Ok(())
    });
    match result {
        Err(errno) => (name, Err(Reason::Errno(errno))),
        Ok(()) if text.len() > MAX_LEN => (name, Err(Reason::Fault(Fault::TooLong))),
        Ok(()) => (name, Ok(Pass::Check)),
    }
}

#[inline(never)]
fn run_step<'t>(step: &mut Step<'t>, service: &mut Service<'t>, report: &Report) {
    #[cfg(feature = "marks")]
    sys::mark(step.line);
    let result = loop {
        // A signal has come between: errno EINTR, signal(7). What a step has done by then it finds done.
        match run_once(step, service) {
            Err(INTERRUPTED) => {}
            other => break other,
        }
    };
    if let Err(errno) = result {
        report.tell(step, Reason::Errno(errno));
        // After a report, if not after the step, `/` is the initramfs.
        if let Err(errno) = sys::enter_new_root() {
            step.may_fail = false;
            report.tell(step, Reason::Errno(errno));
        }
    }
}

#[inline(always)]
fn run_once<'t>(step: &mut Step<'t>, service: &mut Service<'t>) -> Result<(), Errno> {
    match step.verb {
        Verb::ROOT => root::build(step),
        Verb::DIR => mounts::dir(step),
        Verb::LINK => mounts::link(step),
        Verb::MOUNT => mounts::mount(step),
        Verb::WRITE => mounts::write(step),
        Verb::CONTROLLERS => mounts::controllers(step),
        Verb::COPY => carry::copy(step),
        Verb::BIND => carry::bind(step),
        Verb::MODULE => carry::load(step),
        Verb::ENV => service.set(step),
        _ => service.execute(step),
    }
}
