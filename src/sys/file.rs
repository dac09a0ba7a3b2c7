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

/// An open file, closed when it is dropped. What is still open then closes when the service is executed (O_CLOEXEC, open(2)), but
/// for descriptors 0, 1 and 2.
pub struct Descriptor(pub(super) u32);

impl Drop for Descriptor {
    /// close(2). The descriptor is gone even after a failure, EINTR included, so that is never tried again.
    fn drop(&mut self) {
        // SAFETY: no memory is touched, and nobody else has this descriptor.
        let _ = unsafe { syscalls::raw::syscall1(Sysno::close as usize, self.0 as usize) };
    }
}

fn open(path: CStrPtr, flags: u32, mode: u32) -> Result<Descriptor, Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(openat, AT_FDCWD, path.as_ptr(), flags, mode) }.value().map(Descriptor)
}

/// `openat(path, O_RDONLY | O_NONBLOCK)`: open(2). A FIFO without a writer is opened at once.
pub fn open_to_read(path: CStrPtr) -> Result<Descriptor, Errno> {
    open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0)
}

/// `openat(path, O_WRONLY | O_TRUNC | O_NONBLOCK)`, of a file that exists: open(2). A FIFO without a reader gives ENXIO.
pub fn open_to_write(path: CStrPtr) -> Result<Descriptor, Errno> {
    open(path, O_WRONLY | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0)
}

/// `openat(path, O_PATH | O_DIRECTORY)`: open(2). ENOTDIR of what is no directory.
pub fn open_directory(path: CStrPtr) -> Result<Descriptor, Errno> {
    open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0)
}

/// `faccessat(path, F_OK)`: ENOENT where nothing is. access(2); symlinks are followed.
pub fn look_for(path: CStrPtr) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(faccessat, AT_FDCWD, path.as_ptr(), F_OK) }.done()
}

/// `openat(path, O_RDWR | O_APPEND)`: a device. It stays open when the service is executed.
pub fn open_device(path: CStrPtr) -> Result<Descriptor, Errno> {
    open(path, O_RDWR | O_APPEND, 0)
}

/// `mknodat(path, S_IFCHR | 0600, major, minor)`: for root alone, as the kernel makes them where nobody says otherwise
/// (devtmpfs_create_node). mknod(2); numbers below 256, see Documentation/admin-guide/devices.txt of the kernel.
pub fn make_character_device(path: CStrPtr, major: u8, minor: u8) -> Result<(), Errno> {
    let device = usize::from(major) << 8 | usize::from(minor);
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(mknodat, AT_FDCWD, path.as_ptr(), S_IFCHR | 0o600, device) }.done()
}

/// `mkdirat(path, mode)`: mkdir(2).
pub fn make_directory(path: CStrPtr, mode: u32) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(mkdirat, AT_FDCWD, path.as_ptr(), mode) }.done()
}

/// As long as the kernel takes a path, a NUL included.
pub type PathBuffer = Vec<u8, 4096>;

/// The mode of a directory that no plan names.
pub const DIRECTORY_MODE: u32 = 0o755;

/// Success where what was to be made is there already.
pub fn allow_existing(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(errno) if errno == Errno::of(EEXIST) => Ok(()),
        other => other,
    }
}

/// `mkdirat(path, mode)`, in parents that are made if they are missing: mkdir(2).
pub fn new_directory(path: CStrPtr, mode: u32, buffer: &mut PathBuffer) -> Result<(), Errno> {
    // SAFETY: these are mkdirat's arguments.
    unsafe { make(Sysno::mkdirat, [AT_FDCWD as usize, path.as_ptr() as usize, mode as usize, 0], path, buffer) }
        .map(drop)
}

/// `mknodat(path, S_IFREG)`: an empty file without permissions, in parents that are made if they are missing. mknod(2).
pub fn new_empty_file(path: CStrPtr, buffer: &mut PathBuffer) -> Result<(), Errno> {
    // SAFETY: these are mknodat's arguments.
    unsafe { make(Sysno::mknodat, [AT_FDCWD as usize, path.as_ptr() as usize, S_IFREG as usize, 0], path, buffer) }
        .map(drop)
}

/// `symlinkat(target, path)`, in parents that are made if they are missing: symlink(2).
pub fn new_symlink(target: CStrPtr, path: CStrPtr, buffer: &mut PathBuffer) -> Result<(), Errno> {
    let arguments = [target.as_ptr() as usize, AT_FDCWD as usize, path.as_ptr() as usize, 0];
    // SAFETY: these are symlinkat's arguments, and the target is NUL-terminated.
    unsafe { make(Sysno::symlinkat, arguments, path, buffer) }.map(drop)
}

/// `openat(path, O_WRONLY | O_CREAT | O_EXCL, mode)`: a new file, in parents that are made if they are missing. open(2).
pub fn new_file(path: CStrPtr, mode: u32, buffer: &mut PathBuffer) -> Result<Descriptor, Errno> {
    let flags = (O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC) as usize;
    // SAFETY: these are openat's arguments.
    unsafe { make(Sysno::openat, [AT_FDCWD as usize, path.as_ptr() as usize, flags, mode as usize], path, buffer) }
        .map(Descriptor)
}

/// Makes something; where that fails for want of a parent, makes each that is missing, and tries once more.
///
/// # Safety
/// These are the arguments of that call.
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

/// Makes the directories that a path leads through, from left to right.
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

/// `readlinkat(path)`: as much of the target as `buffer` holds. readlink(2); EINVAL of what is no symlink.
pub fn read_symlink(path: CStrPtr, buffer: &mut PathBuffer) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated, and the buffer as long as it says.
    let length =
        unsafe { call!(readlinkat, AT_FDCWD, path.as_ptr(), buffer.as_mut_ptr(), buffer.capacity()) }.value()?;
    // SAFETY: the kernel has written so many bytes.
    unsafe { buffer.set_len(length as usize) };
    Ok(())
}

/// `unlinkat(path)`: unlink(2).
pub fn unlink(path: CStrPtr) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(unlinkat, AT_FDCWD, path.as_ptr(), 0) }.done()
}

/// `fchmodat(path, mode)`: all permission bits, whatever the umask. chmod(2).
pub fn set_mode(path: CStrPtr, mode: u32) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(fchmodat, AT_FDCWD, path.as_ptr(), mode) }.done()
}

impl Descriptor {
    /// `read(file)` to its end, or as much as `text` holds: read(2).
    pub fn read_to_end(&self, text: &mut VecView<u8>) -> Result<(), Errno> {
        let mut length = 0;
        loop {
            // Written first: to read an untouched page maps the page of zeros, and to write it then faults once more
            // (do_anonymous_page and do_wp_page in mm/memory.c).
            // SAFETY: the kernel has written so many bytes, no more than there is capacity for.
            unsafe { text.set_len(length) };
            // SAFETY: there is that much capacity behind them.
            let read =
                unsafe { call!(read, self.0, text.as_mut_ptr().add(length), text.capacity() - length) }.value()?;
            if read == 0 {
                return Ok(());
            }
            length += read as usize;
        }
    }

    /// `write(file, bytes)`, once: how many bytes went. write(2).
    pub fn write(&self, bytes: &[u8]) -> Result<u32, Errno> {
        // SAFETY: there are so many bytes.
        unsafe { call!(write, self.0, bytes.as_ptr(), bytes.len()) }.value()
    }

    /// `sendfile(to, from, length)`, from where both stand: how many bytes went, at times fewer. sendfile(2).
    pub fn send(&self, from: &Self, length: usize) -> Result<u32, Errno> {
        // SAFETY: the offset is null, no memory is touched.
        unsafe { call!(sendfile, self.0, from.0, 0, length) }.value()
    }

    /// `fchown(file, owner)`: chown(2). It clears the set-uid and set-gid bits.
    pub fn set_owner(&self, (user, group): (u32, u32)) -> Result<(), Errno> {
        // SAFETY: no memory is touched.
        unsafe { call!(fchown, self.0, user, group) }.done()
    }

    /// `finit_module(file, parameters, flags)`: init_module(2). EEXIST of one that is loaded already.
    pub fn load_module(&self, parameters: CStrPtr, is_compressed: bool) -> Result<(), Errno> {
        let flags = if is_compressed { MODULE_INIT_COMPRESSED_FILE } else { 0 };
        // SAFETY: `parameters` is NUL-terminated.
        unsafe { call!(finit_module, self.0, parameters.as_ptr(), flags) }.done()
    }
}

/// The kernel itself is to decompress the module, since Linux 5.17 and with CONFIG_MODULE_DECOMPRESS. From
/// include/uapi/linux/module.h, which linux-raw-sys leaves out.
const MODULE_INIT_COMPRESSED_FILE: usize = 4;
