//! One boot of the matrix: a kernel, what it is given, and what has to come of it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use agent::Report;
use anyhow::{Context, Result, ensure};

use machine::accel::{self, Choice};
use machine::bundle::EXIT_CODE;
use machine::demo;
use machine::qemu::{Outcome, Vm};
use sources::arch::{Arch, X86_64};
use sources::kernel::Debian;
use sources::{kernel, workspace};

use super::memory;
use super::scenarios::Images;

/// For a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(240);

/// A kernel under test.
pub struct Subject {
    /// `6.1 (bookworm)`, or the whole version of one's own kernel.
    pub name: String,
    pub arch: &'static Arch,
    pub kernel: PathBuf,
    pub version: String,
    /// What it was built with, if that is known.
    config: Option<String>,
    least_memory: OnceLock<u32>,
}

impl Subject {
    /// The newest cloud kernel of a Debian release.
    pub fn of_release(arch: &'static Arch, release: &str) -> Result<Subject> {
        let debian = Debian { arch, release: Some(release) };
        let (kernel, config) = (debian.kernel()?, debian.config()?);
        let version = kernel::name(&kernel);
        let config = std::fs::read_to_string(&config).with_context(|| format!("cannot read {}", config.display()))?;
        let numbers: Vec<&str> = version.split('.').take(2).collect();
        let name = format!("{} ({release})", numbers.join("."));
        Ok(Subject { name, arch, kernel, version, config: Some(config), least_memory: OnceLock::new() })
    }

    /// A kernel of one's own. What it cannot do it has to say on its console.
    pub fn own(arch: &'static Arch, kernel: &Path) -> Result<Subject> {
        let kernel = kernel.canonicalize().with_context(|| format!("cannot find {}", kernel.display()))?;
        let version = if *arch == X86_64 { kernel::version(&kernel)? } else { kernel::name(&kernel) };
        Ok(Subject { name: version.clone(), arch, kernel, version, config: None, least_memory: OnceLock::new() })
    }

    pub fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
    }

    /// Whether it was built with this option; where that isn't known, yes.
    pub fn has(&self, option: &str) -> bool {
        self.config.as_deref().is_none_or(|config| config.lines().any(|line| line == format!("{option}=y")))
    }

    /// The least memory that this kernel runs the agent and crun in when they have the initramfs to themselves, in MB.
    pub fn least_memory(&self, images: &Images) -> Result<u32> {
        if let Some(known) = self.least_memory.get() {
            return Ok(*known);
        }
        let found = memory::least(self, images)?;
        Ok(*self.least_memory.get_or_init(|| found))
    }

    /// The same, if it was asked for.
    pub fn known_least_memory(&self) -> Option<u32> {
        self.least_memory.get().copied()
    }
}

/// What a kernel is given.
#[derive(Clone)]
pub struct Guest {
    pub archive: Vec<u8>,
    /// The serial port, if none is named.
    pub console: Option<&'static str>,
    pub append: String,
    pub words: Vec<String>,
    pub memory_mb: u32,
    pub cpus: u32,
    pub expected: Expected,
}

/// What has to come of it.
#[derive(Clone)]
pub enum Expected {
    /// The container runs, and the agent's standard descriptors are this device.
    Container { device: (u64, u64) },
    /// Init says this and ends with this code, which the kernel prints.
    Refused { message: String, code: u8 },
    /// The counter-proof: without moveroot crun is refused pivot_root before Linux 7.0.
    Straight,
}

pub const CONSOLE: (u64, u64) = (5, 1);
pub const NULL: (u64, u64) = (1, 3);

impl Guest {
    /// A good boot of this archive.
    pub fn new(archive: &[u8]) -> Guest {
        Guest {
            archive: archive.to_vec(),
            console: None,
            append: String::new(),
            words: Vec::new(),
            memory_mb: 512,
            cpus: 1,
            expected: Expected::Container { device: CONSOLE },
        }
    }

    /// Boots.
    pub fn run(&self, subject: &Subject) -> Result<Outcome> {
        let image = tempfile::Builder::new().suffix(".cpio").tempfile_in(workspace::cache("images")?)?;
        std::fs::write(image.path(), &self.archive).context("cannot write an initramfs")?;
        let vm = Vm {
            console: self.console.unwrap_or(subject.arch.qemu.console).to_string(),
            append: self.append.clone(),
            init_args: self.words.clone(),
            memory_mb: self.memory_mb,
            cpus: self.cpus,
            accel: accel::choose_for(subject.arch, Choice::Auto, &subject.kernel)?,
            timeout: LIMIT,
            ..Vm::for_arch(subject.arch, &subject.kernel, image.path())
        };
        vm.run()
    }

    /// Whether that is what had to come of it; says how it ended.
    pub fn judge(&self, subject: &Subject, outcome: &Outcome) -> Result<String> {
        match &self.expected {
            Expected::Container { device } => self.judge_container(*device, outcome)?,
            Expected::Refused { message, code } => {
                // A tty may not have sent what init has written when the kernel panics: then the log alone has the line. Seen on Linux
                // 7.2 with a PL011, never with the 8250 of a microvm.
                let may_be_lost = *subject.arch != X86_64;
                let said = format!("moveroot: {message}");
                let is_it = |line: &str| line == said || may_be_lost && line.ends_with(&format!("] {said}"));
                ensure!(outcome.transcript.lines().any(is_it), "nobody says: {said}");
                ensure!(outcome.panic_code == Some(*code), "{}, not {code}", outcome.ending());
            }
            Expected::Straight => judge_straight(subject.major(), outcome)?,
        }
        Ok(outcome.ending())
    }

    fn judge_container(&self, device: (u64, u64), outcome: &Outcome) -> Result<()> {
        let report = Report::find(&outcome.transcript);
        let report = demo::verdict(outcome, report.as_ref())?;
        let devices: Vec<_> = report.descriptors.iter().map(|open| open.device).collect();
        ensure!(devices == [Some(device); 3], "descriptors 0, 1, 2 are {devices:?}, not {device:?}");
        let words = report.argv.get(1..).unwrap_or_default();
        ensure!(words == self.words, "the agent's words are {words:?}");
        Ok(())
    }
}

fn judge_straight(major: u32, outcome: &Outcome) -> Result<()> {
    let report = Report::find(&outcome.transcript).context("the agent gave no report")?;
    let container = report.container.context("crun did not run")?;
    if major >= 7 {
        ensure!(
            container.exit_code == i32::from(EXIT_CODE),
            "pivot_root works from 7.0 on, but the container did not run"
        );
        return Ok(());
    }
    let is_refused = container.output.contains("pivot_root") && container.output.contains("Invalid argument");
    ensure!(is_refused && container.exit_code != i32::from(EXIT_CODE), "pivot_root is not refused");
    Ok(())
}
