//! The boot, as a story: read the plan, run each step, hand over to the service.
//!
//! Holds on entry: the kernel has just started this program; the working directory is the root of the initramfs.
//! Holds on exit: there is none. The service runs in our place, or a report ends the process.

use crate::plan::{Fault, MAX_LEN, Step, Text, Verb, lines};
use crate::report::{self, Report};
use crate::service::{self, Service};
use crate::sys::{self, Errno, Name, Word};
use crate::{carry, mounts, root};
use core::ffi::CStr;
use linux_raw_sys::errno::ENOENT;

/// The plan that runs where the initramfs has none, and its file's name.
const BUILT_IN: &[u8] = include_bytes!(env!("MOVEROOT_PLAN_FILE"));
const BUILT_IN_NAME: &[u8] = concat!(env!("MOVEROOT_PLAN_NAME"), "\0").as_bytes();

/// Boots, with the arguments and the environment that the kernel passed.
pub fn run(arguments: &[Word], environment: &[Word]) -> ! {
    if sys::process_id() != 1 {
        report::usage();
    }
    service::open_descriptors();
    let mut text = Text::new();
    let (name, found) = read_plan(environment, &mut text);
    let report = Report { plan: name };
    if let Err(errno) = found {
        report.unreadable(errno);
    }
    if text.len() > MAX_LEN {
        report.refused(None, Fault::TooLong);
    }
    let mut copy = Text::new();
    let _ = copy.extend_from_slice(&text);
    go_through(&mut copy, &report, None);
    let mut service = Service::new(arguments, environment);
    go_through(&mut text, &report, Some(&mut service));
    report.refused(None, Fault::NoExec)
}

/// Reads the plan from its first line to its last; runs each step if there is a service to come to.
#[inline(never)]
fn go_through<'t>(text: &'t mut Text, report: &Report, mut service: Option<&mut Service<'t>>) {
    let mut step = Step::before_first();
    for line in lines(text) {
        match (step.read(line), &mut service) {
            (Err(fault), _) => report.refused(Some(&step), fault),
            (Ok(true), Some(service)) => run_step(&mut step, service, report),
            _ => {}
        }
    }
    if step.verb != Verb::EXEC {
        report.refused(None, Fault::NoExec);
    }
}

/// Reads the plan that `moveroot_plan=` names, else `/boot.plan`, else the one that was built in; and says which.
#[inline(never)]
fn read_plan<'t>(environment: &[Word<'t>], text: &mut Text) -> (Name<'t>, Result<(), Errno>) {
    let named = environment.iter().find_map(|word| word.strip_prefix(b"moveroot_plan="));
    let path = named.unwrap_or(Name::literal(c"/boot.plan"));
    let name = path.strip_prefix(b"/").unwrap_or(path);
    let file = match sys::open(path) {
        Err(errno) if named.is_none() && errno == Errno::of(ENOENT) => {
            let _ = text.extend_from_slice(BUILT_IN);
            let name = CStr::from_bytes_with_nul(BUILT_IN_NAME).unwrap_or_default();
            return (Name::literal(name), Ok(()));
        }
        Err(errno) => return (name, Err(errno)),
        Ok(file) => file,
    };
    loop {
        match sys::read(&file, text) {
            Ok(0) => return (name, Ok(())),
            Ok(_) => {}
            Err(errno) => return (name, Err(errno)),
        }
    }
}

#[inline(never)]
fn run_step<'t>(step: &mut Step<'t>, service: &mut Service<'t>, report: &Report) {
    let result = match step.verb {
        Verb::ROOT => root::build(step),
        Verb::DIR => mounts::dir(step),
        Verb::LINK => mounts::link(step),
        Verb::MOUNT => mounts::mount(step),
        Verb::WRITE => mounts::write(step),
        Verb::CONTROLLERS => mounts::controllers(step),
        Verb::COPY => carry::copy(step),
        Verb::BIND => carry::bind(step),
        Verb::ENV => service.set(step),
        _ => service.execute(step),
    };
    if let Err(errno) = result {
        report.failed(step, errno);
        // After a report, if not after the step, `/` is the initramfs.
        if let Err(errno) = sys::enter_new_root() {
            report.unreadable(errno);
        }
    }
}
