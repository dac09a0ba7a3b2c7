//! Files: made, opened, read, written.

use super::call::{Errno, call};
use heapless::{Vec, VecView};
use language::CStrPtr;
use linux_raw_sys::errno::{EEXIST, ENOENT};
use linux_raw_sys::general::{
    AT_FDCWD, F_OK, O_APPEND, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, O_TRUNC,
    O_WRONLY, S_IFCHR, S_IFREG,
};
use syscalls::Sysno;

/// An open file, closed when it is dropped, or when the service is executed (O_CLOEXEC, open(2)), unless it is 0, 1 or 2.
pub struct Descriptor(pub(super) u32);

impl Drop for Descriptor {
    /// close(2). The descriptor is gone even after a failure, EINTR included, so the call is never repeated.
    fn drop(&mut self) {
        // SAFETY: no memory is touched, and nobody else has this descriptor.
        let _ = unsafe { syscalls::raw::syscall1(Sysno::close as usize, self.0 as usize) };
    }
}

fn open(path: CStrPtr, flags: u32, mode: u32) -> Result<Descriptor, Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(openat, AT_FDCWD, path.as_ptr(), flags, mode) }.value().map(Descriptor)
}

/// `openat(path, O_RDONLY | O_NONBLOCK)`: open(2). Does not wait for a FIFO's writer.
pub fn open_to_read(path: CStrPtr) -> Result<Descriptor, Errno> {
    open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0)
}

/// `openat(path, O_WRONLY | O_TRUNC | O_NONBLOCK)`: open(2). ENOENT if there is no file, ENXIO of a FIFO without a reader.
pub fn open_to_write(path: CStrPtr) -> Result<Descriptor, Errno> {
    open(path, O_WRONLY | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0)
}

/// `openat(path, O_PATH | O_DIRECTORY)`: open(2). ENOTDIR of what is no directory.
pub fn open_directory(path: CStrPtr) -> Result<Descriptor, Errno> {
    open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0)
}

/// `faccessat(path, F_OK)`: ENOENT if nothing is at `path`: access(2). Follows symlinks.
pub fn look_for(path: CStrPtr) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(faccessat, AT_FDCWD, path.as_ptr(), F_OK) }.done()
}

/// `openat(path, O_RDWR | O_APPEND)`: open(2). Without O_CLOEXEC, so the service inherits it.
pub fn open_device(path: CStrPtr) -> Result<Descriptor, Errno> {
    open(path, O_RDWR | O_APPEND, 0)
}

/// `mknodat(path, S_IFCHR | 0600, major, minor)`: mknod(2). For root alone, as devtmpfs makes devices by default (devtmpfs_create_node in
/// drivers/base/devtmpfs.c). For the numbers see the kernel's Documentation/admin-guide/devices.txt.
pub fn make_character_device(path: CStrPtr, major: u8, minor: u8) -> Result<(), Errno> {
    let device = usize::from(major) << 8 | usize::from(minor);
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(mknodat, AT_FDCWD, path.as_ptr(), S_IFCHR | 0o600, device) }.done()
}

/// `mkdirat(path, mode)`: mkdir(2). ENOENT if the parent is missing.
pub fn make_directory(path: CStrPtr, mode: u32) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(mkdirat, AT_FDCWD, path.as_ptr(), mode) }.done()
}

/// PATH_MAX of include/uapi/linux/limits.h: the longest path that the kernel takes, with its NUL.
pub type PathBuffer = Vec<u8, 4096>;

/// The mode of a directory for which the plan has none.
pub const DIRECTORY_MODE: u32 = 0o755;

/// Turns EEXIST into success.
pub fn allow_existing(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(errno) if errno == Errno::of(EEXIST) => Ok(()),
        other => other,
    }
}

/// `mkdirat(path, mode)`, after making missing parents: mkdir(2).
pub fn new_directory(path: CStrPtr, mode: u32, buffer: &mut PathBuffer) -> Result<(), Errno> {
    // SAFETY: these are mkdirat's arguments.
    unsafe { make(Sysno::mkdirat, [AT_FDCWD as usize, path.as_ptr() as usize, mode as usize, 0], path, buffer) }
        .map(drop)
}

/// `mknodat(path, S_IFREG)`, after making missing parents: an empty file without permissions: mknod(2).
pub fn new_empty_file(path: CStrPtr, buffer: &mut PathBuffer) -> Result<(), Errno> {
    // SAFETY: these are mknodat's arguments.
    unsafe { make(Sysno::mknodat, [AT_FDCWD as usize, path.as_ptr() as usize, S_IFREG as usize, 0], path, buffer) }
        .map(drop)
}

/// `symlinkat(target, path)`, after making missing parents: symlink(2).
pub fn new_symlink(target: CStrPtr, path: CStrPtr, buffer: &mut PathBuffer) -> Result<(), Errno> {
    let arguments = [target.as_ptr() as usize, AT_FDCWD as usize, path.as_ptr() as usize, 0];
    // SAFETY: these are symlinkat's arguments, and the target is NUL-terminated.
    unsafe { make(Sysno::symlinkat, arguments, path, buffer) }.map(drop)
}

/// `openat(path, O_WRONLY | O_CREAT | O_EXCL, mode)`, after making missing parents: open(2). EEXIST if something is there.
pub fn new_file(path: CStrPtr, mode: u32, buffer: &mut PathBuffer) -> Result<Descriptor, Errno> {
    let flags = (O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC) as usize;
    // SAFETY: these are openat's arguments.
    unsafe { make(Sysno::openat, [AT_FDCWD as usize, path.as_ptr() as usize, flags, mode as usize], path, buffer) }
        .map(Descriptor)
}

/// Makes something at `path`. If that fails with ENOENT, makes the missing parents, and tries once more.
///
/// # Safety
/// The arguments are those that the call asks for.
unsafe fn make(call: Sysno, [a, b, c, d]: [usize; 4], path: CStrPtr, buffer: &mut PathBuffer) -> Result<u32, Errno> {
    let mut has_parents = false;
    loop {
        // SAFETY: the caller's promise.
        let made = unsafe { call!(@ call, a, b, c, d) }.value();
        if has_parents || made != Err(Errno::of(ENOENT)) {
            return made;
        }
        make_parents(path, buffer)?;
        has_parents = true;
    }
}

/// Makes the missing directories that a path leads through, from left to right.
fn make_parents(path: CStrPtr, buffer: &mut PathBuffer) -> Result<(), Errno> {
    buffer.clear();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'/' && !buffer.is_empty() && rest.clone().next().is_some() {
            let _ = buffer.push(0);
            let parent = CStrPtr::terminated(buffer).unwrap_or(CStrPtr::EMPTY);
            allow_existing(make_directory(parent, DIRECTORY_MODE))?;
            buffer.pop();
        }
        let _ = buffer.push(byte);
    }
    Ok(())
}

/// `readlinkat(path)`: as much of the target as `buffer` holds: readlink(2). EINVAL of what is no symlink.
pub fn read_symlink(path: CStrPtr, buffer: &mut PathBuffer) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated, and the buffer has that capacity.
    let length =
        unsafe { call!(readlinkat, AT_FDCWD, path.as_ptr(), buffer.as_mut_ptr(), buffer.capacity()) }.value()?;
    // SAFETY: the kernel has written `length` bytes.
    unsafe { buffer.set_len(length as usize) };
    Ok(())
}

/// `unlinkat(path)`: unlink(2).
pub fn unlink(path: CStrPtr) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(unlinkat, AT_FDCWD, path.as_ptr(), 0) }.done()
}

/// `fchmodat(path, mode)`: all permission bits, whatever the umask: chmod(2).
pub fn set_mode(path: CStrPtr, mode: u32) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(fchmodat, AT_FDCWD, path.as_ptr(), mode) }.done()
}

impl Descriptor {
    /// `read(file)` until its end, or until `text` is full: read(2). Replaces what `text` held.
    pub fn read_to_end(&self, text: &mut VecView<u8>) -> Result<(), Errno> {
        let mut length = 0;
        loop {
            // The length is written before anything of `text` is read: reading an untouched page maps the zero page, and the write after
            // that faults again (do_anonymous_page and do_wp_page in mm/memory.c).
            // SAFETY: the kernel has written `length` bytes, no more than the capacity.
            unsafe { text.set_len(length) };
            // SAFETY: that much capacity is left after `length` bytes.
            let read =
                unsafe { call!(read, self.0, text.as_mut_ptr().add(length), text.capacity() - length) }.value()?;
            if read == 0 {
                return Ok(());
            }
            length += read as usize;
        }
    }

    /// `write(file, bytes)`, once; returns how many bytes were written: write(2).
    pub fn write(&self, bytes: &[u8]) -> Result<u32, Errno> {
        // SAFETY: a pointer to bytes, and how many they are.
        unsafe { call!(write, self.0, bytes.as_ptr(), bytes.len()) }.value()
    }

    /// `sendfile(to, from, length)`, at the current offset of both; returns how many bytes were copied, 0 at the end of `from`:
    /// sendfile(2).
    pub fn send(&self, from: &Self, length: usize) -> Result<u32, Errno> {
        // SAFETY: the offset is null, no memory is touched.
        unsafe { call!(sendfile, self.0, from.0, 0, length) }.value()
    }

    /// `fchown(file, owner)`: chown(2). Clears the set-uid and set-gid bits.
    pub fn set_owner(&self, (user, group): (u32, u32)) -> Result<(), Errno> {
        // SAFETY: no memory is touched.
        unsafe { call!(fchown, self.0, user, group) }.done()
    }

    /// `finit_module(file, parameters, flags)`: init_module(2). EEXIST if it is loaded already.
    pub fn load_module(&self, parameters: CStrPtr, is_compressed: bool) -> Result<(), Errno> {
        let flags = if is_compressed { MODULE_INIT_COMPRESSED_FILE } else { 0 };
        // SAFETY: `parameters` is NUL-terminated.
        unsafe { call!(finit_module, self.0, parameters.as_ptr(), flags) }.done()
    }
}

/// The kernel is to decompress the module: since Linux 5.17, with CONFIG_MODULE_DECOMPRESS. From include/uapi/linux/module.h, which
/// linux-raw-sys leaves out.
const MODULE_INIT_COMPRESSED_FILE: usize = 4;
