//! An initramfs in the forms the kernel unpacks, both ways: lib/decompress.c in its tree.

mod lzop;
mod read;

use std::fmt;
use std::io::Write;

use anyhow::{Context, Result};
use clap::ValueEnum;

pub use read::{DICTIONARY, LIMIT, unpack, within};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Lz4,
    Zstd,
}

/// The kernel knows lz4's legacy frame only: this number, then blocks of 8 MiB, each behind its compressed length.
const LZ4_LEGACY: u32 = 0x184c_2102;
const LZ4_BLOCK: usize = 8 << 20;
/// What a block of bytes that can't be compressed grows to: LZ4_compressBound in lib/lz4.
const LZ4_MOST: usize = LZ4_BLOCK + LZ4_BLOCK / 255 + 16;
const GZIP_LEVEL: u32 = 9;
/// Its window is 8 MiB at most, of the 128 MiB that the kernel's decompress_unzstd.c takes.
const ZSTD_LEVEL: i32 = 19;
/// How often progress is told.
const CHUNK: usize = 1 << 18;

/// How a compressed file begins, and by what it was made.
const BEGINNINGS: [(&[u8], &str); 8] = [
    (&[0x1f, 0x8b], "gzip"),
    (&LZ4_LEGACY.to_le_bytes(), "lz4"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz"),
    (b"BZh", "bzip2"),
    (lzop::MAGIC, "lzop"),
    (&[0x5d, 0, 0], "lzma"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4 in its newer frame, which the kernel does not know"),
];

impl Compression {
    pub const ALL: [Compression; 4] = [Compression::None, Compression::Gzip, Compression::Lz4, Compression::Zstd];

    pub fn apply(self, archive: &[u8]) -> Result<Vec<u8>> {
        self.apply_and_tell(archive, |_| ())
    }

    /// The same, and tells now and then how many bytes more are done.
    pub fn apply_and_tell(self, archive: &[u8], mut tell: impl FnMut(u64)) -> Result<Vec<u8>> {
        match self {
            Compression::None => Ok(archive.to_vec()),
            Compression::Gzip => gzip(archive, &mut tell).context("gzip"),
            Compression::Lz4 => Ok(lz4_legacy(archive, &mut tell)),
            Compression::Zstd => zstd(archive, &mut tell).context("zstd"),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        })
    }
}

/// By what these bytes were compressed, if they were.
pub fn name_of(bytes: &[u8]) -> Option<&'static str> {
    BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)).map(|(_, name)| *name)
}

fn gzip(archive: &[u8], tell: &mut impl FnMut(u64)) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    write_all(&mut encoder, archive, tell)?;
    Ok(encoder.finish()?)
}

fn zstd(archive: &[u8], tell: &mut impl FnMut(u64)) -> Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    encoder.set_pledged_src_size(Some(archive.len() as u64))?;
    write_all(&mut encoder, archive, tell)?;
    Ok(encoder.finish()?)
}

fn write_all(encoder: &mut impl Write, archive: &[u8], tell: &mut impl FnMut(u64)) -> Result<()> {
    for chunk in archive.chunks(CHUNK) {
        encoder.write_all(chunk)?;
        tell(chunk.len() as u64);
    }
    Ok(())
}

fn lz4_legacy(archive: &[u8], tell: &mut impl FnMut(u64)) -> Vec<u8> {
    let mut frame = LZ4_LEGACY.to_le_bytes().to_vec();
    for block in archive.chunks(LZ4_BLOCK) {
        let packed = lz4_flex::block::compress(block);
        frame.extend((packed.len() as u32).to_le_bytes());
        frame.extend(packed);
        tell(block.len() as u64);
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let archive: Vec<u8> = (0..9_000_000_u32).map(|at| (at / 7) as u8 ^ (at >> 13) as u8).collect();
        for compression in [Compression::Gzip, Compression::Lz4, Compression::Zstd] {
            let mut told = 0;
            let mut packed = compression.apply_and_tell(&archive, |more| told += more).unwrap();
            let length = packed.len();
            assert!(length < archive.len() / 2, "{compression}: {length}");
            assert_eq!(told, archive.len() as u64, "{compression}");
            packed.extend([0; 8]);
            let (unpacked, taken) = unpack(&packed, LIMIT).unwrap();
            assert!(unpacked == archive, "{compression}");
            assert_eq!(taken, length, "{compression}");
        }
    }

    /// However little it is that unpacks to it.
    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let zeros = vec![0; 100_000];
        for compression in [Compression::Gzip, Compression::Lz4, Compression::Zstd] {
            let packed = compression.apply(&zeros).unwrap();
            assert!(unpack(&packed, 100_000).is_ok(), "{compression}");
            let error = unpack(&packed, 99_999).unwrap_err().to_string();
            assert_eq!(error, "to more than 1024 MiB, the most that is read", "{compression}");
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_named() {
        assert_eq!(name_of(b"\xfd7zXZ\0"), Some("xz"));
        assert!(name_of(b"hello").is_none() && unpack(b"hello", LIMIT).is_err());
        assert!(unpack(&Compression::Gzip.apply(&[1; 1000]).unwrap()[..20], LIMIT).is_err());
    }
}
