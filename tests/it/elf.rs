//! The init as a program: small, static, one segment that is never written.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use goblin::elf::dynamic::DT_NULL;
use goblin::elf::header::{ELFCLASS64, ET_EXEC};
use goblin::elf::program_header::{PF_R, PF_W, PF_X, PT_DYNAMIC, PT_INTERP, PT_LOAD};
use goblin::elf::section_header::{SHF_WRITE, SHT_REL, SHT_RELA};
use goblin::elf::{Elf, ProgramHeader};
use nix::sys::ptrace;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use vm::arch::{self, RISCV64};
use vm::build;

/// With the plan that is built in by default: four pages, which linker/init.ld asserts too.
const MOST_BYTES: usize = 16384;

fn init() -> Result<Vec<u8>> {
    read(&build::init(None)?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[test]
fn is_small_on_each_processor() -> Result<()> {
    for arch in arch::ALL {
        let bytes = read(&build::init_for(arch)?)?;
        assert!(bytes.len() <= MOST_BYTES, "init for {arch} has {} bytes", bytes.len());
        let header = Elf::parse(&bytes)?.header;
        assert_eq!((header.e_machine, header.e_type), (arch.machine, ET_EXEC), "{arch}");
        // EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE; the others have none.
        assert_eq!(header.e_flags, if *arch == RISCV64 { 5 } else { 0 }, "{arch}");
    }
    Ok(())
}

/// `cargo vm size` gives the sizes of the files themselves.
#[test]
fn sizes_of_all_processors_are_shown() -> Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_vm")).arg("size").output()?;
    let said = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for arch in arch::ALL {
        let bytes = read(&build::init_for(arch)?)?.len();
        let name = if arch.is_native() { "init".to_string() } else { format!("init for {arch}") };
        let begins = format!("{name}: {bytes} bytes");
        assert!(said.lines().any(|line| line == begins || line.starts_with(&format!("{begins} "))), "{begins}: {said}");
    }
    Ok(())
}

#[test]
fn is_static() -> Result<()> {
    let bytes = init()?;
    let elf = Elf::parse(&bytes)?;
    assert_eq!(elf.header.e_ident[4], ELFCLASS64);
    assert_eq!(elf.header.e_type, ET_EXEC, "not linked to one address");
    assert!(elf.libraries.is_empty() && elf.interpreter.is_none());
    for forbidden in [PT_INTERP, PT_DYNAMIC] {
        assert!(elf.program_headers.iter().all(|header| header.p_type != forbidden), "{forbidden}");
    }
    Ok(())
}

/// As the kernel maps it: there is no PT_GNU_STACK that would ask for it.
#[test]
fn has_a_stack_that_cannot_be_executed() -> Result<()> {
    let mut command = Command::new(build::init(None)?);
    // SAFETY: a system call, between fork and exec. The program then stops before its first instruction.
    unsafe { command.pre_exec(|| Ok(ptrace::traceme()?)) };
    let mut child = command.spawn()?;
    let maps = waitpid(Pid::from_raw(child.id() as i32), None)
        .map_err(Into::into)
        .and_then(|_| std::fs::read_to_string(format!("/proc/{}/maps", child.id())));
    child.kill()?;
    child.wait()?;
    let maps = maps?;
    let stack = maps.lines().find(|line| line.ends_with("[stack]")).with_context(|| maps.clone())?;
    assert_eq!(stack.split(' ').nth(1), Some("rw-p"), "{stack}");
    Ok(())
}

#[test]
fn has_one_segment_that_is_never_written() -> Result<()> {
    let bytes = init()?;
    let elf = Elf::parse(&bytes)?;
    let loads: Vec<&ProgramHeader> = elf.program_headers.iter().filter(|header| header.p_type == PT_LOAD).collect();
    let [load] = loads.as_slice() else { panic!("{} PT_LOADs", loads.len()) };
    assert_eq!(load.p_flags, PF_R | PF_X);
    assert_eq!(load.p_filesz, load.p_memsz, "memory beyond the file is to be written");
    let entry = load.p_vaddr..load.p_vaddr + load.p_memsz;
    assert!(entry.contains(&elf.entry));
    // The stack's header may say W, it loads nothing; W and X together never.
    let both = PF_W | PF_X;
    assert!(elf.program_headers.iter().all(|header| header.p_flags & both != both));
    Ok(())
}

#[test]
fn has_no_relocation_and_no_writable_section() -> Result<()> {
    let bytes = init()?;
    let elf = Elf::parse(&bytes)?;
    let relocations = elf.dynrelas.len() + elf.dynrels.len() + elf.pltrelocs.len() + elf.shdr_relocs.len();
    assert_eq!(relocations, 0);
    for section in &elf.section_headers {
        let is_relocation = [SHT_REL, SHT_RELA].contains(&section.sh_type);
        let is_written = section.sh_flags & u64::from(SHF_WRITE) != 0 && section.sh_size > 0;
        assert!(!is_relocation && !is_written, "{:?}", elf.shdr_strtab.get_at(section.sh_name));
    }
    let dynamic = elf.dynamic.iter().flat_map(|dynamic| &dynamic.dyns);
    assert_eq!(dynamic.filter(|entry| entry.d_tag != DT_NULL).count(), 0);
    Ok(())
}
