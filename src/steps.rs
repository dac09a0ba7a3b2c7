//! The steps: one function for each verb.
//!
//! Holds on entry of each: `/` is the root that the verb needs first, which [`run`] has entered; the working directory is the
//! initramfs. Holds on exit: `/` is either root.
//!
//! Modes, numbers, limits and actions were checked when the plan was read: what the steps do with wrong ones never happens.

mod carry;
mod furnish;
mod module;
mod process;
mod root;
mod shutdown;
mod spawn;

use crate::built_in;
use crate::plan::Step;
use crate::report::Reason;
use crate::roots::Roots;
use crate::scratch::Scratch;
use language::Verb;
pub use process::{Environment, Service};
pub use shutdown::MountTable;

/// Evaluates the call of the step's verb. Of a fixed plan's init, verbs that are not in the plan have none, so their code is left out.
macro_rules! run {
    ($step:expr, $($verb:ident => $call:expr,)+) => {
        match $step.verb() {
            $(Verb::$verb if built_in::uses(Verb::$verb) => $call,)+
            $(Verb::$verb => Ok(()),)+
        }
    };
}

/// Runs a step. `copy`, `bind`, `exec` and `spawn` enter the other root, or either, by themselves.
#[inline(never)] // 180 bytes: the steps share no registers with the boot
pub fn run(step: &mut Step, roots: &mut Roots, service: &mut Service, scratch: &mut Scratch) -> Result<(), Reason> {
    let [first, second, third, _] = step.arguments();
    match step.verb() {
        Verb::Root | Verb::Bind | Verb::Env | Verb::Limit | Verb::OnExit | Verb::Spawn | Verb::Exec => {}
        Verb::Copy | Verb::Drop | Verb::Module => roots.enter_initramfs()?,
        Verb::Mount | Verb::Dir | Verb::Link | Verb::Write | Verb::Controllers | Verb::Wait | Verb::Run => {
            roots.enter_new_root()?
        }
    }
    run! { step,
        Root => root::root(step, roots, scratch),
        Mount => furnish::mount(step, roots, scratch),
        Dir => furnish::dir(first, second, scratch),
        Link => furnish::link(first, second, scratch),
        Write => furnish::write(first, second),
        Controllers => furnish::controllers(step, scratch),
        Wait => furnish::wait(first, second),
        Limit => process::limit(first, second, third.or(second)),
        Copy => carry::copy(first, second.or(first), roots, scratch),
        Bind => carry::bind(first, second.or(first), roots, scratch),
        Drop => carry::drop(first, roots),
        Env => process::env(first, service),
        Module => module::module(first, second),
        Run => return process::run(step, service),
        OnExit => process::on_exit(first, service),
        Spawn => spawn::spawn(first, step, roots, service, scratch),
        Exec => return process::exec(step, roots, service),
    }
    .map_err(Reason::Errno)
}
