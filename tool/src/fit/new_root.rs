//! What is known of the new root while a plan is followed.

use std::path::Path;

use crate::initramfs::walk::{Kind, Stop, walk};
use crate::initramfs::{Content, Initramfs, normalized};

/// Filesystems that are empty at first.
const EMPTY: [&str; 2] = ["tmpfs", "ramfs"];

/// The type of what only the boot can tell.
pub const UNKNOWN: &str = "unknown";

/// The new root: what each step has put there, the last one on top.
pub struct NewRoot<'a> {
    tree: &'a Initramfs,
    parts: Vec<(String, Part)>,
    /// Where the mounts are, and the line that forbids to execute anything in one.
    mounts: Vec<(String, Option<usize>)>,
    /// The first line that ran a program which may have made files: then only the boot can tell whether something is missing.
    pub ran: Option<usize>,
}

enum Part {
    Directory,
    Link(String),
    /// A file or a directory of the initramfs.
    Carried(String),
    /// A filesystem by its type.
    Mount(String),
}

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Missing,
    /// Only the boot can tell.
    Unknown,
    /// Its path without links.
    Directory(String),
    /// The same, and the path in the initramfs.
    File {
        path: String,
        name: String,
    },
}

enum Here {
    Missing,
    Unknown,
    Directory,
    File(String),
    Link(String),
}

impl<'a> NewRoot<'a> {
    pub fn new(tree: &'a Initramfs) -> Self {
        NewRoot { tree, parts: Vec::new(), mounts: vec![("/".into(), None)], ran: None }
    }

    pub fn directory(&mut self, path: &str) {
        self.parts.push((self.real(path), Part::Directory));
    }

    pub fn link(&mut self, path: &str, target: &str) {
        self.parts.push((self.real(path), Part::Link(target.to_string())));
    }

    /// A copy of the initramfs' file `name`.
    pub fn file(&mut self, path: &str, name: &str) {
        self.parts.push((self.real(path), Part::Carried(name.to_string())));
    }

    pub fn bind(&mut self, mount_point: &str, name: &str) {
        self.mounts.push((mount_point.to_string(), None));
        self.parts.push((mount_point.to_string(), Part::Carried(name.to_string())));
    }

    pub fn mount(&mut self, mount_point: &str, kind: &str, noexec: Option<usize>) {
        self.parts.push((mount_point.to_string(), Part::Mount(kind.to_string())));
        self.mounts.push((mount_point.to_string(), noexec));
    }

    /// Changes the mount that is at a path.
    pub fn remount(&mut self, mount_point: &str, noexec: Option<usize>) {
        self.mounts.push((mount_point.to_string(), noexec));
    }

    /// The line by which nothing at a path without links can be executed.
    pub fn noexec(&self, path: &str) -> Option<usize> {
        self.mounts.iter().rfind(|(place, _)| is_in(path, place)).and_then(|(_, line)| *line)
    }

    /// The path with the links in its directories followed, not its own.
    pub fn real(&self, path: &str) -> String {
        let (directory, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or_default();
        match self.resolve(directory) {
            Found::Directory(directory) => normalized(&format!("{directory}/{name}")),
            _ => normalized(path),
        }
    }

    /// The path with all links followed: what mount(2) mounts on.
    pub fn mount_point(&self, path: &str) -> String {
        match self.resolve(path) {
            Found::Directory(path) | Found::File { path, .. } => path,
            Found::Missing | Found::Unknown => self.real(path),
        }
    }

    /// What lies at a path, links not followed: a link's target, or a word for something else. None also where only the
    /// boot can tell.
    pub fn kind_at(&self, path: &str) -> Option<String> {
        match self.look(&self.real(path)) {
            Here::Missing | Here::Unknown => None,
            Here::Directory => Some("a directory".into()),
            Here::File(_) => Some("a file".into()),
            Here::Link(target) => Some(target),
        }
    }

    /// Whether cgroup v2's files may lie in this directory.
    pub fn may_be_cgroup2(&self, path: &str) -> bool {
        let covers =
            |part: &&(String, Part)| matches!(part.1, Part::Mount(_) | Part::Carried(_)) && is_in(path, &part.0);
        match self.parts.iter().rev().find(covers) {
            Some((place, Part::Mount(kind))) if place == path => kind != "sysfs" && !EMPTY.contains(&kind.as_str()),
            Some((_, Part::Mount(kind))) => kind != "sysfs" && !EMPTY.contains(&kind.as_str()),
            _ => false,
        }
    }

    /// The paths of what was carried, and of links.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let is_file = |part: &Part| match part {
            Part::Carried(_) | Part::Link(_) => true,
            Part::Mount(kind) => kind == UNKNOWN,
            Part::Directory => false,
        };
        self.parts.iter().filter(move |(_, part)| is_file(part)).map(|(path, _)| path.as_str())
    }

    /// What a path leads to.
    pub fn resolve(&self, path: &str) -> Found {
        match self.made_by_steps(path) {
            Found::Missing if self.ran.is_some() => Found::Unknown,
            found => found,
        }
    }

    /// The same, where no program that was run is taken to have made something.
    pub fn made_by_steps(&self, path: &str) -> Found {
        let mut file = None;
        let kind = |path: &str| match self.look(path) {
            Here::Missing => Err(Found::Missing),
            Here::Unknown => Err(Found::Unknown),
            Here::Directory => Ok(Kind::Directory),
            Here::Link(target) => Ok(Kind::Link(target)),
            Here::File(name) => {
                file = Some(name);
                Ok(Kind::Other)
            }
        };
        match (walk(path, kind), file) {
            (Ok(path), Some(name)) => Found::File { path, name },
            (Ok(path), None) => Found::Directory(path),
            (Err(Stop::Look(found)), _) => found,
            (Err(Stop::NoDirectory(_) | Stop::TooManyLinks), _) => Found::Missing,
        }
    }

    /// What lies at a path whose directories are no links.
    fn look(&self, path: &str) -> Here {
        for (place, part) in self.parts.iter().rev() {
            let rest = path.strip_prefix(place.trim_end_matches('/')).filter(|_| is_in(path, place));
            match (rest, part) {
                (Some(""), Part::Directory) => return Here::Directory,
                (Some(""), Part::Link(target)) => return Here::Link(target.clone()),
                (Some(rest), Part::Carried(name)) => {
                    return self.carried(&format!("{}{rest}", name.trim_end_matches('/')));
                }
                (Some("" | "/"), Part::Mount(kind)) if kind == UNKNOWN => return Here::Unknown,
                (Some("" | "/"), Part::Mount(_)) => return Here::Directory,
                (Some(_), Part::Mount(kind)) if EMPTY.contains(&kind.as_str()) => return Here::Missing,
                (Some(_), Part::Mount(_)) => return Here::Unknown,
                // The directories on the way to it were made.
                (None, _) if is_in(place, path) => return Here::Directory,
                _ => {}
            }
        }
        if path == "/" { Here::Directory } else { Here::Missing }
    }

    fn carried(&self, name: &str) -> Here {
        match self.tree.at(name) {
            None => Here::Missing,
            Some(Content::Directory) => Here::Directory,
            Some(Content::Symlink(target)) => Here::Link(target.clone()),
            Some(_) => Here::File(name.to_string()),
        }
    }
}

/// Whether a path is a directory or lies in it.
pub fn is_in(path: &str, directory: &str) -> bool {
    Path::new(path).starts_with(directory)
}

#[cfg(test)]
mod tests;
