//! Files and directories of this machine, put into an initramfs.

use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{major, minor};

use super::{Content, Initramfs};
use crate::cpio::{Node, Rights};

/// Filesystems whose files change while they are looked at, by their numbers in linux/magic.h.
const KERNELS_OWN: [(i64, &str); 6] = [
    (libc::PROC_SUPER_MAGIC, "proc"),
    (libc::SYSFS_MAGIC, "sysfs"),
    (libc::CGROUP2_SUPER_MAGIC, "cgroup2"),
    (libc::CGROUP_SUPER_MAGIC, "cgroup"),
    (libc::DEBUGFS_MAGIC, "debugfs"),
    (libc::DEVPTS_SUPER_MAGIC, "devpts"),
];

const WHOSE: &str = "with files that are the kernel's: name a directory that holds what an initramfs would";

impl Initramfs {
    /// A file of this machine with its permission bits, and what it needs to run. A symbolic link is followed.
    pub fn file(&mut self, path: &str, host: &Path) -> Result<&mut Self> {
        ensure!(metadata(host)?.is_file(), "cannot pack {} as {path}: it is no file", host.display());
        self.insert(path, Rights::root(permissions(host)?), Content::Host(host.to_path_buf()));
        self.bring_libraries(path)?;
        Ok(self)
    }

    /// A directory of this machine as if it were the initramfs.
    pub fn of_directory(host: &Path) -> Result<Self> {
        ensure!(metadata(host)?.is_dir(), "{} is no directory", host.display());
        let is_root = host.canonicalize().is_ok_and(|host| host == Path::new("/"));
        ensure!(!is_root, "{} is this machine's own root, {WHOSE}", host.display());
        let mut tree = Initramfs::empty();
        tree.place("/", host)?;
        Ok(tree)
    }

    /// The same tree with no file outside of it.
    pub fn in_memory(&self) -> Result<Self> {
        let mut tree = self.clone();
        for (_, content) in tree.entries.values_mut().filter(|(_, content)| matches!(content, Content::Host(_))) {
            *content = Content::Bytes(content.read()?.into_owned());
        }
        Ok(tree)
    }

    /// A file, or a directory of this machine with all that is in it; symbolic links in it stay links. What is there
    /// already stays: a second thing for the same path is an error, but for directories. A link on the way is followed.
    pub fn place(&mut self, path: &str, host: &Path) -> Result<()> {
        let metadata = metadata(host).with_context(|| format!("cannot pack {} as {path}", host.display()))?;
        let content = content(host, &metadata).with_context(|| format!("cannot pack it as {path}"))?;
        let is_directory = content == Content::Directory;
        ensure!(is_directory || path != "/", "cannot pack {} as /: it is no directory", host.display());
        self.put(path, Rights::root(metadata.permissions().mode() & 0o7777), content)?;
        if is_directory { self.place_entries(path, host) } else { Ok(()) }
    }

    fn place_entries(&mut self, path: &str, host: &Path) -> Result<()> {
        if let Some(kind) = kernels_own(host)? {
            bail!("cannot pack {}: {kind} is mounted there, {WHOSE}", host.display());
        }
        for entry in fs::read_dir(host).with_context(|| format!("cannot read the directory {}", host.display()))? {
            let entry = entry.with_context(|| format!("cannot read the directory {}", host.display()))?.path();
            let name = entry.file_name().and_then(|name| name.to_str());
            let name = name.with_context(|| format!("{} is not UTF-8", entry.display()))?;
            let inside = format!("{}/{name}", path.trim_end_matches('/'));
            match fs::read_link(&entry) {
                Ok(target) => {
                    let target = target.to_str().with_context(|| format!("{}: not UTF-8", entry.display()))?;
                    self.put(&inside, Rights::root(0o777), Content::Symlink(target.to_string()))?;
                }
                Err(_) => self.place(&inside, &entry)?,
            }
        }
        Ok(())
    }

    /// Inserts what is not there yet.
    pub fn put(&mut self, path: &str, rights: Rights, content: Content) -> Result<()> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let directory = self.real_directory(directory).with_context(|| format!("cannot pack {path}"))?;
        let path = format!("{directory}/{name}");
        match self.at(&path) {
            Some(Content::Directory) if content == Content::Directory => {}
            Some(Content::Node(there)) if content == Content::Node(*there) => {}
            Some(there) => {
                ensure!(*there != content, "{path} is packed twice");
                bail!("{path} is packed twice: as a {} and as a {}", described(there), described(&content))
            }
            None => {}
        }
        self.insert(&path, rights, content);
        Ok(())
    }

    /// Where a directory really lies, or is to be made.
    fn real_directory(&self, directory: &str) -> Result<String> {
        let mut real = String::new();
        for name in directory.split('/').filter(|name| !name.is_empty()) {
            let path = format!("{real}/{name}");
            real = match self.at(&path) {
                None | Some(Content::Directory) => path.clone(),
                Some(Content::Symlink(target)) => {
                    let resolved = self.resolve(&path);
                    resolved.with_context(|| format!("{path} is a link to {target}, which is not there (yet)"))?
                }
                Some(other) => bail!("{path} is a {}, no directory", other.kind()),
            };
            ensure!(!self.at(&real).is_some_and(Content::is_file), "{path} leads to a file, not to a directory");
        }
        Ok(if real == "/" { String::new() } else { real })
    }
}

/// Which of the kernel's own filesystems a directory lies in, if in one.
fn kernels_own(directory: &Path) -> Result<Option<&'static str>> {
    let about = rustix::fs::statfs(directory).with_context(|| format!("cannot look at {}", directory.display()))?;
    Ok(KERNELS_OWN.iter().find(|(magic, _)| *magic == about.f_type).map(|(_, name)| *name))
}

fn described(content: &Content) -> String {
    match content {
        Content::Host(path) => format!("file, from {}", path.display()),
        Content::Symlink(target) => format!("link to {target}"),
        other => other.kind().to_string(),
    }
}

pub fn metadata(host: &Path) -> Result<Metadata> {
    fs::metadata(host).with_context(|| format!("cannot find {}", host.display()))
}

fn content(host: &Path, metadata: &Metadata) -> Result<Content> {
    let (kind, device) = (metadata.file_type(), metadata.rdev());
    let (major, minor) = (major(device), minor(device));
    Ok(match () {
        () if kind.is_dir() => Content::Directory,
        () if kind.is_file() => Content::Host(host.to_path_buf()),
        () if kind.is_char_device() => Content::Node(Node::Character { major, minor }),
        () if kind.is_block_device() => Content::Node(Node::Block { major, minor }),
        () if kind.is_fifo() => Content::Node(Node::Fifo),
        () => bail!("{} is a socket, which an initramfs cannot hold", host.display()),
    })
}

fn permissions(host: &Path) -> Result<u32> {
    Ok(metadata(host)?.permissions().mode() & 0o7777)
}
