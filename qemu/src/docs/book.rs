//! What mdBook makes the site of: the pages where they lie in the tree, and a page for each file and directory that they link to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{links, manual};

const SUMMARY: &str = "docs/SUMMARY.md";
/// Of the site.
const SOURCES: &str = "sources.md";

/// No script or font of the web, no printing of all pages as one, no server's page for what is not there.
const SETTINGS: &str = r#"[book]
title = "moveroot"

[build]
create-missing = false
use-default-preprocessors = false

[output.html]
no-section-label = true
smart-punctuation = false
input-404 = ""
fold = { enable = true }
print = { enable = false }
playground = { copyable = false }
"#;

/// Pages that are no Markdown in the tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Manual,
    Source,
    Directory,
}

struct Book<'a> {
    tree: &'a Path,
    out: PathBuf,
    pages: BTreeSet<PathBuf>,
    others: BTreeMap<PathBuf, Kind>,
}

/// Writes the book's settings and sources.
pub fn write(tree: &Path, out: &Path) -> Result<()> {
    let summary = read(tree, Path::new(SUMMARY))?;
    let listed = links::of(&summary, Path::new("docs")).into_iter().map(|link| link.target);
    let pages: BTreeSet<PathBuf> = listed.filter(|page| is_markdown(page)).collect();
    ensure_complete(tree, &pages)?;
    let mut book = Book { tree, out: out.join("src"), pages, others: BTreeMap::new() };
    let summary = book.relinked(Path::new(SUMMARY), &summary)?;
    for page in book.pages.clone() {
        let text = book.relinked(&page, &read(tree, &page)?)?;
        book.put(&page, text.as_bytes())?;
    }
    for directory in book.others.keys().filter(|path| tree.join(path).is_dir()).cloned().collect::<Vec<_>>() {
        book.add_files(&directory)?;
    }
    for (path, kind) in &book.others {
        book.put(&page_of(path, *kind), book.other(path, *kind)?.as_bytes())?;
    }
    let (chapters, settings) = book.sources();
    fs::write(out.join("book.toml"), settings).context("cannot write book.toml")?;
    book.put(Path::new(SOURCES), b"# Source files\n\nThose that the pages link to.\n")?;
    book.put(Path::new("SUMMARY.md"), (summary + &chapters).as_bytes())
}

/// A page that the summary does not name would be missing without a word.
fn ensure_complete(tree: &Path, pages: &BTreeSet<PathBuf>) -> Result<()> {
    for directory in ["docs", "docs/agents"] {
        for name in names(&tree.join(directory))? {
            let page = Path::new(directory).join(name);
            ensure!(
                !is_markdown(&page) || page == Path::new(SUMMARY) || pages.contains(&page),
                "{SUMMARY} has no {}",
                page.display()
            );
        }
    }
    Ok(())
}

impl Book<'_> {
    /// Chapters for source files, and the settings, which keep these out of the search.
    fn sources(&self) -> (String, String) {
        let mut chapters = format!("\n# Source files\n\n- [Source files]({SOURCES})\n");
        let mut settings = format!("{SETTINGS}\n[output.html.search.chapter]\n");
        for (path, kind) in self.others.iter().filter(|(_, kind)| **kind != Kind::Manual) {
            let (path, page) = (path.display(), page_of(path, *kind));
            chapters += &format!("  - [{path}]({})\n", page.display());
            settings += &format!("\"{}\" = {{ enable = false }}\n", page.display());
        }
        (chapters, settings)
    }

    /// A page with links to the pages that its files have in the site. Those of the summary lead from the root.
    fn relinked(&mut self, page: &Path, text: &str) -> Result<String> {
        let directory = page.parent().unwrap_or(Path::new(""));
        let (mut new, mut end) = (String::new(), 0);
        for link in links::of(text, directory) {
            let target =
                self.target(&link).with_context(|| format!("{}: {}", page.display(), &text[link.place.clone()]))?;
            new += &text[end..link.place.start];
            let up = if page == Path::new(SUMMARY) { 0 } else { directory.components().count() };
            new += &"../".repeat(up);
            new += &target.display().to_string();
            end = link.place.end;
        }
        Ok(new + &text[end..])
    }

    /// Where a link's file is in the site.
    fn target(&mut self, link: &links::Link) -> Result<PathBuf> {
        let (path, file) = (&link.target, self.tree.join(&link.target));
        let found = file.metadata().context("it links to what is not there")?;
        if self.pages.contains(path) {
            return Ok(path.clone());
        }
        if link.is_image {
            self.put(path, &fs::read(&file)?)?;
            return Ok(path.clone());
        }
        let kind = match path.extension().is_some_and(|extension| extension == "5") {
            true => Kind::Manual,
            false if found.is_dir() => Kind::Directory,
            false => Kind::Source,
        };
        self.others.insert(path.clone(), kind);
        Ok(page_of(path, kind))
    }

    /// Pages for the files of a directory.
    fn add_files(&mut self, directory: &Path) -> Result<()> {
        for name in names(&self.tree.join(directory))? {
            let path = directory.join(name);
            if self.tree.join(&path).is_file() && !is_markdown(&path) {
                self.others.entry(path).or_insert(Kind::Source);
            }
        }
        Ok(())
    }

    fn other(&self, path: &Path, kind: Kind) -> Result<String> {
        match kind {
            Kind::Manual => manual::html(&self.tree.join(path)),
            Kind::Source => self.source(path),
            Kind::Directory => self.listing(path),
        }
    }

    fn source(&self, path: &Path) -> Result<String> {
        let language = match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => {
                let name = path.file_name().unwrap_or_default();
                self.put(path, &fs::read(self.tree.join(path))?)?;
                return Ok(format!("# {}\n\n![{0}]({})\n", path.display(), name.display()));
            }
            // Not `rust`: of that mdBook hides lines.
            Some(language) => language,
            None => "text",
        };
        let content = fs::read(self.tree.join(path)).with_context(|| format!("cannot read {}", path.display()))?;
        let content = String::from_utf8_lossy(&content);
        Ok(format!("# {}\n\n~~~~~~~~{language}\n{content}\n~~~~~~~~\n", path.display()))
    }

    /// The names in a directory, with links to those that have a page.
    fn listing(&self, directory: &Path) -> Result<String> {
        let mut text = format!("# {}\n\n", directory.display());
        for name in names(&self.tree.join(directory))? {
            let (path, name) = (directory.join(&name), name.display());
            text += &match self.others.get(&path) {
                Some(Kind::Directory) => format!("- [{name}]({name}/index.md)\n"),
                Some(_) => format!("- [{name}]({name}.md)\n"),
                None if self.pages.contains(&path) => format!("- [{name}]({name})\n"),
                None => format!("- {name}\n"),
            };
        }
        Ok(text)
    }

    fn put(&self, path: &Path, content: &[u8]) -> Result<()> {
        let path = self.out.join(path);
        fs::create_dir_all(path.parent().context("no directory")?)?;
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    }
}

fn page_of(path: &Path, kind: Kind) -> PathBuf {
    match kind {
        Kind::Directory => path.join("index.md"),
        _ => PathBuf::from(format!("{}.md", path.display())),
    }
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

fn read(tree: &Path, path: &Path) -> Result<String> {
    fs::read_to_string(tree.join(path)).with_context(|| format!("cannot read {}", path.display()))
}

fn names(directory: &Path) -> Result<BTreeSet<std::ffi::OsString>> {
    let entries = directory.read_dir().with_context(|| format!("cannot read {}", directory.display()))?;
    entries.map(|entry| Ok(entry?.file_name())).collect()
}
