//! What lies where, as the guest's kernel would find it.

use super::{Content, Initramfs, archive_name};
use crate::cpio::Rights;

/// As many symbolic links as the kernel follows in one path, path_resolution(7).
pub const MAX_LINKS: usize = 40;

impl Initramfs {
    /// Whether there is something at this path; symbolic links on the way, and at its end, are followed.
    pub fn contains(&self, path: &str) -> bool {
        self.resolve(path).is_some()
    }

    /// The path without symbolic links, on the way and at its end, if there is something.
    pub fn resolve(&self, path: &str) -> Option<String> {
        self.follow(&joined("", path), MAX_LINKS).map(|name| format!("/{name}"))
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

    fn follow(&self, name: &str, links_left: usize) -> Option<String> {
        let ends = name.match_indices('/').map(|(end, _)| end).chain([name.len()]);
        for end in ends {
            if let Some((_, Content::Symlink(target))) = self.entries.get(&name[..end]) {
                let directory = name[..end].rsplit_once('/').map_or("", |(directory, _)| directory);
                let path = joined(directory, &format!("{target}{}", &name[end..]));
                return if links_left > 0 { self.follow(&path, links_left - 1) } else { None };
            }
        }
        (name.is_empty() || self.entries.contains_key(name)).then(|| name.to_string())
    }
}

/// An absolute path with its `.`, `..` and doubled slashes gone.
pub fn normalized(path: &str) -> String {
    format!("/{}", joined("", path))
}

/// `path` as seen from `directory`, with its `.` and `..` gone.
fn joined(directory: &str, path: &str) -> String {
    let directory = if path.starts_with('/') { "" } else { directory };
    let mut names: Vec<&str> = Vec::new();
    for name in directory.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed() {
        let mut tree = Initramfs::empty();
        tree.bytes("/usr/bin/sh", 0o755, "").symlink("usr/bin", "/bin").symlink("../usr/bin/sh", "/sbin/init");
        tree.symlink("/loop", "/loop");
        for path in ["/", "/usr", "/bin", "/bin/sh", "/sbin/init", "/bin/../bin/sh", "//usr/./bin"] {
            assert!(tree.contains(path), "{path}");
        }
        for path in ["/bin/bash", "/loop", "/loop/sh", "/usr/bin/sh/x"] {
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
