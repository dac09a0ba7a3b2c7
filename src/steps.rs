//! The steps: one function a verb, which reads as what it asks of the kernel.
//!
//! Holds on entry of each: `/` is the root that it begins in, which [`run`] has entered; the working directory is in the initramfs.
//! Holds on exit: `/` is either root.

mod carry;
mod furnish;
mod module;
mod process;
mod root;
mod shutdown;
mod spawn;

use crate::report::Reason;
use crate::roots::Roots;
use crate::scratch::Scratch;
use language::{Action, Step, Verb};
pub use process::{Environment, Service};
pub use shutdown::MountTable;

/// Runs a step.
#[inline(never)] // 180 bytes: the steps share no registers with the boot
pub fn run(
    step: &mut Step<'static>,
    roots: &mut Roots,
    service: &mut Service,
    scratch: &mut Scratch,
) -> Result<(), Reason> {
    let arguments @ [first, second, third, _] = step.arguments();
    match step.verb() {
        Verb::Root | Verb::Env | Verb::Limit | Verb::OnExit | Verb::Spawn | Verb::Exec => {}
        Verb::Copy | Verb::Bind | Verb::Drop | Verb::Module => roots.enter_initramfs()?,
        Verb::Mount | Verb::Dir | Verb::Link | Verb::Write | Verb::Controllers | Verb::Wait | Verb::Run => {
            roots.enter_new_root()?
        }
    }
    match step.verb() {
        Verb::Root => root::root(*first, roots, scratch),
        Verb::Mount => furnish::mount(arguments, roots, scratch),
        Verb::Dir => furnish::dir(first, *second),
        Verb::Link => furnish::link(*first, second, scratch),
        Verb::Write => furnish::write(*first, *second),
        Verb::Controllers => furnish::controllers(step, scratch),
        Verb::Wait => furnish::wait(*first, *second),
        Verb::Limit => process::limit(*first, *second, *third.or(second)),
        Verb::Copy => carry::copy(*first, second.or(first), roots),
        Verb::Bind => carry::bind(*first, second.or(first), roots),
        Verb::Drop => carry::drop(*first, roots),
        Verb::Env => process::env(*first, service),
        Verb::Module => module::module(*first, *second),
        Verb::Run => return process::run(step, service),
        Verb::OnExit => {
            service.on_exit = Action::named(*first).unwrap_or(Action::Poweroff);
            Ok(())
        }
        Verb::Spawn => spawn::spawn(*first, step, roots, service, scratch),
        Verb::Exec => return process::exec(step, roots, service),
    }
    .map_err(Reason::Errno)
}
