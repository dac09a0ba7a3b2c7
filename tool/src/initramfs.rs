//! The content of an initramfs, collected in any order and written sorted, parents before children; or read from a
//! directory or an image that there is already. No right of root is needed, not even for nodes.

pub mod archive;
mod host;
mod libraries;
mod lookup;
mod newc;
mod rootfs;
mod unpack;
pub mod walk;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cpio::{Archive, Kind, Node, Rights};
pub use lookup::normalized;

/// As many entries that the kernel leaves out are reported one by one.
const MOST_LEFT_OUT: usize = 10;

/// A tree for the guest. Paths are absolute, as the guest sees them; parents that are missing are made.
#[derive(Clone, Debug, Default)]
pub struct Initramfs {
    entries: BTreeMap<String, (Rights, Content)>,
    /// What an image has and the kernel does not make, and why.
    left_out: Vec<(String, String)>,
    /// Where missing libraries come from: the root of a system. None: this machine's.
    sysroot: Option<PathBuf>,
}

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Directory,
    Host(PathBuf),
    Bytes(Vec<u8>),
    Symlink(String),
    Node(Node),
}

impl Content {
    pub fn is_file(&self) -> bool {
        matches!(self, Content::Host(_) | Content::Bytes(_))
    }

    /// What it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Content::Directory => "directory",
            Content::Host(_) | Content::Bytes(_) => "file",
            Content::Symlink(_) => "link",
            Content::Node(Node::Fifo) => "FIFO",
            Content::Node(Node::Socket) => "socket",
            Content::Node(_) => "device",
        }
    }

    /// A file's length.
    pub fn size(&self) -> Result<u64> {
        match self {
            Content::Host(path) => Ok(host::metadata(path)?.len()),
            Content::Bytes(bytes) => Ok(bytes.len() as u64),
            _ => Ok(0),
        }
    }

    /// A file's bytes.
    pub fn read(&self) -> Result<Cow<'_, [u8]>> {
        match self {
            Content::Host(path) => {
                Ok(fs::read(path).with_context(|| format!("cannot read {}", path.display()))?.into())
            }
            Content::Bytes(bytes) => Ok(bytes.into()),
            _ => Ok([].as_slice().into()),
        }
    }
}

impl Initramfs {
    /// An empty tree.
    pub fn empty() -> Self {
        Initramfs::default()
    }

    /// A tree with /dev/console.
    pub fn with_console() -> Self {
        let mut tree = Initramfs::empty();
        tree.console();
        tree
    }

    /// /dev/console, which the kernel opens as the init's descriptors 0 to 2.
    pub fn console(&mut self) -> &mut Self {
        self.node("/dev/console", 0o600, 5, 1)
    }

    pub fn dir(&mut self, path: &str, mode: u32) -> &mut Self {
        self.insert(path, Rights::root(mode), Content::Directory)
    }

    pub fn bytes(&mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.insert(path, Rights::root(mode), Content::Bytes(bytes.into()))
    }

    pub fn symlink(&mut self, target: &str, path: &str) -> &mut Self {
        self.insert(path, Rights::root(0o777), Content::Symlink(target.into()))
    }

    /// A character device.
    pub fn node(&mut self, path: &str, mode: u32, major: u32, minor: u32) -> &mut Self {
        self.insert(path, Rights::root(mode), Content::Node(Node::Character { major, minor }))
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

    /// Every entry with its absolute path, in the order of the archive.
    pub fn entries(&self) -> impl Iterator<Item = (String, Rights, &Content)> {
        self.entries.iter().map(|(name, (rights, content))| (format!("/{name}"), *rights, content))
    }

    /// What the image has that the kernel leaves out, in a line each.
    pub fn left_out(&self) -> Vec<String> {
        let line = |(name, reason): &(String, String)| {
            let path = name.strip_prefix("./").unwrap_or(name).trim_matches('/');
            format!("the kernel leaves out /{}: {reason}", path.escape_debug())
        };
        let more = self.left_out.len().saturating_sub(MOST_LEFT_OUT);
        let rest = (more > 0).then(|| format!("the kernel leaves out {more} entries more"));
        self.left_out.iter().take(MOST_LEFT_OUT).map(line).chain(rest).collect()
    }

    /// Writes the archive, uncompressed.
    pub fn write(&self, out: &Path) -> Result<()> {
        let file = fs::File::create(out).with_context(|| format!("cannot create {}", out.display()))?;
        self.add_all(io::BufWriter::new(file), |_| ())?
            .flush()
            .with_context(|| format!("cannot write {}", out.display()))
    }

    /// The archive, uncompressed.
    pub fn archive(&self) -> Result<Vec<u8>> {
        self.archive_and_tell(|_| ())
    }

    /// The same, and reports each entry's bytes when they are in it.
    pub fn archive_and_tell(&self, tell: impl FnMut(u64)) -> Result<Vec<u8>> {
        self.add_all(Vec::new(), tell)
    }

    fn add_all<W: Write>(&self, out: W, mut tell: impl FnMut(u64)) -> Result<W> {
        let mut archive = Archive::new(out);
        for (name, (rights, content)) in &self.entries {
            let length = add(&mut archive, name, *rights, content).with_context(|| format!("cannot pack /{name}"))?;
            tell(length);
        }
        archive.finish().context("cannot write the archive's end")
    }

    fn insert(&mut self, path: &str, rights: Rights, content: Content) -> &mut Self {
        let name = archive_name(path);
        for (end, _) in name.match_indices('/') {
            let parent = name[..end].to_string();
            self.entries.entry(parent).or_insert((Rights::root(0o755), Content::Directory));
        }
        if !name.is_empty() {
            self.entries.insert(name.to_string(), (rights, content));
        }
        self
    }
}

fn archive_name(path: &str) -> &str {
    path.trim_matches('/')
}

fn add<W: Write>(archive: &mut Archive<W>, name: &str, rights: Rights, content: &Content) -> Result<u64> {
    let bytes = content.read()?;
    let kind = match content {
        Content::Directory => Kind::Directory,
        Content::Bytes(_) | Content::Host(_) => Kind::File(&bytes),
        Content::Symlink(target) => Kind::Symlink(target),
        Content::Node(node) => Kind::Node(*node),
    };
    archive.add(name, rights, kind)?;
    Ok(bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_packing_does_not_matter() {
        let written = |paths: [&str; 2]| {
            let mut tree = Initramfs::with_console();
            for path in paths {
                tree.bytes(path, 0o644, path);
            }
            tree.archive().unwrap()
        };
        assert_eq!(written(["/a/b", "/c"]), written(["/c", "/a/b"]));
    }
}
