//! Files: made, opened, read, written, carried. Paths are looked up from the process's root, or, where they do not
//! begin with a slash, from its working directory.

use super::call::{Answer, call};
use super::{Errno, Name, Word};
use core::mem::MaybeUninit;
use heapless::Vec;
use linux_raw_sys::errno::{EEXIST, EINTR, ENOENT};
use linux_raw_sys::general::{
    AT_FDCWD, O_APPEND, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, O_WRONLY,
    S_IFCHR, S_IFREG,
};
use syscalls::{Sysno, raw};

const HERE: usize = AT_FDCWD as usize;

/// The mode of a folder that no plan names: one made because something in it is.
const PARENT_MODE: u32 = 0o755;
/// For root alone, as the kernel makes them where nobody says otherwise: devtmpfs_create_node.
const DEVICE_MODE: u32 = 0o600;

/// An open descriptor. Each closes when the service is executed, but for the standard ones: O_CLOEXEC, open(2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Descriptor(pub(super) usize);

/// `close(file)`: close(2), for what holds memory.
#[inline(always)]
pub fn close(file: Descriptor) {
    // SAFETY: no memory is touched. The descriptor is gone even after a failure.
    let _ = unsafe { call!(close, file.0) };
}

/// `openat(path, O_RDONLY | O_NONBLOCK)`: open(2). A FIFO without a writer is opened at once, not waited for.
#[inline(always)]
pub fn open(path: Name) -> Result<Descriptor, Errno> {
    open_with(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC).value().map(Descriptor)
}

/// `openat(path, O_WRONLY | O_NONBLOCK)`, of a file that exists: open(2). A FIFO without a reader gives ENXIO.
#[inline(always)]
pub fn open_to_write(path: Name) -> Result<Descriptor, Errno> {
    open_with(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC).value().map(Descriptor)
}

/// `openat(path, O_PATH | O_DIRECTORY)`, which only a folder lets happen: open(2).
#[inline(always)]
pub fn open_folder(path: Name) -> Result<Descriptor, Errno> {
    open_with(path, O_PATH | O_DIRECTORY | O_CLOEXEC).value().map(Descriptor)
}

/// `openat(path, O_RDWR | O_APPEND)` of a character device of `/dev`, which is made if it isn't there: mknod(2). It stays
/// open when the service is executed. Its numbers: Documentation/admin-guide/devices.txt of the kernel.
#[inline(always)]
pub fn open_device(path: Name, major: usize, minor: usize) -> Result<Descriptor, Errno> {
    make_and_open(path, major << 8 | minor).value().map(Descriptor)
}

#[inline(never)]
fn make_and_open(path: Name, numbers: usize) -> Answer {
    let flags = O_RDWR | O_APPEND;
    let answer = open_with(path, flags);
    if answer.value().is_ok() {
        return answer;
    }
    // SAFETY: NUL-terminated strings and numbers. Whether this goes well shows when the device is opened.
    unsafe {
        let _ = call!(mkdirat, HERE, Name::literal(c"/dev").address(), PARENT_MODE);
        let _ = call!(mknodat, HERE, path.address(), S_IFCHR | DEVICE_MODE, numbers);
    }
    open_with(path, flags)
}

fn open_with(path: Name, flags: u32) -> Answer {
    // SAFETY: `path` is NUL-terminated; without O_CREAT there is no fourth argument.
    unsafe { call!(openat, HERE, path.address(), flags) }
}

/// `openat(path, O_WRONLY | O_CREAT | O_EXCL)`: a new file, in parents that are made if they are missing. open(2).
#[inline(always)]
pub fn create(path: Word, mode: u32) -> Result<Descriptor, Errno> {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    // SAFETY: `path` is NUL-terminated.
    unsafe { make(HERE, path.address(), flags as usize, mode as usize, path, Sysno::openat) }.value().map(Descriptor)
}

/// `mknodat(path, S_IFREG)`: an empty file, in parents that are made if they are missing. mknod(2).
#[inline(always)]
pub fn make_file(path: Word) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated; for a file the device number is not looked at.
    unsafe { make(HERE, path.address(), S_IFREG as usize, 0, path, Sysno::mknodat) }.done()
}

/// `mkdirat(path, mode)`: a folder, in parents that are made if they are missing. mkdir(2).
#[inline(always)]
pub fn make_folder(path: Word, mode: u32) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { make(HERE, path.address(), mode as usize, 0, path, Sysno::mkdirat) }.done()
}

/// `symlinkat(target, path)`, in parents that are made if they are missing: symlink(2).
#[inline(always)]
pub fn make_link(target: Name, path: Word) -> Result<(), Errno> {
    // SAFETY: both are NUL-terminated.
    unsafe { make(target.address(), HERE, path.address(), 0, path, Sysno::symlinkat) }.done()
}

/// Issues a call that makes something at `path`; where a parent turns out to be missing, makes each that is, then
/// tries again.
///
/// # Safety
/// The arguments must be what the call of that number asks for: see its man page.
#[inline(never)]
unsafe fn make(a: usize, b: usize, c: usize, d: usize, path: Word, number: Sysno) -> Answer {
    // SAFETY: the caller's promise.
    let answer = unsafe { Answer::new(raw::syscall4(number as usize, a, b, c, d)) };
    if !answer.is(Errno::of(ENOENT)) {
        return answer;
    }
    let failure = path.each_parent(|parent| {
        // SAFETY: `parent` is NUL-terminated.
        let answer = unsafe { call!(mkdirat, HERE, parent.address(), PARENT_MODE) };
        if answer.done().is_ok() || answer.is(Errno::of(EEXIST)) { None } else { Some(answer) }
    });
    match failure {
        // SAFETY: the caller's promise, a second time.
        None => unsafe { Answer::new(raw::syscall4(number as usize, a, b, c, d)) },
        Some(answer) => answer,
    }
}

/// `readlinkat(path)`: whether `path` is a symbolic link to `target`; one of more than 1023 bytes never is. readlink(2).
pub fn is_link_to(path: Name, target: Name) -> bool {
    const ROOM: usize = 1023;
    let mut found = [const { MaybeUninit::<u8>::uninit() }; ROOM + 1];
    // SAFETY: `path` is NUL-terminated, `found` has that much room.
    let answer = unsafe { call!(readlinkat, HERE, path.address(), found.as_mut_ptr(), ROOM) };
    let Ok(length) = answer.value() else { return false };
    let found = found.get(..length).unwrap_or_default();
    // SAFETY: the kernel has written `length` bytes.
    found.iter().map(|byte| unsafe { byte.assume_init() }).eq(target.bytes())
}

/// `unlinkat(path)`: unlink(2).
#[inline(never)]
pub fn unlink(path: Name) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(unlinkat, HERE, path.address(), 0) }.done()
}

/// `fchmodat(path, mode)`: all permission bits, whatever the umask; again if a signal came between, because a step that
/// is run again finds its folder there and leaves it as it is. chmod(2).
#[inline(never)]
pub fn set_mode(path: Name, mode: u32) -> Result<(), Errno> {
    loop {
        // SAFETY: `path` is NUL-terminated.
        let answer = unsafe { call!(fchmodat, HERE, path.address(), mode) };
        if !answer.is(Errno::of(EINTR)) {
            return answer.done();
        }
    }
}

/// `fchown(file, owner)`: chown(2). It takes the set-uid and set-gid bits away.
#[inline(always)]
pub fn set_owner(file: Descriptor, (user, group): (u32, u32)) -> Result<(), Errno> {
    // SAFETY: no memory is touched.
    unsafe { call!(fchown, file.0, user, group) }.done()
}

/// `read(file)`, once, to the end of `text`, again if a signal came between; how many bytes came, 0 at the end of the
/// file: read(2).
#[inline(always)]
pub fn read<const N: usize>(file: Descriptor, text: &mut Vec<u8, N>) -> Result<usize, Errno> {
    let (length, room) = (text.len(), N - text.len());
    loop {
        // SAFETY: `room` bytes after the first `length` belong to `text`.
        let answer = unsafe { call!(read, file.0, text.as_mut_ptr().add(length), room) };
        if !answer.is(Errno::of(EINTR)) {
            let read = answer.value()?;
            // SAFETY: the kernel has written `read` bytes there, `room` at most.
            unsafe { text.set_len(length + read.min(room)) };
            return Ok(read);
        }
    }
}

/// `write(file, text)`, once; how many bytes went: write(2).
#[inline(always)]
pub fn write(file: Descriptor, text: &[u8]) -> Result<usize, Errno> {
    // SAFETY: `text` is that long.
    unsafe { call!(write, file.0, text.as_ptr(), text.len()) }.value()
}

/// `write(file, name)`, once; how many bytes of it did not go: write(2).
#[inline(always)]
pub fn write_name(file: Descriptor, name: Name) -> Result<usize, Errno> {
    let length = name.bytes().count();
    // SAFETY: `name` is that long.
    let written = unsafe { call!(write, file.0, name.address(), length) }.value()?;
    Ok(length.wrapping_sub(written))
}

/// `sendfile(to, from, length)`, from where both stand; how many bytes went, at times fewer: sendfile(2).
#[inline(always)]
pub fn send(to: Descriptor, from: Descriptor, length: usize) -> Result<usize, Errno> {
    // SAFETY: the offset is null, no memory is touched.
    unsafe { call!(sendfile, to.0, from.0, 0, length) }.value()
}
