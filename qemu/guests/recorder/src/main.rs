//! The first program of a guest that is profiled. Before the init it starts perf, which records the whole system; then
//! it becomes the init, unchanged and as PID 1.
//!
//! Three processes: this one, which executes `/init`; its child, which waits for SIGTERM and then sends what was
//! recorded through a port; the child's child, perf. The init gets what the kernel passed, and one variable more, with
//! the child's process number: the service ends it. What is mounted here is covered by the init's new root; perf, whose
//! root stays the initramfs, goes on with it.

mod perf;
mod symbols;

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::io::{PipeWriter, Read, Write};
use std::os::unix::ffi::OsStringExt;

use agent::port::Port;
use anyhow::{Context, Result, bail, ensure};
use nix::mount::{MsFlags, mount};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::unistd::{ForkResult, Pid, execve, fork};

use perf::Perf;

/// Source and type, mount point.
const MOUNTS: [(&str, &str); 4] =
    [("proc", "/proc"), ("sysfs", "/sys"), ("tracefs", "/sys/kernel/tracing"), ("devtmpfs", "/dev")];

/// Symbols have addresses; everything may be recorded, as often as asked for.
const SETTINGS: [(&str, &str); 4] = [
    ("kptr_restrict", "0"),
    ("perf_event_paranoid", "-1"),
    ("perf_event_max_sample_rate", "100000"),
    ("perf_cpu_time_max_percent", "0"),
];

fn main() {
    // Should this go on, the kernel panics with what is said here as its last words.
    let Err(error) = run();
    eprintln!("recorder: {error:#}");
    std::process::exit(1);
}

fn run() -> Result<Infallible> {
    for (kind, target) in MOUNTS {
        std::fs::create_dir_all(target).with_context(|| format!("cannot make {target}"))?;
        mount(Some(kind), target, Some(kind), MsFlags::empty(), None::<&str>)
            .with_context(|| format!("cannot mount {kind} on {target}"))?;
    }
    for (name, value) in SETTINGS {
        let path = format!("/proc/sys/kernel/{name}");
        std::fs::write(&path, value).with_context(|| format!("cannot write {value} to {path}"))?;
    }
    let (mut ready, say_ready) = std::io::pipe().context("cannot make a pipe")?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("cannot fork")? {
        ForkResult::Child => {
            drop(ready);
            record(say_ready)?;
            std::process::exit(0)
        }
        ForkResult::Parent { child } => {
            drop(say_ready);
            let mut said = String::new();
            ready.read_to_string(&mut said).context("cannot wait for perf")?;
            ensure!(said == perf::READY, "perf does not record: {said:?}");
            become_init(child)
        }
    }
}

/// Executes the init with the kernel's words, and with every signal as the kernel had it.
fn become_init(recorder: Pid) -> Result<Infallible> {
    // SAFETY: no function of ours takes a signal. Rust's runtime has set this one to be ignored.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }.context("cannot reset a signal")?;
    let word = |word: OsString| CString::new(word.into_vec()).context("a word has no NUL");
    let mut arguments = vec![c"/init".to_owned()];
    for argument in std::env::args_os().skip(1) {
        arguments.push(word(argument)?);
    }
    let mut environment = vec![CString::new(format!("{}={recorder}", agent::RECORDER))?];
    for (mut name, value) in std::env::vars_os() {
        name.push("=");
        name.push(value);
        environment.push(word(name)?);
    }
    execve(c"/init", &arguments, &environment).context("cannot execute /init")
}

/// Records until a signal comes, then sends all of it.
fn record(mut say_ready: PipeWriter) -> Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    // Before anybody can send it, and for perf's own use unblocked again there.
    signals.thread_block().context("cannot block a signal")?;
    let perf = Perf::start()?;
    say_ready.write_all(perf::READY.as_bytes()).context("cannot tell init to go")?;
    drop(say_ready);
    signals.wait().context("cannot wait for a signal")?;
    let data = perf.stop()?;
    if data.is_empty() {
        bail!("perf recorded nothing");
    }
    let port = Port::open(recorder::PORT).context("cannot use a port")?;
    port.write(&recorder::packed(recorder::SYMBOLS, &symbols::of_kernel()?));
    port.write(&recorder::packed(recorder::DATA, &data));
    Ok(())
}
