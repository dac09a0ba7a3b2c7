//! What a boot leaves: the files of its new root, its mounts, the files of the initramfs.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::BufReader;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::unistd::Pid;
use procfs_core::FromBufRead;
use procfs_core::process::MountInfos;
use walkdir::WalkDir;

/// Files or mounts by path, each in words that two equal ones share.
pub type Facts = BTreeMap<String, String>;

/// The content of this file is a set of names, as the kernel's own is: cgroups(7).
const CONTROLLERS: &str = "/cgroup.subtree_control";

/// How it is described.
pub const SET: &str = "file of names ";

/// Where the new root is mounted in the initramfs until the hand-over: src/roots.rs.
pub const NEW_ROOT: &str = "/.moveroot";

/// The files of the new root of a process whose root is either of the two. None where there is no new root.
pub fn new_root(pid: Pid) -> Result<Option<Facts>> {
    let root = PathBuf::from(format!("/proc/{pid}/root"));
    if !root.join("init").exists() {
        return files(&root).map(Some);
    }
    // Until the hand-over it is mounted below the initramfs. From then on it lies over it, where `..` of a root leads, or the
    // initramfs has no place any more, and init holds the new root by a descriptor.
    let device = |path: &PathBuf| fs::metadata(path).ok().filter(Metadata::is_dir).map(|metadata| metadata.dev());
    let initramfs = device(&root).with_context(|| format!("cannot look at {}", root.display()))?;
    let mut places = vec![root.join(NEW_ROOT.trim_start_matches('/')), root.join("..")];
    for descriptor in fs::read_dir(format!("/proc/{pid}/fd")).context("cannot read init's descriptors")? {
        places.push(descriptor?.path());
    }
    let mounted = places.iter().find(|place| device(place).is_some_and(|device| device != initramfs));
    mounted.map(|place| files(place)).transpose()
}

/// The files of a filesystem; what is mounted there is reported, but not entered.
pub fn files(root: &Path) -> Result<Facts> {
    let device = fs::metadata(root).with_context(|| format!("cannot read {}", root.display()))?.dev();
    let mut found = Facts::new();
    for entry in WalkDir::new(root.join(".")).min_depth(1).same_file_system(true) {
        let entry = entry.context("cannot read a directory of a root")?;
        let path = Path::new("/").join(entry.path().strip_prefix(root)?).display().to_string();
        let metadata = entry.metadata().with_context(|| format!("cannot look at {path}"))?;
        let described = describe(entry.path(), &metadata, metadata.dev() == device)?;
        found.insert(path, described);
    }
    Ok(found)
}

fn describe(path: &Path, metadata: &Metadata, is_here: bool) -> Result<String> {
    let what = if metadata.is_symlink() {
        format!("link to {}", fs::read_link(path)?.display())
    } else if metadata.is_file() && is_here {
        digest(path, &fs::read(path)?)
    } else if metadata.is_file() {
        "file mounted".to_string()
    } else if metadata.is_dir() {
        format!("directory{}", if is_here { "" } else { " mounted" })
    } else {
        "other".to_string()
    };
    Ok(format!("{what}, mode {:o}, owner {}:{}", metadata.mode() & 0o7777, metadata.uid(), metadata.gid()))
}

fn digest(path: &Path, content: &[u8]) -> String {
    if path.to_string_lossy().ends_with(CONTROLLERS) {
        let text = String::from_utf8_lossy(content);
        let mut names: Vec<&str> = text.split_whitespace().filter(|name| name.len() > 1).collect();
        names.sort_unstable();
        names.dedup();
        return format!("{SET}{names:?}");
    }
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("file {:x} of {} bytes", hasher.finish(), content.len())
}

/// Mount points and what is mounted there: proc_pid_mountinfo(5). Whether the root has large pages is left out: the
/// promise is to do without where the kernel refuses them.
pub fn mounts(pid: Pid) -> Result<Facts> {
    let file = File::open(format!("/proc/{pid}/mountinfo")).context("cannot read init's mounts")?;
    let mut found = Facts::new();
    for mut mount in MountInfos::from_buf_read(BufReader::new(file))? {
        mount.super_options.remove("huge");
        let [flags, options] = [mount.mount_options, mount.super_options].map(BTreeMap::from_iter);
        let (root, kind) = (mount.root, mount.fs_type);
        // Several may lie one over the other.
        *found.entry(mount.mount_point.display().to_string()).or_default() +=
            &format!("[{root} {flags:?} {kind} {:?} {options:?}]", mount.mount_source);
    }
    Ok(found)
}
