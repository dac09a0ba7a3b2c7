//! Files of one's own for a boot, looked at before anything is fetched or built: a kernel that QEMU can start, programs
//! that the guest can.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use goblin::elf::Elf;
use goblin::elf::header::EM_X86_64;

use tool::elf;
use tool::fit;
use tool::initramfs::{Initramfs, archive};

/// The note by which an ELF kernel names its entry for QEMU: XEN_ELFNOTE_PHYS32_ENTRY, CONFIG_PVH.
const ENTRY: (&str, u32) = ("Xen", 18);

/// Where an arm64 kernel's Image says what it is: Documentation/arch/arm64/booting.rst.
const ARM64: (usize, &[u8]) = (56, b"ARM\x64");

/// Refuses what is no kernel, or not one for this guest.
pub fn kernel(path: &Path) -> Result<()> {
    let bytes = read("--kernel", path)?;
    let is_at = |(at, magic): (usize, &[u8])| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
    if is_at((0x202, b"HdrS")) {
        return Ok(());
    }
    let shown = path.display();
    ensure!(!is_at(ARM64), "--kernel {shown} is for another architecture: aarch64, and the guest is x86-64");
    ensure!(elf::is_elf(&bytes), "--kernel {shown} is neither a bzImage nor an ELF file: {}", archive::foreign(&bytes));
    let parsed = Elf::parse(&bytes).with_context(|| format!("--kernel {shown} is no sound ELF file"))?;
    same_machine("--kernel", path, parsed.header.e_machine)?;
    let notes = parsed.iter_note_headers(&bytes).into_iter().flatten().flatten();
    let has_entry = notes.into_iter().any(|note| (note.name, note.n_type) == ENTRY);
    ensure!(
        has_entry,
        "--kernel {shown} is an ELF file, and no kernel that QEMU starts: it has no entry of CONFIG_PVH"
    );
    Ok(())
}

/// Refuses what the guest could not start, with the libraries of this machine.
pub fn program(option: &str, path: &Path) -> Result<()> {
    const GUEST: &str = "/sbin/program";
    if let Some(machine) = elf::machine_of(&read(option, path)?) {
        same_machine(option, path, machine)?;
    }
    let mut tree = Initramfs::empty();
    tree.file(GUEST, path).with_context(|| format!("{option} {}", path.display()))?;
    let Some(obstacle) = fit::obstacles(&tree, GUEST, EM_X86_64)?.into_iter().next() else { return Ok(()) };
    bail!("{option} {}{}", path.display(), obstacle.strip_prefix(GUEST).unwrap_or(&obstacle))
}

fn read(option: &str, path: &Path) -> Result<Vec<u8>> {
    let about = fs::metadata(path).with_context(|| format!("cannot find {option} {}", path.display()))?;
    ensure!(about.is_file(), "{option} {} is no file", path.display());
    fs::read(path).with_context(|| format!("cannot read {option} {}", path.display()))
}

fn same_machine(option: &str, path: &Path, machine: u16) -> Result<()> {
    let name = elf::machine_name(machine);
    let shown = path.display();
    ensure!(machine == EM_X86_64, "{option} {shown} is for another architecture: {name}, and the guest is x86-64");
    Ok(())
}
