//! What dynamic programs need, brought into the initramfs.

use std::path::PathBuf;

use anyhow::Result;

use crate::initramfs::Initramfs;
use crate::output;

/// What an OCI bundle calls its container's root: programs in there look for their libraries in there.
const OTHER_ROOT: &str = "/rootfs/";

/// Brings interpreters and libraries along: of each program that is packed by name, and of those in packed directories as far
/// as this machine has them. The paths that have come.
pub fn bring(tree: &mut Initramfs, files: &[(String, PathBuf)]) -> Result<Vec<String>> {
    let mut brought = Vec::new();
    for (guest, host) in files {
        if !host.is_dir() {
            brought.extend(tree.bring_libraries(guest)?);
            continue;
        }
        let programs: Vec<String> =
            tree.below(guest).filter(|(_, content)| content.is_file()).map(|(path, _)| path).collect();
        for path in programs {
            let mode = tree.rights_at(&path).map_or(0, |rights| rights.mode);
            if mode & 0o111 == 0 || path.contains(OTHER_ROOT) {
                continue;
            }
            match tree.bring_libraries(&path) {
                Ok(more) => brought.extend(more),
                Err(error) => output::warn(&format!("warning: {error:#}")),
            }
        }
    }
    Ok(brought)
}
