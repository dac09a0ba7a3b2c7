//! What lies where, as the guest's kernel would find it.

use super::walk::{Kind, walk};
use super::{Content, Initramfs, archive_name};
use crate::cpio::Rights;

impl Initramfs {
    /// Whether there is something at this path; symbolic links on the way, and at its end, are followed.
    pub fn contains(&self, path: &str) -> bool {
        self.resolve(path).is_some()
    }

    /// The path without symbolic links, on the way and at its end, if there is something.
    pub fn resolve(&self, path: &str) -> Option<String> {
        let kind = |path: &str| match self.at(path) {
            None => Err(()),
            Some(Content::Directory) => Ok(Kind::Directory),
            Some(Content::Symlink(target)) => Ok(Kind::Link(target.clone())),
            Some(_) => Ok(Kind::Other),
        };
        walk(path, kind).ok()
    }

    /// The path with the symlinks in its directories followed, not one at its end; by its text alone where no such directory is there.
    pub fn real(&self, path: &str) -> String {
        let (directory, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or_default();
        match self.resolve(directory) {
            Some(directory) => normalized(&format!("{directory}/{name}")),
            None => normalized(path),
        }
    }

    /// What lies at this very path; links are not followed. The root is there always.
    pub fn at(&self, path: &str) -> Option<&Content> {
        match archive_name(path) {
            "" => Some(&Content::Directory),
            name => self.entries.get(name).map(|(_, content)| content),
        }
    }

    /// The rights of what lies at this very path.
    pub fn rights_at(&self, path: &str) -> Option<Rights> {
        self.entries.get(archive_name(path)).map(|(rights, _)| *rights)
    }

    /// The paths of all entries in a directory, at whatever depth.
    pub fn below<'a>(&'a self, directory: &str) -> impl Iterator<Item = (String, &'a Content)> {
        let name = archive_name(directory).to_string();
        let prefix = if name.is_empty() { name } else { name + "/" };
        let from = self.entries.range(prefix.clone()..);
        let inside = from.take_while(move |(name, _)| name.starts_with(&prefix));
        inside.map(|(name, (_, content))| (format!("/{name}"), content))
    }
}

/// An absolute path without `.`, `..` and doubled slashes, by its text alone: where a symlink is on the way, [`Initramfs::resolve`].
pub fn normalized(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed() {
        let mut tree = Initramfs::empty();
        tree.bytes("/usr/bin/sh", 0o755, "").symlink("usr/bin", "/bin").symlink("../usr/bin/sh", "/sbin/init");
        tree.symlink("/loop", "/loop").symlink("/usr/bin", "/elsewhere");
        for path in [
            "/",
            "/usr",
            "/bin",
            "/bin/sh",
            "/sbin/init",
            "/bin/../bin/sh",
            "//usr/./bin",
            "/elsewhere/../bin/sh",
            "/..",
        ] {
            assert!(tree.contains(path), "{path}");
        }
        for path in
            ["/bin/bash", "/loop", "/loop/sh", "/usr/bin/sh/x", "/usr/bin/sh/..", "/none/../usr", "/elsewhere/../sbin"]
        {
            assert!(!tree.contains(path), "{path}");
        }
        assert_eq!(tree.resolve("/sbin/init").as_deref(), Some("/usr/bin/sh"));
    }

    #[test]
    fn a_directory_holds_what_is_in_it() {
        let mut tree = Initramfs::empty();
        tree.bytes("/lib/a/b", 0o644, "").bytes("/lib64/c", 0o644, "").bytes("/li", 0o644, "");
        let below = |directory: &str| tree.below(directory).map(|(path, _)| path).collect::<Vec<_>>();
        assert_eq!(below("/lib"), ["/lib/a", "/lib/a/b"]);
        assert_eq!(below("/lib64/"), ["/lib64/c"]);
        assert_eq!(below("/").len(), 6);
    }
}
