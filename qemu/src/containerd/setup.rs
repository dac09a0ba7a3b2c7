//! What the shim's VMs are made of.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use machine::demo::Parts;
use machine::qemu::Accel;
use machine::share;
use machine::task::setup::Setup;
use machine::vsock;
use sources::kernel::{self, Debian};
use sources::{build, workspace};
use tool::init::Init;
use tool::initramfs::Initramfs;
use tool::modules::{self, Modules};
use tool::pack;

use super::daemon::RELEASE;

/// With an initramfs in the cache, where it is written anew each time. The directory is the daemon's to name.
pub fn of(parts: &Parts, accel: Accel, memory_mb: u32) -> Result<Setup> {
    let initramfs = workspace::cache("images")?.join("containerd.cpio");
    let written = initramfs.with_added_extension(std::process::id().to_string());
    packed(parts)?.write(&written)?;
    // In one piece, as others may be reading the one before.
    std::fs::rename(&written, &initramfs).with_context(|| format!("cannot write {}", initramfs.display()))?;
    Ok(Setup {
        kernel: parts.kernel.clone(),
        initramfs,
        virtiofsd: share::program()?,
        vsock_device: vsock::user::program()?,
        accel,
        memory_mb,
        cpus: 1,
        directory: PathBuf::new(),
        phases: None,
    })
}

fn packed(parts: &Parts) -> Result<Initramfs> {
    let plan: &Path = &workspace::root().join("qemu/guests/containerd.plan");
    let mut tree = pack::collect(&Init::File(parts.init.clone()), Some(plan), &[])?;
    // Debian 12's crun takes no container of runtime-spec 1.2, which this containerd makes.
    let system = Debian { arch: parts.arch, release: Some(RELEASE) }.crun()?;
    tree.libraries_from(Some(&system));
    tree.file("/sbin/crun", &system.join("usr/bin/crun"))?.file("/sbin/taskd", &build::guest("taskd", "taskd")?)?;
    let names: Vec<String> = vsock::MODULES.into_iter().chain([share::MODULE]).map(String::from).collect();
    let modules = Modules::of(&kernel::modules(None)?)?.needed(&names)?;
    let text = std::fs::read_to_string(plan).with_context(|| format!("cannot read {}", plan.display()))?;
    tree.bytes("/boot.plan", 0o644, modules::planned(&text, &modules)?);
    modules::pack(&modules, &mut tree);
    Ok(tree)
}
