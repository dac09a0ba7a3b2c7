//! The guest that is profiled: the demo of `cargo vm boot`, booted in three ways. With perf beside the real init; with an
//! init that marks its steps, by the clock; and the same with a clock that counts instructions.

use std::path::PathBuf;
use std::time::Duration;

use agent::Report;
use anyhow::{Context, Result, ensure};
use tempfile::NamedTempFile;

use crate::timeline::marks::Marks;
use crate::timeline::{self, Timeline, Watch};
use machine::bundle::Bundle;
use machine::clock;
use machine::demo::{self, Parts};
use machine::port::Kept;
use machine::qemu::{Accel, Outcome, Vm};
use sources::{apt, build, workspace};
use tool::compression::Compression;
use tool::initramfs::Initramfs;
use tool::plan::{Plan, Step};

/// For the kernel's command line: who starts first, and symbols that are where the image says.
const RECORDED: &str = "rdinit=/sbin/recorder nokaslr tsc=reliable";

/// perf and its libraries are 60 MB of the initramfs, which is in memory twice while it is unpacked.
const MEMORY_FOR_PERF_MB: u32 = 768;

/// What all boots of a profile share.
pub struct Guest {
    pub parts: Parts,
    pub marked: PathBuf,
    pub plan: PathBuf,
    pub initramfs: Compression,
    pub accel: Accel,
    pub append: String,
    pub memory_mb: u32,
    pub cpus: u32,
    pub timeout: Duration,
}

/// What perf recorded.
pub struct Recording {
    pub data: Vec<u8>,
    pub symbols: Vec<u8>,
}

impl Guest {
    /// A boot with perf beside the real init.
    pub fn record(&self) -> Result<Recording> {
        self.record_init(&self.parts, Vec::new(), RECORDED)
    }

    /// The same with the init that marks its steps, and its marks.
    pub fn record_marked(&self) -> Result<(Recording, Marks)> {
        let port = Kept::new(agent::port::MARKS)?;
        let recording = self.record_init(&self.marked_parts(), port.words(), &format!("{RECORDED} agent_marks=1"))?;
        Ok((recording, Marks::read(&port.heard()?)?))
    }

    fn record_init(&self, parts: &Parts, mut extra: Vec<String>, append: &str) -> Result<Recording> {
        let perf = apt::program("perf").context("perf is installed but not on the path")?;
        let mut guest = parts.guest(&self.plan, &Bundle::default(), None)?;
        guest.initramfs.file("/usr/bin/perf", &perf)?.file("/sbin/recorder", &build::guest("recorder", "recorder")?)?;
        let image = self.written(&guest.initramfs)?;
        let port = Kept::new(recorder::PORT)?;
        extra.extend(port.words());
        let vm = self.vm(&image, &guest, append);
        let vm = Vm { extra, memory_mb: vm.memory_mb.max(MEMORY_FOR_PERF_MB), counted: self.records_counted(), ..vm };
        let outcome = vm.run()?;
        self.check(&outcome)?;
        let files = recorder::unpacked(&port.heard()?).with_context(|| outcome.evidence())?;
        let file = |wanted| files.iter().find(|(name, _)| name == wanted).map(|(_, content)| content.clone());
        let data = file(recorder::DATA).with_context(|| format!("no recording came: {}", outcome.evidence()))?;
        Ok(Recording { data, symbols: file(recorder::SYMBOLS).context("no symbols came")? })
    }

    /// A boot with marks. Instructions are counted under TCG alone.
    pub fn timeline(&self, counted: bool) -> Result<Timeline> {
        let guest = self.marked_parts().guest(&self.plan, &Bundle::default(), None)?;
        let image = self.written(&guest.initramfs)?;
        let watch = Watch::new()?;
        let vm = Vm { extra: watch.words(), counted, ..self.vm(&image, &guest, timeline::APPEND) };
        let vm = if counted { Vm { accel: Accel::Tcg, ..vm } } else { vm };
        let outcome = vm.run()?;
        self.check(&outcome)?;
        let timeline = if counted { Some(watch.counted(&guest.plan)?) } else { watch.timeline(&guest.plan)? };
        timeline.with_context(|| format!("the guest marked nothing: {}", outcome.evidence()))
    }

    /// Under TCG perf's clock counts instructions too: by the clock, init's code, of which most runs once, would seem to
    /// take as long as QEMU takes to translate it.
    pub fn records_counted(&self) -> bool {
        self.accel == Accel::Tcg && self.can_count()
    }

    /// With more CPUs, of which QEMU then runs one after the other, a kernel does not come through its start.
    pub fn can_count(&self) -> bool {
        self.cpus == 1
    }

    /// Ticks of the recorded guest's time stamp counter in a millisecond.
    pub fn khz(&self) -> f64 {
        if self.records_counted() { 1e6 } else { clock::tsc_khz() as f64 }
    }

    /// What stands before the first step, and the steps that were met.
    pub fn step_names(&self, marks: &Marks) -> Result<Vec<String>> {
        let guest = self.parts.guest(&self.plan, &Bundle::default(), None)?;
        let steps = Plan::of("plan", guest.plan).steps();
        let met = steps.iter().take(marks.steps.len()).map(Step::text);
        Ok(std::iter::once("init: starts, reads the plan".to_string()).chain(met).collect())
    }

    fn marked_parts(&self) -> Parts {
        Parts { init: self.marked.clone(), ..self.parts.clone() }
    }

    fn vm(&self, image: &NamedTempFile, guest: &demo::Guest, append: &str) -> Vm {
        Vm {
            disk: guest.disk.as_ref().map(|disk| disk.path().to_path_buf()),
            append: [append, &guest.kernel_words, &self.append].join(" ").trim().to_string(),
            memory_mb: self.memory_mb,
            cpus: self.cpus,
            accel: self.accel,
            timeout: self.timeout,
            ..Vm::new(&self.parts.kernel, image.path())
        }
    }

    fn written(&self, tree: &Initramfs) -> Result<NamedTempFile> {
        let image = tempfile::Builder::new().suffix(".cpio").tempfile_in(workspace::cache("images")?)?;
        tree.write(image.path())?;
        if self.initramfs != Compression::None {
            let archive = std::fs::read(image.path()).context("cannot read the initramfs")?;
            std::fs::write(image.path(), self.initramfs.apply(&archive)?).context("cannot write the initramfs")?;
        }
        Ok(image)
    }

    /// A boot that went wrong is not one to look at.
    fn check(&self, outcome: &Outcome) -> Result<()> {
        let right = outcome.guest_code == Some(0) && Report::find(&outcome.transcript).is_some();
        ensure!(right, "the boot went wrong: {}", outcome.evidence());
        Ok(())
    }
}

pub fn ensure_perf() -> Result<()> {
    apt::ensure_programs(&["perf"])
}
