//! How files leave a guest by a port: a line `NAME BYTES`, then as many bytes, the file packed by LZ4.

use anyhow::{Context, Result};

/// The port they leave by.
pub const PORT: u16 = 0xea;

/// How often the clock's samples are taken, by the guest's clock.
pub const PERIOD_NS: u32 = 20_000;

/// What perf recorded.
pub const DATA: &str = "perf.data";
/// The kernel's symbols, where this kernel has them.
pub const SYMBOLS: &str = "kallsyms";

/// A file as it goes through the port.
pub fn packed(name: &str, content: &[u8]) -> Vec<u8> {
    let packed = lz4_flex::block::compress_prepend_size(content);
    let mut bytes = format!("{name} {}\n", packed.len()).into_bytes();
    bytes.extend(packed);
    bytes
}

/// The files that came through the port.
pub fn unpacked(mut bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|byte| *byte == b'\n').context("what the guest sent ends in a name")?;
        let line = std::str::from_utf8(&bytes[..end]).context("what the guest sent has no name")?;
        let (name, length) = line.split_once(' ').with_context(|| format!("{line:?} is no name with a length"))?;
        let length: usize = length.parse().with_context(|| format!("the length of {name}"))?;
        let rest = &bytes[end + 1..];
        let content = rest.get(..length).with_context(|| format!("{name} came in part only"))?;
        let content = lz4_flex::block::decompress_size_prepended(content).with_context(|| name.to_string())?;
        files.push((name.to_string(), content));
        bytes = &rest[length..];
    }
    Ok(files)
}
