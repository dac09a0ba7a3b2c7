//! An initramfs in the forms the kernel unpacks: lib/decompress.c in its tree.

use std::fmt;
use std::io::Write;

use anyhow::{Context, Result};
use clap::ValueEnum;

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
const GZIP_LEVEL: u32 = 9;
const ZSTD_LEVEL: i32 = 19;

impl Compression {
    pub const ALL: [Compression; 4] = [Compression::None, Compression::Gzip, Compression::Lz4, Compression::Zstd];

    pub fn apply(self, archive: &[u8]) -> Result<Vec<u8>> {
        match self {
            Compression::None => Ok(archive.to_vec()),
            Compression::Gzip => gzip(archive).context("gzip"),
            Compression::Lz4 => Ok(lz4_legacy(archive)),
            Compression::Zstd => zstd::encode_all(archive, ZSTD_LEVEL).context("zstd"),
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

fn gzip(archive: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    encoder.write_all(archive)?;
    Ok(encoder.finish()?)
}

fn lz4_legacy(archive: &[u8]) -> Vec<u8> {
    let mut frame = LZ4_LEGACY.to_le_bytes().to_vec();
    for block in archive.chunks(LZ4_BLOCK) {
        let packed = lz4_flex::block::compress(block);
        frame.extend((packed.len() as u32).to_le_bytes());
        frame.extend(packed);
    }
    frame
}
