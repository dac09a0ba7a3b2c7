//! Runs the real init on this machine, without a VM: as PID 1 of new pid, mount, cgroup, ipc and uts namespaces,
//! on a throwaway tmpfs that stands for the initramfs.
//!
//! On entry init finds what the kernel gives it: the tmpfs is the root of its mount namespace, with nothing of
//! this machine below it; argv, environment, descriptors, umask and signals are the kernel's own. The tmpfs is
//! a detached mount, held by one descriptor: it goes when the [`Sandbox`] goes, even when the program is killed.
//! Needs root and Linux 5.2. What it shares with this machine is devtmpfs and sysfs: plans may not write there.

use std::io::{Seek, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::Duration;

use agent::Report;
use anyhow::{Context, Result, ensure};
use nix::unistd::Pid;

pub mod fixed;
pub mod tree;
mod user;
pub mod watch;

use tool::execute::ProgramImage;
use tool::namespaces::{self, OF_INIT};
use tool::tracer::End;
use tree::{FORK, Tree};
use watch::{Ending, drain, memory, written};

/// How long init and its service may take together, where this machine's own processor runs them.
const LIMIT: Duration = Duration::from_secs(20);

/// Set in the tests' environment to how many times as long they may take, where a processor is emulated.
pub const TIMES: &str = "MOVEROOT_LIMIT_TIMES";

fn limit() -> Duration {
    let times = std::env::var(TIMES).ok().and_then(|times| times.parse().ok());
    LIMIT * times.unwrap_or(1)
}

/// An initramfs, and how to start what is in it.
pub struct Sandbox {
    tree: Tree,
    arguments: Vec<String>,
    environment: Vec<String>,
    input: Vec<u8>,
    closed_descriptors: bool,
    pid_one: bool,
    kmsg: bool,
    /// Whom root is for all that lies outside, where it has a user namespace of its own.
    outside: Option<[u32; 2]>,
    limit: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code of PID 1, which is init, then the service.
    pub code: Option<i32>,
    /// The signal that ended it: 9 at the time limit.
    pub signal: Option<i32>,
    pub timed_out: bool,
    pub stdout: String,
    pub stderr: String,
    /// What was written to `/dev/kmsg` of the initramfs.
    pub kmsg: String,
    tree: Tree,
}

impl Outcome {
    /// Where a path of the initramfs is found from outside, as init left it.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.tree.path(inside)
    }

    /// The demo agent's report, if it came to that.
    pub fn report(&self) -> Result<Report> {
        Report::find(&self.stdout).with_context(|| format!("no report of the agent in {self:#?}"))
    }
}

impl Sandbox {
    /// An empty initramfs with `/dev` in it.
    pub fn new() -> Result<Sandbox> {
        ensure!(rustix::process::geteuid().is_root(), "new namespaces need root: run this as root or by sudo");
        let sandbox = Sandbox {
            tree: Tree::new()?,
            arguments: vec!["/init".into()],
            environment: vec!["HOME=/".into(), "TERM=linux".into()],
            input: Vec::new(),
            closed_descriptors: false,
            pid_one: true,
            kmsg: true,
            outside: None,
            limit: limit(),
        };
        sandbox.dir("/dev", 0o755)
    }

    /// Writes a file, its parents included.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> Result<Sandbox> {
        self.tree.file(path, content.as_ref(), mode)?;
        Ok(self)
    }

    /// Copies a file of this machine, parents included, to be run: mode 0755.
    pub fn program(self, path: &str, from: &Path) -> Result<Sandbox> {
        let content = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.file(path, content, 0o755)
    }

    /// Makes a directory, its parents included.
    pub fn dir(self, path: &str, mode: u32) -> Result<Sandbox> {
        self.tree.dir(path, mode)?;
        Ok(self)
    }

    /// Makes a symbolic link at `path`.
    pub fn symlink(self, target: &str, path: &str) -> Result<Sandbox> {
        self.tree.symlink(target, path)?;
        Ok(self)
    }

    /// Makes a FIFO.
    pub fn fifo(self, path: &str) -> Result<Sandbox> {
        self.tree.fifo(path)?;
        Ok(self)
    }

    /// Makes a character device.
    pub fn device(self, path: &str, major: u32, minor: u32) -> Result<Sandbox> {
        self.tree.device(path, major, minor)?;
        Ok(self)
    }

    /// Changes a file's owner and group.
    pub fn owner(self, path: &str, uid: u32, gid: u32) -> Result<Sandbox> {
        self.tree.owner(path, uid, gid)?;
        Ok(self)
    }

    /// Copies the init to `/init`.
    pub fn init(self, from: &Path) -> Result<Sandbox> {
        self.program("/init", from)
    }

    /// Writes `/boot.plan`. Where tests are to run with fixed plans, an init that runs no other takes the place of the one that reads it.
    pub fn plan(self, text: impl AsRef<[u8]>) -> Result<Sandbox> {
        let init = fixed::init_for(text.as_ref())?;
        let sandbox = self.file("/boot.plan", text, 0o644)?;
        match init {
            Some(init) => sandbox.init(&init),
            None => Ok(sandbox),
        }
    }

    /// Adds words to argv: what follows `--` on a kernel command line.
    pub fn args<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Sandbox {
        self.arguments.extend(words.into_iter().map(Into::into));
        self
    }

    /// Adds to the environment: a `name=value` word of a kernel command line.
    pub fn env(mut self, name: &str, value: &str) -> Sandbox {
        self.environment.push(format!("{name}={value}"));
        self
    }

    /// What init reads from descriptor 0.
    pub fn input(mut self, bytes: &[u8]) -> Sandbox {
        self.input = bytes.to_vec();
        self
    }

    /// Starts init as a kernel without a console does: descriptors 0, 1 and 2 are closed.
    pub fn closed_descriptors(mut self) -> Sandbox {
        self.closed_descriptors = true;
        self
    }

    /// Stays in this machine's pid namespace: init is started as any other process is.
    pub fn not_pid_one(mut self) -> Sandbox {
        self.pid_one = false;
        self
    }

    /// Leaves `/dev/kmsg` out. What init makes in its place is this machine's own log.
    pub fn without_kmsg(mut self) -> Sandbox {
        self.kmsg = false;
        self
    }

    /// How long init and its service may take.
    pub fn limit(mut self, limit: Duration) -> Sandbox {
        self.limit = limit;
        self
    }

    /// Starts `/init` and waits for its end, or kills it at the time limit.
    pub fn run(self) -> Result<Outcome> {
        self.run_watched(false, watch::until_end)
    }

    /// Starts `/init` and leaves it to `watch`, on this thread, which `held` makes its tracer: ptrace(2) stops it before its
    /// first instruction then.
    pub fn run_watched<W>(self, held: bool, watch: W) -> Result<Outcome>
    where
        W: FnOnce(Pid, Duration) -> Result<Ending>,
    {
        let mut log = self.kmsg.then(|| self.tree.make_kmsg()).transpose()?;
        self.hand_over()?;
        let [mut input, mut output, mut errors] = [memory()?, memory()?, memory()?];
        input.write_all(&self.input)?;
        input.rewind()?;
        let streams = (!self.closed_descriptors).then(|| [&input, &output, &errors].map(AsRawFd::as_raw_fd));
        let image = ProgramImage::new("/init", &self.arguments, &self.environment)?;
        let kinds = if self.pid_one { OF_INIT } else { OF_INIT & !libc::CLONE_NEWPID };
        let alone = FORK.write().unwrap_or_else(PoisonError::into_inner);
        let pid = namespaces::start(kinds, self.outside, || {
            namespaces::enter(self.tree.mount.as_fd())?;
            namespaces::stream(streams)?;
            namespaces::settle(held)?;
            Ok(image.execute()?)
        })?;
        drop(alone);
        let Ending { end, timed_out } = watch(pid, self.limit)?;
        let (code, signal) = match end {
            End::Exited(code) => (Some(code), None),
            End::Killed(signal) => (None, Some(signal as i32)),
        };
        Ok(Outcome {
            code,
            signal,
            timed_out,
            stdout: written(&mut output)?,
            stderr: written(&mut errors)?,
            kmsg: log.as_mut().map(drain).transpose()?.unwrap_or_default(),
            tree: self.tree,
        })
    }
}
