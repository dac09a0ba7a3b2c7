//! What a service finds, read from outside while it is stopped before its first instruction: proc(5). Mounts are shown with
//! their options in the kernel's order, which procfs-core's map of them does not keep.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use nix::unistd::Pid;

use super::emulator::Emulator;
use super::sandbox::STORE;
use crate::output;

/// Files of one directory that are listed; a whole distribution would fill the screen.
const MOST_ENTRIES: usize = 24;

/// Filesystems whose files are the kernel's.
const KERNEL: [&str; 6] = ["proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue"];

/// A mount: where, of what type, with which options, what of its filesystem.
struct Mount {
    target: String,
    kind: String,
    options: String,
    root: String,
}

/// The view, as a text.
pub fn of(pid: Pid, emulator: Option<&Emulator>) -> Result<String> {
    let mut text = String::from("what the service finds\n");
    let process = format!("/proc/{pid}");
    let words = |name: &str| -> Result<Vec<String>> {
        let bytes = fs::read(format!("{process}/{name}")).with_context(|| format!("cannot read {process}/{name}"))?;
        let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        Ok(words.map(|word| String::from_utf8_lossy(word).into_owned()).collect())
    };
    let link = |name: &str| fs::read_link(format!("{process}/{name}")).map(|path| path.display().to_string());
    let inside = pid_inside(&process)?;
    let mut arguments = words("cmdline")?;
    let mut program = link("exe")?;
    if let Some(emulator) = emulator {
        program = arguments.get(1).cloned().unwrap_or_default();
        arguments.drain(..emulator.own_arguments.min(arguments.len()));
    }
    writeln!(text, "  program      {program}, pid {inside}")?;
    for (name, words) in [("arguments", arguments), ("environment", words("environ")?)] {
        writeln!(text, "{}", output::folded(&format!("  {name:11}  {}", words.join(" ")), 15))?;
    }
    writeln!(text, "  directory    {}", link("cwd")?)?;
    for descriptor in sorted(Path::new(&process).join("fd").as_path())? {
        writeln!(text, "  descriptor   {descriptor}, {}", link(&format!("fd/{descriptor}"))?)?;
    }
    let mounts = mounts(&fs::read_to_string(format!("{process}/mountinfo"))?);
    writeln!(text, "\n  {:24} {:10} options", "mounted on", "type")?;
    let is_substitute = |mount: &Mount| mount.root[1..].starts_with(STORE);
    for mount in &mounts {
        // Within a substitute for devtmpfs.
        let inside = |other: &Mount| is_substitute(other) && mount.target.starts_with(&format!("{}/", other.target));
        if mount.kind == "devtmpfs" && mounts.iter().any(inside) {
            continue;
        }
        if is_substitute(mount) {
            writeln!(text, "  {:24} substitute", mount.target)?;
            continue;
        }
        let part = if mount.root == "/" { String::new() } else { format!("  (only {})", mount.root) };
        let row = format!("  {:24} {:10} {}{part}", mount.target, mount.kind, mount.options);
        writeln!(text, "{}", output::folded(&row, 38))?;
    }
    writeln!(text, "\n  {:>4} {:>10}  files", "mode", "bytes")?;
    list(&format!("{process}/root"), "/", &mounts, &mut text)?;
    Ok(text)
}

/// Its number in its own namespace, the last of `NSpid`.
fn pid_inside(process: &str) -> Result<String> {
    let status = fs::read_to_string(format!("{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("NSpid:")).unwrap_or_default();
    Ok(line.split_whitespace().next_back().unwrap_or("?").to_string())
}

fn mounts(mountinfo: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (place, filesystem) = line.split_once(" - ")?;
        let place: Vec<&str> = place.split(' ').collect();
        let filesystem: Vec<&str> = filesystem.split(' ').collect();
        Some(Mount {
            target: place.get(4)?.to_string(),
            kind: filesystem.first()?.to_string(),
            options: format!("{} {}", place.get(5)?, filesystem.get(2)?),
            root: place.get(3)?.to_string(),
        })
    };
    mountinfo.lines().filter_map(mount).collect()
}

fn list(root: &str, directory: &str, mounts: &[Mount], text: &mut String) -> Result<()> {
    let Ok(names) = sorted(Path::new(&format!("{root}{directory}"))) else {
        // Its mode is closed to the one who asks, if not to the service.
        writeln!(text, "  {:15}  {directory}: closed", "")?;
        return Ok(());
    };
    for name in names.iter().take(MOST_ENTRIES) {
        let path = format!("{}/{name}", directory.trim_end_matches('/'));
        let outside = format!("{root}{path}");
        let metadata = fs::symlink_metadata(&outside).with_context(|| format!("cannot look at {path}"))?;
        let kind = metadata.file_type();
        let what = match () {
            () if kind.is_symlink() => format!("{path} → {}", fs::read_link(&outside)?.display()),
            () if kind.is_dir() => format!("{path}/"),
            () if kind.is_char_device() || kind.is_block_device() => format!("{path}, a device"),
            () if kind.is_fifo() => format!("{path}, a FIFO"),
            () => path.clone(),
        };
        let bytes = if kind.is_file() { metadata.len().to_string() } else { String::new() };
        writeln!(text, "  {:04o} {bytes:>10}  {what}", metadata.permissions().mode() & 0o7777)?;
        let mounted = mounts.iter().rev().find(|mount| mount.target == path);
        if kind.is_dir() && !mounted.is_some_and(|mount| KERNEL.contains(&mount.kind.as_str())) {
            list(root, &path, mounts, text)?;
        }
    }
    if names.len() > MOST_ENTRIES {
        writeln!(text, "  {:15}  {directory}: {} more", "", names.len() - MOST_ENTRIES)?;
    }
    Ok(())
}

fn sorted(directory: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot look into {}", directory.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
