//! `cargo vm boot` of a plan, judged by its agent's report: the container ran, with pivot_root, and its exit code came back.

use std::process::ExitCode;

use agent::Report;
use anyhow::{Context, Result};

use super::{Options, announce, failed, foreign, show_line, vm, waiting, written};
use machine::demo::{Guest, Parts, verdict};
use machine::vsock::Vsock;
use measure::timeline::{self, Timeline, Watch};
use sources::arch::X86_64;
use sources::host;

/// The command.
pub fn run(options: &Options, parts: &Parts, guest: &Guest) -> Result<ExitCode> {
    let (image, _cleanup) = written(guest)?;
    let vsock = options.vsock.map(Vsock::start).transpose()?;
    let mut vm = vm(options, &parts.kernel, image.path(), Some(guest))?;
    if let Some(vsock) = &vsock {
        vm.extra.extend(vsock.words(vm.memory_mb));
        eprintln!("vm: the guest's vsock, by {vsock}, is in {}", vsock.directory().display());
    }
    let name = announce(&vm);
    // Not before: choosing an accelerator may have taken seconds, and what is watched begins here.
    let watch = (*options.arch == X86_64).then(Watch::new).transpose()?;
    vm.extra.extend(watch.iter().flat_map(Watch::words));
    let waiting = waiting(options, &name);
    let outcome = vm.watch(|line| show_line(options, line))?;
    drop(waiting);
    let report = Report::find(&outcome.transcript);
    let reason = match verdict(&outcome, report.as_ref()) {
        Ok(report) => {
            show(report);
            if let Some(watch) = watch {
                show_timeline(options, watch.timeline(&guest.plan)?, &format!("{name}, {}", vm.accel))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        // An agent of one's own need not report: then it is judged by how the machine ended.
        Err(_) if options.agent.is_some() && report.is_none() => match foreign::ending(&outcome) {
            Ok(how) => {
                println!("{how} after {:.0} ms; the agent made no report", outcome.elapsed.as_secs_f64() * 1000.0);
                return Ok(ExitCode::SUCCESS);
            }
            Err(reason) => reason.context("the agent made no report (--ready says what else to judge it by)"),
        },
        Err(reason) => reason,
    };
    failed::tell(Some(guest), image.path(), &outcome, &reason)
}

fn show(report: &Report) {
    if let Some(container) = &report.container {
        println!("{}", container.output.trim_end());
        println!("container exited {}, with pivot_root\n", container.exit_code);
    }
}

/// An agent of one's own may make no marks.
fn show_timeline(options: &Options, timeline: Option<Timeline>, what: &str) -> Result<()> {
    let Some(timeline) = timeline else {
        println!("no timeline: the agent marked nothing");
        return Ok(());
    };
    print!("{timeline}");
    let Some(out) = &options.timeline else { return Ok(()) };
    let caption = format!("{what}, {}, {}", host::date()?, host::description()?);
    timeline::draw(&timeline, &caption, out).with_context(|| format!("cannot draw {}", out.display()))?;
    eprintln!("vm: drew {}", out.display());
    Ok(())
}
