//! The header of an entry of a newc archive: do_header in init/initramfs.c of the kernel's tree. The crate cpio, which writes
//! archives here, refuses names that are not UTF-8, not ended or empty; the kernel reads on, and so does this.

use super::Content;
use crate::cpio::{Node, Rights};

/// Its length in the archive.
pub const LENGTH: usize = 110;
/// PATH_MAX in linux/limits.h, the zero at the end included.
pub const PATH_MAX: usize = 4096;

const KIND: u32 = 0o170_000;
/// Without and with checksums; the latter since Linux 5.19.
const MAGIC: [&[u8]; 2] = [b"070701", b"070702"];

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Directory,
    File,
    Symlink,
    Node(Node),
    Other,
}

impl Kind {
    pub fn of(content: &Content) -> Kind {
        match content {
            Content::Directory => Kind::Directory,
            Content::Host(_) | Content::Bytes(_) => Kind::File,
            Content::Symlink(_) => Kind::Symlink,
            Content::Node(node) => Kind::Node(*node),
        }
    }

    /// The same for all that differ in their device's number alone: the kernel compares what S_IFMT covers.
    pub fn class(self) -> Kind {
        match self {
            Kind::Node(Node::Character { .. }) => Kind::Node(Node::Character { major: 0, minor: 0 }),
            Kind::Node(Node::Block { .. }) => Kind::Node(Node::Block { major: 0, minor: 0 }),
            other => other,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Header {
    pub kind: Kind,
    pub rights: Rights,
    pub links: u32,
    /// Inode and device: the same for all names of a file.
    pub identity: [u32; 3],
    pub size: usize,
    /// With the zero at its end.
    pub name_size: usize,
    /// The sum of the data's bytes, where the archive has checksums.
    pub sum: Option<u32>,
}

/// Whether a newc archive begins here.
pub fn begins(bytes: &[u8]) -> bool {
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

impl Header {
    /// None where a number is none.
    pub fn parse(bytes: &[u8; LENGTH]) -> Option<Header> {
        let mut numbers = [0; 13];
        for (number, digits) in numbers.iter_mut().zip(bytes[MAGIC[0].len()..].chunks(8)) {
            let digits = str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            *number = u32::from_str_radix(digits, 16).ok()?;
        }
        let [ino, mode, uid, gid, links, _, size, major, minor, to_major, to_minor, name_size, sum] = numbers;
        Some(Header {
            kind: kind(mode, to_major, to_minor),
            rights: Rights { mode: mode & 0o7777, uid, gid },
            links,
            identity: [ino, major, minor],
            size: size as usize,
            name_size: name_size as usize,
            sum: bytes.starts_with(MAGIC[1]).then_some(sum),
        })
    }
}

fn kind(mode: u32, major: u32, minor: u32) -> Kind {
    match mode & KIND {
        0o040_000 => Kind::Directory,
        0o100_000 => Kind::File,
        0o120_000 => Kind::Symlink,
        0o020_000 => Kind::Node(Node::Character { major, minor }),
        0o060_000 => Kind::Node(Node::Block { major, minor }),
        0o010_000 => Kind::Node(Node::Fifo),
        0o140_000 => Kind::Node(Node::Socket),
        _ => Kind::Other,
    }
}
