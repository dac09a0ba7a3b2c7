//! `cargo vm pack`: a reproducible initramfs with moveroot as its init.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::cpio::Rights;
use crate::initramfs::Initramfs;
use crate::{build, plan, workspace};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The boot plan, packed as /boot.plan [default: none, the built-in plan runs]
    #[arg(long, value_name = "PATH")]
    pub plan: Option<PathBuf>,
    /// A file or folder and where it goes; a dynamic program's libraries come along
    #[arg(long = "file", value_name = "/GUEST=HOST", value_parser = placed)]
    pub files: Vec<(String, PathBuf)>,
    /// A built init [default: build one]
    #[arg(long, value_name = "PATH")]
    pub init: Option<PathBuf>,
    /// The initramfs to write
    #[arg(short, long, value_name = "PATH")]
    pub out: PathBuf,
}

/// The command.
pub fn run(options: &Options) -> Result<ExitCode> {
    let init = match &options.init {
        Some(init) => init.clone(),
        None => build::init(None)?,
    };
    let tree = collect(&init, options.plan.as_deref(), &options.files)?;
    if let Some(plan) = options.plan.clone().or_else(|| options.init.is_none().then(built_in_plan)) {
        let mut wrong = plan::faults(&plan)?;
        wrong.extend(plan::missing(&plan, &tree)?);
        ensure!(wrong.is_empty(), "this would not boot:\n{}", wrong.join("\n"));
    }
    tree.write(&options.out)?;
    eprintln!("vm: packed {}", options.out.display());
    Ok(ExitCode::SUCCESS)
}

/// The initramfs: /init, /boot.plan where there is a plan, the files.
pub fn collect(init: &Path, plan: Option<&Path>, files: &[(String, PathBuf)]) -> Result<Initramfs> {
    let mut tree = Initramfs::with_console();
    tree.file("/init", init)?.rights("/init", Rights::root(0o755))?;
    if let Some(plan) = plan {
        tree.file("/boot.plan", plan)?.rights("/boot.plan", Rights::root(0o644))?;
    }
    for (guest, host) in files {
        tree.tree(guest, host)?;
    }
    Ok(tree)
}

/// The plan of the init that is built here.
fn built_in_plan() -> PathBuf {
    workspace::root().join("src/default.plan")
}

fn placed(word: &str) -> Result<(String, PathBuf)> {
    let (guest, host) = word.split_once('=').context("not of the form /GUEST=HOST")?;
    ensure!(guest.starts_with('/'), "{guest} is no absolute path in the guest");
    Ok((guest.to_string(), PathBuf::from(host)))
}
