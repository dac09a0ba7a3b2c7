//! `cargo vm boot`: a real kernel, moveroot as its init, an agent as the service, a container that pivots.

mod failed;
mod given;
mod task;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use agent::Report;
use anyhow::{Context, Result, ensure};
use clap::Args;

use machine::accel::{self, Choice};
use machine::bundle::Bundle;
use machine::cleanup::Cleanup;
use machine::demo::{Guest, Parts, agent_for, demo_plan, verdict};
use machine::qemu::Vm;
use machine::task::Style;
use machine::vsock::{self, Vsock};
use measure::timeline;
use measure::timeline::{Timeline, Watch};
use sources::arch::{Arch, X86_64};
use sources::kernel::Debian;
use sources::{build, host, kernel, workspace};
use tool::plan::Plan;
use tool::{output, pack};

/// Of this command, at the end of its help.
const EXIT_CODES: &str = "\
Exit codes:
  0  the container ran, and its exit code came back
  1  the boot failed, or could not begin: the last lines say why
  2  the command line is wrong";

#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct Options {
    /// The guest's processor: x86_64, aarch64, riscv64
    #[arg(long, value_name = "NAME", default_value = "x86_64", value_parser = Arch::named)]
    pub arch: &'static Arch,
    /// Who runs the guest's instructions
    #[arg(long, value_enum, default_value_t)]
    pub accel: Choice,
    /// A kernel to boot [default: the newest cloud kernel of this Debian release]
    #[arg(long, value_name = "PATH")]
    pub kernel: Option<PathBuf>,
    /// Boot the newest cloud kernel of this Debian release instead: bullseye, trixie, sid …, or another flavour of its kernels, as
    /// trixie:16k for aarch64
    #[arg(long, value_name = "NAME", conflicts_with = "kernel")]
    pub release: Option<String>,
    /// A crun to carry over [default: Debian's]
    #[arg(long, value_name = "PATH")]
    pub crun: Option<PathBuf>,
    /// An agent to become, which must end the VM and report as the demo agent does [default: the mock agent that the plan
    /// names by a line `# mock agent: NAME`, else the demo agent]
    #[arg(long, value_name = "PATH")]
    pub agent: Option<PathBuf>,
    /// The boot plan [default: qemu/guests/demo.plan]
    #[arg(long, value_name = "PATH")]
    pub plan: Option<PathBuf>,
    /// An init that runs this plan and no other: the feature fixed-plan
    #[arg(long, conflicts_with_all = ["arch", "timeline"])]
    pub fixed: bool,
    /// The guest's memory, in MB
    #[arg(long, value_name = "MB", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub memory: u32,
    /// The guest's CPUs
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub cpus: u32,
    /// Words for the kernel's command line
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub append: String,
    /// The limit after which a guest is ended, in seconds
    #[arg(long, value_name = "S", default_value_t = 60)]
    pub timeout: u64,
    /// Draw the boot's timeline to this file, with an init that marks each step
    #[arg(long, value_name = "SVG")]
    pub timeline: Option<PathBuf>,
    /// Show the guest's console as it comes
    #[arg(long, short)]
    pub verbose: bool,
    /// Give the guest a vsock device with this CID; on the host it is a directory of Unix sockets
    #[arg(long, value_name = "CID", num_args = 0..=1, default_missing_value = "3",
        value_parser = clap::value_parser!(u32).range(3..))]
    pub vsock: Option<u32>,
    /// Drive the agent by containerd's Task API over vsock, as a shim does [default agent: taskd]
    #[arg(long, value_name = "STYLE", value_enum, num_args = 0..=1, default_missing_value = "dial")]
    pub task: Option<Style>,
    /// Words for the agent
    #[arg(last = true, value_name = "WORDS")]
    pub words: Vec<String>,
}

/// The command.
pub fn run(options: &Options) -> Result<ExitCode> {
    refuse_given(options)?;
    options.timeline.as_deref().map(output::ensure_writable).transpose()?;
    let kernel = match &options.release {
        Some(release) => Some(Debian { arch: options.arch, release: Some(release) }.kernel()?),
        None => options.kernel.clone(),
    };
    let plan = options.plan.clone().unwrap_or_else(demo_plan);
    let agent = match &options.agent {
        Some(own) => own.clone(),
        None if options.task.is_some() => build::guest_for(options.arch, "taskd", "taskd")?,
        None => agent_for(options.arch, &plan)?,
    };
    let mut parts = Parts::gather_for(options.arch, kernel.as_deref(), options.crun.as_deref(), Some(&agent))?;
    if options.timeline.is_some() {
        parts.init = build::marked_init()?;
    }
    if options.fixed {
        parts.init = build::fixed_init(Some(&plan))?;
    }
    let mut guest = parts.guest(&plan, &Bundle::default(), options.release.as_deref())?;
    if options.vsock.is_some() || options.task.is_some() {
        guest.load(&vsock::modules(modules(options)?.as_deref())?)?;
    }
    guest.tell_numbers();
    match options.task {
        Some(style) => task::run(options, &parts, &guest, style),
        None => run_demo(options, &parts, &guest),
    }
}

/// Before anything is fetched, built or booted.
fn refuse_given(options: &Options) -> Result<()> {
    ensure!(
        options.task.is_none() || options.timeline.is_none(),
        "--timeline draws what init and the demo agent mark; a boot with --task prints a table of its own"
    );
    ensure!(
        options.timeline.is_none() || *options.arch == X86_64,
        "--timeline has no steps on {}: marks leave a guest by an I/O port, which x86-64 alone has",
        options.arch.shown
    );
    options.kernel.as_deref().map_or(Ok(()), |path| given::kernel(path, options.arch))?;
    for (option, path) in [("--agent", &options.agent), ("--crun", &options.crun)] {
        path.as_deref().map_or(Ok(()), |path| given::program(option, path, options.arch))?;
    }
    let plan = Plan::read(&options.plan.clone().unwrap_or_else(demo_plan))?;
    pack::refuse(&plan.name, &plan.findings())
}

fn run_demo(options: &Options, parts: &Parts, guest: &Guest) -> Result<ExitCode> {
    let image = tempfile::Builder::new().suffix(".cpio").tempfile_in(workspace::cache("images")?)?;
    let _cleanup = Cleanup::of_path(image.path());
    guest.initramfs.write(image.path())?;
    let vsock = options.vsock.map(Vsock::start).transpose()?;
    let mut vm = vm(options, &parts.kernel, image.path(), guest)?;
    if let Some(vsock) = &vsock {
        vm.extra.extend(vsock.words(vm.memory_mb));
        eprintln!("vm: the guest's vsock, by {vsock}, is in {}", vsock.directory().display());
    }
    let name = announce(&vm);
    // Not before: choosing an accelerator may have taken seconds, and what is watched begins here.
    let watch = (*options.arch == X86_64).then(Watch::new).transpose()?;
    vm.extra.extend(watch.iter().flat_map(Watch::words));
    let waiting = waiting(options, &name);
    let outcome = vm.watch(|line| show_line(options, line))?;
    drop(waiting);
    let report = Report::find(&outcome.transcript);
    let reason = match verdict(&outcome, report.as_ref()) {
        Ok(report) => {
            show(report);
            if let Some(watch) = watch {
                show_timeline(options, watch.timeline(&guest.plan)?, &format!("{name}, {}", vm.accel))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        Err(reason) => reason,
    };
    failed::tell(guest, image.path(), &outcome, &reason)
}

/// Says what is booted, and how it is called.
fn announce(vm: &Vm) -> String {
    let name = kernel::name(&vm.kernel);
    eprintln!("vm: booting {name} under {}", vm.accel);
    name
}

/// The directory of the modules of the kernel that is asked for; none where a kernel of one's own has none installed.
fn modules(options: &Options) -> Result<Option<PathBuf>> {
    let Some(own) = &options.kernel else {
        return Debian { arch: options.arch, release: options.release.as_deref() }.modules().map(Some);
    };
    let installed = Path::new("/lib/modules").join(kernel::version(own)?);
    Ok(installed.is_dir().then_some(installed))
}

/// While nothing of the guest is shown.
fn waiting(options: &Options, kernel: &str) -> Option<output::Waiting> {
    (!options.verbose).then(|| output::waiting(&format!("booting {kernel}")))
}

fn show_line(options: &Options, line: &str) {
    if options.verbose {
        println!("{line}");
    }
}

fn vm(options: &Options, kernel: &Path, image: &Path, guest: &Guest) -> Result<Vm> {
    let marks = if *options.arch == X86_64 { timeline::APPEND } else { "" };
    Ok(Vm {
        disk: guest.disk.as_ref().map(|disk| disk.path().to_path_buf()),
        append: [marks, &guest.kernel_words, &options.append].join(" ").trim().to_string(),
        init_args: options.words.clone(),
        memory_mb: options.memory,
        cpus: options.cpus,
        accel: accel::choose_for(options.arch, options.accel, kernel)?,
        timeout: Duration::from_secs(options.timeout),
        ..Vm::for_arch(options.arch, kernel, image)
    })
}

fn show(report: &Report) {
    if let Some(container) = &report.container {
        println!("{}", container.output.trim_end());
        println!("container exited {}, with pivot_root\n", container.exit_code);
    }
}

/// An agent of one's own may make no marks.
fn show_timeline(options: &Options, timeline: Option<Timeline>, what: &str) -> Result<()> {
    let Some(timeline) = timeline else {
        println!("no timeline: the agent marked nothing");
        return Ok(());
    };
    print!("{timeline}");
    let Some(out) = &options.timeline else { return Ok(()) };
    let caption = format!("{what}, {}, {}", host::date()?, host::description()?);
    timeline::draw(&timeline, &caption, out).with_context(|| format!("cannot draw {}", out.display()))?;
    eprintln!("vm: drew {}", out.display());
    Ok(())
}
