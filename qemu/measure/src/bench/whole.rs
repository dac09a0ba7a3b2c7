//! Whole boots in a VM, from QEMU's start on, with the initramfs packed in every way, and the memory that the guest
//! has left when its service starts.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, Kind};

use super::finding::Memory;
use super::guest::{Guests, Image};
use super::peers;
use super::progress::Progress;
use super::statistics::Spread;
use tool::compression::Compression;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    #[serde(rename = "candidate")]
    pub who: Candidate,
    pub compression: String,
    pub initramfs_bytes: u64,
    /// From QEMU's start to the service, by this machine's clock: milliseconds.
    pub start_to_service_ms: Spread,
    /// From the kernel's start to init, by the guest's.
    pub kernel_to_init_ms: Spread,
    /// From init to the service, by the guest's.
    pub init_to_service_ms: Spread,
    /// Each figure's median.
    pub memory_kib: Memory,
    /// Pages that a file of one byte takes of the new root.
    pub byte_pages: u64,
}

struct Entrant {
    who: Candidate,
    compression: Compression,
    image: Image,
    start: Vec<f64>,
    kernel: Vec<f64>,
    init: Vec<f64>,
    memory: Vec<Memory>,
    byte_pages: u64,
}

pub fn run(guests: &Guests, kinds: &[Kind], rounds: usize) -> Result<Vec<Line>> {
    let mut entrants = entrants(guests, kinds)?;
    // The first boot brings kernel and QEMU into memory and is not counted.
    if let Some(first) = entrants.first() {
        guests.boot(&first.image, false).context("the first boot")?;
    }
    let mut progress = Progress::of("vm", rounds * entrants.len());
    for _ in 0..rounds {
        for entrant in &mut entrants {
            let what = format!("{}, {}", entrant.who, entrant.compression);
            progress.time(&what, || entrant.boot(guests)).context(what)?;
        }
    }
    Ok(entrants.iter().filter_map(Entrant::line).collect())
}

/// moveroot packed in every way, the others uncompressed. The floor belongs to no plan with controllers.
fn entrants(guests: &Guests, kinds: &[Kind]) -> Result<Vec<Entrant>> {
    let mut entrants = Vec::new();
    let takes_part = |who: &Candidate| kinds.contains(&who.kind) && who.kind != Kind::Floor;
    for who in Candidate::all().filter(takes_part) {
        let program = guests.program(who, true)?;
        let compressions = if who == Candidate::COPY { &Compression::ALL[..] } else { &Compression::ALL[..1] };
        for &compression in compressions {
            let image = guests.pack(&program, peers::plan(who.carry, true)?, who.carry, compression)?;
            let (start, kernel, init) = (Vec::new(), Vec::new(), Vec::new());
            let memory = Vec::new();
            entrants.push(Entrant { who, compression, image, start, kernel, init, memory, byte_pages: 0 });
        }
    }
    Ok(entrants)
}

impl Entrant {
    fn boot(&mut self, guests: &Guests) -> Result<()> {
        let boot = guests.boot(&self.image, false)?;
        let init_ns = boot.found.init_ns.context("the kernel's log does not tell when init ran")?;
        self.start.push(boot.until_service.as_secs_f64() * 1000.0);
        self.kernel.push(init_ns as f64 / 1e6);
        self.init.push(boot.init_to_service()? / 1000.0);
        self.memory.push(boot.found.memory);
        // The worst of them all.
        self.byte_pages = self.byte_pages.max(boot.found.byte_pages);
        Ok(())
    }

    fn line(&self) -> Option<Line> {
        Some(Line {
            who: self.who,
            compression: self.compression.to_string(),
            initramfs_bytes: self.image.bytes,
            start_to_service_ms: Spread::of(&self.start)?,
            kernel_to_init_ms: Spread::of(&self.kernel)?,
            init_to_service_ms: Spread::of(&self.init)?,
            memory_kib: Memory::median(&self.memory)?,
            byte_pages: self.byte_pages,
        })
    }
}
