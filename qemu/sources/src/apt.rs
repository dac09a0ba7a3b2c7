//! Debian packages: installs the programs the harness drives when this machine lacks them, and keeps packages whose
//! files only a guest needs in the cache. Sources are whatever this machine's apt is set up with.

mod lists;
mod sources;
mod tree;

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Seek};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{locale, workspace};

pub use lists::Lists;
pub use tree::Part;

/// The programs the harness may ask for, and the package each comes in.
const PACKAGES: [(&str, &str); 21] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("qemu-system-aarch64", "qemu-system-arm"),
    ("qemu-system-riscv64", "qemu-system-misc"),
    ("crun", "crun"),
    ("mkfs.erofs", "erofs-utils"),
    ("mkfs.ext4", "e2fsprogs"),
    ("e2fsck", "e2fsprogs"),
    ("dumpe2fs", "e2fsprogs"),
    ("debugfs", "e2fsprogs"),
    ("strace", "strace"),
    ("unshare", "util-linux"),
    ("readelf", "binutils"),
    ("musl-gcc", "musl-tools"),
    ("go", "golang-go"),
    ("g++", "g++"),
    ("perf", "linux-perf"),
    ("cpio", "cpio"),
    ("bsdcpio", "libarchive-tools"),
    ("lsinitramfs", "initramfs-tools-core"),
    ("mkinitramfs", "initramfs-tools-core"),
    ("xz", "xz-utils"),
];

/// The path of a program of this name: on PATH, or in root's directories.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    directories.map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// Installs the packages of those programs that are missing, and says so.
pub fn ensure_programs(programs: &[&str]) -> Result<()> {
    let _alone = lock()?;
    let missing: Vec<&str> = programs.iter().copied().filter(|name| program(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|name| package_of(name)).collect();
    let names = packages.join(" ");
    eprintln!("vm: {} missing here: installing {names} by apt", missing.join(", "));
    let install = || {
        let mut apt = apt_get(Rights::Root);
        apt.args(["install", "--yes", "--no-install-recommends"]).args(&packages);
        with_progress(apt, &format!("installing {names}"))
    };
    Lists::own()?
        .fresh_or_refreshed(install)
        .with_context(|| format!("cannot install {names}; install by hand what provides them"))
}

/// A part of one of this machine's packages, unpacked in the cache: see [`Lists::unpacked`].
pub fn unpacked(package: &str, pattern: &str) -> Result<PathBuf> {
    Lists::own()?.unpacked(package, pattern, "")
}

/// Runs apt with a progress bar; what it said is shown if it fails.
fn with_progress(mut apt: Command, what: &str) -> Result<()> {
    let mut said = tempfile::tempfile().context("cannot make a temporary file")?;
    let copy = said.try_clone().context("cannot share a temporary file")?;
    apt.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(copy);
    let bar = bar(what);
    let mut child = apt.spawn().with_context(|| {
        let program = apt.get_program().to_string_lossy().into_owned();
        format!("{what}: cannot run {program}; run this as root, or install by hand")
    })?;
    for line in BufReader::new(child.stdout.take().context("apt-get has no output")?).lines() {
        let line = line.with_context(|| format!("{what}: reading apt-get's output"))?;
        if let Some(percent) = percent(&line) {
            bar.set_position(percent);
        }
    }
    let status = child.wait().with_context(|| format!("{what}: waiting for apt-get"))?;
    bar.finish_and_clear();
    if !status.success() {
        let mut text = String::new();
        said.rewind().and_then(|()| said.read_to_string(&mut text)).context("cannot read what apt-get said")?;
        bail!("{what}: apt-get ended with {status}:\n{text}");
    }
    Ok(())
}

/// The percentage in a line of apt's status protocol: `dlstatus:1:33.3:…` while it fetches, `pmstatus:…` after.
fn percent(line: &str) -> Option<u64> {
    let mut fields = line.split(':');
    let kind = fields.next()?;
    let is_status = matches!(kind, "dlstatus" | "pmstatus");
    is_status.then(|| fields.nth(1).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0) as u64)
}

fn bar(what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        eprintln!("vm: {what}");
    }
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {percent:>3} % {elapsed}");
    let bar = ProgressBar::new(100).with_message(what.to_string());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn package_of(program: &str) -> &str {
    PACKAGES.iter().find(|(name, _)| *name == program).map_or(program, |(_, package)| package)
}

/// With whose rights apt runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rights {
    Ours,
    /// Through sudo where we are not root.
    Root,
}

/// apt-get, its progress on standard output and all else on standard error. The shell makes a descriptor of its own for
/// the progress: apt keeps that one from the packages' scripts, which need their standard output. sudo would close it, and
/// drops most variables, so env sets them after it.
fn apt_get(rights: Rights) -> Command {
    let is_root = rights == Rights::Ours || rustix::process::geteuid().is_root();
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    command.args((!is_root).then_some("env"));
    let (name, value) = locale::VARIABLE;
    command.arg(format!("{name}={value}"));
    command.args(["DEBIAN_FRONTEND=noninteractive", "sh", "-c", "exec apt-get \"$@\" 3>&1 >&2", "apt-get"]);
    command.args(["-o", "APT::Status-Fd=3", "-o", "Dpkg::Use-Pty=0"]);
    command
}

fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program}: is this a Debian machine?"))?;
    if !output.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// One harness at a time fetches or installs; tests run in parallel.
fn lock() -> Result<File> {
    let path = workspace::cache("")?.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}
