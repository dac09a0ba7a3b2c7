//! What an ELF file needs to run: the machine, the interpreter, the libraries, and where ld.so looks for these, ld.so(8)
//! for glibc and musl. The crate lddtree reads files of a directory on disk, and follows absolute symlinks out of it: here a
//! tree may be an image in memory, or a root that a plan will have made.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use goblin::elf::Elf;
use goblin::elf::header::{
    ELFMAG, EM_386, EM_AARCH64, EM_ARM, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64, ET_DYN, ET_EXEC,
};

/// Machines by their usual names, and the first word of Debian's directory for their libraries.
const MACHINES: [(u16, &str, &str); 7] = [
    (EM_X86_64, "x86-64", "x86_64-linux-gnu"),
    (EM_AARCH64, "aarch64", "aarch64-linux-gnu"),
    (EM_RISCV, "riscv64", "riscv64-linux-gnu"),
    (EM_386, "x86, 32 bit", "i386-linux-gnu"),
    (EM_ARM, "arm, 32 bit", "arm-linux-gnueabihf"),
    (EM_PPC64, "ppc64", "powerpc64le-linux-gnu"),
    (EM_S390, "s390x", "s390x-linux-gnu"),
];

/// The machine that init is built for where there is no init to ask.
pub const DEFAULT_MACHINE: u16 = EM_X86_64;

/// The name that rustc has for a machine, and uname(1).
pub fn processor(machine: u16) -> Option<&'static str> {
    let (.., triplet) = MACHINES.iter().find(|(number, ..)| *number == machine)?;
    triplet.split('-').next()
}

/// The machine that has this name.
pub fn machine_named(name: &str) -> Option<u16> {
    MACHINES.iter().map(|(number, ..)| *number).find(|number| processor(*number) == Some(name))
}

/// The machine that this program runs on.
pub fn own_machine() -> u16 {
    machine_named(std::env::consts::ARCH).unwrap_or(DEFAULT_MACHINE)
}

/// musl's ld.so is its libc, and stands for these too: ldso/dynlink.c.
const MUSL_ITSELF: [&str; 8] =
    ["libc.", "libpthread.", "librt.", "libm.", "libdl.", "libcrypt.", "libutil.", "libxnet."];

/// An ELF file.
pub struct Program {
    pub machine: u16,
    /// It can be executed, or is a shared library.
    pub is_executable: bool,
    pub interpreter: Option<String>,
    pub libraries: Vec<String>,
    /// DT_RUNPATH, or the older DT_RPATH.
    run_paths: Vec<String>,
}

/// Whose ld.so it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loader {
    Glibc,
    Musl,
}

/// Whether these are the first bytes of an ELF file.
pub fn is_elf(bytes: &[u8]) -> bool {
    bytes.starts_with(ELFMAG)
}

/// The machine's usual name.
pub fn machine_name(machine: u16) -> String {
    let known = MACHINES.iter().find(|(number, ..)| *number == machine);
    known.map_or(format!("machine {machine}"), |(_, name, _)| name.to_string())
}

/// The machine that an ELF file is for; none for anything else.
pub fn machine_of(bytes: &[u8]) -> Option<u16> {
    Elf::parse_header(bytes).ok().map(|header| header.e_machine)
}

/// The machine of a program or a library; none for any other file, kernel modules among them.
pub fn machine_of_program(bytes: &[u8]) -> Option<u16> {
    let header = Elf::parse_header(bytes).ok()?;
    matches!(header.e_type, ET_EXEC | ET_DYN).then_some(header.e_machine)
}

impl Program {
    pub fn parse(bytes: &[u8]) -> Result<Program> {
        let elf = Elf::parse(bytes).context("no sound ELF")?;
        let paths = if elf.runpaths.is_empty() { &elf.rpaths } else { &elf.runpaths };
        let run_paths = paths.iter().flat_map(|list| list.split(':')).filter(|entry| !entry.is_empty());
        Ok(Program {
            machine: elf.header.e_machine,
            is_executable: matches!(elf.header.e_type, ET_EXEC | ET_DYN),
            interpreter: elf.interpreter.map(String::from),
            libraries: elf.libraries.iter().map(ToString::to_string).collect(),
            run_paths: run_paths.map(String::from).collect(),
        })
    }

    /// Whose ld.so runs it; a library is loaded by that of its program.
    pub fn loader(&self) -> Option<Loader> {
        let name = self.interpreter.as_deref()?.rsplit('/').next()?;
        Some(if name.starts_with("ld-musl-") { Loader::Musl } else { Loader::Glibc })
    }

    /// The libraries that have to be found: without those that ld.so itself is.
    pub fn wanted(&self, loader: Loader) -> impl Iterator<Item = &str> {
        let is_itself = move |name: &str| MUSL_ITSELF.iter().any(|part| name.starts_with(part));
        self.libraries.iter().map(String::as_str).filter(move |name| loader == Loader::Glibc || !is_itself(name))
    }

    /// The directories that its own header names, $ORIGIN put in; a file with them lies in the directory `origin`.
    pub fn own_directories(&self, origin: &str) -> Vec<String> {
        let filled = |entry: &String| entry.replace("${ORIGIN}", origin).replace("$ORIGIN", origin);
        self.run_paths.iter().map(filled).collect()
    }

    /// The directories that are built into ld.so, those of Debian, of the /lib64 distributions and of Alpine.
    pub fn system_directories(&self, loader: Loader) -> Vec<String> {
        if loader == Loader::Musl {
            return ["/lib", "/usr/local/lib", "/usr/lib"].map(String::from).to_vec();
        }
        let triplet = MACHINES.iter().find(|(number, ..)| *number == self.machine).map(|(.., triplet)| triplet);
        let debian =
            triplet.into_iter().flat_map(|triplet| ["/lib/", "/usr/lib/"].map(|lib| format!("{lib}{triplet}")));
        debian.chain(["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(String::from)).collect()
    }

    /// The directories that this machine's configuration adds: a guest has no such file, nor glibc's cache of it.
    pub fn configured_directories(&self, loader: Loader) -> Vec<String> {
        if loader == Loader::Glibc {
            return configured(Path::new("/etc/ld.so.conf"));
        }
        let name = self.interpreter.as_deref().and_then(|path| path.strip_prefix("/lib/ld-musl-"));
        let machine = name.and_then(|name| name.split('.').next()).unwrap_or("x86_64");
        let text = fs::read_to_string(format!("/etc/ld-musl-{machine}.path")).unwrap_or_default();
        text.split([':', '\n']).filter(|directory| directory.starts_with('/')).map(String::from).collect()
    }
}

/// The directories of an ld.so.conf and of the files it includes (`include DIR/*.conf` is the only form in use).
fn configured(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    lines
        .flat_map(|line| match line.strip_prefix("include ") {
            Some(pattern) => included(Path::new(pattern.trim())),
            None if line.starts_with('/') => vec![line.to_string()],
            None => Vec::new(),
        })
        .collect()
}

fn included(pattern: &Path) -> Vec<String> {
    let entries = pattern.parent().and_then(|directory| fs::read_dir(directory).ok()).into_iter().flatten();
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension() == pattern.extension());
    files.sort();
    files.iter().flat_map(|file| configured(file)).collect()
}
