//! The step `module`: a real kernel is given a module of its own package.

use anyhow::Result;
use vm::initramfs::Initramfs;
use vm::kernel;

use super::{NO_PROBLEMS, boot, report, small};

/// Block devices in memory: it needs no other module, and shows by their number that it got its parameters.
const MODULE: &str = "kernel/drivers/block/brd.ko";

fn tree(plan: &str) -> Result<Initramfs> {
    let mut tree = small(plan)?;
    let module = kernel::module(MODULE)?;
    tree.file("/modules/brd.ko", &module)?.file("/modules/brd.ko.xz", &module)?;
    tree.symlink("/modules", "/lib/modules").bytes("/modules/text.ko", 0o644, "no module");
    Ok(tree)
}

/// Through a link that leads somewhere in the initramfs alone; a second time; one that isn't a module, tolerated.
#[test]
fn are_loaded_with_their_parameters() -> Result<()> {
    let plan = "root\nmount sysfs /sys sysfs
module /lib/modules/brd.ko  rd_nr=3   rd_size=2048
module /lib/modules/brd.ko
write /sys/block/ram2/queue/read_ahead_kb 64
-write /sys/block/ram3/queue/read_ahead_kb 64
-module /modules/text.ko rd_nr=3
bind /sbin/agent
exec /sbin/agent --report
";
    let outcome = boot(&tree(plan)?, "", &[])?;
    let evidence = outcome.evidence();
    let said: Vec<&str> = outcome.transcript.lines().filter(|line| line.starts_with("moveroot: ")).collect();
    let no_fourth = "moveroot: boot.plan:6: write /sys/block/ram3/queue/read_ahead_kb: ENOENT (2)";
    let no_module = "moveroot: boot.plan:7: module /modules/text.ko: ENOEXEC (8)";
    assert_eq!(said, [no_fourth, no_module], "{evidence}");
    assert_eq!(report(&outcome)?.problems, NO_PROBLEMS, "{evidence}");
    assert_eq!((outcome.guest_code, outcome.panic_code), (Some(0), None), "{evidence}");
    Ok(())
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
        let outcome = boot(&tree(&format!("root\n{step}\nexec /sbin/agent\n"))?, "", &[])?;
        let message = format!("moveroot: boot.plan{message}");
        assert!(outcome.transcript.lines().any(|line| line == message), "{}", outcome.evidence());
        assert_eq!(outcome.panic_code, Some(2), "{}", outcome.evidence());
    }
    Ok(())
}
