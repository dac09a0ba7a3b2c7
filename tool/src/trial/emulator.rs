//! Who runs the programs of another processor here: an interpreter that the kernel's binfmt_misc has for them, qemu-user as a
//! rule. It makes init's system calls in init's place, and so they are seen, and changed, as those of a native init are.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::elf;

const ENTRIES: &str = "/proc/sys/fs/binfmt_misc";

/// An entry: Documentation/admin-guide/binfmt-misc.rst of the kernel.
pub struct Emulator {
    pub interpreter: String,
    /// Of its own arguments, those before the program's first.
    pub own_arguments: usize,
}

impl Emulator {
    /// The one for the init of an image, where this machine's processor doesn't run its programs.
    pub fn of(init: &[u8], machine: u16) -> Result<Option<Emulator>> {
        if machine == elf::own_machine() {
            return Ok(None);
        }
        let [its_name, our_name] = [machine, elf::own_machine()].map(elf::machine_name);
        let is_its = elf::machine_of(init).is_none_or(|found| found == machine);
        ensure!(is_its, "the image is for {its_name}, and the init of --init is not");
        let found = entries(Path::new(ENTRIES)).into_iter().find(|entry| entry.takes(init));
        let entry = found.with_context(|| {
            format!(
                "the image is for {its_name}, and this machine is {our_name}: binfmt_misc has no emulator of it; the package \
                 qemu-user-binfmt has, before Debian 13 qemu-user-static"
            )
        })?;
        ensure!(
            entry.flags.contains('F'),
            "the image is for {its_name}, and this machine is {our_name}: {} of binfmt_misc is not there for a new root, since its \
             entry has no flag F; those of the package qemu-user-binfmt have, before Debian 13 of qemu-user-static",
            entry.interpreter
        );
        // Its own path and the program's, then, by the flag P, the program's first argument.
        let own_arguments = if entry.flags.contains('P') { 2 } else { 1 };
        Ok(Some(Emulator { interpreter: entry.interpreter, own_arguments }))
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    interpreter: String,
    flags: String,
    offset: usize,
    magic: Vec<u8>,
    mask: Vec<u8>,
}

impl Entry {
    /// From its file. None if it is disabled, or for names that end in something.
    fn parse(text: &str) -> Option<Entry> {
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let magic = bytes(value("magic ")?)?;
        let mask = value("mask ").map_or(Some(vec![0xff; magic.len()]), bytes)?;
        (text.lines().next() == Some("enabled")).then_some(())?;
        Some(Entry {
            interpreter: value("interpreter ")?.to_string(),
            flags: value("flags:").unwrap_or_default().to_string(),
            offset: value("offset ")?.parse().ok()?,
            magic,
            mask,
        })
    }

    fn takes(&self, program: &[u8]) -> bool {
        let head = program.get(self.offset..).unwrap_or_default();
        let wanted = self.magic.iter().zip(&self.mask);
        head.len() >= self.magic.len() && wanted.zip(head).all(|((magic, mask), byte)| byte & mask == magic & mask)
    }
}

fn entries(directory: &Path) -> Vec<Entry> {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    files.filter_map(|file| Entry::parse(&fs::read_to_string(file.path()).ok()?)).collect()
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: PF\noffset 0\n\
        magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

    #[test]
    fn an_entry_takes_the_programs_of_its_processor() {
        let entry = Entry::parse(ENTRY).unwrap();
        assert_eq!((entry.interpreter.as_str(), entry.flags.as_str()), ("/usr/bin/qemu-aarch64", "PF"));
        let mut program = entry.magic.clone();
        assert!(entry.takes(&program) && !entry.takes(&program[..19]));
        // ET_DYN is as good, another ABI too, another processor not.
        (program[16], program[7]) = (3, 9);
        assert!(entry.takes(&program));
        program[18] = 62;
        assert!(!entry.takes(&program));
    }

    #[test]
    fn what_is_disabled_or_goes_by_names_is_none() {
        assert_eq!(Entry::parse(&ENTRY.replace("enabled", "disabled")), None);
        assert_eq!(Entry::parse("enabled\ninterpreter /usr/bin/java\nflags: \nextension .jar\n"), None);
    }
}
