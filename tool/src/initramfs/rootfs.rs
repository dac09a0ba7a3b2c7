//! The root filesystem that the kernel makes of an archive's entries, one by one: do_name, do_copy and do_symlink in
//! init/initramfs.c. What it cannot make it leaves out without a word; here that is noted.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, ensure};

use super::newc::{Header, Kind};
use super::walk::{self, Stop, walk};
use super::{Content, Initramfs};
use crate::compression::LIMIT;
use crate::cpio::Rights;

/// The kernel's own archive comes first: default_cpio_list in usr/ of its tree. It has /dev/console too.
const GIVEN: [(&str, u32); 2] = [("dev", 0o755), ("root", 0o700)];

/// The most entries that are read.
const MOST_ENTRIES: usize = 1_000_000;
/// NAME_MAX in linux/limits.h.
const LONGEST_NAME: usize = 255;

/// Why an entry is left out.
type Reason = String;

pub struct Rootfs {
    /// What lies where; several names may have one inode.
    names: BTreeMap<String, usize>,
    inodes: Vec<(Rights, Content)>,
    /// The first name of files with several, until the archive's trailer.
    first: HashMap<([u32; 3], Kind), String>,
    /// What the archive says of itself so far, in bytes of files and of names.
    taken: u64,
    left_out: Vec<(String, Reason)>,
}

impl Rootfs {
    pub fn new() -> Rootfs {
        let inodes: Vec<_> = GIVEN.iter().map(|(_, mode)| (Rights::root(*mode), Content::Directory)).collect();
        let names = GIVEN.iter().enumerate().map(|(inode, (name, _))| (name.to_string(), inode)).collect();
        Rootfs { names, inodes, first: HashMap::new(), taken: 0, left_out: Vec::new() }
    }

    /// An entry that the kernel reads no further than to where it ends.
    pub fn leave_out(&mut self, name: &str, reason: &str) {
        self.left_out.push((name.to_string(), reason.to_string()));
    }

    /// The trailer: what comes after it has no name in common with what came before.
    pub fn end_archive(&mut self) {
        self.first.clear();
    }

    pub fn add(&mut self, header: &Header, name: &str, data: &[u8]) -> Result<()> {
        match self.place(name) {
            Ok(path) if path.is_empty() => {}
            Ok(path) => {
                self.take(path.len() + data.len())?;
                if let Err(reason) = self.make(&path, header, name, data) {
                    self.leave_out(name, &reason);
                }
            }
            Err(reason) => {
                // Further names will be links to this one, in vain.
                if header.links > 1 {
                    self.first.entry((header.identity, header.kind.class())).or_insert_with(|| name.to_string());
                }
                self.leave_out(name, &reason);
            }
        }
        Ok(())
    }

    /// What a tree holds of it: not the kernel's own directories, unless there is something in them.
    pub fn finish(mut self) -> Result<Initramfs> {
        for (inode, (name, _)) in GIVEN.iter().enumerate() {
            if self.names.get(*name) == Some(&inode) && self.is_empty(name) {
                self.names.remove(*name);
            }
        }
        let mut uses = vec![0; self.inodes.len()];
        self.names.values().for_each(|inode| uses[*inode] += 1);
        let mut entries = BTreeMap::new();
        for (name, inode) in std::mem::take(&mut self.names) {
            uses[inode] -= 1;
            let (rights, content) = &mut self.inodes[inode];
            let content =
                if uses[inode] == 0 { std::mem::replace(content, Content::Directory) } else { content.clone() };
            let rights = *rights;
            if uses[inode] > 0 {
                self.take(content.size()? as usize)?;
            }
            entries.insert(name, (rights, content));
        }
        Ok(Initramfs { entries, left_out: self.left_out, sysroot: None })
    }

    fn take(&mut self, bytes: usize) -> Result<()> {
        self.taken += bytes as u64;
        ensure!(self.taken <= LIMIT, "its files are more than {} MiB, the most that is read", LIMIT >> 20);
        ensure!(self.inodes.len() <= MOST_ENTRIES, "it has more than {MOST_ENTRIES} entries, the most that are read");
        Ok(())
    }

    fn make(&mut self, path: &str, header: &Header, name: &str, data: &[u8]) -> Result<(), Reason> {
        let rights = header.rights;
        match header.kind {
            Kind::Directory => {
                self.clean(path, Some(Kind::Directory));
                // One that the archive names is no longer the kernel's own.
                if self.names.get(path).is_some_and(|inode| *inode < GIVEN.len()) {
                    self.names.remove(path);
                }
                let inode = self.opened(path, || Content::Directory);
                self.own(inode, Kind::Directory, rights)
            }
            Kind::File => self.file(path, header, name, data),
            Kind::Symlink => {
                self.clean(path, None);
                let target: Vec<u8> = data.iter().copied().take_while(|byte| *byte != 0).collect();
                // An empty target too: init_symlink in fs/init.c has not symlink(2)'s check.
                let inode = self.opened(path, || Content::Symlink(String::from_utf8_lossy(&target).into_owned()));
                self.own(inode, Kind::Symlink, Rights { mode: 0o777, ..rights })
            }
            Kind::Node(node) => {
                self.clean(path, Some(header.kind));
                if self.link(path, header, name)? {
                    return Ok(());
                }
                let inode = self.opened(path, || Content::Node(node));
                self.own(inode, header.kind, rights)
            }
            Kind::Other => {
                self.clean(path, Some(Kind::Other));
                Err("of no kind that the kernel makes".into())
            }
        }
    }

    fn file(&mut self, path: &str, header: &Header, name: &str, data: &[u8]) -> Result<(), Reason> {
        self.clean(path, Some(Kind::File));
        let is_linked = self.link(path, header, name)?;
        let inode = self.opened(path, || Content::Bytes(Vec::new()));
        self.own(inode, Kind::File, header.rights)?;
        // A further name with no bytes leaves those that are there.
        if !is_linked || !data.is_empty() {
            self.inodes[inode].1 = Content::Bytes(data.to_vec());
        }
        Ok(())
    }

    /// maybe_link: whether it has become a further name of an inode that is there.
    fn link(&mut self, path: &str, header: &Header, name: &str) -> Result<bool, Reason> {
        if header.links < 2 {
            return Ok(false);
        }
        let Some(first) = self.first.get(&(header.identity, header.kind.class())).cloned() else {
            self.first.insert((header.identity, header.kind.class()), name.to_string());
            return Ok(false);
        };
        self.clean(path, None);
        let old = self.place(&first).ok().and_then(|old| self.names.get(&old).copied());
        match old {
            Some(inode) if self.inodes[inode].1 != Content::Directory && !self.names.contains_key(path) => {
                self.names.insert(path.to_string(), inode);
                Ok(true)
            }
            _ => Err(format!("a hard link to /{first}, which cannot be made", first = first.trim_matches('/'))),
        }
    }

    /// clean_path: what is there gives way to another kind, or to anything, unless it is a directory that is not empty.
    fn clean(&mut self, path: &str, kind: Option<Kind>) {
        let Some(content) = self.at(path) else { return };
        let is_same = kind.is_some_and(|kind| kind.class() == Kind::of(content).class());
        if !is_same && (*content != Content::Directory || self.is_empty(path)) {
            self.names.remove(path);
        }
    }

    /// The inode at this path, made if there is none.
    fn opened(&mut self, path: &str, content: impl FnOnce() -> Content) -> usize {
        *self.names.entry(path.to_string()).or_insert_with(|| {
            self.inodes.push((Rights::root(0), content()));
            self.inodes.len() - 1
        })
    }

    /// Gives it these rights, if it is what it has to be.
    fn own(&mut self, inode: usize, kind: Kind, rights: Rights) -> Result<(), Reason> {
        if Kind::of(&self.inodes[inode].1).class() != kind.class() {
            return Err("a directory that is not empty has this name".into());
        }
        self.inodes[inode].0 = rights;
        Ok(())
    }

    fn is_empty(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        self.names.range(inside.clone()..).next().is_none_or(|(name, _)| !name.starts_with(&inside))
    }

    fn at(&self, path: &str) -> Option<&Content> {
        self.names.get(path).map(|inode| &self.inodes[*inode].1)
    }

    /// Where an entry of this name comes to lie: symlinks on the way are followed, one at its end is not.
    fn place(&self, name: &str) -> Result<String, Reason> {
        let trimmed = name.trim_end_matches('/');
        let (directory, last) = trimmed.rsplit_once('/').unwrap_or(("", trimmed));
        if matches!(last, "" | "." | "..") {
            return self.directory(trimmed);
        } else if last.len() > LONGEST_NAME {
            return Err(format!("its name is longer than {LONGEST_NAME} bytes"));
        }
        Ok(joined(&self.directory(directory)?, last))
    }

    /// The directory to which a path leads.
    fn directory(&self, path: &str) -> Result<String, Reason> {
        let kind = |path: &str| match self.at(&path[1..]) {
            Some(Content::Directory) => Ok(walk::Kind::Directory),
            Some(Content::Symlink(target)) => Ok(walk::Kind::Link(target.clone())),
            Some(_) => Err(format!("{path} is no directory")),
            None => Err(format!("its directory {path} is not in the archive before it: list that first")),
        };
        match walk(path, kind) {
            Ok(path) => Ok(path[1..].to_string()),
            Err(Stop::Look(reason)) => Err(reason),
            Err(Stop::NoDirectory(path)) => Err(format!("{path} is no directory")),
            Err(Stop::TooManyLinks) => Err("too many symlinks lead to it".into()),
        }
    }
}

fn joined(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_string() } else { format!("{directory}/{name}") }
}
