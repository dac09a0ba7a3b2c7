//! Kernel modules for a guest: those asked for and all they depend on, in the order to load them, and the plan's lines
//! that do so.
//!
//! What a module depends on is read from itself (`depends=` in its section `.modinfo`, which depmod(8) agrees with), so
//! a package that was never installed, and has no `modules.dep`, will do. Compressed modules are packed as plain ones:
//! not every kernel can decompress them (CONFIG_MODULE_DECOMPRESS, Linux 5.17), and an initramfs is compressed as a whole.

mod package;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use goblin::elf::Elf;
use language::Verb;
use walkdir::WalkDir;

use crate::compression;
use crate::initramfs::Initramfs;
use crate::insertion;
use crate::plan::{Line, Plan};
pub use package::Wanted;

/// The most bytes of a module, decompressed.
const LARGEST: u64 = 256 << 20;

/// The modules of one kernel.
pub struct Modules {
    /// `…/lib/modules/VERSION`.
    directory: PathBuf,
    version: String,
    /// A module's name, with `_` for `-` as the kernel has it → where it lies in the directory.
    files: BTreeMap<String, PathBuf>,
    built_in: BTreeSet<String>,
}

/// A module to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// In the guest's initramfs.
    pub path: String,
    pub content: Vec<u8>,
    /// In the kernel's package; here it is not.
    pub was_compressed: bool,
}

impl Modules {
    /// All below `…/lib/modules/VERSION`.
    pub fn of(directory: &Path) -> Result<Self> {
        let version = directory.file_name().with_context(|| format!("{} names no kernel", directory.display()))?;
        let mut files = BTreeMap::new();
        // Not through links: `build` and `source` of an installed kernel lead to its sources.
        for entry in WalkDir::new(directory) {
            let entry = entry.with_context(|| format!("cannot read {}", directory.display()))?;
            let name = name_of(entry.path()).filter(|_| !entry.file_type().is_dir());
            if let Some(name) = name {
                files.insert(name, entry.path().strip_prefix(directory)?.to_path_buf());
            }
        }
        ensure!(!files.is_empty(), "no kernel modules in {}", directory.display());
        let list = fs::read_to_string(directory.join("modules.builtin")).unwrap_or_default();
        let built_in = list.lines().filter_map(|line| name_of(Path::new(line))).collect();
        Ok(Modules { directory: directory.into(), version: version.to_string_lossy().into_owned(), files, built_in })
    }

    /// The named modules and what they depend on, each once and after all it needs. One that is built in needs none.
    pub fn needed(&self, names: &[String]) -> Result<Vec<Module>> {
        let mut needed = Vec::new();
        let mut seen = BTreeSet::new();
        for name in names {
            self.add(&name.replace('-', "_"), &mut seen, &mut needed)?;
        }
        Ok(needed)
    }

    /// For a plan that names modules by paths of its own: those, and in the same directory what they need besides; and the paths
    /// of those that this kernel has no file of, built in or gone.
    pub fn for_plan(&self, paths: &[String]) -> Result<(Vec<Module>, Vec<String>)> {
        let file_of = |path: &String| self.files.get(&name_of(Path::new(path))?);
        let (there, absent): (Vec<String>, Vec<String>) =
            paths.iter().cloned().partition(|path| file_of(path).is_some());
        let Some(directory) = there.first().and_then(|path| Path::new(path).parent()) else {
            return Ok((vec![], absent));
        };
        let names: Vec<String> = there.iter().filter_map(|path| name_of(Path::new(path))).collect();
        let mut needed = self.needed(&names)?;
        for module in &mut needed {
            let name = name_of(Path::new(&module.path));
            let beside =
                || directory.join(Path::new(&module.path).file_name().unwrap_or_default()).display().to_string();
            let planned = there.iter().find(|path| name_of(Path::new(path)) == name);
            module.path = planned.cloned().unwrap_or_else(beside);
        }
        Ok((needed, absent))
    }

    fn add(&self, name: &str, seen: &mut BTreeSet<String>, needed: &mut Vec<Module>) -> Result<()> {
        if self.built_in.contains(name) || !seen.insert(name.to_string()) {
            return Ok(());
        }
        let place = self.files.get(name);
        let place = place.with_context(|| format!("the kernel {} has no module {name}", self.version))?;
        let file = self.directory.join(place);
        let content = plain(&file).with_context(|| format!("cannot read {}", file.display()))?;
        for dependency in depends(&content).with_context(|| format!("{} is no kernel module", file.display()))? {
            self.add(&dependency, seen, needed).with_context(|| format!("needed by {name}"))?;
        }
        let plain_place = place.with_file_name(format!("{}.ko", stem(place)));
        let path = format!("/lib/modules/{}/{}", self.version, plain_place.display());
        needed.push(Module { path, content, was_compressed: plain_place != *place });
        Ok(())
    }
}

/// Puts them into an initramfs.
pub fn pack(modules: &[Module], tree: &mut Initramfs) {
    for module in modules {
        tree.bytes(&module.path, 0o644, module.content.clone());
    }
}

/// The plan with a `module` line for each: one that it lacks comes after the one before it, the first after `root`, and
/// before each step that may need it. Fails where the plan's own lines stand in an order that may not work.
pub fn planned(text: &str, modules: &[Module]) -> Result<String> {
    let plan = Plan::of("plan", text);
    plan.lines().first().context("the plan has no step")?;
    insertion::fewest_moved(&plan, |mut rows| {
        let mut next = rows.start();
        let mut before = "";
        for Module { path, .. } in modules {
            match rows.module(path) {
                Some(place) if place < next => bail!("the plan loads {path} too early: it may need {before}"),
                Some(place) => next = place,
                None => next = rows.put(&format!("module {path}"), next, rows.first_need(next), next),
            }
            (next, before) = (next + 1, path);
        }
        Ok(rows)
    })
}

/// The plan without the lines that load from these paths.
pub fn without(text: &str, paths: &[String]) -> String {
    let plan = Plan::of("plan", text);
    let loads = |line: &&Line| line.verb() == Some(Verb::Module) && paths.iter().any(|path| path == line.word(1));
    let gone: BTreeSet<usize> = plan.lines().iter().filter(loads).map(|line| line.number).collect();
    let stays = (1..).zip(text.lines()).filter(|(number, _)| !gone.contains(number));
    stays.flat_map(|(_, line)| [line, "\n"]).collect()
}

/// The module's name, if the file is named as one.
fn name_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let (_, ending) = name.split_once('.')?;
    matches!(ending, "ko" | "ko.gz" | "ko.xz" | "ko.zst").then(|| stem(path).replace('-', "_"))
}

/// The file's name up to its first dot.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_string()
}

/// A module's content, decompressed.
fn plain(file: &Path) -> Result<Vec<u8>> {
    let packed = BufReader::new(File::open(file)?);
    let decoder: Box<dyn Read> = match file.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => Box::new(flate2::bufread::GzDecoder::new(packed)),
        Some("zst") => Box::new(zstd::Decoder::with_buffer(packed)?),
        Some("xz") => Box::new(lzma_rust2::XzReader::new_mem_limit(packed, true, compression::DICTIONARY)),
        _ => Box::new(packed),
    };
    Ok(compression::within(decoder, LARGEST)?)
}

/// What a module depends on: from NUL-separated `key=value` pairs, as modpost writes them.
pub fn depends(module: &[u8]) -> Result<Vec<String>> {
    let elf = Elf::parse(module)?;
    let is_info = |header: &&goblin::elf::SectionHeader| elf.shdr_strtab.get_at(header.sh_name) == Some(".modinfo");
    let info = elf.section_headers.iter().find(is_info).and_then(|header| header.file_range());
    let info = info.and_then(|range| module.get(range)).context("it has no .modinfo")?;
    let text = String::from_utf8_lossy(info);
    let list = text.split('\0').find_map(|pair| pair.strip_prefix("depends=")).unwrap_or_default();
    Ok(list.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &str) -> Module {
        Module { path: path.into(), content: Vec::new(), was_compressed: false }
    }

    #[test]
    fn a_file_is_a_module_by_its_name() {
        let cases = [("a/b.ko", Some("b")), ("b-c.ko.xz", Some("b_c")), ("b.ko.zst", Some("b")), ("b.kox", None)];
        for (file, name) in cases {
            assert_eq!(name_of(Path::new(file)).as_deref(), name, "{file}");
        }
    }

    #[test]
    fn lines_are_added_in_order_or_checked() {
        let modules = [module("/a.ko"), module("/b.ko")];
        let added = planned("# plan\nroot\ndir /a\n", &modules).unwrap();
        assert_eq!(added, "# plan\nroot\nmodule /a.ko\nmodule /b.ko\ndir /a\n");
        assert_eq!(planned(&added, &modules).unwrap(), added);
        assert_eq!(planned("root\n-module /b.ko x=1\n", &modules).unwrap(), "root\nmodule /a.ko\n-module /b.ko x=1\n");
        assert_eq!(
            planned("root\ndir /a\nmodule /a.ko\n", &modules).unwrap(),
            "root\ndir /a\nmodule /a.ko\nmodule /b.ko\n"
        );
        // In the place of a comment, where no step before it may need a module.
        let free = "root\nmount proc /proc proc\n# a\n\nmount a /a ext4\n";
        let filled = "root\nmount proc /proc proc\nmodule /a.ko\nmodule /b.ko\nmount a /a ext4\n";
        assert_eq!(planned(free, &modules).unwrap(), filled);
        assert_eq!(
            planned("#\n#\nroot\nmount a /a ext4\n#\n#\n", &modules).unwrap(),
            "root\nmodule /a.ko\nmodule /b.ko\nmount a /a ext4\n#\n#\n"
        );
        assert_eq!(planned("exec /c\n", &modules).unwrap(), "module /a.ko\nmodule /b.ko\nexec /c\n");
        // What waits for a device may need them, and so may a program.
        for step in ["wait /dev/vda", "run /bin/mkfs", "drop /modules"] {
            let text = planned(&format!("#\n{step}\n#\nexec /c\n"), &modules).unwrap();
            assert_eq!(text, format!("module /a.ko\nmodule /b.ko\n{step}\n#\nexec /c\n"));
        }
        let wrong = planned("root\nmodule /b.ko\nmodule /a.ko\n", &modules).unwrap_err().to_string();
        assert_eq!(wrong, "the plan loads /b.ko too early: it may need /a.ko");
    }
}
