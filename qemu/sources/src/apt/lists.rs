//! Package lists, and the packages they name: this machine's own lists, or private ones of another Debian release.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, ensure};

use super::{Rights, apt_get, lock, output, sources, with_progress};
use crate::arch::Arch;
use crate::{locale, workspace};

/// Lists this old are refreshed before they are asked for what is newest.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where apt looks.
pub struct Lists {
    /// Arguments for apt, the same for each of its programs.
    pub(super) options: Vec<String>,
    rights: Rights,
    what: String,
    /// The directory they are in.
    directory: PathBuf,
    /// A file whose date is that of the last refresh. When apt itself did so last can't be told from its files: lists
    /// that haven't changed keep their dates.
    stamp: PathBuf,
}

impl Lists {
    /// This machine's.
    pub fn own() -> Result<Lists> {
        let stamp = workspace::cache("")?.join("lists-refreshed");
        let directory = PathBuf::from("/var/lib/apt/lists");
        Ok(Lists { options: Vec::new(), rights: Rights::Root, what: "package lists".into(), directory, stamp })
    }

    /// Those of a Debian release, by its name: in a directory of the cache, so this machine's apt is left alone.
    pub fn of(release: &str) -> Result<Lists> {
        if release == self::sources::own_release()? { Lists::own() } else { Lists::private(release, None) }
    }

    /// Those of a processor's packages, of a Debian release or of this machine's.
    pub fn of_arch(arch: &Arch, release: Option<&str>) -> Result<Lists> {
        let own = self::sources::own_release()?;
        let release = release.unwrap_or(arch.release(&own));
        if arch.is_native() { Lists::of(release) } else { Lists::private(release, Some(arch)) }
    }

    fn private(release: &str, arch: Option<&Arch>) -> Result<Lists> {
        let is_name = !release.is_empty() && release.bytes().all(|byte| byte.is_ascii_lowercase());
        ensure!(is_name, "{release} is no release's name: name one as trixie or sid");
        let (suffix, whose) =
            arch.map_or_else(Default::default, |arch| (format!("-{arch}"), format!(" for {}", arch.shown)));
        let directory = workspace::cache(&format!("apt/{release}{suffix}"))?;
        let [parts, lists, cache] = ["sources", "lists", "cache"].map(|name| directory.join(name));
        for made in [&parts, &lists, &cache] {
            fs::create_dir_all(made).with_context(|| format!("cannot make the directory {}", made.display()))?;
        }
        self::sources::write(release, arch.is_some(), &parts)?;
        let foreign = arch.into_iter().flat_map(|arch| {
            ["APT::Architecture", "APT::Architectures"].map(|option| format!("{option}={}", arch.debian))
        });
        let options = [
            "Dir::Etc::sourcelist=/dev/null".to_string(),
            format!("Dir::Etc::sourceparts={}", parts.display()),
            format!("Dir::State::lists={}", lists.display()),
            format!("Dir::Cache={}", cache.display()),
            // Container images leave the cache out, and then each question takes more than a second.
            "Dir::Cache::pkgcache=pkgcache.bin".to_string(),
            // A release that has come to its end is not signed anew.
            "Acquire::Check-Valid-Until=false".to_string(),
            "Acquire::Languages=none".to_string(),
            "APT::Sandbox::User=root".to_string(),
            // Else a server that is not reached is a warning, and the lists stay empty.
            "APT::Update::Error-Mode=any".to_string(),
        ];
        let options = options.into_iter().chain(foreign).flat_map(|option| ["-o".to_string(), option]).collect();
        let what = format!("package lists of {release}{whose}");
        Ok(Lists { options, rights: Rights::Ours, what, directory: lists, stamp: directory.join("refreshed") })
    }

    /// The package of a given prefix that `package` depends on, by lists of a day's age at most.
    pub fn dependency(&self, package: &str, prefix: &str) -> Result<String> {
        let _alone = lock()?;
        let find = || {
            let found = self.find_dependency(package, prefix)?;
            found.with_context(|| format!("{package} depends on no {prefix}… package"))
        };
        if self.are_of_today() {
            return self.fresh_or_refreshed(find);
        }
        self.refreshed(find)
    }

    /// With fresh lists, or where those cannot be had with older ones that may be there, or with those of all servers but one.
    fn refreshed<T>(&self, attempt: impl Fn() -> Result<T>) -> Result<T> {
        let Err(error) = self.refresh() else { return attempt() };
        let Ok(found) = attempt() else {
            self.forget();
            return Err(error);
        };
        eprintln!("vm: {error:#}\nvm: going on with the {} that are there", self.what);
        Ok(found)
    }

    /// The same, or None where `package` depends on none such.
    pub fn find_dependency(&self, package: &str, prefix: &str) -> Result<Option<String>> {
        let listing = output(locale::command("apt-cache").args(&self.options).args(["depends", package]))?;
        let mut names = listing.lines().filter_map(|line| line.trim().strip_prefix("Depends: ")).map(str::trim);
        Ok(names.find(|name| name.starts_with(prefix)).map(String::from))
    }

    /// Fetches a package into the cache unless its newest version is there, and unpacks the wanted part of it: the
    /// directory that holds what `pattern` (tar's wildcards, such as `./boot/*`, with blanks between) matches. Two parts of one package have
    /// names that tell them apart; one of them may be empty.
    pub fn unpacked(&self, package: &str, pattern: &str, part: &str) -> Result<PathBuf> {
        let _alone = lock()?;
        let (name, deb) = self.fresh_or_refreshed(|| self.fetch(package))?;
        let name = format!("{}{part}", name.trim_end_matches(".deb"));
        let directory = workspace::cache("packages")?.join(&name);
        if directory.is_dir() {
            return Ok(directory);
        }
        let partial = workspace::cache("packages")?.join(name + ".partial");
        fs::create_dir_all(&partial).with_context(|| format!("cannot make the directory {}", partial.display()))?;
        unpack(&deb, pattern, &partial)?;
        fs::rename(&partial, &directory).with_context(|| format!("cannot rename {}", partial.display()))?;
        Ok(directory)
    }

    /// (file name, where it lies)
    pub(super) fn fetch(&self, package: &str) -> Result<(String, PathBuf)> {
        let cache = workspace::cache("debs")?;
        let mut apt = locale::command("apt-get");
        let listing = output(apt.args(&self.options).args(["--print-uris", "download", package]))?;
        let mut fields = listing.lines().find(|line| line.starts_with('\'')).unwrap_or("").split(' ').skip(1);
        let name = fields.next().with_context(|| format!("apt knows no file for {package}"))?.to_string();
        let size: u64 = fields.next().and_then(|size| size.parse().ok()).unwrap_or(0);
        let deb = cache.join(&name);
        if fs::metadata(&deb).is_ok_and(|file| file.len() == size) {
            return Ok((name, deb));
        }
        let mut apt = apt_get(Rights::Ours);
        apt.args(&self.options);
        apt.args(["-o", "APT::Sandbox::User=root", "download", package]).current_dir(&cache);
        with_progress(apt, &format!("fetching {package} ({:.1} MB)", size as f64 / 1e6))?;
        ensure!(deb.is_file(), "apt-get download left no {}", deb.display());
        Ok((name, deb))
    }

    /// Tries once more with fresh lists, since old ones name files that are gone. A new machine has none: they come first.
    pub fn fresh_or_refreshed<T>(&self, attempt: impl Fn() -> Result<T>) -> Result<T> {
        if !has_lists(&self.directory) {
            return self.refreshed(attempt);
        }
        let first = match attempt() {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        eprintln!("vm: {first:#}\nvm: trying again with fresh {}", self.what);
        self.refreshed(attempt)
    }

    fn refresh(&self) -> Result<()> {
        let mut update = apt_get(self.rights);
        update.args(&self.options).arg("update");
        let refreshed = with_progress(update, &format!("refreshing {}", self.what));
        refreshed.map_err(|error| self.reason(error))?;
        fs::write(&self.stamp, "").with_context(|| format!("cannot write {}", self.stamp.display()))
    }

    /// Why there are none of a release, in a line; what apt says of this machine's own stands as it is.
    fn reason(&self, error: Error) -> Error {
        if self.rights == Rights::Root {
            return error;
        }
        let said = format!("{error:#}");
        let complaint = said.lines().find_map(|line| line.strip_prefix("E: ")).unwrap_or(&said).trim();
        if complaint.contains("does not have a Release file") && said.contains("404") {
            return anyhow!("no such release where this machine's packages come from (404)");
        }
        anyhow!("{} cannot be had: {complaint}", self.what)
    }

    /// A release of which nothing ever came leaves nothing in the cache.
    fn forget(&self) {
        if self.rights == Rights::Ours
            && !self.stamp.exists()
            && let Some(directory) = self.stamp.parent()
        {
            // One that stays does no harm.
            fs::remove_dir_all(directory).ok();
        }
    }

    fn are_of_today(&self) -> bool {
        let age = fs::metadata(&self.stamp).and_then(|stamp| stamp.modified()).map(|then| then.elapsed());
        matches!(age, Ok(Ok(age)) if age < DAY)
    }
}

/// apt names each list of packages so, whatever it is compressed by.
fn has_lists(directory: &Path) -> bool {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().contains("_Packages"))
}

pub(super) fn unpack(deb: &Path, pattern: &str, directory: &Path) -> Result<()> {
    let mut contents = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run dpkg-deb")?;
    let archive = contents.stdout.take().context("dpkg-deb has no output")?;
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--wildcards", "--no-same-owner", "--keep-directory-symlink"]).args(pattern.split(' '));
    tar.current_dir(directory).stdin(archive);
    let unpacked = tar.status().context("cannot run tar")?;
    contents.wait().context("dpkg-deb")?;
    ensure!(unpacked.success(), "no {pattern} in {}: tar ended with {unpacked}", deb.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_told_from_what_else_is_there() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!has_lists(&directory.path().join("none")));
        for (name, is_list) in [("lock", false), ("h_debian_dists_x_InRelease", false), ("h_x_Packages.lz4", true)] {
            fs::write(directory.path().join(name), "").unwrap();
            assert_eq!(has_lists(directory.path()), is_list, "{name}");
        }
    }
}
