//! Images made by other programs.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use vm::{apt, locale};

use super::{GOOD, PLAN, agree};
use crate::pack::Ground;
use crate::vm::parts;

const FIND: &str = "cd tree && find . -mindepth 1 -printf '%P\\n' | LC_ALL=C sort";
/// Each writes an initramfs to its output from the directory `tree`, and what `check` and a boot say of it.
const MADE: [(&str, &str, &str, &str); 11] = [
    ("cpio", "cpio --quiet -o -H newc", GOOD, GOOD),
    ("cpio", "cpio --quiet -o -H crc", GOOD, GOOD),
    ("cpio", "cpio --quiet -o -H odc", "the kernel takes newc", "incorrect cpio method used: use -H newc option"),
    ("bsdcpio", "bsdcpio --quiet -o -H newc | gzip -9", GOOD, GOOD),
    ("xz", "cpio --quiet -o -H newc | xz -1 --check=crc32", GOOD, GOOD),
    (
        "xz",
        "cpio --quiet -o -H newc | xz -1",
        "a check that the kernel does not have: say `xz --check=crc32`",
        "unpacking failed",
    ),
    ("xz", "cpio --quiet -o -H newc | xz -1 --format=lzma", GOOD, GOOD),
    ("bzip2", "cpio --quiet -o -H newc | bzip2 -1", GOOD, GOOD),
    ("lz4", "cpio --quiet -o -H newc | lz4 -l -c", GOOD, GOOD),
    ("lz4", "cpio --quiet -o -H newc | lz4 -c", "in its newer frame, which the kernel does not know", "invalid magic"),
    ("zstd", "cpio --quiet -o -H newc | zstd --ultra -22 -c --quiet", GOOD, GOOD),
];

#[test]
fn by_other_programs() -> Result<()> {
    apt::ensure_programs(&["cpio", "bsdcpio", "xz", "bzip2", "lz4", "zstd"])?;
    let ground = Ground::new()?;
    for (name, host) in [("tree/init", &parts().init), ("tree/sbin/agent", &parts().agent)] {
        ground.file(name, std::fs::read(host)?, 0o755)?;
    }
    ground.file("tree/boot.plan", PLAN, 0o644)?;
    // Some archivers say of files with several names what they say of others.
    std::fs::hard_link(ground.path("tree/sbin/agent"), ground.path("tree/sbin/other"))?;
    for (program, command, check, boot) in MADE {
        let mut shell: Command = locale::command(apt::program("sh").context("no sh")?);
        shell.args(["-c", &format!("{FIND} | {command}")]).current_dir(ground.path("")).stdin(Stdio::null());
        let output = shell.output()?;
        ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        agree(command, &output.stdout, check, boot)?;
    }
    Ok(())
}
