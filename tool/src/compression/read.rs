//! Compressed segments of an image, read as the kernel does: lib/decompress_*.c in its tree. What it refuses is refused
//! here, and so is what unpacks to more than is asked for.

use std::io::{self, BufRead, ErrorKind, Read};

use anyhow::{Context, Result, bail, ensure};
use lzma_rust2::{LzmaReader, XzReader};

use super::{LZ4_BLOCK, LZ4_LEGACY, LZ4_MOST, lzop, name_of};

/// The most that an image is unpacked to, in bytes.
pub const LIMIT: u64 = 1 << 30;
/// The most memory for a dictionary, KiB: what the kernel takes for zstd's, and twice what `xz -9` needs.
pub const DICTIONARY: u32 = 128 << 10;

/// The one flag of a gzip header that the kernel skips, that of a file's name, and the one that means nothing.
const GZIP_FLAGS: u8 = 0b1001;
/// The checks of an xz stream that the kernel has: none and CRC32.
const XZ_CHECKS: u8 = 1;

/// What the compressed part that `bytes` begin with holds, and how many bytes of it that part takes.
pub fn unpack(bytes: &[u8], most: u64) -> Result<(Vec<u8>, usize)> {
    let name = name_of(bytes).context("compressed in no way that is known")?;
    let mut rest = bytes;
    let done = match name {
        "gzip" => {
            let flags = bytes.get(3).copied().unwrap_or_default();
            ensure!(
                flags & !GZIP_FLAGS == 0,
                "with more in its header than a name, which the kernel cannot skip: say `gzip -n`"
            );
            within(flate2::bufread::GzDecoder::new(&mut rest), most)
        }
        "zstd" => {
            let window = zstd_window(bytes).unwrap_or_default() >> 10;
            ensure!(
                window <= u64::from(DICTIONARY),
                "with a window of {} MiB, and the kernel takes {}: say `zstd --long=27`",
                window >> 10,
                DICTIONARY >> 10
            );
            zstd::Decoder::with_buffer(&mut rest).and_then(|decoder| within(decoder.single_frame(), most))
        }
        "lz4" => lz4(&mut rest, most),
        "xz" => {
            let check = bytes.get(7).copied().unwrap_or_default();
            ensure!(check <= XZ_CHECKS, "with a check that the kernel does not have: say `xz --check=crc32`");
            within(XzReader::new_mem_limit(&mut rest, false, DICTIONARY), most)
        }
        "bzip2" => within(bzip2::bufread::BzDecoder::new(&mut rest), most),
        "lzma" => LzmaReader::new_mem_limit(&mut rest, DICTIONARY, None).and_then(|decoder| within(decoder, most)),
        "lzop" => {
            let fits = lzop::has_one_checksum(bytes).unwrap_or(true);
            ensure!(fits, "with not one checksum for each block, which the kernel expects: say `lzop` without -F");
            lzop::unpack(&mut rest, most)
        }
        _ => bail!("which is not read here: unpack it first, or say `lz4 -l`"),
    };
    match done {
        Ok(unpacked) => Ok((unpacked, bytes.len() - rest.len())),
        Err(error) => match error.kind() {
            ErrorKind::UnexpectedEof => bail!("and only a part of that: more was to come behind the last byte"),
            ErrorKind::FileTooLarge => bail!("to more than {} MiB, the most that is read", LIMIT >> 20),
            _ => Err(error).context("and damaged"),
        },
    }
}

/// How far back a frame of zstd may refer, in bytes, where it does not hold all it unpacks to: RFC 8878, 3.1.1.1.
fn zstd_window(frame: &[u8]) -> Option<u64> {
    const SINGLE_SEGMENT: u8 = 1 << 5;
    let (descriptor, window) = (frame.get(4)?, frame.get(5)?);
    let base = 1 << (10 + (window >> 3));
    (descriptor & SINGLE_SEGMENT == 0).then(|| base + base / 8 * u64::from(window & 7))
}

/// All that a decoder gives, which fails with FileTooLarge where that is more than `most` bytes.
pub fn within(decoder: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    decoder.take(most + 1).read_to_end(&mut unpacked)?;
    if unpacked.len() as u64 > most { Err(ErrorKind::FileTooLarge.into()) } else { Ok(unpacked) }
}

/// Blocks up to the end or to a length of 0, and further frames: anything else behind a block is taken for one.
fn lz4(rest: &mut &[u8], most: u64) -> io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = u32::from_le_bytes(*length);
        if length == LZ4_LEGACY {
            rest.consume(size_of::<u32>());
            continue;
        } else if length == 0 {
            break;
        }
        let length = length as usize;
        let too_long = || io::Error::new(ErrorKind::InvalidData, "the kernel takes what follows it for a block of it");
        if length > LZ4_MOST {
            return Err(too_long());
        }
        let block = behind.get(..length).ok_or(ErrorKind::UnexpectedEof)?;
        let block = lz4_flex::block::decompress(block, LZ4_BLOCK);
        unpacked.extend(block.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?);
        if unpacked.len() as u64 > most {
            return Err(ErrorKind::FileTooLarge.into());
        }
        *rest = &behind[length..];
    }
    Ok(unpacked)
}
