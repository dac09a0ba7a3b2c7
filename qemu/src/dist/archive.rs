//! Tar archives that are the same wherever and whenever they are made: sorted, everything root's, one time.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use tar::{Builder, EntryType, Header};

use super::files::File;

/// With the directories that they are in, all below one.
pub fn tar(below: &str, files: &[File], time: u64) -> Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    let mut files: Vec<(String, &File)> = files.iter().map(|file| (format!("{below}/{}", file.path), file)).collect();
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    let parents = |path: &str| path.match_indices('/').map(|(at, _)| path[..=at].to_string()).collect::<Vec<_>>();
    let directories: BTreeSet<String> = files.iter().flat_map(|(path, _)| parents(path)).collect();
    for directory in directories {
        append(&mut builder, &directory, EntryType::Directory, 0o755, time, &[])?;
    }
    for (path, file) in files {
        append(&mut builder, &path, EntryType::Regular, file.mode, time, &file.content)?;
    }
    Ok(builder.into_inner()?)
}

/// With the name as it is: tar's own function would drop the `./` that a package's names begin with.
fn append(
    builder: &mut Builder<Vec<u8>>,
    path: &str,
    kind: EntryType,
    mode: u32,
    time: u64,
    content: &[u8],
) -> Result<()> {
    let mut header = Header::new_gnu();
    let name = &mut header.as_old_mut().name;
    ensure!(path.len() < name.len(), "{path}: too long a name");
    name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(time);
    header.set_size(content.len() as u64);
    header.set_uid(0);
    header.set_gid(0);
    header.set_username("root")?;
    header.set_groupname("root")?;
    header.set_cksum();
    Ok(builder.append(&header, content)?)
}
