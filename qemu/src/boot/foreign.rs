//! A boot of an agent that isn't ours, or of an image of whatever init: judged by what it does, not by a report.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::ready::{Ready, Watch};
use super::shell::Shell;
use super::{Options, announce, failed, show_line, vm, waiting};
use machine::demo::Guest;
use machine::qemu::{Outcome, Vm};
use machine::vsock::{FIRST_CID, Vsock};
use sources::apt;
use sources::kernel::Debian;

/// For a machine that runs until someone ends it.
const NO_LIMIT: Duration = Duration::from_secs(3600 * 24 * 365);

/// An image as it is: nothing of it is known.
pub fn run_image(options: &Options, kernel: Option<PathBuf>, image: &Path) -> Result<ExitCode> {
    apt::ensure_programs(&[options.arch.qemu.program])?;
    let debian = Debian { arch: options.arch, release: None };
    let kernel = kernel.map_or_else(|| debian.kernel(), Ok)?;
    let vm = vm(options, &kernel, image, None)?;
    if options.shell {
        return Shell::of(image, &debian.busybox()?)?.run(vm);
    }
    run(options, image, None, vm)
}

/// Boots it, waits until it is ready, and lets it run on: until it ends by itself, or ctrl-c.
pub fn run(options: &Options, image: &Path, guest: Option<&Guest>, mut vm: Vm) -> Result<ExitCode> {
    let exit = [Ready::Exit];
    let conditions = if options.ready.is_empty() { exit.as_slice() } else { &options.ready };
    let needs_vsock = options.vsock.is_some() || conditions.iter().any(Ready::needs_vsock);
    let vsock = needs_vsock.then(|| Vsock::start(options.vsock.unwrap_or(FIRST_CID))).transpose()?;
    if let Some(vsock) = &vsock {
        vm.extra.extend(vsock.words(vm.memory_mb).into_iter().chain(vsock.monitor_words()));
        eprintln!("vm: the guest's vsock, by {vsock}, is in {}", vsock.directory().display());
    }
    let watch = Watch::new(conditions, vsock.as_ref(), vm.timeout)?;
    vm.timeout = NO_LIMIT;
    let mut waiting = waiting(options, &announce(&vm));
    let see = |line: &str| {
        watch.see(line);
        show_line(options, line);
    };
    let (outcome, ready) = vm.drive(see, |machine| {
        let _connections = watch.wait(machine, |ready, at| {
            drop(waiting.take());
            if *ready == Ready::Exit {
                // How it ended is said below.
                return;
            }
            println!("ready after {:.0} ms: {ready}", at.as_secs_f64() * 1000.0);
        })?;
        if options.then_stop {
            machine.end();
        } else if !machine.has_ended() {
            go_on(vsock.as_ref(), conditions);
        }
        machine.wait_for_end();
        Ok(())
    })?;
    let verdict = match ready {
        Err(reason) => Err(reason),
        Ok(()) if options.then_stop && !conditions.contains(&Ready::Exit) => return Ok(ExitCode::SUCCESS),
        Ok(()) => ending(&outcome),
    };
    match verdict {
        Ok(how) => {
            println!("{how} after {:.0} ms", outcome.elapsed.as_secs_f64() * 1000.0);
            Ok(ExitCode::SUCCESS)
        }
        Err(reason) => failed::tell(guest, image, &outcome, &reason),
    }
}

/// Says what can be done with a machine that is ready.
fn go_on(vsock: Option<&Vsock>, conditions: &[Ready]) {
    let directory = vsock.map(|vsock| vsock.directory().display().to_string()).unwrap_or_default();
    for condition in conditions {
        match condition {
            Ready::Dial(port) => {
                eprintln!("vm: the agent's connection is at {directory}/called_{port}, for the first who connects")
            }
            Ready::Listen(port) => {
                eprintln!("vm: the agent's port is at {directory}/vsock, by the line CONNECT {port}")
            }
            _ => {}
        }
    }
    eprintln!("vm: the machine runs on: end it by ctrl-c");
}

/// How a machine ended that nobody ended: only power off, a restart, and the code 0 of the demo's own device are good.
pub fn ending(outcome: &Outcome) -> Result<&'static str> {
    let console = &outcome.transcript;
    if let Some(panic) = console.lines().find(|line| line.contains("Kernel panic")) {
        let panic = panic.split_once("] ").map_or(panic, |(_, text)| text);
        bail!("the machine did not power off: {panic}");
    }
    ensure!(!outcome.timed_out, "the machine did not power off");
    match outcome.guest_code {
        Some(0) => Ok("the agent ended the machine"),
        None if console.contains("reboot: Power down") => Ok("the machine powered off"),
        None if console.contains("reboot: Restarting") => Ok("the machine restarted, which ends it here"),
        None if console.contains("reboot: System halted") => bail!("the machine halted: it did not power off"),
        _ => bail!("{}", outcome.ending()),
    }
}
