//! `cargo vm profile`: where a boot goes. perf in the guest beside the real init, a flame graph and a table of system
//! calls by step made of it; the phases of the boot by the clock and by counted instructions; two records compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

mod calls;
mod compare;
mod guest;
mod host;
mod perf;
mod record;

use crate::timeline;
use calls::Calls;
use guest::Guest;
use host::HostPerf;
use machine::accel::{self, Choice};
use machine::demo::{self, Parts};
use perf::Recorded;
pub use record::{Line, Record};
use sources::arch::{Arch, X86_64};
use sources::{build, image, kernel, workspace};
use tool::compression::Compression;
use tool::output;

/// The parts of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// perf in the guest: flame graph, report, system calls by step
    Perf,
    /// The boot's phases by the clock
    Time,
    /// The boot's phases in instructions
    Count,
}

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The guest's processor; x86_64 is the only one whose guests can make marks
    #[arg(long, value_name = "NAME", default_value = "x86_64", value_parser = Arch::named)]
    pub arch: &'static Arch,
    /// Where the results go [default: target/profile]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Compare two profile.json, and boot nothing
    #[arg(long, num_args = 2, value_names = ["A", "B"], exclusive = true)]
    pub compare: Vec<PathBuf>,
    /// Only this part [default: all]
    #[arg(long, value_enum)]
    pub only: Option<What>,
    /// Boots by the clock, of which the median is kept; one whose instructions are counted says the same each time
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub boots: u32,
    /// Who runs the guest's instructions
    #[arg(long, value_enum, default_value_t)]
    pub accel: Choice,
    /// A kernel to boot [default: the newest cloud kernel of this Debian release]
    #[arg(long, value_name = "PATH")]
    pub kernel: Option<PathBuf>,
    /// Boot what is inside of the kernel's image, already unpacked
    #[arg(long)]
    pub unpacked: bool,
    /// The boot plan [default: qemu/guests/demo.plan]
    #[arg(long, value_name = "PATH")]
    pub plan: Option<PathBuf>,
    /// How the initramfs is packed
    #[arg(long, value_enum, default_value_t)]
    pub initramfs: Compression,
    /// The guest's memory, in MB
    #[arg(long, value_name = "MB", default_value_t = 512, value_parser = clap::value_parser!(u32).range(256..))]
    pub memory: u32,
    /// The guest's CPUs
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub cpus: u32,
    /// Words for the kernel's command line
    #[arg(long, value_name = "WORDS", default_value = "", allow_hyphen_values = true)]
    pub append: String,
    /// The limit after which a guest is ended, in seconds
    #[arg(long, value_name = "S", default_value_t = 180)]
    pub timeout: u64,
}

impl Options {
    fn wants(&self, what: What) -> bool {
        self.only.is_none_or(|only| only == what)
    }
}

/// The command.
pub fn run(options: &Options) -> Result<ExitCode> {
    if let [a, b] = options.compare.as_slice() {
        print!("{}", compare::table(&Record::read(a)?, &Record::read(b)?));
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(
        *options.arch == X86_64,
        "a profile is made of marks, which leave a guest by an I/O port, and by the time stamp counter: {} has neither",
        options.arch.shown
    );
    let out = match &options.out {
        Some(out) => out.clone(),
        None => workspace::target()?.join("profile"),
    };
    fs::create_dir_all(&out).with_context(|| format!("cannot make the directory {}", out.display()))?;
    let json = out.join("profile.json");
    output::ensure_writable(&json)?;
    let guest = guest(options)?;
    let mut record = blank(options, &guest)?;
    if options.wants(What::Perf) {
        record.calls = Some(record_with_perf(&guest, &record, &out).context("perf")?);
    }
    record.phases = phases(options, &guest, &record, &out)?;
    print!("{}", record.tables());
    record.write(&json)?;
    eprintln!("vm: wrote {}", out.display());
    Ok(ExitCode::SUCCESS)
}

fn guest(options: &Options) -> Result<Guest> {
    let plan = options.plan.clone().unwrap_or_else(demo::demo_plan);
    let agent = demo::agent(&plan)?;
    let mut parts = Parts::gather_with(options.kernel.as_deref(), None, Some(&agent))?;
    if options.unpacked {
        parts.kernel = image::unpacked(&parts.kernel)?;
    }
    Ok(Guest {
        accel: accel::choose(options.accel, &parts.kernel)?,
        parts,
        marked: build::marked_init()?,
        plan,
        initramfs: options.initramfs,
        append: options.append.clone(),
        memory_mb: options.memory,
        cpus: options.cpus,
        timeout: Duration::from_secs(options.timeout),
    })
}

fn blank(options: &Options, guest: &Guest) -> Result<Record> {
    Ok(Record {
        date: sources::host::date()?,
        machine: sources::host::description()?,
        kernel: kernel::name(&guest.parts.kernel),
        accel: guest.accel.to_string(),
        append: options.append.clone(),
        memory_mb: options.memory,
        cpus: options.cpus,
        initramfs: options.initramfs.to_string(),
        phases: Vec::new(),
        calls: None,
    })
}

/// Two boots: the real init, whose figures are kept, and the one with marks, which tells where a step begins.
fn record_with_perf(guest: &Guest, record: &Record, out: &Path) -> Result<record::Calls> {
    eprintln!("vm: a boot with perf");
    guest::ensure_perf()?;
    let host = HostPerf::start(guest.accel, out);
    let recorded = Recorded::keep(&guest.record()?, out)?;
    host.finish(out);
    let microseconds = recorder::PERIOD_NS / 1000;
    let (unit, by) = match guest.records_counted() {
        true => (format!("{microseconds} thousand instructions"), ", instructions counted"),
        false => (format!("{microseconds} µs"), ""),
    };
    recorded.flame_graphs(&format!("{} under {}{by}, {}", record.kernel, record.accel, record.date), &unit)?;
    recorded.report(&out.join("report.txt"))?;
    let calls = Calls::read(&recorded.system_calls()?)?;
    eprintln!("vm: a boot with perf and marks");
    let directory = tempfile::tempdir().context("cannot make a temporary directory")?;
    let (recording, marks) = guest.record_marked()?;
    let marked = Calls::read(&Recorded::keep(&recording, directory.path())?.system_calls()?)?;
    let counts = marked.counts(&marks, guest.khz())?;
    let made = Calls::by_step(&calls, &marked, &counts, &guest.step_names(&marks)?)?;
    let counted = guest.records_counted();
    let found = record::Calls { counted, entry_to_exec_us: calls.whole(), in_calls_us: calls.sum(), steps: made };
    let path = out.join("calls.txt");
    fs::write(&path, found.table()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(found)
}

/// Without perf: by the clock, and by instructions.
fn phases(options: &Options, guest: &Guest, record: &Record, out: &Path) -> Result<Vec<record::Line>> {
    let mut timelines = [Vec::new(), Vec::new()];
    for (what, counted, boots) in [(What::Time, false, options.boots), (What::Count, true, 1)] {
        if !options.wants(what) {
            continue;
        }
        if counted && !guest.can_count() {
            eprintln!("vm: instructions are counted with one CPU alone: left out");
            continue;
        }
        eprintln!("vm: {boots} boots, {}", if counted { "instructions counted" } else { "by the clock" });
        for _ in 0..boots {
            timelines[usize::from(counted)].push(guest.timeline(counted)?);
        }
        let Some(first) = timelines[usize::from(counted)].first() else { continue };
        let accel = if counted { "tcg, instructions counted" } else { &record.accel };
        let caption = format!("{}, {accel}, {}, {}", record.kernel, record.date, record.machine);
        let name = if counted { "instructions" } else { "timeline" };
        let log: String = first.log.iter().map(|(at, text)| format!("{at:>14.0} {text}\n")).collect();
        fs::write(out.join(format!("{name}.log")), log).context("cannot keep the kernel's log")?;
        let svg = out.join(format!("{name}.svg"));
        timeline::draw(first, &caption, &svg).with_context(|| format!("cannot draw {}", svg.display()))?;
    }
    Ok(record::lines(&timelines[0], &timelines[1]))
}
