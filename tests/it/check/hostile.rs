//! Files that somebody made to break what reads them.

use anyhow::Result;
use vm::compression::Compression;
use vm::fuzz::{Corpus, read};
use vm::initramfs::Initramfs;

const SEED: u64 = 1;

/// `cargo vm fuzz --readers` does this for as long as one likes.
#[test]
fn that_are_changed_at_random_are_read_or_refused() -> Result<()> {
    let corpus = Corpus::new()?;
    let images = corpus.sound().iter().filter(|file| Initramfs::unpack(file).is_ok()).count();
    assert_eq!(images, corpus.sound().len() - 2, "all but the program and the module");
    let runs = if vm::test::long() { 1_000_000 } else { 5_000 };
    for number in 0..runs {
        let file = corpus.changed(SEED, number);
        let outcome = std::panic::catch_unwind(|| read(&file));
        assert!(outcome.is_ok(), "file {number} of seed {SEED}");
    }
    Ok(())
}

/// Little that unpacks to much: refused at the limit, whatever the whole would be.
#[test]
fn that_unpack_to_too_much_are_refused() -> Result<()> {
    let eight_mib = Compression::Lz4.apply(&vec![0; 8 << 20])?;
    let (magic, block) = eight_mib.split_at(4);
    let error = Initramfs::unpack(&[magic, &block.repeat(129)].concat()).expect_err("129 times 8 MiB is too much");
    assert!(format!("{error:#}").ends_with("to more than 1024 MiB, the most that is read"), "{error:#}");
    Ok(())
}
