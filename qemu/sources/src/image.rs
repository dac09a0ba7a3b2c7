//! A kernel's image, a bzImage, without its packing: the ELF file inside, which QEMU starts by the entry that
//! CONFIG_PVH gives it. Documentation/arch/x86/boot.rst of the kernel tells where it lies.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::workspace;

/// setup_sects, payload_offset, payload_length.
const SETUP_SECTORS: usize = 0x1f1;
const OFFSET: usize = 0x248;
const LENGTH: usize = 0x24c;
/// lz4's legacy frame: this number, then blocks of 8 MiB at most, each behind its packed length.
const LZ4: &[u8] = &[0x02, 0x21, 0x4c, 0x18];
const LZ4_BLOCK: usize = 8 << 20;

/// The file `vmlinux-…` in the cache that was inside of `kernel`.
pub fn unpacked(kernel: &Path) -> Result<PathBuf> {
    let image = fs::read(kernel).with_context(|| format!("cannot read {}", kernel.display()))?;
    let vmlinux = content(&image).with_context(|| format!("cannot unpack {}", kernel.display()))?;
    let name = kernel.file_name().unwrap_or_default().to_string_lossy().replace("vmlinuz", "vmlinux");
    let path = workspace::cache("unpacked")?.join(name);
    fs::write(&path, vmlinux).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn content(image: &[u8]) -> Result<Vec<u8>> {
    ensure!(image.get(0x202..0x206) == Some(b"HdrS"), "it is no bzImage");
    let start = (usize::from(image[SETUP_SECTORS]) + 1) * 512 + number(image, OFFSET)?;
    let payload = image.get(start..start + number(image, LENGTH)?).context("its payload is not all there")?;
    let vmlinux = match payload {
        [0x1f, 0x8b, ..] => read(flate2::read::GzDecoder::new(payload))?,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => read(zstd::Decoder::with_buffer(payload)?.single_frame())?,
        _ if payload.starts_with(LZ4) => lz4(&payload[LZ4.len()..])?,
        _ => bail!("it is packed in a way that is not known here: {:02x?}", &payload[..6.min(payload.len())]),
    };
    ensure!(vmlinux.starts_with(b"\x7fELF"), "there is no ELF file in it");
    Ok(vmlinux)
}

fn lz4(mut packed: &[u8]) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    // The kernel's build leaves the unpacked length behind the last block, which is none.
    while packed.len() > 4 {
        let length = number(packed, 0)?;
        let block = packed.get(4..4 + length).context("a block is not all there")?;
        whole.extend(lz4_flex::block::decompress(block, LZ4_BLOCK)?);
        packed = &packed[4 + length..];
    }
    Ok(whole)
}

fn read(mut from: impl Read) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    from.read_to_end(&mut whole)?;
    Ok(whole)
}

fn number(bytes: &[u8], at: usize) -> Result<usize> {
    let bytes = bytes.get(at..at + 4).context("it is cut short")?;
    Ok(u32::from_le_bytes(bytes.try_into()?) as usize)
}
