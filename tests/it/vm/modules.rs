//! The step `module`: a real kernel is given a module of its own package.

use anyhow::{Context, Result};
use vm::initramfs::Initramfs;
use vm::modules::Modules;
use vm::qemu::{Outcome, Vm};
use vm::{accel, kernel};

use super::{LIMIT, NO_PROBLEMS, beside_others, report, small};

/// Block devices in memory: it needs no other module, and shows by their number that it got its parameters.
const MODULE: &str = "brd";

/// A release whose kernel comes with its modules as they are and decompresses none, and one of the other kind.
const PLAIN: &str = "bookworm";
const COMPRESSED: &str = "trixie";

/// With the module as it was built, and as it was packaged under the name of a compressed one.
fn tree(release: &str, plan: &str) -> Result<Initramfs> {
    let mut tree = small(plan)?;
    let directory = kernel::modules(Some(release))?;
    let [module] = &Modules::of(&directory)?.needed(&[MODULE.to_string()])?[..] else {
        panic!("{MODULE} needs others")
    };
    assert_eq!(module.was_compressed, release == COMPRESSED, "{release}");
    let packaged = match module.was_compressed {
        true => std::fs::read(directory.join("kernel/drivers/block/brd.ko.xz")).context("no brd.ko.xz")?,
        false => module.content.clone(),
    };
    for name in ["brd", "again"] {
        tree.bytes(&format!("/modules/{name}.ko"), 0o644, module.content.clone());
        tree.bytes(&format!("/modules/{name}.ko.xz"), 0o644, packaged.clone());
    }
    tree.symlink("/modules", "/lib/modules").bytes("/modules/text.ko", 0o644, "no module");
    Ok(tree)
}

fn boot(release: &str, plan: &str) -> Result<Outcome> {
    let kernel = kernel::of(release)?;
    let image = tempfile::Builder::new().suffix(".cpio").tempfile()?;
    tree(release, plan)?.write(image.path())?;
    let _guest = beside_others();
    Vm { accel: accel::best(&kernel)?, timeout: LIMIT, ..Vm::new(&kernel, image.path()) }.run()
}

/// Through a link that leads somewhere in the initramfs alone; a second time; one that isn't a module, tolerated.
fn assert_loaded(release: &str, file: &str) -> Result<()> {
    let again = file.replace("brd", "again");
    let plan = format!(
        "root\nmount sysfs /sys sysfs
module /lib/modules/{file}  rd_nr=3   rd_size=2048
module /modules/{again}
write /sys/block/ram2/queue/read_ahead_kb 64
-write /sys/block/ram3/queue/read_ahead_kb 64
-module /modules/text.ko rd_nr=3
bind /sbin/agent
exec /sbin/agent --report
"
    );
    let outcome = boot(release, &plan)?;
    let evidence = outcome.evidence();
    let said: Vec<&str> = outcome.transcript.lines().filter(|line| line.starts_with("moveroot: ")).collect();
    let no_fourth = "moveroot: boot.plan:6: write /sys/block/ram3/queue/read_ahead_kb: ENOENT (2)";
    let no_module = "moveroot: boot.plan:7: module /modules/text.ko: ENOEXEC (8)";
    assert_eq!(said, [no_fourth, no_module], "{evidence}");
    assert_eq!(report(&outcome)?.problems, NO_PROBLEMS, "{evidence}");
    assert_eq!((outcome.guest_code, outcome.panic_code), (Some(0), None), "{evidence}");
    Ok(())
}

#[test]
fn are_loaded_with_their_parameters() -> Result<()> {
    assert_loaded(PLAIN, "brd.ko")
}

/// Linux 6.12 decompresses what its own package holds, and takes what `pack` makes of it.
#[test]
fn that_are_compressed_are_loaded_by_a_kernel_that_can() -> Result<()> {
    assert_loaded(COMPRESSED, "brd.ko.xz")?;
    assert_loaded(COMPRESSED, "brd.ko")
}

/// Steps that fail; what is said of them behind the plan's name.
const FAILURES: [(&str, &str); 3] = [
    ("module /modules/text.ko", ":2: module /modules/text.ko: ENOEXEC (8)"),
    ("module /modules/none.ko", ":2: module /modules/none.ko: ENOENT (2)"),
    // This kernel decompresses nothing, and it is the name that tells what is compressed.
    ("module /modules/brd.ko.xz", ":2: module /modules/brd.ko.xz: EOPNOTSUPP (95)"),
];

#[test]
fn that_cannot_be_loaded_are_named() -> Result<()> {
    for (step, message) in FAILURES {
        let outcome = boot(PLAIN, &format!("root\n{step}\nexec /sbin/agent\n"))?;
        let message = format!("moveroot: boot.plan{message}");
        assert!(outcome.transcript.lines().any(|line| line == message), "{}", outcome.evidence());
        assert_eq!(outcome.panic_code, Some(2), "{}", outcome.evidence());
    }
    Ok(())
}
