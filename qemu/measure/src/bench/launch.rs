//! Starts an init as PID 1 of new namespaces, held before its first instruction: whoever holds it may look at its
//! registers, set a breakpoint for the clock, or follow it from call to call.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::caches::CacheTaker;
use super::program::Program;
use machine::sandbox::tree::Tree;
use machine::sandbox::watch::{memory, written};
use nix::unistd::Pid;
use tool::execute::ProgramImage;
use tool::namespaces::{self, OF_INIT};
use tool::tracer::{End, Registers, Tracer};

/// A process that has just become `/init` and has run nothing of it yet.
pub struct Held {
    pub tracer: Tracer,
    tree: Tree,
    output: File,
}

impl Held {
    /// Makes a new initramfs and starts its init.
    pub fn start(program: &Program, service: &Path, crun: &[u8]) -> Result<Held> {
        let tree = initramfs(program, service, crun)?;
        let output = memory()?;
        let tracer = Tracer::of(start(&tree, &["/init"], [output.as_raw_fd(); 3], true)?)?;
        Ok(Held { tracer, tree, output })
    }

    /// Lets it run on its own, to its end; gives what it printed.
    pub fn finish(self) -> Result<(String, Tree)> {
        let Held { tracer, tree, output } = self;
        Ok((said(tracer.let_go()?, output)?, tree))
    }
}

/// Boots an init that nobody holds, in a new initramfs; if `caches` is given, after they were taken. `launcher`,
/// qemu/peers/execve.c, executes it. Gives what the boot printed, and when init was executed: nanoseconds of CLOCK_MONOTONIC.
pub fn run(
    program: &Program,
    service: &Path,
    crun: &[u8],
    launcher: &[u8],
    caches: Option<&mut CacheTaker>,
) -> Result<(String, Tree, u64)> {
    let tree = initramfs(program, service, crun)?;
    tree.file("/execve", launcher, 0o755)?;
    let output = memory()?;
    let (mut ours, theirs) = UnixStream::pair().context("cannot make a pair of sockets")?;
    let arguments: &[&str] = if caches.is_some() { &["/execve", "ask"] } else { &["/execve"] };
    let streams = [theirs.as_raw_fd(), output.as_raw_fd(), output.as_raw_fd()];
    let pid = start(&tree, arguments, streams, false)?;
    drop(theirs);
    caches.map_or(Ok(()), |caches| caches.serve(&ours)).context("nobody wants the caches taken")?;
    let said = said(End::of(pid)?, output)?;
    let [mut seconds, mut nanoseconds] = [[0; 8]; 2];
    ours.read_exact(&mut seconds).and_then(|()| ours.read_exact(&mut nanoseconds)).context("init was not executed")?;
    Ok((said, tree, u64::from_ne_bytes(seconds) * 1_000_000_000 + u64::from_ne_bytes(nanoseconds)))
}

fn initramfs(program: &Program, service: &Path, crun: &[u8]) -> Result<Tree> {
    let tree = Tree::new()?;
    program.write_to(&tree)?;
    tree.dir("/dev", 0o755)?;
    tree.file("/sbin/crun", crun, 0o755)?;
    tree.file("/sbin/agent", &std::fs::read(service).context("cannot read the service")?, 0o755)?;
    Ok(tree)
}

/// Starts a program of the tree.
fn start(tree: &Tree, arguments: &[&str], streams: [RawFd; 3], held: bool) -> Result<Pid> {
    let words: Vec<String> = arguments.iter().map(|word| word.to_string()).collect();
    let image = ProgramImage::new(arguments[0], &words, &["HOME=/".into(), "TERM=linux".into()])?;
    namespaces::start(OF_INIT, None, || {
        namespaces::enter(tree.mount.as_fd())?;
        namespaces::stream(Some(streams))?;
        namespaces::settle(held)?;
        Ok(image.execute()?)
    })
}

fn said(end: End, mut output: File) -> Result<String> {
    let said = written(&mut output).context("cannot read init's output")?;
    ensure!(end == End::Exited(0), "init or its service ended badly: {end:?}: {said}");
    Ok(said)
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
        let entry = Registers::of(held.tracer.pid)?.instruction_pointer();
        let mut wanted = perf_event_open_sys::bindings::perf_event_attr {
            type_: perf_event_open_sys::bindings::PERF_TYPE_BREAKPOINT,
            size: size_of::<perf_event_open_sys::bindings::perf_event_attr>() as u32,
            bp_type: perf_event_open_sys::bindings::HW_BREAKPOINT_X,
            sample_type: u64::from(perf_event_open_sys::bindings::PERF_SAMPLE_TIME),
            clockid: libc::CLOCK_MONOTONIC,
            ..Default::default()
        };
        wanted.__bindgen_anon_1.sample_period = 1;
        wanted.__bindgen_anon_3.bp_addr = entry;
        wanted.__bindgen_anon_4.bp_len = size_of::<libc::c_long>() as u64;
        wanted.set_use_clockid(1);
        wanted.set_exclude_kernel(1);
        wanted.set_exclude_hv(1);
        // SAFETY: the description is whole and outlives the call.
        let event = unsafe { perf_event_open_sys::perf_event_open(&mut wanted, held.tracer.pid.as_raw(), -1, -1, 0) };
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
