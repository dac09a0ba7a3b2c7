//! Starts an init as PID 1 of new namespaces, held before its first instruction: whoever holds it may look at its
//! registers, set a breakpoint for the clock, or follow it from call to call.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::fs::{MemfdFlags, memfd_create};

use super::program::Program;
use machine::sandbox::entry::Entry;
use machine::sandbox::tree::Tree;
use tool::execute::ProgramImage;

/// A process that has just become `/init` and has run nothing of it yet.
pub struct Held {
    pub pid: Pid,
    pub tree: Tree,
    output: File,
}

impl Held {
    /// Makes a new initramfs and starts its init.
    pub fn start(program: &Program, service: &Path, crun: &[u8]) -> Result<Held> {
        let tree = Tree::new()?;
        program.write_to(&tree)?;
        tree.dir("/dev", 0o755)?;
        tree.file("/sbin/crun", crun, 0o755)?;
        tree.file("/sbin/agent", &std::fs::read(service).context("cannot read the service")?, 0o755)?;
        let output: File = memfd_create("output", MemfdFlags::CLOEXEC).context("cannot make a file in memory")?.into();
        let image = ProgramImage::new("/init", &["/init".into()], &["HOME=/".into(), "TERM=linux".into()])?;
        let entry = Entry { mount: tree.mount.as_raw_fd(), close: false, user: None };
        let pid = start_pid_one(|| become_init(&entry, &image, &output))?;
        let held = Held { pid, tree, output };
        match waitpid(pid, None).context("cannot wait for init")? {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
            other => bail!("init did not start: {other:?}: {}", held.said()?),
        }
        // Instead of a signal at the next exec, which the service would get.
        ptrace::setoptions(pid, ptrace::Options::PTRACE_O_TRACEEXEC).context("cannot set ptrace's options")?;
        Ok(held)
    }

    /// Lets it run on its own, to its end; gives what it printed.
    pub fn finish(self) -> Result<(String, Tree)> {
        ptrace::detach(self.pid, None).context("cannot let init go")?;
        let ended = waitpid(self.pid, None).context("cannot wait for init")?;
        self.ended(ended)
    }

    /// What it printed, after it ended.
    pub fn ended(self, status: WaitStatus) -> Result<(String, Tree)> {
        let said = self.said()?;
        ensure!(matches!(status, WaitStatus::Exited(_, 0)), "init or its service ended badly: {status:?}: {said}");
        Ok((said, self.tree))
    }

    fn said(&self) -> Result<String> {
        let mut output = self.output.try_clone().context("cannot duplicate a descriptor")?;
        let mut bytes = Vec::new();
        output.rewind().context("cannot rewind")?;
        output.read_to_end(&mut bytes).context("cannot read init's output")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Forks a child that is PID 1 of a new pid namespace. The benchmark has one thread, so the child may do what it likes.
fn start_pid_one(child: impl FnOnce() -> std::io::Result<()>) -> Result<Pid> {
    let flags = libc::CLONE_NEWPID | libc::SIGCHLD;
    // SAFETY: no CLONE_VM: parent and child share no memory, as after fork(2).
    match unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) } {
        0 => {
            let _ = child();
            // SAFETY: ends the child without running anything of the parent's.
            unsafe { libc::_exit(127) }
        }
        pid if pid > 0 => Ok(Pid::from_raw(pid as i32)),
        _ => {
            Err(std::io::Error::last_os_error()).context("cannot start a process in a new pid namespace: is this root?")
        }
    }
}

fn become_init(entry: &Entry, image: &ProgramImage, output: &File) -> std::io::Result<()> {
    for descriptor in 0..3 {
        // SAFETY: replaces the child's own three descriptors; the new ones stay open over exec.
        if unsafe { libc::dup2(output.as_raw_fd(), descriptor) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    entry.enter()?;
    ptrace::traceme()?;
    image.execute()
}

/// The time at which a process executes the instruction that it is held before: a hardware breakpoint, which the
/// kernel answers with a time stamp and no stop. perf_event_open(2).
pub struct EntryClock {
    event: OwnedFd,
    ring: *mut u8,
}

const PAGE: usize = 4096;
/// A page that describes the ring, and the ring: room for a hundred samples.
const MAPPED: usize = 2 * PAGE;

impl EntryClock {
    pub fn set(held: &Held) -> Result<EntryClock> {
        let registers = ptrace::getregs(held.pid).context("cannot read init's registers")?;
        let mut wanted = perf_event_open_sys::bindings::perf_event_attr {
            type_: perf_event_open_sys::bindings::PERF_TYPE_BREAKPOINT,
            size: size_of::<perf_event_open_sys::bindings::perf_event_attr>() as u32,
            bp_type: perf_event_open_sys::bindings::HW_BREAKPOINT_X,
            sample_type: u64::from(perf_event_open_sys::bindings::PERF_SAMPLE_TIME),
            clockid: libc::CLOCK_MONOTONIC,
            ..Default::default()
        };
        wanted.__bindgen_anon_1.sample_period = 1;
        wanted.__bindgen_anon_3.bp_addr = registers.rip;
        wanted.__bindgen_anon_4.bp_len = size_of::<libc::c_long>() as u64;
        wanted.set_use_clockid(1);
        wanted.set_exclude_kernel(1);
        wanted.set_exclude_hv(1);
        // SAFETY: the description is whole and outlives the call.
        let event = unsafe { perf_event_open_sys::perf_event_open(&mut wanted, held.pid.as_raw(), -1, -1, 0) };
        ensure!(event >= 0, "cannot set a breakpoint: perf_event_open(2): {}", std::io::Error::last_os_error());
        // SAFETY: a new descriptor, owned by nobody else.
        let event = unsafe { OwnedFd::from_raw_fd(event) };
        let (rights, shared) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: a new mapping at an address of the kernel's choice.
        let ring = unsafe { libc::mmap(std::ptr::null_mut(), MAPPED, rights, shared, event.as_raw_fd(), 0) };
        ensure!(ring != libc::MAP_FAILED, "cannot map the ring: {}", std::io::Error::last_os_error());
        Ok(EntryClock { event, ring: ring.cast() })
    }

    /// Nanoseconds of CLOCK_MONOTONIC, when the process has ended.
    pub fn read(&self) -> Result<u64> {
        // SAFETY: the mapping begins with this struct, and the process that made the samples has ended.
        let written = unsafe { (*self.ring.cast::<perf_event_open_sys::bindings::perf_event_mmap_page>()).data_head };
        ensure!(written >= 16, "the breakpoint on init's entry ({:?}) was never met", self.event);
        // SAFETY: the first sample, a header of eight bytes and the time, lies at the beginning of the second page.
        Ok(unsafe { self.ring.add(PAGE + 8).cast::<u64>().read() })
    }
}

impl Drop for EntryClock {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `set`, to which no reference is left.
        unsafe { libc::munmap(self.ring.cast(), MAPPED) };
    }
}
