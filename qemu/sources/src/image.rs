//! A kernel's image, a bzImage, without its packing: the ELF file inside, which QEMU starts by the entry that
//! CONFIG_PVH gives it. Documentation/arch/x86/boot.rst of the kernel tells where it lies.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tool::compression;

use crate::workspace;

/// setup_sects, payload_offset, payload_length.
const SETUP_SECTORS: usize = 0x1f1;
const OFFSET: usize = 0x248;
const LENGTH: usize = 0x24c;
/// The most bytes of an unpacked kernel.
const LARGEST: u64 = 256 << 20;

/// The file `vmlinux-…` in the cache that was inside of `kernel`.
pub fn unpacked(kernel: &Path) -> Result<PathBuf> {
    let image = fs::read(kernel).with_context(|| format!("cannot read {}", kernel.display()))?;
    let vmlinux = content(&image).with_context(|| format!("cannot unpack {}", kernel.display()))?;
    let name = kernel.file_name().unwrap_or_default().to_string_lossy().replace("vmlinuz", "vmlinux");
    let path = workspace::cache("unpacked")?.join(name);
    fs::write(&path, vmlinux).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// The ELF file that a bzImage holds.
pub fn content(image: &[u8]) -> Result<Vec<u8>> {
    ensure!(image.get(0x202..0x206) == Some(b"HdrS"), "it is no bzImage");
    let start = (usize::from(image[SETUP_SECTORS]) + 1) * 512 + number(image, OFFSET)?;
    let payload = image.get(start..start + number(image, LENGTH)?).context("its payload is not all there")?;
    // The kernel's build leaves the unpacked length behind it, which the reader of lz4 would take for a block's; it ends gzip too.
    let is_lz4 = compression::name_of(payload) == Some("lz4");
    let packed = if is_lz4 { &payload[..payload.len() - 4] } else { payload };
    let (vmlinux, _) = compression::unpack(packed, LARGEST)?;
    ensure!(vmlinux.starts_with(b"\x7fELF"), "there is no ELF file in it");
    Ok(vmlinux)
}

fn number(bytes: &[u8], at: usize) -> Result<usize> {
    let bytes = bytes.get(at..at + 4).context("it is cut short")?;
    Ok(u32::from_le_bytes(bytes.try_into()?) as usize)
}
