//! Disk images for a guest: a tree as a read-only erofs filesystem.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use tempfile::NamedTempFile;

use sources::apt;
use tool::initramfs::{Content, Initramfs};

/// Every file belongs to root and is of 1970, so that the same tree gives the same bytes.
const OPTIONS: [&str; 4] = ["--all-root", "-T0", "-U00000000-0000-0000-0000-000000000000", "--quiet"];

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

/// Writes a tree of directories, files and links into a directory.
fn unpack(tree: &Initramfs, directory: &Path) -> Result<()> {
    for (path, rights, content) in tree.entries() {
        let place = directory.join(path.trim_start_matches('/'));
        let made = match content {
            Content::Directory => fs::create_dir(&place),
            Content::Symlink(target) => symlink(target, &place),
            Content::Node(_) => bail!("{path} is a {}, which can't be on the disk", content.kind()),
            content => fs::write(&place, content.read()?),
        };
        let is_link = matches!(content, Content::Symlink(_));
        let permissions =
            || if is_link { Ok(()) } else { fs::set_permissions(&place, Permissions::from_mode(rights.mode)) };
        made.and_then(|()| permissions()).with_context(|| format!("cannot make {}", place.display()))?;
    }
    Ok(())
}
