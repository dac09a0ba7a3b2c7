//! What lzop makes, read as the kernel does: lib/decompress_unlzo.c in its tree.

use std::io::{self, Error, ErrorKind};

/// How it begins.
pub const MAGIC: &[u8] = &[0x89, b'L', b'Z', b'O', 0, b'\r', b'\n', 0x1a, b'\n'];

/// From this version of the format on the header has a level and a longer time.
const LEVEL_SINCE: u16 = 0x0940;
/// The flags by which a block has checksums, of what it holds and of what it is packed to, and that of a filter.
const CHECKSUMS: u32 = 0x303;
const FILTER: u32 = 0x800;
/// LZO_BLOCK_SIZE, the most that a block holds.
const BLOCK: u32 = 256 << 10;

/// Whether each block has one checksum, as the kernel takes for granted.
pub fn has_one_checksum(mut bytes: &[u8]) -> io::Result<bool> {
    Ok((header(&mut bytes)? & CHECKSUMS).count_ones() == 1)
}

/// What the blocks hold, up to one that holds nothing.
pub fn unpack(rest: &mut &[u8], most: u64) -> io::Result<Vec<u8>> {
    header(rest)?;
    let mut unpacked = Vec::new();
    loop {
        let length = number(rest)?;
        if length == 0 {
            return Ok(unpacked);
        }
        let [packed, _checksum] = [number(rest)?, number(rest)?];
        if length > BLOCK || packed == 0 || packed > length {
            return Err(Error::new(ErrorKind::InvalidData, "a block of a length that the kernel refuses"));
        }
        let block = take(rest, packed as usize)?;
        let from = unpacked.len();
        unpacked.resize(from + length as usize, 0);
        if packed == length {
            unpacked[from..].copy_from_slice(block);
        } else if lzokay::decompress::decompress(block, &mut unpacked[from..]).ok() != Some(length as usize) {
            return Err(Error::new(ErrorKind::InvalidData, "a block that does not unpack to its length"));
        }
        if unpacked.len() as u64 > most {
            return Err(ErrorKind::FileTooLarge.into());
        }
    }
}

/// Reads up to the first block; the flags.
fn header(rest: &mut &[u8]) -> io::Result<u32> {
    take(rest, MAGIC.len())?;
    let version = u16::from_be_bytes([take(rest, 1)?[0], take(rest, 1)?[0]]);
    let is_new = version >= LEVEL_SINCE;
    // The library's version, the one needed, the method, the level.
    take(rest, if is_new { 6 } else { 5 })?;
    let flags = number(rest)?;
    let filter = if flags & FILTER == 0 { 0 } else { 4 };
    // Mode and time.
    take(rest, filter + if is_new { 12 } else { 8 })?;
    let name = usize::from(take(rest, 1)?[0]);
    // The checksum of all that.
    take(rest, name + 4)?;
    Ok(flags)
}

fn number(rest: &mut &[u8]) -> io::Result<u32> {
    let bytes = take(rest, 4)?;
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

fn take<'b>(rest: &mut &'b [u8], length: usize) -> io::Result<&'b [u8]> {
    rest.split_off(..length).ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as lzop writes it, but for the checksums.
    fn packed(flags: u8, blocks: &[(u32, &[u8])]) -> Vec<u8> {
        let mut packed = [MAGIC, &[0x10, 0x40, 0x20, 0xa0, 0x09, 0x40, 3, 9, 3, 0, 0, flags]].concat();
        packed.extend([0; 17]);
        for (length, block) in blocks {
            packed.extend(length.to_be_bytes());
            packed.extend((block.len() as u32).to_be_bytes());
            packed.extend([0; 4]);
            packed.extend(*block);
        }
        packed.extend([0; 4]);
        packed
    }

    #[test]
    fn blocks_are_read_up_to_the_last() {
        let file = packed(0x0d, &[(3, b"abc"), (2, b"de")]);
        let mut rest: &[u8] = &[file.as_slice(), b"behind"].concat();
        assert_eq!(unpack(&mut rest, 5).unwrap(), b"abcde");
        assert_eq!(rest, b"behind");
        assert_eq!(unpack(&mut file.as_slice(), 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        for end in 0..file.len() {
            assert_eq!(unpack(&mut &file[..end], 5).unwrap_err().kind(), ErrorKind::UnexpectedEof, "{end}");
        }
    }

    #[test]
    fn what_the_kernel_refuses_is_refused() {
        for (length, block) in [(1, b"ab".as_slice()), (BLOCK + 1, b"ab"), (1, b""), (3, b"ab")] {
            let kind = unpack(&mut packed(0x0d, &[(length, block)]).as_slice(), 1 << 20).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::InvalidData, "{length} {block:?}");
        }
        for (flags, is_one) in [(0x0d, true), (0x0c, false), (0x0f, false)] {
            assert_eq!(has_one_checksum(&packed(flags, &[])).unwrap(), is_one, "{flags:x}");
        }
    }
}
