//! Files as they lie in the root: type, mode, owner, content.

use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use crate::File;

/// One file; a path that leads nowhere is of the kind `missing`.
pub fn describe(path: &str) -> File {
    let Ok(metadata) = std::fs::symlink_metadata(path) else {
        return File { path: path.to_string(), kind: "missing".to_string(), ..File::default() };
    };
    let content = metadata.is_file().then(|| std::fs::read(path).ok()).flatten();
    File {
        path: path.to_string(),
        kind: kind(&metadata).to_string(),
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        size: metadata.size(),
        device: metadata.dev(),
        inode: metadata.ino(),
        sha256: content.map(|content| crate::sha256(&content)),
        target: std::fs::read_link(path).ok().map(|target| target.display().to_string()),
    }
}

/// All that is below a directory, sorted by path. Mount points are listed, not entered.
pub fn tree(directory: &str) -> Vec<File> {
    let Ok(device) = std::fs::symlink_metadata(directory).map(|metadata| metadata.dev()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut pending = vec![directory.to_string()];
    while let Some(directory) = pending.pop() {
        for path in entries(Path::new(&directory)) {
            let file = describe(&path);
            if file.kind == "directory" && file.device == device {
                pending.push(path);
            }
            found.push(file);
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn entries(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    entries.flatten().map(|entry| entry.path().display().to_string()).collect()
}

fn kind(metadata: &Metadata) -> &'static str {
    let of = metadata.file_type();
    let kinds = [
        (of.is_file(), "file"),
        (of.is_dir(), "directory"),
        (of.is_symlink(), "symlink"),
        (of.is_char_device(), "character"),
        (of.is_block_device(), "block"),
        (of.is_fifo(), "fifo"),
    ];
    kinds.iter().find(|(is, _)| *is).map_or("socket", |(_, name)| name)
}
