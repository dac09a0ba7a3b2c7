//! What the process was given, by system calls alone, so that it needs no proc and opens no descriptor.
//!
//! [`collect`] runs first; only its last part reads files, where there are any.

use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;

use crate::port::{self, Mark};
use crate::{Descriptor, Filesystem, Report, Signals, Times, log, marks};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, major, minor, umask};
use nix::time::{ClockId, clock_gettime};

/// Looks at everything, in an order where no look changes what a later one sees.
pub fn collect() -> Report {
    let (entry, service) = (port::ticks(), now_us());
    let descriptors = (0..1024).filter_map(descriptor).collect();
    let report = Report {
        pid: std::process::id(),
        argv: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        environment: environment(),
        cwd: cwd(),
        umask: current_umask(),
        signals: Signals { blocked: blocked(), ..dispositions() },
        descriptors,
        root: root_filesystem(),
        exe: std::fs::read_link("/proc/self/exe").ok().map(|path| path.display().to_string()),
        mountinfo: std::fs::read_to_string("/proc/self/mountinfo").ok(),
        subtree_control: std::fs::read_to_string("/sys/fs/cgroup/cgroup.subtree_control").ok(),
        times_us: Times { init: init_started_us(), service, ..Times::default() },
        ..Report::default()
    };
    marks::make_at(Mark::Service, entry);
    report
}

/// Microseconds since the kernel started, close to the clock of its log.
pub fn now_us() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every kernel has this clock");
    now.tv_sec() as u64 * 1_000_000 + now.tv_nsec() as u64 / 1_000
}

fn environment() -> Vec<String> {
    let word = |(mut name, value): (std::ffi::OsString, std::ffi::OsString)| {
        name.push("=");
        name.push(value);
        name.to_string_lossy().into_owned()
    };
    std::env::vars_os().map(word).collect()
}

/// getcwd(2) itself: the C library hides an answer that lies outside the root.
fn cwd() -> String {
    let mut path = vec![0_u8; libc::PATH_MAX as usize];
    // SAFETY: the kernel writes at most `path.len()` bytes to `path`.
    let length = unsafe { libc::syscall(libc::SYS_getcwd, path.as_mut_ptr(), path.len()) };
    path.truncate(usize::try_from(length).unwrap_or(0).saturating_sub(1));
    std::ffi::OsString::from_vec(path).to_string_lossy().into_owned()
}

fn current_umask() -> u32 {
    let mask = umask(Mode::empty());
    umask(mask);
    mask.bits()
}

fn blocked() -> u64 {
    let mut set = 0_u64;
    let none = std::ptr::null::<u64>();
    // SAFETY: a null new set only asks; the kernel writes the eight bytes of `set`.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, none, &mut set, size_of::<u64>()) };
    set
}

/// The ignored and the caught signals, asked of the kernel: the C library refuses its own two.
fn dispositions() -> Signals {
    let mut found = Signals::default();
    for signal in 1..=64 {
        // The kernel's sigaction starts with the handler; the rest is not looked at.
        let mut action = [0_usize; 8];
        let none = std::ptr::null::<usize>();
        // SAFETY: a null new action only asks; the kernel's answer is smaller than `action`.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, none, action.as_mut_ptr(), size_of::<u64>()) };
        let bit = 1 << (signal - 1);
        match action[0] {
            libc::SIG_DFL => {}
            libc::SIG_IGN => found.ignored |= bit,
            _ => found.caught |= bit,
        }
    }
    found
}

fn descriptor(number: i32) -> Option<Descriptor> {
    // SAFETY: only asked about, never read, written or closed; one that isn't open answers EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let flags = fcntl(borrowed, FcntlArg::F_GETFL).ok()?;
    let status = fstat(borrowed).ok()?;
    let access = match OFlag::from_bits_truncate(flags) & OFlag::O_ACCMODE {
        OFlag::O_WRONLY => "w",
        OFlag::O_RDWR => "rw",
        _ => "r",
    };
    let kind = kind(&status);
    let device = matches!(kind, "character" | "block").then(|| (major(status.st_rdev), minor(status.st_rdev)));
    Some(Descriptor { number, kind: kind.to_string(), device, access: access.to_string() })
}

/// The word for a file's type.
fn kind(status: &FileStat) -> &'static str {
    match SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => "file",
        SFlag::S_IFDIR => "directory",
        SFlag::S_IFCHR => "character",
        SFlag::S_IFBLK => "block",
        SFlag::S_IFIFO => "fifo",
        SFlag::S_IFSOCK => "socket",
        _ => "other",
    }
}

fn root_filesystem() -> Filesystem {
    let Ok(found) = nix::sys::statfs::statfs("/") else {
        return Filesystem::default();
    };
    let block = found.block_size() as u64;
    Filesystem {
        magic: found.filesystem_type().0,
        bytes: found.blocks() * block,
        bytes_free: found.blocks_free() * block,
    }
}

/// When the kernel wrote `Run /init as init process` to its log.
fn init_started_us() -> Option<u64> {
    let is_it = |text: &str| text.starts_with("Run /") && text.contains(" as init process");
    log::find(|microseconds, text| is_it(text).then_some(microseconds))
}
