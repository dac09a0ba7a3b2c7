//! A guest for any plan: the agent and the runtime lie where the plan looks for them, in the initramfs or on a disk;
//! what the demo needs besides, its bundle and a dynamic crun's libraries, is carried by steps of its own.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::NamedTempFile;

use super::Parts;
use crate::bundle::{self, Bundle};
use crate::disk;
use crate::pairing::Pairing;
use crate::sandbox::fixed;
use sources::arch::{Arch, X86_64};
use sources::build;
use sources::kernel::Debian;
use tool::init::Init;
use tool::initramfs::Initramfs;
use tool::insertion::Numbers;
use tool::modules::{self, Module, Modules};
use tool::plan::Plan;
use tool::{output, pack};

/// Where the runtime goes if the plan carries none: agents that bring their own have one in the demo all the same.
const RUNTIME: &str = "/sbin/crun";

/// Where a dynamic program's libraries lie.
const LIBRARIES: [&str; 3] = ["/lib", "/lib64", "/usr/lib"];

/// What a machine is started with, besides its kernel.
#[derive(Debug)]
pub struct Guest {
    pub initramfs: Initramfs,
    /// The plan that runs.
    pub plan: String,
    /// The plan's disk, an erofs image.
    pub disk: Option<NamedTempFile>,
    /// The plan as it was given.
    own: Plan,
    /// What the plan wants on the kernel's command line.
    pub kernel_words: String,
}

/// The agent that a plan is for: its mock, else the demo agent.
pub fn agent(plan: &Path) -> Result<PathBuf> {
    agent_for(&X86_64, plan)
}

/// The same for a processor.
pub fn agent_for(arch: &Arch, plan: &Path) -> Result<PathBuf> {
    match Pairing::read(plan)?.mock {
        Some(name) => build::guest_for(arch, "mocks", &name),
        None => build::guest_for(arch, "agent", "agent"),
    }
}

impl Guest {
    /// Packs kernel modules, and has the plan load them.
    pub fn load(&mut self, modules: &[Module]) -> Result<()> {
        self.plan = modules::planned(&self.plan, modules)?;
        fixed::put(&mut self.initramfs, &self.plan)?;
        modules::pack(modules, &mut self.initramfs);
        Ok(())
    }

    fn numbers(&self) -> Numbers {
        Numbers::of(&self.own, &Plan::of("boot.plan", self.plan.as_str()))
    }

    /// Says what runs besides the plan's own steps, and which of its lines have other numbers by that.
    pub fn tell_numbers(&self) {
        let numbers = self.numbers();
        if !numbers.added.is_empty() {
            eprintln!("vm: the guest's boot.plan has more steps than {}:", self.own.name);
        }
        numbers.added.iter().for_each(|(line, step)| eprintln!("{}", output::message(&format!("{line:>6}  {step}"))));
        numbers.show(&self.own.name, "boot.plan").iter().for_each(|moved| eprintln!("vm: {moved}"));
    }

    /// Where in the person's plan a line of init's leads: none where the number is the same.
    pub fn own_place(&self, message: &str) -> Option<String> {
        let rest = message.strip_prefix("moveroot: boot.plan:")?;
        let line: usize = rest.split_once(':')?.0.parse().ok()?;
        match self.numbers().own_line(line) {
            Some(own) if own == line => None,
            Some(own) => Some(format!("line {line} of the guest's boot.plan is line {own} of {}", self.own.name)),
            None => Some(format!("line {line} of the guest's boot.plan was added to {}", self.own.name)),
        }
    }
}

impl Parts {
    /// A guest for this plan, with a bundle. The plan's modules are those of the kernel of a Debian release, or of this
    /// machine's.
    pub fn guest(&self, plan: &Path, bundle: &Bundle, release: Option<&str>) -> Result<Guest> {
        self.guest_with(plan, bundle, release, &[])
    }

    /// The same with files of one's own, (where, what), which take the place of the demo's.
    pub fn guest_with(
        &self,
        plan: &Path,
        bundle: &Bundle,
        release: Option<&str>,
        files: &[(String, PathBuf)],
    ) -> Result<Guest> {
        let (pairing, own) = (Pairing::read(plan)?, Plan::read(plan)?);
        let mut initramfs = pack::collect(&Init::File(self.init.clone()), Some(plan), &[])?;
        initramfs.libraries_from(self.sysroot.as_deref());
        let (modules, absent) = match pairing.modules.as_slice() {
            [] => (Vec::new(), Vec::new()),
            paths => Modules::of(&Debian { arch: self.arch, release }.modules()?)?.for_plan(paths)?,
        };
        modules::pack(&modules, &mut initramfs);
        let mut on_disk = Initramfs::empty();
        on_disk.libraries_from(self.sysroot.as_deref());
        let carried = if pairing.disk.is_some() { &mut on_disk } else { &mut initramfs };
        let added = self.carry(&pairing, carried, bundle, files)?;
        if !absent.is_empty() {
            eprintln!("vm: this kernel has these built in, or no more: the plan goes without {}", absent.join(", "));
        }
        let plan = modules::without(&pairing.with(&added), &absent);
        let plan = if modules.is_empty() { plan } else { modules::planned(&plan, &modules)? };
        fixed::put(&mut initramfs, &plan)?;
        let disk = pairing.disk.is_some().then(|| disk::erofs(&on_disk)).transpose()?;
        let mut guest = Guest { initramfs, plan, disk, own, kernel_words: pairing.kernel_words };
        if !pairing.kernel_has.is_empty() {
            // Not all packages list what is built in.
            let modules = Modules::of(&Debian { arch: self.arch, release }.modules()?)?;
            guest.load(&modules.for_plan(&pairing.kernel_has)?.0)?;
        }
        Ok(guest)
    }

    /// Puts agent, runtime and bundle into the tree; returns the steps that the plan lacks for them.
    fn carry(
        &self,
        pairing: &Pairing,
        tree: &mut Initramfs,
        bundle: &Bundle,
        files: &[(String, PathBuf)],
    ) -> Result<Vec<String>> {
        let runtime = pairing.runtime.as_deref().unwrap_or(RUNTIME);
        for (path, host) in files {
            tree.place(path, host)?;
        }
        pack::bring(tree, files)?;
        for (path, program) in [(pairing.agent.as_str(), &self.agent), (runtime, &self.crun)] {
            if !tree.contains(path) {
                tree.file(path, program)?;
            }
        }
        if let Some((name, path)) = &pairing.second {
            tree.file(path, &build::guest_for(self.arch, "mocks", name)?)?;
        }
        if !tree.contains(bundle::PATH) {
            bundle.pack(tree, &self.busybox)?;
        }
        let mut wanted = vec![bundle::PATH];
        if pairing.runtime.is_none() && pairing.disk.is_none() {
            wanted.push(RUNTIME);
        }
        for directory in LIBRARIES {
            if tree.contains(directory) {
                wanted.push(directory);
            } else if pairing.carries(directory) {
                // A plan for dynamic programs works with static ones too.
                tree.dir(directory, 0o755);
            }
        }
        Ok(wanted.into_iter().filter(|path| !pairing.carries(path)).map(|path| pairing.step(path)).collect())
    }
}
