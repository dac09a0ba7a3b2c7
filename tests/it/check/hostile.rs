//! Files that somebody made to break what reads them.

use anyhow::{Context, Result, ensure};
use fuzz::readers::{READERS, named};
use vm::compression::Compression;
use vm::fuzz::{Limit, reader};
use vm::initramfs::Initramfs;

/// The corpus in the tree, each file on its own.
#[test]
fn of_the_corpus_are_read_or_refused() -> Result<()> {
    for reader in &READERS {
        for (number, file) in reader.corpus()?.iter().enumerate() {
            let outcome = std::panic::catch_unwind(|| (reader.read)(file));
            assert!(outcome.is_ok(), "file {number} of {}", reader.name);
        }
    }
    Ok(())
}

/// Else the fuzzer would begin with nothing.
#[test]
fn sound_files_are_read() -> Result<()> {
    for name in ["cpio", "gzip", "lz4", "zstd", "xz", "bzip2", "lzma"] {
        for file in (named(name).context("a reader")?.sound)()? {
            let tree = Initramfs::unpack(&file).context(name)?;
            assert!(tree.contains("/a/b"), "{name}");
        }
    }
    for file in (named("kernel").context("a reader")?.sound)()? {
        vm::image::content(&file)?;
    }
    for file in (named("module").context("a reader")?.sound)()? {
        assert_eq!(vm::modules::depends(&file)?, ["libcrc32c", "crc32c_intel"]);
    }
    Ok(())
}

/// `cargo vm fuzz --readers` does this for as long as one likes.
#[test]
fn guided_by_coverage() -> Result<()> {
    let runs = if vm::test::long() { 200_000 } else { 2_000 };
    for one in &READERS {
        let found = tempfile::tempdir()?;
        let outcome = reader(one, Limit::Runs(runs), 1, found.path()).context(one.name)?;
        if let Some((file, said)) = outcome.crash {
            panic!("the reader of {} is wrong with {}: {said}", one.name, file.display());
        }
        ensure!(outcome.runs >= runs, "{}: only {} runs", one.name, outcome.runs);
        ensure!(outcome.coverage > 100, "{}: only {} places reached", one.name, outcome.coverage);
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
