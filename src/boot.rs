//! The boot, as a story: read the plan, check it, run each step, become the service.
//!
//! Holds on entry: the kernel has just started this program; `/` and the working directory are the root of the initramfs.
//! Holds on exit: there is none. The service runs in our place, or a report ends the process.

use crate::report::{self, ExitCode, Reason, Report};
use crate::roots::{Bound, Roots};
use crate::scratch::Scratch;
use crate::steps::{self, Environment, MountTable, Service};
use crate::sys::process::{self, Arguments, KernelWords};
use crate::sys::{Errno, file};
use core::ffi::CStr;
use language::{Action, CStrPtr, Fault, Lines, Plan, Refusal, Text};
use linux_raw_sys::errno::ENOENT;

/// The plan that runs where the initramfs has none. The build script has checked it.
static BUILT_IN: &[u8] = include_bytes!(env!("BUILT_IN_PLAN"));
const BUILT_IN_NAME: CStrPtr = match CStr::from_bytes_with_nul(concat!(env!("BUILT_IN_NAME"), "\0").as_bytes()) {
    Ok(name) => CStrPtr::new(name),
    Err(_) => panic!("there is a NUL in the name"),
};

/// The buffers of a boot, zeros on entry: start.rs. Those that every boot uses come first, so that few pages are touched.
#[repr(C)]
pub struct Room {
    environment: Environment,
    scratch: Scratch,
    text: Text,
    lines: Lines<'static>,
    bound: Bound,
    mounts: MountTable,
}

/// Boots, with what the kernel passed.
pub fn run(arguments: Arguments, variables: KernelWords, room: &'static mut Room) -> ! {
    begin();
    let Room { environment, scratch, text, lines, bound, mounts } = room;
    let mut service = Service { arguments, environment, on_exit: Action::Poweroff, mounts };
    let named = service.add_kernel_variables(variables, CStrPtr::new(c"moveroot_plan="));
    let mut roots = Roots::new(bound);
    let (report, plan) = read_plan(named, text, lines, scratch);
    // From here on the machine changes. The last step, `exec` or `spawn`, does not return.
    for mut step in plan.steps() {
        #[cfg(feature = "marks")]
        crate::sys::marks::mark(step.line());
        if let Err(reason) = steps::run(&mut step, &mut roots, &mut service, scratch) {
            report.tell(Some(&step), reason, scratch);
        }
    }
    report.fatal(None, Reason::Fault(Fault::NoExec), scratch)
}

/// Ends unless this is PID 1 and has descriptors 0, 1 and 2.
fn begin() {
    if !process::is_pid_1() {
        report::not_pid_1();
    }
    #[cfg(feature = "marks")]
    if crate::sys::marks::begin_marks().is_err() {
        // Where the kernel denies the permission to send them, this init has no use.
        process::exit(ExitCode::OTHER);
    }
    if report::open_standard_descriptors().is_err() {
        // A service without them would take the first file it opens for its standard input.
        process::exit(ExitCode::OTHER);
    }
}

/// Reads and checks the plan that `moveroot_plan=` names, else `/boot.plan`, else the built-in one. Ends if something is wrong.
fn read_plan(
    named: Option<CStrPtr<'static>>,
    text: &'static mut Text,
    lines: &'static mut Lines<'static>,
    scratch: &mut Scratch,
) -> (Report, Plan<'static>) {
    let path = named.unwrap_or(CStrPtr::new(c"/boot.plan"));
    let mut report = Report { plan: path.strip_prefix(CStrPtr::new(c"/")).unwrap_or(path) };
    let read = match file::open_to_read(path) {
        Err(errno) if named.is_none() && errno == Errno::of(ENOENT) => {
            report.plan = BUILT_IN_NAME;
            let _ = text.extend_from_slice(BUILT_IN);
            Ok(())
        }
        file => file.and_then(|file| file.read_to_end(text)),
    };
    if let Err(errno) = read {
        report.fatal(None, Reason::Errno(errno), scratch);
    }
    match Plan::read(text, lines) {
        Ok(plan) => (report, plan),
        Err(Refusal { step, fault }) => report.fatal(step.as_ref(), Reason::Fault(fault), scratch),
    }
}
