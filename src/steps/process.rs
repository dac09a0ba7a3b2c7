//! The steps about the service: its environment, and becoming it.

use crate::plan::Step;
use crate::report::Reason;
use crate::roots::Roots;
use crate::steps::MountTable;
use crate::sys::Errno;
use crate::sys::child::{start, wait_for_any};
use crate::sys::file::open_directory;
use crate::sys::mount::change_directory;
use crate::sys::process::{Arguments, KernelWords, execute, set_limit};
use language::{Action, CStrPtr, MAX_WORDS, number};
use linux_raw_sys::errno::E2BIG;

/// What the kernel passes (CONFIG_INIT_ENV_ARG_LIMIT in init/main.c, and two), as many again for the plan, and the end.
const MAX_VARIABLES: usize = 34 + MAX_WORDS + 1;

/// NAME=VALUE, as execve(2) takes them; those that are used come first, and the last must stay free.
pub type Environment = [Option<CStrPtr<'static>>; MAX_VARIABLES];

/// What the service is given.
pub struct Service<'r> {
    pub arguments: Arguments,
    pub environment: &'r mut Environment,
    /// What follows its end, where it was spawned.
    pub on_exit: Action,
    /// Memory for what is to be unmounted then.
    pub mounts: &'r mut MountTable,
}

impl Service<'_> {
    /// Adds the kernel's variables to an empty environment.
    pub fn add_kernel_variables(&mut self, variables: KernelWords) {
        for (place, variable) in self.environment.iter_mut().zip(variables) {
            *place = Some(variable);
        }
    }
}

/// `env NAME=VALUE`: takes the place of a variable of the same name.
pub fn env(assignment: CStrPtr<'static>, service: &mut Service) -> Result<(), Errno> {
    let [variables @ .., _] = service.environment;
    for variable in variables {
        if variable.is_none_or(|variable| has_same_name(variable, assignment)) {
            *variable = Some(assignment);
            return Ok(());
        }
    }
    Err(Errno::of(E2BIG))
}

/// Whether they are the same up to the first `=`, and there is one.
fn has_same_name(one: CStrPtr, other: CStrPtr) -> bool {
    let mut same = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other);
    same.any(|(byte, _)| byte == b'=')
}

/// `on-exit ACTION`.
pub fn on_exit(action: CStrPtr, service: &mut Service) -> Result<(), Errno> {
    service.on_exit = Action::named(action).unwrap_or(Action::Poweroff);
    Ok(())
}

/// `limit NAME SOFT [HARD]`: of init, and so of the service and of programs that are run.
pub fn limit(name: CStrPtr, soft: CStrPtr, hard: CStrPtr) -> Result<(), Errno> {
    let value = |limit| number(limit).unwrap_or_default();
    set_limit(language::limit(name).unwrap_or_default(), value(soft), value(hard))
}

/// `run PATH [ARG…]`: runs a program to its end, and reaps what else ends meanwhile. Any but exit status 0 is a failure.
pub fn run(step: &Step, service: &mut Service) -> Result<(), Reason> {
    let program = start(&mut || {
        service.arguments.drop_kernel_words();
        become_program(step, service)
    })?;
    loop {
        let (child, ended) = wait_for_any()?;
        if child == program {
            return if ended.is_success() { Ok(()) } else { Err(ended.into()) };
        }
    }
}

/// `exec PATH [ARG…]`: PATH, the plan's arguments, then the kernel's. Returns on failure only.
pub fn exec(step: &Step, roots: &mut Roots, service: &Service) -> Result<(), Reason> {
    let initramfs = open_directory(CStrPtr::new(c"."))?;
    roots.hand_over()?;
    become_program(step, service).map_err(|errno| match initramfs.become_working_directory() {
        Ok(()) => Reason::Errno(errno),
        Err(_) => Reason::Stranded(errno),
    })
}

/// Becomes the program that a step names, in `/`. Returns on failure only.
pub fn become_program(step: &Step, service: &Service) -> Result<(), Errno> {
    change_directory(CStrPtr::new(c"/"))?;
    let mut words = step.words();
    words.next();
    execute(words, &service.arguments, service.environment)
}
