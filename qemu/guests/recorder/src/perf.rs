//! perf record, from a start that can be waited for to a file that is whole.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// Written when perf records.
pub const READY: &str = "perf records";

/// Where it goes, in the initramfs.
const FILE: &str = "/perf.data";

/// The software clock with the kernel's stack (user programs come without frame pointers); what PID 1 asks of the
/// kernel, without.
const EVENTS: [&str; 6] = [
    "--kernel-callchains",
    "--event=raw_syscalls:sys_enter/call-graph=no/",
    "--filter=common_pid==1",
    "--event=raw_syscalls:sys_exit/call-graph=no/",
    "--filter=common_pid==1",
    // Room for all of it, as perf is stopped while others work: a boot takes 0.7 MB with one CPU, 2.7 with two (TCG).
    "--mmap-pages=32M",
];

/// A perf that records, stopped: what it would write meanwhile, its own samples too, would take the CPU from the init.
pub struct Perf {
    child: Child,
    // perf ends its recording where this pipe does.
    control: PipeWriter,
    answers: PipeReader,
}

impl Perf {
    /// Starts it, and returns when it records.
    pub fn start() -> Result<Perf> {
        let (orders, control) = std::io::pipe().context("cannot make a pipe")?;
        let (answers, answer) = std::io::pipe().context("cannot make a pipe")?;
        for descriptor in [orders.as_fd(), answer.as_fd()] {
            fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty())).context("cannot hand a pipe to perf")?;
        }
        let mut perf = Command::new("/usr/bin/perf");
        perf.args(["record", "--all-cpus", "--no-buildid", "--no-buildid-cache", "--delay=-1", "--output", FILE]);
        let period = recorder::PERIOD_NS;
        perf.arg(format!("--event=cpu-clock/period={period},call-graph=fp,name=cpu-clock/")).args(EVENTS);
        perf.arg(format!("--control=fd:{},{}", orders.as_raw_fd(), answer.as_raw_fd()));
        let child = perf.env_clear().env("HOME", "/").spawn().context("cannot run perf")?;
        drop((orders, answer));
        let mut perf = Perf { child, control, answers };
        perf.enable()?;
        perf.signal(Signal::SIGSTOP)?;
        let state = waitid(Id::Pid(perf.id()), WaitPidFlag::WSTOPPED).context("cannot wait for perf")?;
        ensure!(matches!(state, WaitStatus::Stopped(..)), "perf should be stopped, and is {state:?}");
        Ok(perf)
    }

    /// Ends it and takes what it wrote.
    pub fn stop(mut self) -> Result<Vec<u8>> {
        self.signal(Signal::SIGCONT)?;
        // It has emptied its ring when it answers; what there was no room for is reported with what comes next.
        self.enable()?;
        self.signal(Signal::SIGINT)?;
        let status = self.child.wait().context("cannot wait for perf")?;
        let data = std::fs::read(FILE).with_context(|| format!("perf ended, {status}, and left no {FILE}"))?;
        Ok(data)
    }

    /// Has it record, as it may do already, and waits for its answer.
    fn enable(&mut self) -> Result<()> {
        self.control.write_all(b"enable\n").context("cannot tell perf to record")?;
        let mut said = [0; 5];
        self.answers.read_exact(&mut said).context("perf ended before it recorded")?;
        ensure!(said.starts_with(b"ack\n"), "perf answered {:?}", String::from_utf8_lossy(&said));
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill(self.id(), signal).with_context(|| format!("cannot send {signal} to perf"))
    }

    fn id(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}
