//! Packages unpacked over each other into one directory of the cache: as much of a Debian system as a program needs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::lists::{Lists, unpack};
use super::{lock, output};
use crate::{locale, workspace};

/// A package, and what of it is wanted, by tar's wildcards.
pub type Part<'p> = (&'p str, &'p str);

/// In a merged /usr these are links.
const LINKS: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

impl Lists {
    /// The directory `name`, which the newest version of the first package belongs to, with these parts of packages.
    pub fn tree(&self, name: &str, parts: &[Part]) -> Result<PathBuf> {
        let _alone = lock()?;
        let Some((first, _)) = parts.first() else { anyhow::bail!("{name}: of no package") };
        let (deb, _) = self.fresh_or_refreshed(|| self.fetch(first))?;
        let directory = workspace::cache("trees")?.join(format!("{name}-{}", deb.trim_end_matches(".deb")));
        if directory.is_dir() {
            return Ok(directory);
        }
        let partial = directory.with_added_extension("partial");
        // What a run that was broken off has left.
        fs::remove_dir_all(&partial).ok();
        merged(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
        for (package, pattern) in parts {
            let (_, deb) = self.fresh_or_refreshed(|| self.fetch(package))?;
            unpack(&deb, pattern, &partial)?;
        }
        fs::rename(&partial, &directory).with_context(|| format!("cannot rename {}", partial.display()))?;
        Ok(directory)
    }

    /// A package and everything that it depends on, whole, as a directory.
    pub fn root(&self, package: &str) -> Result<PathBuf> {
        let packages = self.dependencies(package)?;
        let parts: Vec<Part> = packages.iter().map(|name| (name.as_str(), "./*")).collect();
        self.tree("root", &parts)
    }

    /// A package, then what it depends on, and these in turn; of alternatives each.
    pub fn dependencies(&self, package: &str) -> Result<Vec<String>> {
        let left_out = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
        let _alone = lock()?;
        let listing = self.fresh_or_refreshed(|| {
            let mut apt = locale::command("apt-cache");
            apt.args(&self.options).args(["depends", "--recurse"]).args(left_out.map(|kind| format!("--no-{kind}")));
            output(apt.arg(package))
        })?;
        // What a package is provided by is indented, and one that is provided alone stands between brackets.
        Ok(listing.lines().filter(|line| !line.starts_with([' ', '|', '<'])).map(String::from).collect())
    }
}

fn merged(directory: &Path) -> Result<()> {
    for name in LINKS {
        fs::create_dir_all(directory.join("usr").join(name))?;
        symlink(format!("usr/{name}"), directory.join(name))?;
    }
    Ok(())
}
