//! The blocks of code of README.md and docs/, as Markdown has them.

use std::fs;

use anyhow::Result;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use vm::workspace;

use super::read;

pub struct Block {
    pub page: String,
    /// What stands after its fence; of an indented one `indented`.
    pub language: String,
    pub text: String,
}

/// Each page's path in the tree.
pub fn pages() -> Result<Vec<String>> {
    let mut pages = vec!["README.md".to_string()];
    for directory in ["docs", "docs/agents"] {
        for entry in fs::read_dir(workspace::root().join(directory))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            pages.extend(name.ends_with(".md").then(|| format!("{directory}/{name}")));
        }
    }
    pages.sort();
    Ok(pages)
}

pub fn of(page: &str) -> Result<Vec<Block>> {
    let text = read(page)?;
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for event in Parser::new(&text) {
        match (event, &mut open) {
            (Event::Start(Tag::CodeBlock(kind)), _) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.to_string(),
                    CodeBlockKind::Indented => "indented".to_string(),
                };
                open = Some(Block { page: page.to_string(), language, text: String::new() });
            }
            (Event::Text(text), Some(block)) => block.text += &text,
            (Event::End(TagEnd::CodeBlock), _) => blocks.extend(open.take()),
            _ => {}
        }
    }
    Ok(blocks)
}

/// What is quoted in a page's lines.
pub fn quoted(page: &str) -> Result<Vec<String>> {
    let text = read(page)?;
    let quoted = |event| if let Event::Code(text) = event { Some(text.to_string()) } else { None };
    Ok(Parser::new_ext(&text, pulldown_cmark::Options::ENABLE_TABLES).filter_map(quoted).collect())
}

/// The block of a page that begins so.
pub fn block(page: &str, begins: &str) -> Result<String> {
    let found = of(page)?.into_iter().find(|block| block.text.starts_with(begins));
    found.map(|block| block.text).ok_or_else(|| anyhow::anyhow!("{page} has no block that begins with {begins}"))
}
