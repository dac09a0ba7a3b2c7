//! Which files a dynamic program needs at run time: its interpreter and its libraries, found as ld.so(8) finds them
//! on this machine, and the path at which a guest's ld.so finds them without a cache.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use goblin::elf::Elf;

/// ld.so's built-in search path on Debian and on the /lib64 distributions.
const SYSTEM_FOLDERS: [&str; 6] =
    ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// What `program` needs, transitively: path in the guest → file of this machine. Empty for a static program and for
/// anything that is no ELF.
pub fn needs(program: &Path) -> Result<BTreeMap<PathBuf, PathBuf>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![program.to_path_buf()];
    while let Some(object) = waiting.pop() {
        for (guest, host) in needs_directly(&object)? {
            if found.insert(guest, host.clone()).is_none() {
                waiting.push(host);
            }
        }
    }
    Ok(found)
}

fn needs_directly(object: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let bytes = fs::read(object).with_context(|| format!("cannot read {}", object.display()))?;
    if !bytes.starts_with(goblin::elf::header::ELFMAG) {
        return Ok(Vec::new());
    }
    let elf = Elf::parse(&bytes).with_context(|| format!("{} is no sound ELF", object.display()))?;
    let search = Search { machine: elf.header.e_machine, run_paths: run_paths(&elf, object) };
    let mut needs = Vec::new();
    if let Some(interpreter) = elf.interpreter {
        needs.push((PathBuf::from(interpreter), PathBuf::from(interpreter)));
    }
    for name in &elf.libraries {
        needs.push(search.find(name).with_context(|| format!("needed by {}", object.display()))?);
    }
    Ok(needs)
}

/// DT_RUNPATH, or the older DT_RPATH, with $ORIGIN put in.
fn run_paths(elf: &Elf, object: &Path) -> Vec<PathBuf> {
    let origin = object.parent().unwrap_or(Path::new("/")).to_string_lossy();
    let paths = if elf.runpaths.is_empty() { &elf.rpaths } else { &elf.runpaths };
    let entries = paths.iter().flat_map(|list| list.split(':')).filter(|entry| !entry.is_empty());
    entries.map(|entry| PathBuf::from(entry.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))).collect()
}

struct Search {
    machine: u16,
    run_paths: Vec<PathBuf>,
}

impl Search {
    /// (path in the guest, file of this machine)
    fn find(&self, name: &str) -> Result<(PathBuf, PathBuf)> {
        let system = SYSTEM_FOLDERS.map(PathBuf::from);
        for folder in self.run_paths.iter().chain(&system) {
            if self.fits(&folder.join(name)) {
                return Ok((folder.join(name), folder.join(name)));
            }
        }
        // Only ld.so.cache knows these folders; the guest has none, so the file goes where its ld.so looks anyway.
        for folder in configured_folders(Path::new("/etc/ld.so.conf")) {
            if self.fits(&folder.join(name)) {
                return Ok((system[0].join(name), folder.join(name)));
            }
        }
        bail!("no library {name} in this machine's library folders")
    }

    /// ld.so passes over files made for another machine.
    fn fits(&self, path: &Path) -> bool {
        let Ok(bytes) = fs::read(path) else { return false };
        Elf::parse_header(&bytes).is_ok_and(|header| header.e_machine == self.machine)
    }
}

/// The folders of an ld.so.conf and of the files it includes (`include DIR/*.conf` is the only form in use).
fn configured_folders(file: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    lines
        .flat_map(|line| match line.strip_prefix("include ") {
            Some(pattern) => included(Path::new(pattern.trim())),
            None if line.starts_with('/') => vec![PathBuf::from(line)],
            None => Vec::new(),
        })
        .collect()
}

fn included(pattern: &Path) -> Vec<PathBuf> {
    let entries = pattern.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension() == pattern.extension());
    files.sort();
    files.iter().flat_map(|file| configured_folders(file)).collect()
}
