//! What rows have as arguments.

use super::Frame;
use super::frame::REGISTERS;
use linux_raw_sys::errno::{EINVAL, EIO, EISDIR};
use linux_raw_sys::general::{
    AT_FDCWD, MOVE_MOUNT_F_EMPTY_PATH, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NONBLOCK, O_PATH, O_RDONLY, O_WRONLY,
    OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE, S_IFDIR, S_IFREG, SEEK_END,
};

/// The folder that a path without a slash before it begins at: the working directory.
pub(super) const HERE: usize = AT_FDCWD as usize;

/// The mode of a folder that no plan names: one made because something in it is.
pub(super) const PARENT_MODE: u32 = 0o755;
/// For root alone, as the kernel makes them where nobody says otherwise: devtmpfs_create_node.
pub(super) const DEVICE_MODE: u32 = 0o600;

/// An argument: a place in the frame, a constant, a text, or a small number.
#[derive(Clone, Copy)]
pub struct Argument(pub(super) u8);

/// Marks the last argument of a row.
pub(super) const LAST: u8 = 0x80;

/// The service's environment. An address, so not 0: what guards a row where nothing else is said. It is 0 before the first step, where `/`
/// still is the initramfs, and a report has no need to enter that.
pub(super) const ENVIRONMENT: Argument = Argument(0);
/// How many bytes are left to be sent.
pub(super) const LEFT: Argument = Argument(1);
/// Whether something is new; 0 where a row finds there already what it would have made. Before that, of `dir`, whether its mode has
/// bits that mkdir(2) doesn't take.
pub const FRESH: Argument = Argument(2);
/// The opposite.
pub const EXISTED: Argument = Argument(3);
/// Whether a row has failed.
pub const FAILED: Argument = Argument(4);
/// What [`ask_status`](super::ask_status) finds: a folder, no folder.
pub const FOLDER: Argument = Argument(5);
/// Whether the owner isn't root; a step's own condition.
pub const IF: Argument = Argument(6);
/// Whether a new file of this mode and owner must be given them.
pub const DRESSED: Argument = Argument(7);
/// The mode of a file, the flags of a mount or a module.
pub const NUMBER: Argument = Argument(8);
/// How long a text or a file is.
pub const LENGTH: Argument = Argument(9);
/// Where the answers go that are kept nowhere else.
pub const ANSWER: Argument = Argument(10);
/// A text that is none of the step's words.
pub const TEXT: Argument = Argument(11);
/// What a step that has arguments has in its place.
pub(super) const ARGUMENTS: Argument = TEXT;
/// An open file.
pub const FILE: Argument = Argument(12);
/// Another.
pub const COPY: Argument = Argument(13);
pub const USER: Argument = Argument(14);
pub const GROUP: Argument = Argument(15);
/// The words behind the verb.
pub const FIRST: Argument = Argument(REGISTERS as u8 + 1);
pub const SECOND: Argument = Argument(REGISTERS as u8 + 2);
pub const THIRD: Argument = Argument(REGISTERS as u8 + 3);
pub const FOURTH: Argument = Argument(REGISTERS as u8 + 4);

const CONSTANTS_BEGIN: u8 = 32;
/// Signed, because AT_FDCWD is less than 0 and a call is given 64 bits.
const CONSTANTS: [i32; 9] = [
    (O_RDONLY | O_NONBLOCK | O_CLOEXEC) as i32,
    (O_WRONLY | O_NONBLOCK | O_CLOEXEC) as i32,
    (O_PATH | O_DIRECTORY | O_CLOEXEC) as i32,
    (O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC) as i32,
    PARENT_MODE as i32,
    S_IFREG as i32,
    (OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) as i32,
    AT_FDCWD,
    (S_IFREG ^ S_IFDIR) as i32,
];
const TEXTS: [u8; 50] = *b"/..\0/\0tmpfs\0/sys/fs/cgroup/cgroup.subtree_control\0";

/// The constants, and the texts behind them.
#[repr(C, packed)] // where it stands by chance
struct Pool([i32; CONSTANTS.len()], [u8; TEXTS.len()]);
static POOL: Pool = Pool(CONSTANTS, TEXTS);

const fn constant(place: u8) -> Argument {
    Argument(CONSTANTS_BEGIN + place)
}

/// How a file is opened, to be closed when the service is executed: to be read; a FIFO without a writer is not waited for.
pub const TO_READ: Argument = constant(0);
/// To be written, if it exists; a FIFO without a reader gives ENXIO.
pub const TO_WRITE: Argument = constant(1);
/// Only if it is a folder.
pub const AS_FOLDER: Argument = constant(2);
/// To be written, if it doesn't exist.
pub(super) const AS_NEW: Argument = constant(3);
/// The mode of a folder that no plan names.
pub const FOLDER_MODE: Argument = constant(4);
pub const EMPTY_FILE: Argument = constant(5);
pub(super) const CLONE: Argument = constant(6);
/// [`HERE`].
pub(super) const AT: Argument = constant(7);

/// What [`FRESH`] is after [`ask_status`](super::ask_status) has seen a plain file.
pub const PLAIN: Argument = constant(8);

const TEXTS_BEGIN: u8 = 48;

/// At the root `..` leads nowhere but onto what is mounted over it (path_resolution(7); follow_dotdot and handle_mounts in
/// fs/namei.c): the topmost mount, which the plan's `root` has put there.
pub const NEW_ROOT: Argument = Argument(TEXTS_BEGIN);
/// The working directory stays in the initramfs until the service runs.
pub const INITRAMFS: Argument = Argument(TEXTS_BEGIN + 2);
pub(super) const EMPTY: Argument = Argument(TEXTS_BEGIN + 3);
pub const SLASH: Argument = Argument(TEXTS_BEGIN + 4);
pub const TMPFS: Argument = Argument(TEXTS_BEGIN + 6);
pub const CONTROLLERS: Argument = Argument(TEXTS_BEGIN + 12);

const NUMBERS_BEGIN: u8 = TEXTS_BEGIN + size_of_val(&TEXTS) as u8;

/// A number that stands for itself.
const fn number(number: u32) -> Argument {
    assert!(number < (LAST - NUMBERS_BEGIN) as u32);
    Argument(NUMBERS_BEGIN + number as u8)
}

pub const ZERO: Argument = number(0);
pub(super) const FROM_END: Argument = number(SEEK_END);
pub(super) const FILE_ITSELF: Argument = number(MOVE_MOUNT_F_EMPTY_PATH);
/// The errno for what came out otherwise than it should.
pub const BROKEN: Argument = number(EIO);
/// The errnos for what is no plain file.
pub const IS_FOLDER: Argument = number(EISDIR);
pub const NO_FILE: Argument = number(EINVAL);

impl Argument {
    /// What a call is given for it: a number, or an address.
    #[inline(always)]
    pub(super) fn value(self, frame: &Frame) -> usize {
        let pool = &raw const POOL;
        match self.0 {
            place @ ..CONSTANTS_BEGIN => frame.place(place),
            // SAFETY: each of the constants is in the pool.
            place @ ..TEXTS_BEGIN => unsafe {
                pool.cast::<i32>().add((place - CONSTANTS_BEGIN) as usize).read_unaligned() as usize
            },
            place @ ..NUMBERS_BEGIN => pool as usize + size_of_val(&CONSTANTS) + (place - TEXTS_BEGIN) as usize,
            place => (place - NUMBERS_BEGIN) as usize,
        }
    }
}
