//! Images that the kernel unpacks in part, or not at all: `cargo vm check` says of each what a boot makes of it.

mod entries;
mod generated;
mod made;
mod rootfs;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use vm::compression::Compression;
use vm::initramfs::Initramfs;
use vm::qemu::{Outcome, Vm};
use vm::test::long;
use vm::{accel, kernel};

use super::{LIMIT, beside_others, boot_image, parts, report};
use crate::pack::Ground;

const PLAN: &str = "root\nmount devtmpfs /dev devtmpfs\nbind /sbin/agent\nbind / /initramfs\n\
                    exec /sbin/agent --report --below /initramfs\n";
const GOOD: &str = "";
/// Debian releases with newer kernels.
const NEWER: [&str; 2] = ["trixie", "sid"];

/// What is compressed, how the segments lie, and what both say of it; nothing where the service runs.
struct Case {
    name: &'static str,
    image: fn(&[u8], &[u8]) -> Result<Vec<u8>>,
    check: &'static str,
    boot: &'static str,
}

const CASES: [Case; 9] = [
    Case {
        name: "plain behind compressed, at a multiple of 4",
        image: |first, second| Ok(padded(gzip(first)?, 4, second)),
        check: GOOD,
        boot: GOOD,
    },
    Case {
        name: "plain behind compressed, elsewhere",
        image: |first, second| Ok(padded(gzip(first)?, 4, &[&[0], second].concat())),
        check: "no multiple of 4: the kernel refuses it and all that follows",
        boot: "invalid magic at start of compressed archive",
    },
    Case {
        name: "plain behind plain, elsewhere",
        image: |first, second| Ok(padded(first.to_vec(), 4, &[&[0, 0], second].concat())),
        check: "no multiple of 4: the kernel refuses it and all that follows",
        boot: "broken padding",
    },
    Case {
        name: "compressed behind plain",
        image: |first, second| Ok([first, &gzip(second)?].concat()),
        check: GOOD,
        boot: GOOD,
    },
    Case {
        name: "compressed behind plain, elsewhere",
        image: |first, second| Ok(padded(first.to_vec(), 4, &[&[0], gzip(second)?.as_slice()].concat())),
        check: "no multiple of 4: the kernel refuses it and all that follows",
        boot: "broken padding",
    },
    Case {
        name: "compressed behind compressed, at any byte",
        image: |first, second| Ok(padded(gzip(first)?, 4, &[&[0], gzip(second)?.as_slice()].concat())),
        check: GOOD,
        boot: GOOD,
    },
    Case {
        name: "zeros behind lz4",
        image: |first, second| Ok(padded(Compression::Lz4.apply(first)?, 512, second)),
        check: GOOD,
        boot: GOOD,
    },
    Case {
        name: "no zeros behind lz4",
        image: |first, second| Ok([Compression::Lz4.apply(first)?, gzip(second)?].concat()),
        check: "compressed by lz4, and ",
        boot: "Initramfs unpacking failed: ",
    },
    Case {
        name: "something else behind the archives",
        image: |first, second| Ok([first, second, b"what is this?"].concat()),
        check: "neither a newc cpio archive nor compressed",
        boot: "invalid magic at start of compressed archive",
    },
];

fn gzip(archive: &[u8]) -> Result<Vec<u8>> {
    Compression::Gzip.apply(archive)
}

fn padded(mut first: Vec<u8>, to: usize, second: &[u8]) -> Vec<u8> {
    first.resize(first.len().next_multiple_of(to), 0);
    first.extend(second);
    first
}

/// The init, and a segment with all else.
fn segments() -> Result<[Vec<u8>; 2]> {
    let mut first = Initramfs::with_console();
    first.file("/init", &parts().init)?;
    let mut second = Initramfs::empty();
    second.file("/sbin/agent", &parts().agent)?.bytes("/boot.plan", 0o644, PLAN);
    Ok([first.archive()?, second.archive()?])
}

/// Checks that both are right about an image: what `check` has to say, and the boot's console. Where neither has anything
/// to say, what the kernel made of it is what the tool reads.
fn agree(name: &str, image: &[u8], check: &str, boot: &str) -> Result<()> {
    let ground = Ground::new()?;
    ground.file("image", image, 0o644)?;
    let output = ground.vm("check --initramfs image")?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let is_told = if check.is_empty() { said == "boot.plan: no problems found\n" } else { said.contains(check) };
    ensure!(is_told && output.status.success() == check.is_empty(), "{name}: check says {said:?}, not {check:?}");
    for kernel in kernels()? {
        let outcome = boot_on(&kernel, &ground.path("image"))?;
        let name = format!("{name} on {}", kernel::name(&kernel));
        ensure!(outcome.transcript.contains(boot), "{name}: no {boot:?} in {}", outcome.evidence());
        if boot.is_empty() {
            ensure!(!outcome.transcript.contains("unpacking failed"), "{name}: {}", outcome.evidence());
            let report = report(&outcome)?;
            ensure!(report.problems.is_empty(), "{name}: {:?}", report.problems);
            rootfs::ensure_same(image, &report).with_context(|| name)?;
        }
    }
    Ok(())
}

/// This release's, and at length newer ones.
fn kernels() -> Result<Vec<PathBuf>> {
    let newer = NEWER.iter().filter(|_| long()).map(|release| kernel::of(release));
    [Ok(parts().kernel.clone())].into_iter().chain(newer).collect()
}

fn boot_on(kernel: &Path, image: &Path) -> Result<Outcome> {
    let _guest = beside_others();
    Vm { accel: accel::best(kernel)?, timeout: LIMIT, ..Vm::new(kernel, image) }.run()
}

#[test]
fn of_several_segments() -> Result<()> {
    let [first, second] = segments()?;
    for case in CASES {
        agree(case.name, &(case.image)(&first, &second)?, case.check, case.boot)?;
    }
    Ok(())
}

/// Entry by entry: the lines of a plan that miss something, by `check` and in a boot.
#[test]
fn of_odd_entries() -> Result<()> {
    let entries = entries::odd();
    let mut plan = "root\nmount devtmpfs /dev devtmpfs\nbind /sbin/agent\n".to_string();
    entries.paths.iter().for_each(|path| plan += &format!("-bind {path} /x{path}\n"));
    plan += "exec /sbin/agent --report\n";
    let [first, _] = segments()?;
    let mut second = Initramfs::empty();
    second.file("/sbin/agent", &parts().agent)?.bytes("/boot.plan", 0o644, plan.as_str());
    let ground = Ground::new()?;
    ground.plan(&plan)?.file("image", [first, second.archive()?, entries.archive].concat(), 0o644)?;
    let output = ground.vm("check p --initramfs image")?;
    let said = String::from_utf8(output.stdout)?;
    let outcome = boot_image(&ground.path("image"), None, "", &[])?;
    report(&outcome)?;
    let missing = |text: &str, behind: &str| -> BTreeSet<String> {
        let lines = text.lines().filter(|line| line.contains(behind) && line.contains("bind /"));
        let path = |line: &str| line.split("bind ").nth(1)?.split([' ', ':']).next().map(String::from);
        lines.filter_map(path).collect()
    };
    let told = missing(&said, "not in the initramfs");
    let expected: BTreeSet<String> = entries.missing.iter().map(|path| path.to_string()).collect();
    assert_eq!(told, expected, "check says {said}");
    assert_eq!(missing(&outcome.transcript, "moveroot: boot.plan:"), told, "{}", outcome.evidence());
    for reason in entries.reasons {
        assert!(said.contains(reason), "no {reason:?} in {said}");
    }
    Ok(())
}

/// With a checksum for each file, which must be right.
#[test]
fn of_the_format_with_checksums() -> Result<()> {
    let [first, second] = segments()?;
    let mut odd = entries::Archive::default();
    odd.summed("sum", b"content", 0);
    agree("good", &[first.clone(), second.clone(), odd.archive()].concat(), GOOD, GOOD)?;
    odd.summed("sum", b"content", 1);
    let refused = "its checksum is wrong: the kernel refuses it and all that follows, \"bad data checksum\"";
    agree("bad", &[first, second, odd.archive()].concat(), refused, "bad data checksum")
}
