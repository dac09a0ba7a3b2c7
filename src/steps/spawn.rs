//! The step that starts the service and stays pid 1: it reaps, passes signals on, and ends the machine after the service.
//!
//! Holds on entry: as for `exec`. Holds on exit, where there is one: the service could not be started, and no signal is blocked.

use crate::plan::Step;
use crate::report;
use crate::roots::Roots;
use crate::scratch::Scratch;
use crate::steps::Service;
use crate::steps::process::become_program;
use crate::steps::shutdown::{end_processes, save_disks};
use crate::sys::Errno;
use crate::sys::child::{Ended, Pid, begin_session, reap, start};
use crate::sys::machine::{self, disable_ctrl_alt_del};
use crate::sys::process::exit;
use crate::sys::signal::{Signals, send};
use language::{Action, CStrPtr};
use linux_raw_sys::general::{SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};

/// Signals that wake init: SIGCHLD, and those that it passes on to the service. All others stay blocked.
const WAITED_FOR: Signals =
    Signals::of(&[SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT]);

/// `spawn PATH [ARG…]`: starts the service, waits for its end, and ends the machine. Returns on failure only.
pub fn spawn(
    path: CStrPtr,
    step: &mut Step,
    roots: &mut Roots,
    service: &mut Service,
    scratch: &mut Scratch,
) -> Result<(), Errno> {
    roots.hand_over()?;
    // Before there is a child, so that no signal for it is lost.
    Signals::ALL.block()?;
    let child = start(&mut || {
        begin_session()?;
        Signals::NONE.block()?;
        become_program(step, service)
    });
    if child.is_err() {
        Signals::NONE.block()?;
    }
    let child = child?;
    // The service has started: from here on `-spawn` must not fall back to another one.
    step.may_fail = false;
    // Fails in a pid namespace, where the key is another init's: reboot_pid_ns in kernel/pid_namespace.c.
    let _ = disable_ctrl_alt_del();
    let ended = attend(child)?;
    end_processes()?;
    save_disks(service.mounts, roots, scratch);
    report::say(path, ended.into(), scratch);
    if service.on_exit == Action::Panic {
        exit(ended.code());
    }
    machine::end(service.on_exit)
}

/// Reaps what ends and passes signals on, until the service has ended.
fn attend(service: Pid) -> Result<Ended, Errno> {
    loop {
        match WAITED_FOR.wait()? {
            SIGCHLD => loop {
                match reap()? {
                    (Pid::NONE, _) => break,
                    (child, ended) if child == service => return Ok(ended),
                    _ => {}
                }
            },
            // Lost if the service has just ended: SIGCHLD comes next.
            signal => drop(send(service.number(), signal)),
        }
    }
}
