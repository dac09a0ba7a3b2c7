//! An image, read as the kernel does: archives one behind the other, each compressed or not, with zeros between
//! (unpack_to_rootfs in init/initramfs.c).

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use ::cpio::newc::{Entry, Reader};
use anyhow::{Context, Result, bail};

use super::{Content, Initramfs, normalized};
use crate::compression;
use crate::cpio::{Node, Rights};

const KIND: u32 = 0o170_000;

impl Initramfs {
    /// An image of this machine.
    pub fn of_image(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Initramfs::unpack(&bytes).with_context(|| format!("cannot unpack {}", path.display()))
    }

    /// An image in memory.
    pub fn unpack(image: &[u8]) -> Result<Self> {
        let mut tree = Initramfs::empty();
        let mut rest = image;
        loop {
            let zeros = rest.iter().take_while(|byte| **byte == 0).count();
            rest = &rest[zeros..];
            if rest.is_empty() {
                return Ok(tree);
            } else if rest.starts_with(b"07070") {
                rest = tree.unpack_archive(rest)?;
            } else {
                let at = image.len() - rest.len();
                let (archive, taken) = compression::unpack(rest).with_context(|| format!("from byte {at} on"))?;
                tree.unpack_archive(&archive)?;
                rest = &rest[taken..];
            }
        }
    }

    fn unpack_archive<'a>(&mut self, mut rest: &'a [u8]) -> Result<&'a [u8]> {
        // Files with several names: the last one has the bytes.
        let mut linked: HashMap<u32, Vec<(String, Rights)>> = HashMap::new();
        loop {
            let mut entry = Reader::new(rest).context("the archive")?;
            if entry.entry().is_trailer() {
                return entry.finish().context("the archive's end");
            }
            let path = normalized(entry.entry().name());
            let mut data = Vec::new();
            entry.read_to_end(&mut data).with_context(|| format!("{path} in the archive"))?;
            let about = entry.entry();
            let rights = Rights { mode: about.mode() & 0o7777, uid: about.uid(), gid: about.gid() };
            if about.nlink() > 1 && about.mode() & KIND == 0o100_000 {
                let names = linked.entry(about.ino()).or_default();
                names.push((path.clone(), rights));
                for (path, rights) in names.iter().filter(|_| !data.is_empty()) {
                    self.insert(path, *rights, Content::Bytes(data.clone()));
                }
            }
            let content = content(about, data).with_context(|| path.clone())?;
            if path != "/" {
                self.insert(&path, rights, content);
            }
            rest = entry.finish().with_context(|| format!("{path} in the archive"))?;
        }
    }
}

fn content(about: &Entry, data: Vec<u8>) -> Result<Content> {
    let (major, minor) = (about.rdev_major(), about.rdev_minor());
    Ok(match about.mode() & KIND {
        0o040_000 => Content::Directory,
        0o100_000 => Content::Bytes(data),
        0o120_000 => Content::Symlink(String::from_utf8(data).context("its target is not UTF-8")?),
        0o020_000 => Content::Node(Node::Character { major, minor }),
        0o060_000 => Content::Node(Node::Block { major, minor }),
        0o010_000 => Content::Node(Node::Fifo),
        kind => bail!("a kind of file, {kind:o}, that an initramfs cannot hold"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::Compression;

    #[test]
    fn what_is_packed_comes_back() {
        let mut tree = Initramfs::with_console();
        tree.bytes("/a/b", 0o755, "content").symlink("a/b", "/c").dir("/empty", 0o700);
        let mut other = Initramfs::empty();
        other.bytes("/a/b", 0o644, "over it").bytes("/d", 0o600, [0; 100]);
        let image = tree.archive().unwrap();
        for compression in Compression::ALL {
            let packed = compression.apply(&image).unwrap();
            let read = Initramfs::unpack(&packed).unwrap();
            assert_eq!(read.archive().unwrap(), image, "{compression}");
            // Two archives, as some add microcode or their own files to a distribution's.
            let second = compression.apply(&other.archive().unwrap()).unwrap();
            let both = Initramfs::unpack(&[packed.clone(), vec![0; 512], second].concat()).unwrap();
            assert_eq!(both.at("/a/b"), Some(&Content::Bytes(b"over it".to_vec())), "{compression}");
            assert_eq!(both.at("/c"), Some(&Content::Symlink("a/b".into())), "{compression}");
            assert!(Initramfs::unpack(&packed[..packed.len() / 2]).is_err(), "{compression}");
        }
    }
}
