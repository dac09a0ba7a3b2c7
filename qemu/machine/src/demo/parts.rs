//! What a guest is made of, and how its initramfs is put together for the demo agent.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::bundle::Bundle;
use crate::qemu;
use sources::{apt, build, kernel};
use tool::init::Init;
use tool::initramfs::Initramfs;
use tool::pack;

/// What a guest is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    pub kernel: PathBuf,
    pub init: PathBuf,
    pub agent: PathBuf,
    pub crun: PathBuf,
    pub busybox: PathBuf,
}

impl Parts {
    /// Builds, fetches and installs everything.
    pub fn gather() -> Result<Self> {
        Parts::gather_with(None, None, None)
    }

    /// The same with one's own kernel, crun or agent.
    pub fn gather_with(kernel: Option<&Path>, crun: Option<&Path>, agent: Option<&Path>) -> Result<Self> {
        apt::ensure_programs(&[qemu::PROGRAM])?;
        Ok(Parts {
            kernel: own_or(kernel, kernel::newest)?,
            init: build::init(None)?,
            agent: own_or(agent, build::agent)?,
            crun: own_or(crun, installed_crun)?,
            busybox: kernel::busybox()?,
        })
    }

    /// moveroot as /init, the agent, crun and a bundle. Without a plan the built-in one runs.
    pub fn initramfs(&self, plan: Option<&Path>, bundle: &Bundle) -> Result<Initramfs> {
        let mut tree = pack::collect(&Init::File(self.init.clone()), plan, &[])?;
        self.pack(&mut tree, bundle)?;
        Ok(tree)
    }

    /// The counter-proof's initramfs: the agent itself is /init and runs the same bundle without a moved root.
    /// The agent does so when the kernel's command line says [`STRAIGHT`].
    pub fn straight(&self, bundle: &Bundle) -> Result<Initramfs> {
        let mut tree = pack::collect(&Init::File(self.agent.clone()), None, &[])?;
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

fn own_or(own: Option<&Path>, fetch: fn() -> Result<PathBuf>) -> Result<PathBuf> {
    let Some(path) = own else { return fetch() };
    path.canonicalize().with_context(|| format!("cannot find {}", path.display()))
}

fn installed_crun() -> Result<PathBuf> {
    apt::ensure_programs(&["crun"])?;
    apt::program("crun").context("crun is installed but not on the path")
}
