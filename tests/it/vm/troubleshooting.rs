//! What docs/troubleshooting.md says the kernel says, and what init says in a guest alone: each message is made once more.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use vm::initramfs::Initramfs;
use vm::kernel;
use vm::modules::Modules;
use vm::qemu::Outcome;

use super::{boot, boot_image, small};

/// What lies at /init: content, mode; and what the kernel says of it. None: there is no /init.
const INITS: [(Option<&str>, u32, &str); 4] = [
    (Some("#!/no/interpreter\n"), 0o755, "Failed to execute /init (error -2)"),
    (Some("no program"), 0o755, "Failed to execute /init (error -8)"),
    (Some("no program"), 0o644, "Failed to execute /init (error -13)"),
    (None, 0, "Unable to mount root fs on"),
];

const CUT_OFF: &str = "Initramfs unpacking failed";
const NOT_WHOLE: &str = "copy /sbin/agent: EIO (5)";
const HELD_OPEN: &str = "exec /sbin/agent: ETXTBSY (26)";
const ENDED: &str = "Attempted to kill init!";
const NO_CONSOLE: &str = "unable to open an initial console";
const UNKNOWN_SYMBOL: &str = "Unknown symbol";
const NO_MODULE: &str = "module /modules/text.ko: ENOEXEC (8)";
const NO_CONTROLLER: &str = "controllers bogus: EINVAL (22)";

/// All messages that are made here.
pub fn messages() -> Vec<&'static str> {
    let others = [CUT_OFF, NOT_WHOLE, HELD_OPEN, ENDED, NO_CONSOLE, UNKNOWN_SYMBOL, NO_MODULE, NO_CONTROLLER];
    INITS.into_iter().map(|(_, _, message)| message).chain(others).collect()
}

#[test]
fn an_init_that_cannot_run() -> Result<()> {
    for (init, mode, message) in INITS {
        let mut tree = Initramfs::with_console();
        if let Some(content) = init {
            tree.bytes("/init", mode, content);
        }
        let outcome = boot(&tree, "", &[])?;
        assert!(outcome.transcript.contains(message), "{message}: {}", outcome.evidence());
        assert!(outcome.transcript.contains("Kernel panic"), "{message}: {}", outcome.evidence());
    }
    Ok(())
}

/// Half of a compressed archive: the kernel says so and goes on, and what came behind the cut is missing.
#[test]
fn a_compressed_initramfs_that_is_cut_off() -> Result<()> {
    let [plain, packed] = [tempfile::NamedTempFile::new()?, tempfile::NamedTempFile::new()?];
    agents_last()?.write(plain.path())?;
    let mut out = GzEncoder::new(File::create(packed.path())?, Compression::fast());
    std::io::copy(&mut File::open(plain.path())?, &mut out)?;
    out.finish()?;
    let outcome = boot_half(packed.path())?;
    assert!(outcome.transcript.contains(CUT_OFF), "{}", outcome.evidence());
    Ok(())
}

/// Half of one that isn't compressed: the kernel says nothing. It still has the file open that the cut went through.
#[test]
fn an_initramfs_that_is_cut_off() -> Result<()> {
    let image = tempfile::NamedTempFile::new()?;
    agents_last()?.write(image.path())?;
    let outcome = boot_half(image.path())?;
    assert!(!outcome.transcript.contains(CUT_OFF), "{}", outcome.evidence());
    for message in [NOT_WHOLE, HELD_OPEN] {
        assert!(outcome.transcript.contains(message), "{message}: {}", outcome.evidence());
    }
    Ok(())
}

/// The agent is the last file and by far the largest, so half of the archive ends within it.
fn agents_last() -> Result<Initramfs> {
    small("root\n-copy /sbin/agent\nbind /sbin/agent\nexec /sbin/agent --report")
}

fn boot_half(image: &Path) -> Result<Outcome> {
    File::options().write(true).open(image)?.set_len(image.metadata()?.len() / 2)?;
    let outcome = boot_image(image, None, "", &[])?;
    assert_ne!(outcome.guest_code, Some(0), "{}", outcome.evidence());
    Ok(outcome)
}

/// A module without the one it needs gives ENOENT, as a file that is missing does; the kernel's log tells them apart.
#[test]
fn a_console_modules_and_controllers() -> Result<()> {
    let plan = "root\nmount sysfs /sys sysfs\nmount cgroup2 /sys/fs/cgroup cgroup2\n-module /modules/text.ko\n\
        -module /modules/virtio.ko\ncontrollers cpu bogus\nexec /sbin/agent\n";
    let modules = Modules::of(&kernel::modules(None)?)?.needed(&["virtio".to_string()])?;
    let module = modules.last().context("virtio is built in")?.content.clone();
    let mut tree = small(plan)?;
    tree.bytes("/modules/text.ko", 0o644, "no module").bytes("/modules/virtio.ko", 0o644, module);
    tree.remove("/dev/console").dir("/dev/console", 0o755);
    let outcome = boot(&tree, "ignore_loglevel", &[])?;
    let needing = "moveroot: boot.plan:5: module /modules/virtio.ko: ENOENT (2)";
    for message in [ENDED, NO_CONSOLE, UNKNOWN_SYMBOL, NO_MODULE, NO_CONTROLLER, needing] {
        assert!(outcome.transcript.contains(message), "{message}: {}", outcome.evidence());
    }
    assert_eq!(outcome.panic_code, Some(6), "{}", outcome.evidence());
    assert!(outcome.transcript.contains("exitcode=0x00000600"), "{}", outcome.evidence());
    Ok(())
}
