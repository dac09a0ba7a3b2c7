//! The boot: read the plan, check it, run each step, become the service.
//!
//! Holds on entry: the kernel has just started this program; `/` and the working directory are the root of the initramfs.
//! Holds on exit: there is none. The process becomes the service, or exits.

use crate::plan;
use crate::report::{self, ExitCode};
use crate::roots::{Bound, Roots};
use crate::scratch::Scratch;
use crate::steps::{self, Environment, MountTable, Service};
use crate::sys::process::{self, Arguments, KernelWords};
use language::{Action, Fault};

/// The buffers of a boot. start.rs hands them over filled with zeros. Those that every boot uses come first, so that few pages are
/// touched.
#[repr(C)]
pub struct Buffers {
    environment: Environment,
    scratch: Scratch,
    plan: plan::Memory,
    bound: Bound,
    mounts: MountTable,
}

/// Boots. `arguments` and `variables` are what the kernel passed: argv after argv[0], and envp.
pub fn run(arguments: Arguments, variables: KernelWords, buffers: &'static mut Buffers) -> ! {
    prepare_process();
    let Buffers { environment, scratch, plan, bound, mounts } = buffers;
    let mut service = Service { arguments, environment, on_exit: Action::Poweroff, mounts };
    service.add_kernel_variables(variables);
    let mut roots = Roots::new(bound);
    let (report, steps) = plan::find(service.environment, plan, scratch);
    // From here on the machine changes. The last step, `exec` or `spawn`, returns only if it fails.
    for mut step in steps {
        #[cfg(feature = "marks")]
        crate::sys::marks::mark(step.line());
        if let Err(reason) = steps::run(&mut step, &mut roots, &mut service, scratch) {
            report.tell(Some(&step), reason, scratch);
        }
    }
    report.fatal(None, Fault::NoExec.into(), scratch)
}

/// Exits if this is not PID 1, and opens descriptors 0, 1 and 2 if the kernel has not.
fn prepare_process() {
    if !process::is_pid_1() {
        report::not_pid_1();
    }
    #[cfg(feature = "marks")]
    if crate::sys::marks::begin_marks().is_err() {
        // An init with this feature is of no use if the kernel denies the I/O port.
        process::exit(ExitCode::OTHER);
    }
    if report::open_standard_descriptors().is_err() {
        // A service without them would take the first file it opens for its standard input.
        process::exit(ExitCode::OTHER);
    }
}
