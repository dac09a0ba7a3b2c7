//! The links of a Markdown file, and where they lead in the tree.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag};

/// A link to a file or a directory of the tree.
#[derive(Debug, PartialEq, Eq)]
pub struct Link {
    /// From the tree's root.
    pub target: PathBuf,
    pub is_image: bool,
    /// Of the target in the text, without the fragment.
    pub place: Range<usize>,
}

/// Those of a page that lies in this directory; a link to the web or within the page is none of them.
pub fn of(text: &str, directory: &Path) -> Vec<Link> {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter();
    events.filter_map(|(event, range)| link(text, directory, &event, range)).collect()
}

fn link(text: &str, directory: &Path, event: &Event, range: Range<usize>) -> Option<Link> {
    let (url, is_image) = match event {
        Event::Start(Tag::Link { dest_url, .. }) => (dest_url, false),
        Event::Start(Tag::Image { dest_url, .. }) => (dest_url, true),
        _ => return None,
    };
    let path = url.split('#').next().filter(|path| !path.is_empty() && !url.contains(':'))?;
    let start = range.start + text[range].rfind(&format!("]({url}"))? + 2;
    Some(Link { target: resolved(directory, path), is_image, place: start..start + path.len() })
}

/// A path without `.` and `..`.
fn resolved(directory: &Path, path: &str) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in directory.join(path).components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::Normal(name) => whole.push(name),
            _ => {}
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_into_the_tree_are_found() {
        let text = "[a](../src/boot.rs), [b](own.md#x) ![c](p.svg)\n\n[d](https://e.org) [f](#g) `[h](i)`\n";
        let found = of(text, Path::new("docs/agents"));
        let targets: Vec<(&str, bool, &str)> =
            found.iter().map(|l| (l.target.to_str().unwrap(), l.is_image, &text[l.place.clone()])).collect();
        let expected = [
            ("docs/src/boot.rs", false, "../src/boot.rs"),
            ("docs/agents/own.md", false, "own.md"),
            ("docs/agents/p.svg", true, "p.svg"),
        ];
        assert_eq!(targets, expected);
    }
}
