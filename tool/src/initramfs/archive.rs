//! The entries of a newc archive, given to the root filesystem that is made of them; where the archive is cut off or
//! damaged, and what else it may be.

use anyhow::{Error, Result, anyhow, bail, ensure};

use super::newc::{Header, Kind, LENGTH, PATH_MAX, begins};
use super::rootfs::Rootfs;
use crate::compression;

/// Each header and each file begins at a multiple of this.
pub const ALIGNMENT: usize = 4;
const TRAILER: &str = "TRAILER!!!";

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

/// What it is that is no newc archive, as well as its bytes tell.
pub fn foreign(bytes: &[u8]) -> String {
    let is_there = |(at, magic, _): &&(usize, &[u8], &str)| bytes.get(*at..).is_some_and(|at| at.starts_with(magic));
    match (OTHERS.iter().find(is_there), compression::name_of(bytes)) {
        (Some((_, _, what)), _) => format!("it is {what}"),
        (None, Some(name)) => format!("it is compressed by {name}"),
        (None, None) => format!("it begins with \"{}\"", bytes[..bytes.len().min(12)].escape_ascii()),
    }
}

/// Adds what the archives hold that lie here one behind the other, with zeros between.
pub fn read_all(rootfs: &mut Rootfs, bytes: &[u8]) -> Result<()> {
    let mut at = 0;
    loop {
        at += bytes[at..].iter().take_while(|byte| **byte == 0).count();
        if at == bytes.len() {
            return Ok(());
        }
        ensure!(begins(&bytes[at..]), "at byte {at} no newc cpio archive: {}", foreign(&bytes[at..]));
        ensure_aligned(at, "broken padding")?;
        at = read(rootfs, bytes, at)?;
    }
}

/// The kernel takes no archive that begins elsewhere, and nothing that follows it.
pub fn ensure_aligned(at: usize, message: &str) -> Result<()> {
    ensure!(
        at.is_multiple_of(ALIGNMENT),
        "something begins at byte {at}, no multiple of {ALIGNMENT}: the kernel refuses it and all that follows, \
         \"{message}\": pad what comes before it with zeros"
    );
    Ok(())
}

/// Adds what the archive at this byte holds; the byte behind it.
pub fn read(rootfs: &mut Rootfs, bytes: &[u8], mut at: usize) -> Result<usize> {
    let mut behind = "its beginning".to_string();
    loop {
        ensure!(at < bytes.len(), cut(bytes, &format!("behind {behind}, with no trailer")));
        let within = || cut(bytes, &format!("within what comes behind {behind}"));
        let damaged = |what: &str| anyhow!("a damaged newc cpio archive: at byte {at}, behind {behind}: {what}");
        let header = bytes[at..].first_chunk::<LENGTH>().ok_or_else(within)?;
        ensure!(begins(header), damaged("no magic number"));
        let header = Header::parse(header).ok_or_else(|| damaged("no number where one has to be"))?;
        let name_ends = at + LENGTH + header.name_size;
        let name = bytes.get(at + LENGTH..name_ends).ok_or_else(within)?;
        let end = name.iter().position(|byte| *byte == 0);
        ensure!(end.is_some() || !(1..=PATH_MAX).contains(&name.len()), damaged("a name with no zero at its end"));
        let name = String::from_utf8_lossy(&name[..end.unwrap_or(0)]).into_owned();
        if name == TRAILER {
            rootfs.end_archive();
            let ends = (name_ends.next_multiple_of(ALIGNMENT) + header.size).next_multiple_of(ALIGNMENT);
            return Ok(ends.min(bytes.len()));
        }
        let path = format!("/{}", name.trim_start_matches("./").trim_matches('/'));
        let from = name_ends.next_multiple_of(ALIGNMENT);
        let there = bytes.get(from..).unwrap_or_default();
        let data = there.get(..header.size).ok_or_else(|| {
            cut(bytes, &format!("within {path}: {} of its {} bytes are there", there.len(), header.size))
        })?;
        add(rootfs, &header, &name, data).map_err(|error| error.context(path.clone()))?;
        behind = path;
        at = (from + header.size).next_multiple_of(ALIGNMENT);
    }
}

fn add(rootfs: &mut Rootfs, header: &Header, name: &str, data: &[u8]) -> Result<()> {
    let sum = || data.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    if header.kind == Kind::File && header.sum.is_some_and(|told| told != sum()) {
        bail!("its checksum is wrong: the kernel refuses it and all that follows, \"bad data checksum\"");
    }
    match header.kind {
        _ if header.name_size > PATH_MAX => rootfs.leave_out("", "its name is longer than 4095 bytes"),
        _ if header.name_size == 0 => rootfs.leave_out("", "it has no name"),
        Kind::Symlink if data.len() > PATH_MAX => rootfs.leave_out(name, "its target is longer than 4096 bytes"),
        Kind::File | Kind::Symlink => rootfs.add(header, name, data)?,
        _ if !data.is_empty() => rootfs.leave_out(name, "no file, and it has bytes"),
        _ => rootfs.add(header, name, data)?,
    }
    Ok(())
}

fn cut(bytes: &[u8], place: &str) -> Error {
    anyhow!("only a part of a newc cpio archive: it ends at byte {}, {place}", bytes.len())
}
