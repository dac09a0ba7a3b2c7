//! `cargo vm dist`: what a release has. The same tree gives the same bytes, in whatever directory and whenever it is built.

pub mod archive;
pub mod bill;
pub mod crates;
pub mod deb;
pub mod files;
pub mod licences;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::Args;
use sha2::{Digest, Sha256};

use files::File;
use sources::arch::{self, Arch, X86_64};
use sources::{build, workspace};
use tool::compression::Compression;

/// Of all crates of the workspace.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Of this command, at the end of its help.
const WRITES: &str = "\
Writes for each processor a tarball and a Debian package of the program moveroot, with the inits of all processors, and of all
together a bill of materials (CycloneDX) and SHA256SUMS. Their time is that of SOURCE_DATE_EPOCH, else the commit's.";

#[derive(Args, Clone, Debug)]
#[command(after_help = WRITES)]
pub struct Options {
    /// A processor to build for; of several each [default: x86_64, aarch64, riscv64]
    #[arg(long = "arch", value_name = "NAME", value_parser = Arch::named)]
    pub processors: Vec<&'static Arch>,
    /// The directory to write to [default: dist in cargo's target directory]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// The command.
pub fn run(options: &Options) -> Result<ExitCode> {
    let time = time()?;
    let out = options.out.clone().map_or_else(|| workspace::target().map(|target| target.join("dist")), Ok)?;
    let processors = if options.processors.is_empty() { &arch::ALL[..] } else { &options.processors };
    let inits = inits()?;
    // It writes the pages and completions that all have.
    let own = build::released_tool(&X86_64, &inits)?;
    let release = Release { time, shared: files::shared(&own, &inits)? };
    let mut written = Vec::new();
    for arch in processors {
        let tool = if arch.is_native() { own.clone() } else { build::released_tool(arch, &inits)? };
        written.extend(release.of(arch, &tool)?);
    }
    written.push(release.bill(processors)?);
    for (name, size) in write(&out, written)? {
        println!("{}  {size} bytes", out.join(name).display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The init for each processor.
pub fn inits() -> Result<Vec<(&'static Arch, PathBuf)>> {
    arch::ALL.into_iter().map(|arch| Ok((arch, build::init_for(arch)?))).collect()
}

/// A file of the release: its name and what is in it.
pub type Written = (String, Vec<u8>);

/// What its files have in common.
pub struct Release {
    /// In seconds, of all files.
    pub time: u64,
    /// All but the program.
    pub shared: Vec<File>,
}

impl Release {
    /// The tarball and the package of the program for a processor.
    pub fn of(&self, arch: &Arch, tool: &Path) -> Result<[Written; 2]> {
        let content = fs::read(tool).with_context(|| format!("cannot read {}", tool.display()))?;
        let mut files = self.shared.clone();
        files.push(File { path: "bin/moveroot".into(), mode: 0o755, content });
        let name = format!("moveroot-{VERSION}-{arch}");
        let tarball = Compression::Gzip.apply(&archive::tar(&name, &files, self.time)?)?;
        let package = deb::package(arch, &files, self.time)?;
        Ok([(format!("{name}.tar.gz"), tarball), (deb::name(arch), package)])
    }

    /// The bill of materials.
    pub fn bill(&self, processors: &[&Arch]) -> Result<Written> {
        Ok((format!("moveroot-{VERSION}.cdx.json"), bill::json(processors, self.time)?))
    }
}

/// Writes files and their sums; their names and sizes.
pub fn write(out: &Path, mut files: Vec<Written>) -> Result<Vec<(String, usize)>> {
    fs::create_dir_all(out).with_context(|| format!("cannot make the directory {}", out.display()))?;
    files.sort();
    let sum = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sums: String = files.iter().map(|(name, content)| format!("{}  {name}\n", sum(content))).collect();
    files.push(("SHA256SUMS".to_string(), sums.into_bytes()));
    for (name, content) in &files {
        let path = out.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(files.into_iter().map(|(name, content)| (name, content.len())).collect())
}

/// The time of everything in it, in seconds.
fn time() -> Result<u64> {
    if let Ok(text) = env::var("SOURCE_DATE_EPOCH") {
        return text.parse().with_context(|| format!("SOURCE_DATE_EPOCH is {text:?}, and no number of seconds"));
    }
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"]).current_dir(workspace::root());
    let output = git.output().context("cannot run git, which knows the commit's time: set SOURCE_DATE_EPOCH")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git knows no commit's time: set SOURCE_DATE_EPOCH: {}", errors.trim());
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// A time as date(1) writes it.
fn date(time: u64, format: &str) -> Result<String> {
    let mut date = sources::locale::command("date");
    let output = date.args(["--utc", &format!("--date=@{time}"), format]).output().context("cannot run date")?;
    ensure!(output.status.success(), "date: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?.trim().to_string())
}
