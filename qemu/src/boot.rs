//! `cargo vm boot`: a real kernel, moveroot as its init, an agent as the service, a container that pivots.

mod demo;
mod failed;
mod foreign;
mod given;
mod ready;
mod shell;
mod task;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;
use tempfile::NamedTempFile;

use machine::accel::{self, Choice};
use machine::bundle::Bundle;
use machine::cleanup::Cleanup;
use machine::demo::{Guest, Parts, agent_for, demo_plan};
use machine::qemu::Vm;
use machine::sandbox::fixed;
use machine::task::Style;
use machine::vsock;
use measure::timeline;
use ready::Ready;
use shell::Shell;
use sources::arch::{Arch, X86_64};
use sources::kernel::Debian;
use sources::{build, kernel, workspace};
use tool::modules::Modules;
use tool::plan::Plan;
use tool::{output, pack};

/// Of this command, at the end of its help.
const EXIT_CODES: &str = "\
Exit codes:
  0  the container ran, and its exit code came back; or what --ready says came about
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
    /// An agent to become. One that does not report as the demo agent does is judged by --ready [default: the mock agent
    /// that the plan names by a line `# mock agent: NAME`, else the demo agent]
    #[arg(long, value_name = "PATH")]
    pub agent: Option<PathBuf>,
    /// The boot plan [default: qemu/guests/demo.plan]
    #[arg(long, value_name = "PATH")]
    pub plan: Option<PathBuf>,
    /// An init that runs this plan and no other: the feature fixed-plan
    #[arg(long, conflicts_with_all = ["arch", "timeline", "initramfs"])]
    pub fixed: bool,
    /// A file or directory and where it goes in the initramfs, for the plan to carry; it takes the place of the demo's own
    #[arg(long = "file", value_name = "/GUEST=HOST", value_parser = pack::placed)]
    pub files: Vec<(String, PathBuf)>,
    /// A kernel module to pack, with all it needs, and to load by the plan
    #[arg(long = "module", value_name = "NAME")]
    pub modules: Vec<String>,
    /// Boot an image as it is, moveroot's or not; without --ready it has to power off
    #[arg(long, value_name = "IMAGE",
        conflicts_with_all = ["agent", "crun", "plan", "files", "modules", "task", "timeline"])]
    pub initramfs: Option<PathBuf>,
    /// A shell on the console: busybox as the plan's service, or as process 1 of an image that is not moveroot's
    #[arg(long, conflicts_with_all = ["ready", "task", "timeline", "verbose"])]
    pub shell: bool,
    /// What shows that the agent is ready: dial:PORT, it calls the host; listen:PORT, it answers; line:TEXT, the console has
    /// that; exit, the machine powers off. Of several each, in this order. Then the VM runs on until ctrl-c
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["task", "timeline"])]
    pub ready: Vec<Ready>,
    /// End the VM once it is ready
    #[arg(long, requires = "ready")]
    pub then_stop: bool,
    /// The guest's memory, in MB
    #[arg(long, value_name = "MB", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub memory: u32,
    /// The guest's CPUs
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub cpus: u32,
    /// Words for the kernel's command line
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub append: String,
    /// The limit after which a guest is ended, in seconds; with --ready, one that is not ready by then
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
    if let Some(image) = &options.initramfs {
        return foreign::run_image(options, kernel, image);
    }
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
    let mut guest = parts.guest_with(&plan, &Bundle::default(), options.release.as_deref(), &options.files)?;
    load(options, &mut guest)?;
    if options.fixed {
        guest.initramfs.file("/init", &fixed::init_of(guest.plan.as_bytes())?)?;
    }
    guest.tell_numbers();
    match options.task {
        Some(style) => task::run(options, &parts, &guest, style),
        None if !options.shell && options.ready.is_empty() => demo::run(options, &parts, &guest),
        None => {
            let (image, _cleanup) = written(&guest)?;
            let vm = vm(options, &parts.kernel, image.path(), Some(&guest))?;
            if options.shell {
                return Shell::of(image.path(), &parts.busybox)?.run(vm);
            }
            foreign::run(options, image.path(), Some(&guest), vm)
        }
    }
}

/// The modules that are asked for, and those that vsock needs.
fn load(options: &Options, guest: &mut Guest) -> Result<()> {
    let mut wanted = options.modules.clone();
    if options.vsock.is_some() || options.task.is_some() || options.ready.iter().any(Ready::needs_vsock) {
        wanted.extend(vsock::MODULES.map(String::from));
    }
    let Some(directory) = modules(options)?.filter(|_| !wanted.is_empty()) else {
        // Then vsock is built in.
        let own = options.modules.first();
        return own.map_or(Ok(()), |name| bail!("--module {name}: this kernel's modules are not installed"));
    };
    guest.load(&Modules::of(&directory)?.needed(&wanted)?)
}

/// The guest's image, as a file that goes with this program.
fn written(guest: &Guest) -> Result<(NamedTempFile, Cleanup)> {
    let image = tempfile::Builder::new().suffix(".cpio").tempfile_in(workspace::cache("images")?)?;
    let cleanup = Cleanup::of_path(image.path());
    guest.initramfs.write(image.path())?;
    Ok((image, cleanup))
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
    let image = options.initramfs.as_deref().filter(|image| !image.is_file());
    image.map_or(Ok(()), |image| bail!("--initramfs {} is no file", image.display()))?;
    options.kernel.as_deref().map_or(Ok(()), |path| given::kernel(path, options.arch))?;
    for (option, path) in [("--agent", &options.agent), ("--crun", &options.crun)] {
        path.as_deref().map_or(Ok(()), |path| given::program(option, path, options.arch))?;
    }
    let plan = Plan::read(&options.plan.clone().unwrap_or_else(demo_plan))?;
    pack::refuse(&plan.name, &plan.findings())
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
    let installed = Path::new("/lib/modules").join(kernel::name(own));
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

fn vm(options: &Options, kernel: &Path, image: &Path, guest: Option<&Guest>) -> Result<Vm> {
    let marks = if *options.arch == X86_64 { timeline::APPEND } else { "" };
    Ok(Vm {
        disk: guest.and_then(|guest| guest.disk.as_ref()).map(|disk| disk.path().to_path_buf()),
        append: [marks, guest.map_or("", |guest| &guest.kernel_words), &options.append].join(" ").trim().to_string(),
        init_args: options.words.clone(),
        memory_mb: options.memory,
        cpus: options.cpus,
        accel: accel::choose_for(options.arch, options.accel, kernel)?,
        timeout: Duration::from_secs(options.timeout),
        ..Vm::for_arch(options.arch, kernel, image)
    })
}
