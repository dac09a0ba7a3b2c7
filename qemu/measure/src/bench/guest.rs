//! Boots in a VM: a candidate as /init of a real kernel, checked by what its service tells.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::NamedTempFile;

use super::candidate::{Candidate, Carry, Kind};

use super::finding::{Expected, Finding};
use super::program::{Program, crun_of};
use super::{floor, peers};
use machine::qemu::{Accel, Vm};
use sources::workspace;
use tool::compression::Compression;
use tool::initramfs::Initramfs;

/// crun's size.
const CARRIED: usize = 2 << 20;
/// Counting instructions takes its time.
const LIMIT: Duration = Duration::from_secs(120);

/// For the kernel's command line where instructions are counted. Newer kernels than 6.1 test their ciphers while init runs
/// already, and the clock counts that too: on 7.2 up to seventy times what init itself takes.
const ALONE: &str = "cryptomgr.notests";

/// And where it runs by the clock: on a busy machine the kernel comes to doubt the TSC and counts timer ticks instead, so
/// that its log, which tells when init ran, and the service's clock drift apart.
const ONE_CLOCK: &str = "tsc=reliable";

/// What all guests of a benchmark share.
pub struct Guests {
    pub kernel: PathBuf,
    pub accel: Accel,
    pub service: PathBuf,
    pub crun: Vec<u8>,
}

/// An initramfs that is ready to boot, and what should come of it.
pub struct Image {
    file: NamedTempFile,
    pub bytes: u64,
    expected: Expected,
    /// A plan that was cut short carries nothing yet.
    pub is_cut: bool,
}

/// How a boot went.
pub struct Boot {
    pub found: Finding,
    /// From QEMU's start to the service's first line, by this machine's clock.
    pub until_service: Duration,
}

impl Boot {
    /// Microseconds of the guest's clock from the kernel's word that it runs init to the service.
    pub fn init_to_service(&self) -> Result<f64> {
        let init = self.found.init_ns.context("the kernel's log does not tell when init ran")?;
        let nanoseconds = self.found.service_ns.checked_sub(init).context("the service ran before init")?;
        Ok(nanoseconds as f64 / 1000.0)
    }
}

impl Guests {
    pub fn new(kernel: PathBuf, accel: Accel, service: &Path) -> Guests {
        Guests { kernel, accel, service: service.to_path_buf(), crun: crun_of(CARRIED) }
    }

    /// A candidate, built; the floor comes without controllers only.
    pub fn program(&self, who: Candidate, with_controllers: bool) -> Result<Program> {
        let program = peers::build(who, with_controllers)?;
        match who.kind {
            Kind::Floor => floor::build_for_guest(&program, &self.service, &self.crun, &format!("{}-guest", who.carry)),
            _ => Ok(program),
        }
    }

    /// Packs a candidate's initramfs.
    pub fn pack(&self, program: &Program, plan: String, carry: Carry, by: Compression) -> Result<Image> {
        self.write(program.initramfs(&self.service, &self.crun)?, plan, carry, by)
    }

    /// Packs moveroot with a plan that ends early.
    pub fn pack_cut(&self, program: &Program, plan: String) -> Result<Image> {
        let mut tree = program.initramfs(&self.service, &self.crun)?;
        tree.bytes("/boot.plan", 0o644, plan.as_str());
        let mut image = self.write(tree, plan, Carry::Copy, Compression::None)?;
        image.is_cut = true;
        Ok(image)
    }

    fn write(&self, tree: Initramfs, plan: String, carry: Carry, by: Compression) -> Result<Image> {
        let file = tempfile::Builder::new().suffix(".cpio").tempfile_in(workspace::cache("images")?)?;
        let packed = by.apply(&tree.archive()?)?;
        fs::write(file.path(), &packed).with_context(|| format!("cannot write {}", file.path().display()))?;
        let expected = Expected::new(plan, carry, &self.crun);
        Ok(Image { file, bytes: packed.len() as u64, expected, is_cut: false })
    }

    /// Boots and checks.
    pub fn boot(&self, image: &Image, counted: bool) -> Result<Boot> {
        let accel = if counted { Accel::Tcg } else { self.accel };
        let append = if counted { ALONE } else { ONE_CLOCK }.to_string();
        let vm = Vm { accel, counted, append, timeout: LIMIT, ..Vm::new(&self.kernel, image.file.path()) };
        let (started, mut until_service) = (Instant::now(), None);
        let outcome = vm.watch(|line| {
            if until_service.is_none() && line.contains("probe: service") {
                until_service = Some(started.elapsed());
            }
        })?;
        let right = || {
            ensure!(outcome.guest_code == Some(0), "the guest ended without its code");
            let found = Finding::read(&outcome.transcript)?;
            if image.is_cut { image.expected.check_mounts(&found) } else { image.expected.check(&found) }?;
            Ok(Boot { found, until_service: until_service.context("the service said nothing")? })
        };
        right().with_context(|| outcome.evidence())
    }
}
