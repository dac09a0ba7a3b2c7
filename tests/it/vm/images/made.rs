//! Images made by other archivers and compressors.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use vm::{apt, kernel, locale};

use super::{GOOD, PLAN, agree};
use crate::pack::Ground;
use crate::vm::parts;

/// What lies in the directory `tree`, its parents first.
const FIND: &str = "cd tree && find . -mindepth 1 -printf '%P\\n' | LC_ALL=C sort";
/// Each writes an initramfs to its output from those names, and what `check` and a boot say of it.
const MADE: [(&str, &str, &str); 22] = [
    ("cpio --quiet -o -H newc", GOOD, GOOD),
    ("cpio --quiet -o -H crc", GOOD, GOOD),
    ("cpio --quiet -o -H odc", "the kernel takes newc", "incorrect cpio method used: use -H newc option"),
    (
        "tac | cpio --quiet -o -H newc",
        "the kernel leaves out /sbin/agent: its directory /sbin",
        "bind /sbin/agent: ENOENT",
    ),
    ("bsdcpio --quiet -o -H newc | gzip -9", GOOD, GOOD),
    ("../busybox cpio -o -H newc | ../busybox gzip", GOOD, GOOD),
    ("toybox cpio -o | pigz -2", GOOD, GOOD),
    ("pax -w -d -x sv4cpio", GOOD, GOOD),
    ("pax -w -d -x sv4crc | gzip", GOOD, GOOD),
    ("cpio --quiet -o -H newc > ../a; gzip ../a; cat ../a.gz", GOOD, GOOD),
    (
        "cpio --quiet -o -H newc > ../a; head -c 9999 ../a | gzip; tail -c +10000 ../a | gzip",
        "only a part of a newc cpio archive",
        "unpacking failed",
    ),
    ("cpio --quiet -o -H newc | xz -1 --check=crc32 --threads=2 --block-size=100KiB", GOOD, GOOD),
    (
        "cpio --quiet -o -H newc | xz -1",
        "a check that the kernel does not have: say `xz --check=crc32`",
        "unpacking failed",
    ),
    ("cpio --quiet -o -H newc | xz -1 --format=lzma", GOOD, GOOD),
    ("cpio --quiet -o -H newc | bzip2 -1", GOOD, GOOD),
    ("cpio --quiet -o -H newc | lzop -9", GOOD, GOOD),
    (
        "cpio --quiet -o -H newc | lzop -F",
        "each block, which the kernel expects: say `lzop` without -F",
        "unpacking failed",
    ),
    ("cpio --quiet -o -H newc | lz4 -l -c", GOOD, GOOD),
    ("cpio --quiet -o -H newc | lz4 -c", "in its newer frame, which the kernel does not know", "invalid magic"),
    ("cpio --quiet -o -H newc | zstd --ultra -22 -c --quiet", GOOD, GOOD),
    ("cpio --quiet -o -H newc | zstd -T2 --long=27 -c --quiet", GOOD, GOOD),
    (
        "cpio --quiet -o -H newc | zstd --ultra -3 --long=31 -c --quiet",
        "with a window of 2048 MiB, and the kernel takes 128: say `zstd --long=27`",
        "unpacking failed",
    ),
];

const PROGRAMS: [&str; 12] =
    ["cpio", "bsdcpio", "toybox", "pax", "gzip", "pigz", "xz", "bzip2", "lzop", "lz4", "zstd", "mkfifo"];

#[test]
fn by_other_programs() -> Result<()> {
    apt::ensure_programs(&PROGRAMS)?;
    let ground = Ground::new()?;
    for (name, host) in [("tree/init", &parts().init), ("tree/sbin/agent", &parts().agent)] {
        ground.file(name, std::fs::read(host)?, 0o755)?;
    }
    ground.file("tree/boot.plan", PLAN, 0o644)?.file("busybox", std::fs::read(kernel::busybox()?)?, 0o755)?;
    ground.file("tree/etc/odd", "set-uid, and not to be read", 0o4750)?.file("tree/etc/empty", "", 0o600)?;
    // Some archivers say of files with several names what they say of others.
    std::fs::hard_link(ground.path("tree/sbin/agent"), ground.path("tree/sbin/other"))?;
    std::os::unix::fs::symlink("../sbin/agent", ground.path("tree/etc/link"))?;
    shell(&ground, "mkfifo tree/etc/fifo")?;
    for (command, check, boot) in MADE {
        agree(command, &shell(&ground, &format!("{FIND} | {{ {command}; }}"))?, check, boot)?;
    }
    Ok(())
}

/// What a command prints that is run there by the shell.
pub fn shell(ground: &Ground, command: &str) -> Result<Vec<u8>> {
    let mut shell: Command = locale::command(apt::program("sh").context("no sh")?);
    shell.args(["-c", command]).current_dir(ground.path("")).stdin(Stdio::null());
    let output = shell.output()?;
    ensure!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
