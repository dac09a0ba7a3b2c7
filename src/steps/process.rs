//! The steps about programs: what they inherit, `env` and `limit`; `run`; `on-exit` and `exec` of the service.

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

/// As many as the kernel can pass (envp_init in init/main.c has 34 places), 32 for the plan, and the null pointer at the end.
const MAX_VARIABLES: usize = 34 + MAX_WORDS + 1;

/// NAME=VALUE strings, as execve(2) takes them: the unused places come last, and the last one must stay unused.
pub type Environment = [Option<CStrPtr<'static>>; MAX_VARIABLES];

/// What the service gets, and what happens after it.
pub struct Service<'r> {
    pub arguments: Arguments,
    pub environment: &'r mut Environment,
    /// What to do when a spawned service has ended.
    pub on_exit: Action,
    /// Buffer for the mounts that are to be unmounted then.
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

/// `env NAME=VALUE`: adds the variable, or replaces the one of that name. E2BIG if there are too many.
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

/// Whether both are the same up to and including the first `=`.
fn has_same_name(one: CStrPtr, other: CStrPtr) -> bool {
    let mut same = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other);
    same.any(|(byte, _)| byte == b'=')
}

/// `on-exit ACTION`: the last one counts.
pub fn on_exit(action: CStrPtr, service: &mut Service) -> Result<(), Errno> {
    service.on_exit = Action::named(action).unwrap_or(Action::Poweroff);
    Ok(())
}

/// `limit NAME SOFT [HARD]`: sets a limit of init itself, which all programs that it starts inherit.
pub fn limit(name: CStrPtr, soft: CStrPtr, hard: CStrPtr) -> Result<(), Errno> {
    let value = |limit| number(limit).unwrap_or_default();
    set_limit(language::limit(name).unwrap_or_default(), value(soft), value(hard))
}

/// `run PATH [ARG…]`: runs a program to its end, and reaps others that end meanwhile. Fails unless it exits with 0.
pub fn run(step: &Step, service: &mut Service) -> Result<(), Reason> {
    let program = start(&mut || {
        // In the child, which has a copy of this memory.
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

/// `exec PATH [ARG…]`: becomes the service, whose arguments are PATH, the plan's, then the kernel's. Returns on failure only.
pub fn exec(step: &Step, roots: &mut Roots, service: &Service) -> Result<(), Reason> {
    // After a failure the way back to the initramfs, whose /dev/kmsg the report needs.
    let initramfs = open_directory(CStrPtr::new(c"."))?;
    roots.hand_over()?;
    become_program(step, service).map_err(|errno| match initramfs.become_working_directory() {
        Ok(()) => Reason::Errno(errno),
        Err(_) => Reason::Stranded(errno),
    })
}

/// Becomes the program that a step names, with `/` as working directory. Returns on failure only.
pub fn become_program(step: &Step, service: &Service) -> Result<(), Errno> {
    change_directory(CStrPtr::new(c"/"))?;
    let mut words = step.words();
    words.next();
    execute(words, &service.arguments, service.environment)
}
