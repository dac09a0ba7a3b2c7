//! `cargo vm docs`: docs/ as a site that opens from a file, and a check of all its links.

mod book;
mod links;
mod manual;
mod site;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use sources::{cargo_program, locale, workspace};

/// Without its server, and not optimized: built in a third of the time, and a site takes a second or two.
const MDBOOK: (&str, &str, &[&str]) = ("mdbook", "0.5.4", &["--no-default-features", "--features=search", "--debug"]);

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The directory of the site; what was in it is deleted [default: target/docs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// First draw the pictures and tables in the tree anew, from the newest records
    #[arg(long)]
    pub update: bool,
}

/// The command.
pub fn run(options: &Options) -> Result<ExitCode> {
    if options.update {
        for (path, content) in figures::all()? {
            fs::write(workspace::root().join(path), content).with_context(|| format!("cannot write {path}"))?;
            eprintln!("vm: wrote {path}");
        }
    }
    let out = match &options.out {
        Some(out) => out.clone(),
        None => workspace::target()?.join("docs"),
    };
    let pages = build(&out)?;
    println!("{pages} pages: {}", out.join("index.html").display());
    Ok(ExitCode::SUCCESS)
}

/// Builds the site and checks it; gives the number of its pages.
pub fn build(out: &Path) -> Result<usize> {
    let out = std::path::absolute(out)?;
    ensure_replaceable(&out)?;
    let sources = tempfile::tempdir()?;
    book::write(workspace::root(), sources.path())?;
    let (name, version, features) = MDBOOK;
    let mut mdbook = locale::command(cargo_program::installed(name, version, features)?);
    mdbook.arg("build").arg("--dest-dir").arg(&out).arg(sources.path());
    let output = mdbook.output().context("cannot run mdbook")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success() && !said.contains(" WARN "), "mdbook: {}: {said}", output.status);
    site::check(&out)
}

/// A directory that is not a site is somebody's.
fn ensure_replaceable(out: &Path) -> Result<()> {
    let is_empty = !out.exists() || out.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    ensure!(
        is_empty || out.join("toc.html").is_file(),
        "{} has something in it that is no site: name another directory",
        out.display()
    );
    Ok(())
}
