//! The content of an initramfs, collected in any order and written sorted, parents before children.
//! A dynamic program brings its interpreter and libraries along. No right of root is needed, not even for nodes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::cpio::{Archive, Kind, Rights};
use crate::elf;

/// As many symbolic links as the kernel follows in one path, path_resolution(7).
const MAX_LINKS: usize = 40;

/// A tree for the guest. Paths are absolute, as the guest sees them; parents that are missing are made.
#[derive(Debug, Default)]
pub struct Initramfs {
    entries: BTreeMap<String, (Rights, Content)>,
}

#[derive(Debug)]
enum Content {
    Directory,
    Host(PathBuf),
    Bytes(Vec<u8>),
    Symlink(String),
    CharacterDevice { major: u32, minor: u32 },
}

impl Initramfs {
    /// An empty tree.
    pub fn empty() -> Self {
        Initramfs::default()
    }

    /// A tree with /dev/console, which the kernel opens as the init's descriptors 0 to 2.
    pub fn with_console() -> Self {
        let mut tree = Initramfs::empty();
        tree.node("/dev/console", 0o600, 5, 1);
        tree
    }

    pub fn dir(&mut self, path: &str, mode: u32) -> &mut Self {
        self.insert(path, mode, Content::Directory)
    }

    pub fn bytes(&mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.insert(path, mode, Content::Bytes(bytes.into()))
    }

    pub fn symlink(&mut self, target: &str, path: &str) -> &mut Self {
        self.insert(path, 0o777, Content::Symlink(target.into()))
    }

    /// A character device.
    pub fn node(&mut self, path: &str, mode: u32, major: u32, minor: u32) -> &mut Self {
        self.insert(path, mode, Content::CharacterDevice { major, minor })
    }

    /// Gives an entry that is there other rights than it came with.
    pub fn rights(&mut self, path: &str, rights: Rights) -> Result<&mut Self> {
        let entry = self.entries.get_mut(archive_name(path));
        entry.with_context(|| format!("nothing is packed as {path}"))?.0 = rights;
        Ok(self)
    }

    /// Takes an entry away again.
    pub fn remove(&mut self, path: &str) -> &mut Self {
        self.entries.remove(archive_name(path));
        self
    }

    /// Whether there is something at this path; symbolic links on the way, and at its end, are followed.
    pub fn contains(&self, path: &str) -> bool {
        self.follow(archive_name(path), MAX_LINKS)
    }

    fn follow(&self, name: &str, links_left: usize) -> bool {
        let ends = name.match_indices('/').map(|(end, _)| end).chain([name.len()]);
        for end in ends {
            if let Some((_, Content::Symlink(target))) = self.entries.get(&name[..end]) {
                let folder = name[..end].rsplit_once('/').map_or("", |(folder, _)| folder);
                let path = joined(folder, &format!("{target}{}", &name[end..]));
                return links_left > 0 && self.follow(&path, links_left - 1);
            }
        }
        name.is_empty() || self.entries.contains_key(name)
    }

    /// A file of this machine with its permission bits, and what it needs to run. A symbolic link is followed.
    pub fn file(&mut self, path: &str, host: &Path) -> Result<&mut Self> {
        self.host_file(path, host)?;
        for (guest, library) in elf::needs(host)? {
            let guest = guest.to_str().with_context(|| format!("{} is not UTF-8", guest.display()))?;
            if !self.contains(guest) {
                self.host_file(guest, &library)?;
            }
        }
        Ok(self)
    }

    /// A file, or a folder of this machine with all that is in it; symbolic links in it stay links.
    pub fn tree(&mut self, path: &str, host: &Path) -> Result<&mut Self> {
        if !host.is_dir() {
            return self.file(path, host);
        }
        self.dir(path, permissions(host)?);
        for entry in fs::read_dir(host).with_context(|| format!("cannot read the folder {}", host.display()))? {
            let entry = entry.with_context(|| format!("cannot read the folder {}", host.display()))?;
            let name = entry.file_name();
            let name = name.to_str().with_context(|| format!("{} is not UTF-8", entry.path().display()))?;
            let inside = format!("{}/{name}", path.trim_end_matches('/'));
            match fs::read_link(entry.path()) {
                Ok(target) => self.symlink(&target.to_string_lossy(), &inside),
                Err(_) => self.tree(&inside, &entry.path())?,
            };
        }
        Ok(self)
    }

    /// Writes the archive, uncompressed.
    pub fn write(&self, out: &Path) -> Result<()> {
        let file = File::create(out).with_context(|| format!("cannot create {}", out.display()))?;
        let written = self.add_all(Archive::new(BufWriter::new(file)))?.flush();
        written.with_context(|| format!("cannot write {}", out.display()))
    }

    /// The archive, uncompressed.
    pub fn archive(&self) -> Result<Vec<u8>> {
        self.add_all(Archive::new(Vec::new()))
    }

    fn add_all<W: Write>(&self, mut archive: Archive<W>) -> Result<W> {
        for (name, (rights, content)) in &self.entries {
            add(&mut archive, name, *rights, content).with_context(|| format!("cannot pack /{name}"))?;
        }
        archive.finish().context("cannot end the archive")
    }

    fn host_file(&mut self, path: &str, host: &Path) -> Result<()> {
        ensure!(host.is_file(), "cannot pack {} as {path}: it is no file", host.display());
        self.insert(path, permissions(host)?, Content::Host(host.to_path_buf()));
        Ok(())
    }

    fn insert(&mut self, path: &str, mode: u32, content: Content) -> &mut Self {
        let name = archive_name(path);
        for (end, _) in name.match_indices('/') {
            let parent = name[..end].to_string();
            self.entries.entry(parent).or_insert((Rights::root(0o755), Content::Directory));
        }
        if !name.is_empty() {
            self.entries.insert(name.to_string(), (Rights::root(mode), content));
        }
        self
    }
}

/// `path` as seen from `folder`, with its `.` and `..` gone.
fn joined(folder: &str, path: &str) -> String {
    let folder = if path.starts_with('/') { "" } else { folder };
    let mut names: Vec<&str> = Vec::new();
    for name in folder.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

fn archive_name(path: &str) -> &str {
    path.trim_matches('/')
}

fn permissions(host: &Path) -> Result<u32> {
    let metadata = fs::metadata(host).with_context(|| format!("cannot find {}", host.display()))?;
    Ok(metadata.permissions().mode() & 0o7777)
}

fn add<W: Write>(archive: &mut Archive<W>, name: &str, rights: Rights, content: &Content) -> Result<()> {
    let host_bytes;
    let kind = match content {
        Content::Directory => Kind::Directory,
        Content::Bytes(bytes) => Kind::File(bytes),
        Content::Symlink(target) => Kind::Symlink(target),
        Content::CharacterDevice { major, minor } => Kind::CharacterDevice { major: *major, minor: *minor },
        Content::Host(path) => {
            host_bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            Kind::File(&host_bytes)
        }
    };
    Ok(archive.add(name, rights, kind)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed() {
        let mut tree = Initramfs::empty();
        tree.bytes("/usr/bin/sh", 0o755, "").symlink("usr/bin", "/bin").symlink("../usr/bin/sh", "/sbin/init");
        tree.symlink("/loop", "/loop");
        for path in ["/", "/usr", "/bin", "/bin/sh", "/sbin/init"] {
            assert!(tree.contains(path), "{path}");
        }
        for path in ["/bin/bash", "/loop", "/loop/sh", "/usr/bin/sh/x"] {
            assert!(!tree.contains(path), "{path}");
        }
    }

    #[test]
    fn order_of_packing_does_not_matter() {
        let written = |paths: [&str; 2]| {
            let mut tree = Initramfs::with_console();
            for path in paths {
                tree.bytes(path, 0o644, path);
            }
            let file = tempfile::NamedTempFile::new().unwrap();
            tree.write(file.path()).unwrap();
            fs::read(file.path()).unwrap()
        };
        assert_eq!(written(["/a/b", "/c"]), written(["/c", "/a/b"]));
    }
}
