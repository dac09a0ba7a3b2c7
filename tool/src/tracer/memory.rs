//! The memory of a process that is stopped.

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use nix::unistd::Pid;

/// The longest string that a path or an option may be here.
const LONGEST: usize = 4096;
const PAGE: u64 = 4096;

pub struct Memory(File);

impl Memory {
    pub fn of(pid: Pid) -> Result<Memory> {
        let path = format!("/proc/{pid}/mem");
        let file = File::options().read(true).write(true).open(&path);
        Ok(Memory(file.with_context(|| format!("cannot open {path}"))?))
    }

    /// The string at an address; none for a null pointer, nor where there is no memory.
    pub fn string(&self, address: u64) -> Option<String> {
        self.text(address).map(|text| String::from_utf8_lossy(&text).into_owned())
    }

    /// The same, whatever its bytes are.
    pub fn text(&self, address: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut at = address;
        while address != 0 && bytes.len() < LONGEST {
            // Up to a page's end: the next one may not be there.
            let part = self.bytes(at, (PAGE - at % PAGE) as usize)?;
            let end = part.iter().position(|byte| *byte == 0);
            bytes.extend(&part[..end.unwrap_or(part.len())]);
            if end.is_some() {
                return Some(bytes);
            }
            at += part.len() as u64;
        }
        None
    }

    pub fn bytes(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.0.read_exact_at(&mut bytes, address).ok()?;
        Some(bytes)
    }

    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<()> {
        self.0.write_all_at(bytes, address).context("cannot write to init's memory")
    }
}
