//! The man page as a page of the site, by mandoc.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use sources::{apt, locale};

/// The page in HTML, as Markdown has it: without an empty line, which would end it there.
pub fn html(page: &Path) -> Result<String> {
    apt::ensure_programs(&["mandoc"])?;
    let mut mandoc = locale::command("mandoc");
    let output = mandoc.args(["-T", "html", "-O", "fragment"]).arg(page).output().context("cannot run mandoc")?;
    ensure!(output.status.success(), "mandoc {}: {}", page.display(), String::from_utf8_lossy(&output.stderr));
    let html = String::from_utf8(output.stdout).context("mandoc's HTML")?;
    let lines = html.lines().map(|line| if line.trim().is_empty() { "&#8203;" } else { line });
    Ok(lines.flat_map(|line| [line, "\n"]).collect())
}
