//! Bytes that no tool would write, for all that reads an initramfs: sound files, changed at random, the same from the
//! same seed on the same machine. A reader may refuse them; it must not panic, nor take more than its limits let it.

use std::cell::Cell;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Limit;
use tool::compression::{self, Compression};
use tool::elf::Program;
use tool::initramfs::Initramfs;
use tool::modules;

/// An archive with a directory and a file in it, by `xz --check=crc32`.
const XZ: &[u8] = &[
    253, 55, 122, 88, 90, 0, 0, 1, 105, 34, 222, 54, 2, 0, 33, 1, 22, 0, 0, 0, 116, 47, 229, 163, 224, 1, 255, 0, 85,
    93, 0, 24, 13, 221, 4, 99, 157, 17, 181, 245, 133, 47, 131, 58, 221, 162, 8, 180, 230, 130, 222, 109, 92, 155, 63,
    91, 45, 45, 86, 238, 211, 20, 60, 28, 65, 216, 59, 22, 186, 234, 176, 26, 249, 38, 166, 179, 242, 31, 155, 1, 212,
    81, 158, 77, 240, 194, 97, 31, 39, 243, 238, 43, 0, 164, 167, 249, 60, 58, 150, 184, 215, 180, 28, 202, 175, 251,
    55, 46, 19, 145, 183, 245, 184, 2, 245, 0, 0, 0, 0, 0, 198, 154, 82, 132, 0, 1, 109, 128, 4, 0, 0, 0, 156, 239,
    187, 73, 62, 48, 13, 139, 2, 0, 0, 0, 0, 1, 89, 90,
];
/// The same by `xz --format=lzma`.
const LZMA: &[u8] = &[
    93, 0, 0, 128, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 24, 13, 221, 4, 99, 157, 17, 181, 245, 133, 47, 131,
    58, 221, 162, 8, 180, 230, 130, 222, 109, 92, 155, 63, 91, 45, 45, 86, 238, 211, 20, 60, 28, 65, 216, 59, 22, 186,
    234, 176, 26, 249, 38, 166, 179, 242, 31, 155, 1, 212, 81, 158, 77, 240, 194, 97, 31, 39, 243, 238, 43, 0, 164,
    167, 249, 60, 58, 150, 184, 215, 180, 28, 202, 175, 251, 55, 46, 19, 145, 183, 245, 184, 165, 103, 222, 255, 255,
    186, 203, 0, 0,
];
/// A dynamic program, which has a section that can pass for a module's.
const PROGRAM: &str = "/bin/true";
const MOST_CHANGES: u64 = 8;
/// What headers are made of, and numbers at the edges.
const ODD: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'0', b'7', b'F'];

/// Sound files of each kind.
pub struct Corpus(Vec<Vec<u8>>);

impl Corpus {
    pub fn new() -> Result<Corpus> {
        let mut tree = Initramfs::with_console();
        tree.bytes("/a/b", 0o755, "content").symlink("a", "/c").dir("/d", 0o700).bytes("/c/e", 0o600, [7; 300]);
        let archive = tree.archive()?;
        let mut files = vec![XZ.to_vec(), LZMA.to_vec()];
        for compression in Compression::ALL {
            files.push(compression.apply(&archive)?);
        }
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(&archive)?;
        files.push(bzip2.finish()?);
        let mut segments = Compression::Gzip.apply(&archive)?;
        segments.resize(segments.len().next_multiple_of(512), 0);
        files.push([segments, archive].concat());
        let program = std::fs::read(PROGRAM).with_context(|| format!("cannot read {PROGRAM}"))?;
        let at = program.windows(8).position(|bytes| bytes == b".comment");
        let mut module = program.clone();
        module.splice(at.map_or(0..0, |at| at..at + 8), *b".modinfo");
        files.extend([program, module]);
        Ok(Corpus(files))
    }

    pub fn sound(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// The file of this number, out of those that follow from a seed.
    pub fn changed(&self, seed: u64, number: u64) -> Vec<u8> {
        let random = Random(Cell::new(seed.wrapping_mul(0x1_0000_0001).wrapping_add(number)));
        let mut file = self.0[random.below(self.0.len())].clone();
        for _ in 0..=random.next() % MOST_CHANGES {
            self.change(&mut file, &random);
        }
        file
    }

    fn change(&self, file: &mut Vec<u8>, random: &Random) {
        let at = random.below(file.len().max(1)).min(file.len());
        // Half of the changes are where headers are.
        let at = if random.next().is_multiple_of(2) { at % 256 } else { at }.min(file.len());
        let end = (at + random.below(64)).min(file.len());
        match random.next() % 7 {
            0 => file.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
            1 => file.iter_mut().skip(at).take(1).for_each(|byte| *byte = ODD[random.below(ODD.len())]),
            2 => file[at..end].fill(ODD[random.below(ODD.len())]),
            3 => drop(file.drain(at..end)),
            4 => drop(file.splice(at..at, vec![0; end - at])),
            5 => file.truncate(at),
            _ => {
                let other = &self.0[random.below(self.0.len())];
                let from = random.below(other.len());
                file.extend(&other[from..(from + 400).min(other.len())]);
            }
        }
    }
}

/// All that reads such a file, whatever it makes of it.
pub fn read(file: &[u8]) {
    // Any answer is right.
    let _ = Initramfs::unpack(file).map(|tree| tree.left_out().len());
    let _ = compression::unpack(file, 1 << 20);
    let _ = Program::parse(file).map(|program| program.own_directories("/lib"));
    let _ = modules::depends(file);
}

/// Reads changed files up to the limit; how many. A panic ends the program, which then tells the number.
pub(super) fn run(limit: Limit, seed: u64) -> Result<u64> {
    let (corpus, started) = (Corpus::new()?, Instant::now());
    thread_local!(static NUMBER: Cell<u64> = const { Cell::new(0) });
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        tell(info);
        eprintln!("vm: by file {} of seed {seed}", NUMBER.get());
    }));
    let is_enough = |number| match limit {
        Limit::Seconds(seconds) => started.elapsed() > Duration::from_secs(seconds),
        Limit::Runs(runs) => number >= runs,
    };
    while !is_enough(NUMBER.get()) {
        read(&corpus.changed(seed, NUMBER.get()));
        NUMBER.set(NUMBER.get() + 1);
    }
    Ok(NUMBER.get())
}

/// splitmix64.
struct Random(Cell<u64>);

impl Random {
    fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mixed = (self.0.get() ^ (self.0.get() >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`, which is not 0.
    fn below(&self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
