//! The entries of a newc archive, put into a tree; where the archive is cut off or damaged, and what else it may be.

use std::collections::HashMap;
use std::io::{ErrorKind, Read};

use ::cpio::newc::{Entry, Reader};
use anyhow::{Context, Error, Result, anyhow, bail, ensure};

use super::{Content, Initramfs, normalized};
use crate::compression;
use crate::cpio::{Node, Rights};

const KIND: u32 = 0o170_000;

/// Without and with checksums.
const MAGIC: [&[u8]; 2] = [b"070701", b"070702"];

/// Where else something begins in a way that tells what it is, and what that is.
const OTHERS: [(usize, &[u8], &str); 10] = [
    (0, b"070707", "a cpio archive in the old form odc: the kernel takes newc, `cpio --format=newc`"),
    (0, b"\xc7\x71", "a cpio archive in the old binary form: the kernel takes newc, `cpio --format=newc`"),
    (0x202, b"HdrS", "a kernel"),
    (0, b"\x7fELF", "an ELF file"),
    (0, b"hsqs", "a squashfs image"),
    (0, b"QFI\xfb", "a disk image, qcow2"),
    (0, b"PK\x03\x04", "a zip archive"),
    (257, b"ustar", "a tar archive"),
    (1024, b"\xe2\xe1\xf5\xe0", "an erofs image"),
    (1080, b"\x53\xef", "an ext2, ext3 or ext4 image"),
];

/// Whether a newc archive begins here.
pub fn begins(bytes: &[u8]) -> bool {
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

/// What it is that is no newc archive, as well as its bytes tell.
pub fn foreign(bytes: &[u8]) -> String {
    let is_there = |(at, magic, _): &&(usize, &[u8], &str)| bytes.get(*at..).is_some_and(|at| at.starts_with(magic));
    match (OTHERS.iter().find(is_there), compression::name_of(bytes)) {
        (Some((_, _, what)), _) => format!("it is {what}"),
        (None, Some(name)) => format!("it is compressed by {name}"),
        (None, None) => format!("it begins with \"{}\"", bytes[..bytes.len().min(12)].escape_ascii()),
    }
}

impl Initramfs {
    /// Adds what the archives hold that lie here one behind the other, with zeros between.
    pub(super) fn add_archives(&mut self, bytes: &[u8]) -> Result<()> {
        let mut at = 0;
        loop {
            at += bytes[at..].iter().take_while(|byte| **byte == 0).count();
            if at == bytes.len() {
                return Ok(());
            }
            ensure!(begins(&bytes[at..]), "at byte {at} no newc cpio archive: {}", foreign(&bytes[at..]));
            at = self.add_archive(bytes, at)?;
        }
    }

    /// Adds what the archive at this byte holds; the byte behind it.
    pub(super) fn add_archive(&mut self, bytes: &[u8], mut at: usize) -> Result<usize> {
        // Files with several names: the last one has the bytes.
        let mut linked: HashMap<u32, Vec<(String, Rights)>> = HashMap::new();
        let mut behind = "its beginning".to_string();
        loop {
            ensure!(at < bytes.len(), cut(bytes, &format!("behind {behind}, with no trailer")));
            let mut entry = Reader::new(&bytes[at..]).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => cut(bytes, &format!("within what comes behind {behind}")),
                _ => anyhow!("a damaged newc cpio archive: at byte {at}, behind {behind}: {error}"),
            })?;
            if entry.entry().is_trailer() {
                let rest = entry.finish().context("the archive's end")?;
                return Ok(bytes.len() - rest.len());
            }
            let path = normalized(entry.entry().name());
            let mut data = Vec::new();
            entry.read_to_end(&mut data).with_context(|| format!("{path} in the archive"))?;
            let about = entry.entry();
            if data.len() < about.file_size() as usize {
                let [there, all] = [data.len(), about.file_size() as usize];
                return Err(cut(bytes, &format!("within {path}: {there} of its {all} bytes are there")));
            }
            self.add(&path, about, data, &mut linked)?;
            behind = path;
            let rest = entry.finish().map_err(|_| cut(bytes, &format!("behind {behind}, with no trailer")))?;
            at = bytes.len() - rest.len();
        }
    }

    fn add(
        &mut self,
        path: &str,
        about: &Entry,
        data: Vec<u8>,
        linked: &mut HashMap<u32, Vec<(String, Rights)>>,
    ) -> Result<()> {
        let rights = Rights { mode: about.mode() & 0o7777, uid: about.uid(), gid: about.gid() };
        if about.nlink() > 1 && about.mode() & KIND == 0o100_000 {
            let names = linked.entry(about.ino()).or_default();
            names.push((path.to_string(), rights));
            for (path, rights) in names.iter().filter(|_| !data.is_empty()) {
                self.insert(path, *rights, Content::Bytes(data.clone()));
            }
        }
        let content = content(about, data).with_context(|| path.to_string())?;
        if path != "/" {
            self.insert(path, rights, content);
        }
        Ok(())
    }
}

fn cut(bytes: &[u8], place: &str) -> Error {
    anyhow!("only a part of a newc cpio archive: it ends at byte {}, {place}", bytes.len())
}

fn content(about: &Entry, data: Vec<u8>) -> Result<Content> {
    let (major, minor) = (about.rdev_major(), about.rdev_minor());
    Ok(match about.mode() & KIND {
        0o040_000 => Content::Directory,
        0o100_000 => Content::Bytes(data),
        0o120_000 => Content::Symlink(target(data)?),
        0o020_000 => Content::Node(Node::Character { major, minor }),
        0o060_000 => Content::Node(Node::Block { major, minor }),
        0o010_000 => Content::Node(Node::Fifo),
        kind => bail!("a kind of file, {kind:o}, that an initramfs cannot hold"),
    })
}

/// Up to its first zero, as the kernel takes it: gen_init_cpio writes one behind each.
fn target(mut data: Vec<u8>) -> Result<String> {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    data.truncate(end);
    String::from_utf8(data).context("its target is not UTF-8")
}
