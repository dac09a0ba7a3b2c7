//! How much memory the carry takes, and how much the plan gives it.

use anyhow::Result;
use language::Verb;

use crate::initramfs::Initramfs;
use crate::plan::Step;
use crate::plan::size::{Size, size_of};

const PAGE: u64 = 4096;

/// The root of a plan that says nothing else: OPTIONS in src/steps/root.rs.
const DEFAULT: Size = Size::Bytes(128 << 20);

/// What a file of this length takes of a tmpfs.
pub fn pages(length: u64) -> u64 {
    length.next_multiple_of(PAGE)
}

/// What the guest's memory holds, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The files of the initramfs when the kernel has unpacked it.
    pub unpacked: u64,
    /// Of these, what `copy` takes into the new root.
    pub copied: u64,
    /// Of these, what is freed: modules that were loaded, what is dropped.
    pub freed: u64,
    /// The largest copy: while it is made there are two of it.
    pub largest: u64,
}

impl Memory {
    pub fn of(tree: &Initramfs) -> Result<Memory> {
        let mut unpacked = 0;
        for (_, _, content) in tree.entries() {
            unpacked += pages(content.size()?);
        }
        Ok(Memory { unpacked, ..Memory::default() })
    }

    pub fn copy(&mut self, bytes: u64) {
        self.copied += bytes;
        self.largest = self.largest.max(bytes);
    }
}

/// The tmpfs mounts of a plan and what was copied into each.
#[derive(Default)]
pub struct Room {
    mounts: Vec<(String, Size, u64)>,
}

impl Room {
    /// `root`, or a mount of a tmpfs; any other has room for everything.
    pub fn open(&mut self, target: &str, step: &Step) {
        let size = match step.verb {
            Verb::Root if step.words.len() == 1 => DEFAULT,
            Verb::Mount if step.word(3) != "tmpfs" => Size::Unlimited,
            _ => size_of(&step.data),
        };
        self.mounts.push((target.to_string(), size, 0));
    }

    /// What can't be judged here: what is carried into a share of the guest's memory.
    pub fn shares(&self) -> Vec<String> {
        let share = |(target, size, taken): &(String, Size, u64)| match *size {
            Size::Percent(percent) if *taken > 0 && percent > 0 => {
                let needed = (taken * 100).div_ceil(percent).div_ceil(1 << 20);
                let carried = taken.div_ceil(1 << 10);
                Some(format!(
                    "{target} holds {percent} % of the guest's memory, whatever that is: with {carried} KiB carried into it \
                     the guest needs more than {needed} MiB"
                ))
            }
            _ => None,
        };
        self.mounts.iter().filter_map(share).collect()
    }

    /// Takes room for a file; says so if there is too little.
    pub fn take(&mut self, path: &str, bytes: u64) -> Option<String> {
        let covers =
            |mount: &&mut (String, Size, u64)| path.starts_with(&format!("{}/", mount.0.trim_end_matches('/')));
        let (target, size, taken) = self.mounts.iter_mut().rev().find(covers)?;
        let was_full = matches!(*size, Size::Bytes(most) if *taken > most);
        *taken += bytes;
        let most = match *size {
            Size::Bytes(most) if *taken > most && !was_full => most,
            _ => return None,
        };
        let hint = "write a larger one, or bind, which takes no room";
        Some(format!("with it {taken} bytes are carried into {target}, whose size= lets in {most}: {hint}"))
    }
}
