//! What a guest is made of, and how its initramfs is put together for the demo agent.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::bundle::Bundle;
use sources::arch::{Arch, X86_64};
use sources::kernel::Debian;
use sources::{apt, build};
use tool::init::Init;
use tool::initramfs::Initramfs;
use tool::pack;

/// What a guest is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    pub arch: &'static Arch,
    pub kernel: PathBuf,
    pub init: PathBuf,
    pub agent: PathBuf,
    pub crun: PathBuf,
    pub busybox: PathBuf,
    /// Where the libraries of programs for another processor are.
    pub sysroot: Option<PathBuf>,
}

impl Parts {
    /// Builds, fetches and installs everything.
    pub fn gather() -> Result<Self> {
        Parts::gather_with(None, None, None)
    }

    /// The same with one's own kernel, crun or agent.
    pub fn gather_with(kernel: Option<&Path>, crun: Option<&Path>, agent: Option<&Path>) -> Result<Self> {
        Parts::gather_for(&X86_64, kernel, crun, agent)
    }

    /// The same for a processor.
    pub fn gather_for(
        arch: &'static Arch,
        kernel: Option<&Path>,
        crun: Option<&Path>,
        agent: Option<&Path>,
    ) -> Result<Self> {
        apt::ensure_programs(&[arch.qemu.program])?;
        let debian = Debian { arch, release: None };
        let sysroot = if arch.is_native() { None } else { Some(debian.crun()?) };
        Ok(Parts {
            arch,
            kernel: own_or(kernel, || debian.kernel())?,
            init: build::init_for(arch)?,
            agent: own_or(agent, || build::guest_for(arch, "agent", "agent"))?,
            crun: own_or(crun, || sysroot.as_ref().map_or_else(installed_crun, |root| Ok(root.join("usr/bin/crun"))))?,
            busybox: debian.busybox()?,
            sysroot,
        })
    }

    /// moveroot as /init, the agent, crun and a bundle. Without a plan the built-in one runs.
    pub fn initramfs(&self, plan: Option<&Path>, bundle: &Bundle) -> Result<Initramfs> {
        let mut tree = pack::collect(&Init::File(self.init.clone()), plan, &[])?;
        tree.libraries_from(self.sysroot.as_deref());
        self.pack(&mut tree, bundle)?;
        Ok(tree)
    }

    /// The counter-proof's initramfs: the agent itself is /init and runs the same bundle without a moved root.
    /// The agent does so when the kernel's command line says [`STRAIGHT`].
    pub fn straight(&self, bundle: &Bundle) -> Result<Initramfs> {
        let mut tree = pack::collect(&Init::File(self.agent.clone()), None, &[])?;
        tree.libraries_from(self.sysroot.as_deref());
        self.pack(&mut tree, bundle)?;
        Ok(tree)
    }

    fn pack(&self, tree: &mut Initramfs, bundle: &Bundle) -> Result<()> {
        // A plan that binds them is to work with a static crun too.
        tree.dir("/lib", 0o755).dir("/lib64", 0o755);
        tree.file("/sbin/crun", &self.crun)?.file("/sbin/agent", &self.agent)?;
        bundle.pack(tree, &self.busybox)
    }
}

/// For the kernel's command line, with [`Parts::straight`].
pub const STRAIGHT: &str = "agent_straight=1";

fn own_or(own: Option<&Path>, fetch: impl FnOnce() -> Result<PathBuf>) -> Result<PathBuf> {
    let Some(path) = own else { return fetch() };
    path.canonicalize().with_context(|| format!("cannot find {}", path.display()))
}

fn installed_crun() -> Result<PathBuf> {
    apt::ensure_programs(&["crun"])?;
    apt::program("crun").context("crun is installed but not on the path")
}
