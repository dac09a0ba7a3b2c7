//! A site as a browser finds it without a server or a network: each link leads to a page and a place that are there, and
//! nothing is loaded from the web.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};

/// What a page has of interest.
#[derive(Default)]
struct Page {
    ids: HashSet<String>,
    /// What a reader may follow.
    links: Vec<String>,
    /// What the browser loads with the page.
    loads: Vec<String>,
}

/// Checks every page and gives their number.
pub fn check(site: &Path) -> Result<usize> {
    let mut pages = HashMap::new();
    gather(site, &mut pages)?;
    ensure!(pages.len() > 1, "{} has no pages", site.display());
    let mut wrong = Vec::new();
    for (path, page) in &pages {
        for link in page.links.iter().chain(&page.loads) {
            let is_loaded = page.loads.contains(link);
            if !leads_somewhere(&pages, path, link, is_loaded) {
                wrong.push(format!("{}: {link}", path.strip_prefix(site).unwrap_or(path).display()));
            }
        }
    }
    wrong.sort();
    ensure!(
        wrong.is_empty(),
        "links that lead nowhere, or to the web what is loaded with a page:\n{}",
        wrong.join("\n")
    );
    Ok(pages.len())
}

fn gather(directory: &Path, pages: &mut HashMap<PathBuf, Page>) -> Result<()> {
    for entry in directory.read_dir().with_context(|| format!("cannot read {}", directory.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            let page = read(&fs::read_to_string(&path)?);
            pages.insert(path, page);
        }
    }
    Ok(())
}

fn read(html: &str) -> Page {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut page = Page::default();
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        let Token::StartTag(tag) = token else { continue };
        let attribute = |name: &[u8]| {
            let found = tag.attributes.iter().find(|(key, _)| ***key == *name);
            found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        page.ids.extend(attribute(b"id"));
        page.loads.extend(attribute(b"src"));
        let links = if **tag.name == *b"link" { &mut page.loads } else { &mut page.links };
        links.extend(attribute(b"href"));
    }
    page
}

/// Whether a link of a page leads to a file of the site, and in a page to a place that it has; or to the web, if a reader has to
/// follow it there.
fn leads_somewhere(pages: &HashMap<PathBuf, Page>, from: &Path, link: &str, is_loaded: bool) -> bool {
    if link.contains(':') {
        return !is_loaded;
    }
    let (path, id) = link.split_once('#').unwrap_or((link, ""));
    let file = match path {
        "" => from.to_path_buf(),
        path => from.parent().unwrap_or(Path::new("/")).join(path),
    };
    let Ok(file) = file.canonicalize() else { return false };
    id.is_empty() || pages.get(&file).is_some_and(|page| page.ids.contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(body: &str) -> Result<usize> {
        let site = tempfile::tempdir()?;
        fs::write(site.path().join("index.html"), body)?;
        fs::write(site.path().join("b.html"), "<h1 id=here>b</h1>")?;
        check(&site.path().canonicalize()?)
    }

    #[test]
    fn what_leads_nowhere_is_named() {
        for good in ["<a href=b.html#here>", "<a href=https://e.org/>", "<a href='#x'><p id=x>", "<img src=b.html>"] {
            assert_eq!(checked(good).unwrap(), 2, "{good}");
        }
        for bad in [
            "<a href=c.html>",
            "<a href=b.html#there>",
            "<a href='#x'>",
            "<script src=https://e.org/a.js>",
            "<link href=//e.org>",
        ] {
            assert!(checked(bad).unwrap_err().to_string().contains("index.html: "), "{bad}");
        }
    }
}
