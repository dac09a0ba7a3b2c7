//! An image, read as the kernel does: archives one behind the other, each compressed or not, with zeros between
//! (unpack_to_rootfs in init/initramfs.c).

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::rootfs::Rootfs;
use super::{Initramfs, archive, host, newc};
use crate::compression::{self, LIMIT};

impl Initramfs {
    /// The initramfs that a command is given: a directory by `--root`, or an image by `--initramfs`.
    pub fn told(root: Option<&Path>, image: Option<&Path>) -> Result<Option<Self>> {
        match (root, image) {
            (Some(root), _) if host::metadata(root)?.is_file() => {
                bail!("{} is a file, and --root is for directories: say --initramfs", root.display())
            }
            (Some(root), _) => Initramfs::of_directory(root).map(Some),
            (None, Some(image)) => Initramfs::of_image(image).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// An image of this machine.
    pub fn of_image(path: &Path) -> Result<Self> {
        let is_directory = host::metadata(path)?.is_dir();
        ensure!(!is_directory, "{} is a directory, and --initramfs is for images: say --root", path.display());
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Initramfs::unpack(&bytes).with_context(|| format!("{}, {} bytes", path.display(), bytes.len()))
    }

    /// An image in memory.
    pub fn unpack(image: &[u8]) -> Result<Self> {
        ensure!(image.iter().any(|byte| *byte != 0), "no initramfs: there is nothing in it");
        let mut rootfs = Rootfs::new();
        let (mut at, mut left) = (0, LIMIT);
        let mut follows_archive = false;
        loop {
            at += image[at..].iter().take_while(|byte| **byte == 0).count();
            let rest = &image[at..];
            let place = if at == 0 { String::new() } else { format!("from byte {at} on ") };
            if rest.is_empty() {
                return rootfs.finish();
            }
            if follows_archive {
                archive::ensure_aligned(at, "broken padding")?;
            }
            follows_archive = newc::begins(rest);
            if follows_archive {
                archive::ensure_aligned(at, "invalid magic at start of compressed archive")?;
                at = archive::read(&mut rootfs, image, at)?;
                continue;
            }
            let Some(compression) = compression::name_of(rest) else {
                bail!("{place}neither a newc cpio archive nor compressed: {}", archive::foreign(rest));
            };
            let unpacked = compression::unpack(rest, left);
            let (content, taken) =
                unpacked.map_err(|error| anyhow!("{place}compressed by {compression}, {error:#}"))?;
            archive::read_all(&mut rootfs, &content).with_context(|| format!("{place}unpacked by {compression}"))?;
            left -= content.len() as u64;
            at += taken;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Content;
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

    /// The kernel has /dev and /root by itself; what an image says of them counts all the same.
    #[test]
    fn directories_that_the_kernel_makes_too_are_kept() {
        let mut tree = Initramfs::empty();
        tree.dir("/root", 0o711).bytes("/a", 0o644, "");
        let read = Initramfs::unpack(&tree.archive().unwrap()).unwrap();
        assert_eq!(read.rights_at("/root").map(|rights| rights.mode), Some(0o711));
        assert!(!read.contains("/dev"), "nobody named it");
    }
}
