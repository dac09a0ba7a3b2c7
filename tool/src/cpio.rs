//! An archive in the kernel's initramfs format, newc: every entry's bytes depend on nothing but what is asked for.
//! Times are 0 and inode numbers count up from 1, so equal input gives equal archives.
//! Format: Documentation/driver-api/early-userspace/buffer-format.rst in the kernel's tree.

use std::io::{self, Write};

use ::cpio::newc::{Builder, ModeFileType, trailer};

/// What an entry is, with the data that belongs to it.
pub enum Kind<'a> {
    Directory,
    File(&'a [u8]),
    Symlink(&'a str),
    Node(Node),
}

/// A device's node, a FIFO or a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    Character { major: u32, minor: u32 },
    Block { major: u32, minor: u32 },
    Fifo,
    Socket,
}

/// An entry's rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Permission bits, as chmod(2) takes them.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

impl Rights {
    /// Root's, with these permission bits.
    pub const fn root(mode: u32) -> Rights {
        Rights { mode, uid: 0, gid: 0 }
    }
}

/// Writes entries in the order they come.
pub struct Archive<W: Write> {
    out: W,
    entries: u32,
}

impl<W: Write> Archive<W> {
    pub fn new(out: W) -> Self {
        Archive { out, entries: 0 }
    }

    /// Adds an entry; `path` has no slash in front.
    pub fn add(&mut self, path: &str, rights: Rights, kind: Kind) -> io::Result<()> {
        self.entries += 1;
        let links = if matches!(kind, Kind::Directory) { 2 } else { 1 };
        let header =
            Builder::new(path).ino(self.entries).mode(rights.mode).uid(rights.uid).gid(rights.gid).nlink(links);
        let (header, data): (Builder, &[u8]) = match kind {
            Kind::Directory => (header.set_mode_file_type(ModeFileType::Directory), &[]),
            Kind::File(bytes) => (header.set_mode_file_type(ModeFileType::Regular), bytes),
            Kind::Symlink(target) => (header.set_mode_file_type(ModeFileType::Symlink), target.as_bytes()),
            Kind::Node(Node::Character { major, minor }) => {
                (header.set_mode_file_type(ModeFileType::Char).rdev_major(major).rdev_minor(minor), &[])
            }
            Kind::Node(Node::Block { major, minor }) => {
                (header.set_mode_file_type(ModeFileType::Block).rdev_major(major).rdev_minor(minor), &[])
            }
            Kind::Node(Node::Fifo) => (header.set_mode_file_type(ModeFileType::Fifo), &[]),
            Kind::Node(Node::Socket) => (header.set_mode_file_type(ModeFileType::Socket), &[]),
        };
        let size = u32::try_from(data.len())
            .map_err(|_| io::Error::new(io::ErrorKind::FileTooLarge, "newc holds files below 4 GiB"))?;
        let mut entry = header.write(&mut self.out, size);
        entry.write_all(data)?;
        entry.finish().map(drop)
    }

    /// Writes the trailer and gives the output back.
    pub fn finish(self) -> io::Result<W> {
        trailer(self.out)
    }
}
