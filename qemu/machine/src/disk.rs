//! Disk images for a guest: a tree as a read-only erofs filesystem.

use std::fs::{self, File, Permissions};
use std::io::BufReader;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cpio::newc::Reader;
use tempfile::NamedTempFile;

use sources::apt;
use tool::initramfs::Initramfs;

/// Every file belongs to root and is of 1970, so that the same tree gives the same bytes.
const OPTIONS: [&str; 4] = ["--all-root", "-T0", "-U00000000-0000-0000-0000-000000000000", "--quiet"];

const TYPE: u32 = 0o170000;
const DIRECTORY: u32 = 0o040000;
const LINK: u32 = 0o120000;
const FILE: u32 = 0o100000;

/// The image of a tree, uncompressed, in a temporary file.
pub fn erofs(tree: &Initramfs) -> Result<NamedTempFile> {
    apt::ensure_programs(&["mkfs.erofs"])?;
    let directory = tempfile::tempdir().context("cannot make a temporary directory")?;
    unpack(tree, directory.path())?;
    let image = tempfile::Builder::new().suffix(".erofs").tempfile().context("cannot make a temporary file")?;
    let program = apt::program("mkfs.erofs").context("mkfs.erofs is installed but not on the path")?;
    let mut command = Command::new(program);
    command.args(OPTIONS).arg(image.path()).arg(directory.path());
    let output = command.output().context("cannot run mkfs.erofs")?;
    ensure!(output.status.success(), "mkfs.erofs: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(image)
}

/// Writes a tree of directories, files and links into a directory, as it is written to an archive.
fn unpack(tree: &Initramfs, directory: &Path) -> Result<()> {
    let archive = NamedTempFile::new().context("cannot make a temporary file")?;
    tree.write(archive.path())?;
    let mut rest = BufReader::new(File::open(archive.path()).context("cannot read a temporary file")?);
    loop {
        let mut entry = Reader::new(rest).context("cannot read the archive")?;
        if entry.entry().is_trailer() {
            return Ok(());
        }
        let path = directory.join(entry.entry().name());
        let mode = entry.entry().mode();
        let mut bytes = Vec::new();
        std::io::copy(&mut entry, &mut bytes).context("cannot read the archive")?;
        place(&path, mode, &bytes).with_context(|| format!("cannot make {}", path.display()))?;
        rest = entry.finish().context("cannot read the archive")?;
    }
}

fn place(path: &Path, mode: u32, bytes: &[u8]) -> Result<()> {
    match mode & TYPE {
        DIRECTORY => fs::create_dir(path)?,
        LINK => return Ok(symlink(std::str::from_utf8(bytes)?, path)?),
        FILE => fs::write(path, bytes)?,
        kind => bail!("a file of type {kind:o} can't be on the disk"),
    }
    Ok(fs::set_permissions(path, Permissions::from_mode(mode & !TYPE))?)
}
