//! Files: made, opened, read, written, carried. Paths are looked up from the process's root, or, where they do not
//! begin with a slash, from its working directory.

use super::arguments::*;
use super::call::{Answer, call};
use super::rows::{self, Row};
use super::{Errno, Frame, Name, Text};
use linux_raw_sys::errno::{EEXIST, EINTR, EINVAL};
use linux_raw_sys::general::{O_APPEND, O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_RDWR, S_IFCHR, S_IFDIR, S_IFMT, stat};
use syscalls::Sysno;

/// readlink(2)'s answer for what is no symbolic link.
const NO_LINK: isize = -(EINVAL as isize);

/// What a umask of 022 takes from the mode of a new file.
const UMASK: usize = 0o022;

/// An open descriptor. Each closes when the service is executed, but for the standard ones: O_CLOEXEC, open(2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Descriptor(pub(super) usize);

/// `close(file)`: close(2), for what holds memory. The descriptor is gone even after a failure, which is none of the step's.
pub const fn close(file: Argument) -> Row {
    Row::new(rows::CLOSE, [file])
}

/// `openat(path, how)`: open(2).
pub const fn open(path: Argument, how: Argument) -> Row {
    Row::call(Sysno::openat, [AT, path, how]).into(FILE)
}

/// `openat(path, O_WRONLY | O_CREAT | O_EXCL)`: a new file, in parents that are made if they are missing. open(2).
pub const fn create(path: Argument, mode: Argument) -> Row {
    Row::call(Sysno::openat, [AT, path, AS_NEW, mode]).into(COPY).with_parents()
}

/// `mknodat(path, S_IFREG)`: an empty file, in parents that are made if they are missing. mknod(2).
pub const fn make_file(path: Argument) -> Row {
    // For a file the device number is not looked at.
    Row::call(Sysno::mknodat, [AT, path, EMPTY_FILE]).with_parents().or_existing()
}

/// `mkdirat(path, mode)`: a folder, in parents that are made if they are missing. mkdir(2).
pub const fn make_folder(path: Argument, mode: Argument) -> Row {
    Row::call(Sysno::mkdirat, [AT, path, mode]).with_parents().or_existing()
}

/// `symlinkat(target, path)`, in parents that are made if they are missing: symlink(2).
pub const fn make_link(target: Argument, path: Argument) -> Row {
    Row::call(Sysno::symlinkat, [target, AT, path]).with_parents().or_existing()
}

/// `readlinkat(SECOND)`: fails if that is no symbolic link to `FIRST`. readlink(2).
pub const fn expect_same_link() -> Row {
    Row::new(rows::LINK, [SECOND])
}

/// `fstat(file)`: stat(2). Sets [`FOLDER`], or else [`FRESH`], which is [`PLAIN`] for a file; of a file `LENGTH`, `NUMBER` (the mode), `USER`, `GROUP`, and
/// [`IF`] and [`DRESSED`], which say whether a new file has to be given owner and mode.
pub const fn ask_status(file: Argument) -> Row {
    Row::new(rows::STATUS, [file])
}

/// The end, if something has failed: what is for a failure must not fail itself.
pub const fn stop() -> Row {
    expect(ZERO, BROKEN, BROKEN).when(FAILED)
}

/// Fails with this errno if the two aren't the same.
pub const fn expect(one: Argument, other: Argument, errno: Argument) -> Row {
    Row::new(rows::EXPECT, [one, other, errno])
}

/// `unlinkat(path)`: unlink(2).
pub const fn unlink(path: Argument) -> Row {
    Row::call(Sysno::unlinkat, [AT, path, ZERO])
}

/// `fchmodat(path, mode)`: all permission bits, whatever the umask. chmod(2).
pub const fn set_mode(path: Argument, mode: Argument) -> Row {
    Row::call(Sysno::fchmodat, [AT, path, mode])
}

/// `fchown(file, USER, GROUP)`: chown(2). It takes the set-uid and set-gid bits away.
pub const fn set_owner(file: Argument) -> Row {
    Row::call(Sysno::fchown, [file, USER, GROUP])
}

/// `sendfile(to, from, LEFT)`, from where both stand, until nothing is left: sendfile(2).
pub const fn send(to: Argument, from: Argument) -> Row {
    Row::call(Sysno::sendfile, [to, from, ZERO, LEFT]).when(LEFT)
}

/// `lseek(file, 0, SEEK_END)`: how long it is: lseek(2).
pub const fn ask_length(file: Argument) -> Row {
    Row::call(Sysno::lseek, [file, ZERO, FROM_END])
}

/// `write(file, text, LENGTH)`, once: write(2).
pub const fn write_text(file: Argument, text: Argument) -> Row {
    Row::call(Sysno::write, [file, text, LENGTH])
}

/// `finit_module(file, parameters, flags)`: init_module(2).
pub const fn load_module(file: Argument, parameters: Argument, flags: Argument) -> Row {
    Row::call(Sysno::finit_module, [file, parameters, flags]).or_existing()
}

/// For [`load_module`], where the kernel itself is to decompress the module: include/uapi/linux/module.h.
pub const MODULE_INIT_COMPRESSED_FILE: usize = 4;

impl Frame<'_> {
    #[inline(never)]
    pub(super) fn compare_link(&mut self) -> isize {
        let [_, target, path, ..] = self.words;
        let room = self.line.as_mut_ptr();
        const OTHER: isize = -(EEXIST as isize);
        // SAFETY: `path` is NUL-terminated, there is that much room and one more byte, and the kernel writes no NUL.
        unsafe {
            match call!(readlinkat, HERE, path.address(), room, self.line.capacity() - 1).raw() {
                NO_LINK => OTHER,
                length @ 0.. => {
                    room.add(length as usize).write(0);
                    if Name::terminated(room).is_same(*target) { 0 } else { OTHER }
                }
                failure => failure,
            }
        }
    }

    /// # Safety
    /// There is the room of a struct stat, in memory that was new, so of zeros where nobody has put anything.
    #[inline(never)]
    pub(super) unsafe fn ask_status(&mut self, file: usize, room: *mut stat) -> isize {
        // SAFETY: the kernel writes as much, and any bytes are a struct stat.
        let (answer, status) = unsafe { (call!(fstat, file, room).raw(), room.read_unaligned()) };
        let mode = status.st_mode as usize;
        let other = mode & S_IFMT as usize ^ S_IFDIR as usize;
        let owned = (status.st_uid | status.st_gid) as usize;
        self.set(FOLDER, usize::from(other == 0));
        self.set(FRESH, other);
        // The kernel takes the type's bits away where it is given a mode (build_open_how and chmod_common in fs/open.c).
        self.set(NUMBER, mode);
        self.set(LENGTH, status.st_size as usize);
        // A file at which a truncated initramfs ended has its whole length, but not the pages (do_name and do_copy in
        // init/initramfs.c): then only what is there, in units of 512, is sent, and that is too short.
        self.set(LEFT, (status.st_size as usize).min((status.st_blocks as usize) << 9));
        self.set(USER, status.st_uid as usize);
        self.set(GROUP, status.st_gid as usize);
        self.set(IF, owned);
        self.set(DRESSED, owned | mode & UMASK);
        answer
    }
}

/// `openat(path, O_RDONLY | O_NONBLOCK)`: open(2), before there is a frame.
#[inline(always)]
pub fn open_now(path: Name) -> Result<Descriptor, Errno> {
    open_with(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC).value().map(Descriptor)
}

fn open_with(path: Name, flags: u32) -> Answer {
    // SAFETY: `path` is NUL-terminated; without O_CREAT there is no fourth argument.
    unsafe { call!(openat, HERE, path.address(), flags) }
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

/// `close(file)`: close(2), for what holds memory.
#[inline(always)]
pub fn close_now(file: Descriptor) {
    // SAFETY: no memory is touched. The descriptor is gone even after a failure.
    let _ = unsafe { call!(close, file.0) };
}

/// `read(file)`, to its end or as much as `text` has room for, again where a signal came between: read(2).
#[inline(always)]
pub fn read(file: Descriptor, text: &mut Text) -> Result<(), Errno> {
    let mut length = 0;
    loop {
        // SAFETY: `text` has that much room, and the kernel has written `length` bytes, no more than that.
        let answer = unsafe {
            text.set_len(length);
            call!(read, file.0, text.as_mut_ptr().add(length), text.capacity() - length)
        };
        if !answer.is(Errno::of(EINTR)) {
            match answer.value()? {
                0 => return Ok(()),
                more => length += more,
            }
        }
    }
}

/// `write(file, text)` without its first bytes, once; how many bytes went: write(2).
#[inline(always)]
pub fn write_behind(file: Descriptor, text: &Text, first: usize) -> Result<usize, Errno> {
    let (begin, length) = (text.as_ptr().wrapping_add(first), text.len().saturating_sub(first));
    // SAFETY: so many bytes are there, if any.
    unsafe { call!(write, file.0, begin, length) }.value()
}

/// `write(file, text)`, once; how many bytes went: write(2).
#[inline(always)]
pub fn write(file: Descriptor, text: &[u8]) -> Result<usize, Errno> {
    // SAFETY: `text` is that long.
    unsafe { call!(write, file.0, text.as_ptr(), text.len()) }.value()
}
