//! Files of one's own for a boot, looked at before anything is fetched or built: a kernel that QEMU can start, programs
//! that the guest can.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use goblin::elf::Elf;

use sources::arch::{Arch, X86_64};
use tool::elf;
use tool::fit;
use tool::initramfs::{Initramfs, archive};

/// The note by which an ELF kernel names its entry for QEMU: XEN_ELFNOTE_PHYS32_ENTRY, CONFIG_PVH.
const ENTRY: (&str, u32) = ("Xen", 18);

/// Where a bzImage says what it is: Documentation/arch/x86/boot.rst.
const BZ_IMAGE: (usize, &[u8]) = (0x202, b"HdrS");

/// Where an Image does: Documentation/arch/arm64/booting.rst, Documentation/arch/riscv/boot-image-header.rst.
const IMAGES: [(&str, usize, &[u8]); 2] = [("aarch64", 56, b"ARM\x64"), ("riscv64", 56, b"RSC\x05")];

/// Refuses what is no kernel, or not one for this guest.
pub fn kernel(path: &Path, arch: &Arch) -> Result<()> {
    let bytes = read("--kernel", path)?;
    let shown = path.display();
    let is_at = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
    let image = IMAGES.iter().find(|(_, at, magic)| is_at(*at, magic)).map(|(name, ..)| *name);
    let named = if is_at(BZ_IMAGE.0, BZ_IMAGE.1) { Some(X86_64.name) } else { image };
    if let Some(name) = named {
        let name = if name == X86_64.name { X86_64.shown } else { name };
        ensure!(
            name == arch.shown,
            "--kernel {shown} is for another architecture: {name}, and the guest is {}",
            arch.shown
        );
        return Ok(());
    }
    if *arch != X86_64 {
        // QEMU unpacks an Image; what is in it, it says itself.
        let is_packed = is_at(0, b"\x1f\x8b") || is_at(4, b"zimg");
        ensure!(is_packed, "--kernel {shown} is no Image: {}", archive::foreign(&bytes));
        return Ok(());
    }
    ensure!(elf::is_elf(&bytes), "--kernel {shown} is neither a bzImage nor an ELF file: {}", archive::foreign(&bytes));
    let parsed = Elf::parse(&bytes).with_context(|| format!("--kernel {shown} is no sound ELF file"))?;
    same_machine("--kernel", path, parsed.header.e_machine, arch)?;
    let notes = parsed.iter_note_headers(&bytes).into_iter().flatten().flatten();
    let has_entry = notes.into_iter().any(|note| (note.name, note.n_type) == ENTRY);
    ensure!(
        has_entry,
        "--kernel {shown} is an ELF file, and no kernel that QEMU starts: it has no entry of CONFIG_PVH"
    );
    Ok(())
}

/// Refuses what the guest could not start, with the libraries of this machine if it is of the guest's kind.
pub fn program(option: &str, path: &Path, arch: &Arch) -> Result<()> {
    const GUEST: &str = "/sbin/program";
    if let Some(machine) = elf::machine_of(&read(option, path)?) {
        same_machine(option, path, machine, arch)?;
    }
    if !arch.is_native() {
        return Ok(());
    }
    let mut tree = Initramfs::empty();
    tree.file(GUEST, path).with_context(|| format!("{option} {}", path.display()))?;
    let Some(obstacle) = fit::obstacles(&tree, GUEST, arch.machine)?.into_iter().next() else { return Ok(()) };
    bail!("{option} {}{}", path.display(), obstacle.strip_prefix(GUEST).unwrap_or(&obstacle))
}

fn read(option: &str, path: &Path) -> Result<Vec<u8>> {
    let about = fs::metadata(path).with_context(|| format!("cannot find {option} {}", path.display()))?;
    ensure!(about.is_file(), "{option} {} is no file", path.display());
    fs::read(path).with_context(|| format!("cannot read {option} {}", path.display()))
}

fn same_machine(option: &str, path: &Path, machine: u16, arch: &Arch) -> Result<()> {
    let (name, shown, ours) = (elf::machine_name(machine), path.display(), arch.shown);
    ensure!(machine == arch.machine, "{option} {shown} is for another architecture: {name}, and the guest is {ours}");
    Ok(())
}
