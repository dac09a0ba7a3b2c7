//! The machine that an image is for: that of its programs, which is one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::elf;

/// As much of a file as an ELF header takes: elf(5).
const HEADER: u64 = 64;

/// Of the programs that are packed by name.
pub fn of(files: &[(String, PathBuf)]) -> Result<u16> {
    let mut first: Option<(&Path, u16)> = None;
    for (_, host) in files.iter().filter(|(_, host)| host.is_file()) {
        let Some(machine) = elf::machine_of_program(&beginning(host)?) else { continue };
        let (other, known) = *first.get_or_insert((host, machine));
        let [its, others] = [machine, known].map(elf::machine_name);
        ensure!(
            machine == known,
            "{} is for {others}, and {} for {its}: an image is for one processor",
            other.display(),
            host.display()
        );
    }
    Ok(first.map_or(elf::DEFAULT_MACHINE, |(_, machine)| machine))
}

fn beginning(host: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(host).and_then(|file| file.take(HEADER).read_to_end(&mut bytes));
    read.with_context(|| format!("cannot read {}", host.display()))?;
    Ok(bytes)
}
