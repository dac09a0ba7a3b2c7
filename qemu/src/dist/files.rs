//! What a release has besides the program, by paths below a prefix such as /usr/local.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::licences;
use sources::arch::{self, Arch};
use sources::{locale, workspace};

#[derive(Clone, Debug)]
pub struct File {
    pub path: String,
    pub mode: u32,
    pub content: Vec<u8>,
}

/// Where the documents are, the plans in a directory of it.
pub const DOCUMENTS: &str = "share/doc/moveroot";
pub const PLANS: &str = "share/doc/moveroot/plans";
pub const MAN: &str = "share/man";
pub const ZSH: &str = "share/zsh/site-functions";

pub const LICENCES: &str = "LICENSES-OF-CRATES";

const OF_THE_TREE: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// The file that a shell looks for.
const COMPLETIONS: [(&str, &str, &str); 3] = [
    ("bash", "share/bash-completion/completions", "moveroot"),
    ("zsh", ZSH, "_moveroot"),
    ("fish", "share/fish/vendor_completions.d", "moveroot.fish"),
];

/// All but the program, which runs here to write its pages and completions.
pub fn shared(tool: &Path, inits: &[(&Arch, PathBuf)]) -> Result<Vec<File>> {
    let mut files = pages(tool)?;
    for (shell, directory, name) in COMPLETIONS {
        let content = output(tool, &["completions", shell])?;
        files.push(File { path: format!("{directory}/{name}"), mode: 0o644, content });
    }
    for (arch, init) in inits {
        files.push(File { path: format!("lib/moveroot/init-{arch}"), mode: 0o755, content: read(init)? });
    }
    for name in OF_THE_TREE {
        let content = read(&workspace::root().join(name))?;
        files.push(File { path: format!("{DOCUMENTS}/{name}"), mode: 0o644, content });
    }
    let licences = licences::text(&arch::ALL)?.into_bytes();
    files.push(File { path: format!("{DOCUMENTS}/{LICENCES}"), mode: 0o644, content: licences });
    files.extend(directory(&workspace::root().join("plans"), |_| PLANS.to_string())?);
    Ok(files)
}

/// The man pages, each in its section's directory.
fn pages(tool: &Path) -> Result<Vec<File>> {
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    output(tool, &["man", &scratch.path().display().to_string()])?;
    directory(scratch.path(), |name| format!("{MAN}/man{}", name.rsplit('.').next().unwrap_or_default()))
}

/// The files of a directory, and where each goes.
fn directory(from: &Path, to: impl Fn(&str) -> String) -> Result<Vec<File>> {
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry?;
        let name = entry.file_name().display().to_string();
        Ok(File { path: format!("{}/{name}", to(&name)), mode: 0o644, content: read(&entry.path())? })
    };
    entries.map(file).collect()
}

fn output(tool: &Path, words: &[&str]) -> Result<Vec<u8>> {
    let output = locale::command(tool).args(words).output();
    let output = output.with_context(|| format!("cannot run {}", tool.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} {}: {}", tool.display(), words.join(" "), errors.trim());
    Ok(output.stdout)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
