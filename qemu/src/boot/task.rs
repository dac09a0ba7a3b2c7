//! `cargo vm boot --task`: the demo container through containerd's Task API, from create to delete.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Options;
use machine::bundle;
use machine::demo::{Guest, Parts};
use machine::qemu::Outcome;
use machine::task::host::Ran;
use machine::task::{Style, TaskVm};
use machine::vsock::FIRST_CID;

/// The command. The guest's plan loads what vsock needs.
pub fn run(options: &Options, parts: &Parts, guest: &Guest, style: Style) -> Result<ExitCode> {
    let mut vm = TaskVm::new(&parts.kernel, &guest.initramfs, style)?;
    let words = vm.vm.init_args.clone();
    vm.cid = options.vsock.unwrap_or(FIRST_CID);
    vm.vm = super::vm(options, &parts.kernel, vm.image(), Some(guest))?;
    if options.words.is_empty() {
        vm.vm.init_args = words;
    }
    let waiting = super::waiting(options, &super::announce(&vm.vm));
    let (outcome, ran) = vm.run(
        |line| super::show_line(options, line),
        |host| {
            eprintln!("vm: the agent answers, by {}; sockets are in {}", host.vsock, host.vsock.directory().display());
            let ran = host.run("demo", bundle::PATH)?;
            host.client.shutdown()?;
            Ok((host.first_answer, ran))
        },
    )?;
    drop(waiting);
    let reason = match ran.and_then(|(first_answer, ran)| verdict(&outcome, ran).map(|ran| (first_answer, ran))) {
        Ok((first_answer, ran)) => {
            show_run(first_answer, &ran, &outcome);
            return Ok(ExitCode::SUCCESS);
        }
        Err(reason) => reason,
    };
    super::failed::tell(Some(guest), vm.image(), &outcome, &reason)
}

fn verdict(outcome: &Outcome, ran: Ran) -> Result<Ran> {
    let expected = u32::from(bundle::EXIT_CODE);
    ensure!(ran.exit.status == expected, "the container exited {}, not {expected}", ran.exit.status);
    ensure!(!ran.output.is_empty(), "the container's output did not arrive");
    ensure!(!outcome.timed_out, "the guest did not power off");
    Ok(ran)
}

fn show_run(first_answer: Duration, ran: &Ran, outcome: &Outcome) {
    println!("{}", ran.output.trim_end());
    println!("container exited {}, by the Task API\n", ran.exit.status);
    let names = ["created", "started", "ended", "deleted"];
    let marks = [("first answer", first_answer)].into_iter().chain(names.into_iter().zip(ran.marks));
    println!("since QEMU's start   at ms     after ms");
    let mut before = Duration::ZERO;
    for (name, at) in marks.chain([("QEMU ended", outcome.elapsed)]) {
        let [at_ms, after_ms] = [at, at.saturating_sub(before)].map(|time| time.as_secs_f64() * 1000.0);
        println!("{name:<16} {at_ms:>8.1} {after_ms:>12.1}");
        before = at;
    }
}
