//! The tests of init itself for another processor: the integration tests' binary, cross-built, in a guest whose kernel makes
//! namespaces and serves ptrace(2) as a machine of that processor does. The guest's own init is moveroot.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{LONG, Options, root};
use machine::accel::{self, Choice};
use machine::demo::Parts;
use machine::qemu::Vm;
use machine::sandbox::TIMES;
use sources::arch::Arch;
use sources::{build, workspace};
use tool::init::Init;
use tool::initramfs::Initramfs;

/// The tests are a service that is spawned: their exit status is what the kernel prints in the end.
const PLAN: &str = "root size=1200m
mount proc /proc proc
mount sysfs /sys sysfs
mount devtmpfs /dev devtmpfs
mount cgroup2 /sys/fs/cgroup cgroup2
link /proc/self/fd /dev/fd
dir /tmp 1777
bind /bin
bind /programs
env PATH=/bin
env MOVEROOT_BUILT=/programs
";
const END: &str = "on-exit panic\nspawn /programs/it\n";

/// Where no test is named. The other tests need a compiler or QEMU, and run on this machine.
const TESTS: &str = "namespaces::";

/// What a guest has not: cargo, strace, QEMU.
const CANNOT: [(&str, &str); 3] =
    [("other_plan", "cargo, to build an init"), ("interrupted", "strace"), ("vm::", "QEMU, to boot another")];

/// Tests of many thousand boots, which take a quarter of an hour or more without KVM: with --long, or by name.
const SLOW: [&str; 4] = [
    "faults::of_a_plan_with_every_verb",
    "faults::of_the_built_in_plan",
    "faults::of_what_goes_before_the_service",
    "faults::without_a_console",
];

/// The commands of busybox that tests call.
const APPLETS: [&str; 4] = ["sh", "mount", "unshare", "true"];

const MEMORY_MB: u32 = 2048;
const CPUS: u32 = 2;
/// Emulated, a boot takes this many times as long, and more where this machine has other work.
const SLOWER: u32 = 6;
/// The fault injection alone takes an hour in its long form where other things run.
const LIMIT: Duration = Duration::from_secs(3 * 60 * 60);

/// Runs them and shows what they print; whether all went well.
pub fn run(options: &Options) -> Result<bool> {
    let parts = Parts::gather_for(options.arch, None, None, None)?;
    let image = tempfile::Builder::new().suffix(".cpio").tempfile_in(workspace::cache("images")?)?;
    initramfs(&parts, &built(options.arch)?, options.long)?.write(image.path())?;
    let vm = Vm {
        memory_mb: MEMORY_MB,
        cpus: CPUS,
        accel: accel::choose_for(options.arch, Choice::Auto, &parts.kernel)?,
        init_args: words(options),
        timeout: LIMIT,
        ..Vm::for_arch(options.arch, &parts.kernel, image.path())
    };
    eprintln!("vm: the tests of init run in a guest under {}", vm.accel);
    let outcome = vm.watch(|line| println!("{line}"))?;
    let has_run = outcome.transcript.contains("test result: ");
    ensure!(outcome.panic_code.is_some() && has_run, "the tests did not come to an end: {}", outcome.evidence());
    Ok(outcome.panic_code == Some(0))
}

/// For libtest. What is left out is said.
fn words(options: &Options) -> Vec<String> {
    let mut skipped: Vec<&str> = Vec::new();
    for (name, lacks) in CANNOT {
        eprintln!("vm: {name}: not in a guest, which has no {lacks}");
        skipped.push(name);
    }
    if options.filters.is_empty() && !options.long {
        eprintln!("vm: with --long only, or by name: {}", SLOW.join(", "));
        skipped.extend(SLOW);
    }
    let filters = if options.filters.is_empty() { vec![TESTS.to_string()] } else { options.filters.clone() };
    let skipped = skipped.iter().flat_map(|name| ["--skip".to_string(), name.to_string()]);
    let threads = ["--test-threads".to_string(), CPUS.to_string()];
    filters.into_iter().chain(skipped).chain(threads).collect()
}

/// The tests' binary.
fn built(arch: &Arch) -> Result<PathBuf> {
    eprintln!("vm: building the tests for {}: the first time this takes some minutes", arch.shown);
    let mut cargo = build::cargo_for_tests(arch)?;
    cargo.args(["--quiet", "--message-format=json-render-diagnostics"]);
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot run cargo test")?;
    ensure!(output.status.success(), "cargo could not build the tests for {}: {}", arch.shown, output.status);
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = messages.lines().find_map(|message| root::executable(message, "test", "it"));
    found.with_context(|| format!("cargo built no tests for {}", arch.shown))
}

fn initramfs(parts: &Parts, tests: &Path, long: bool) -> Result<Initramfs> {
    let mut tree = Initramfs::with_console();
    Init::File(parts.init.clone()).pack(&mut tree)?;
    let long = if long { format!("env {LONG}=1\n") } else { String::new() };
    tree.bytes("/boot.plan", 0o644, format!("{PLAN}env {TIMES}={SLOWER}\n{long}{END}"));
    let programs = [("it", tests), ("init", &parts.init), ("agent", &parts.agent), ("busybox", &parts.busybox)];
    for (name, path) in programs {
        tree.file(&format!("/programs/{name}"), path)?;
    }
    tree.file("/bin/busybox", &parts.busybox)?;
    for applet in APPLETS {
        tree.symlink(&format!("/bin/{applet}"), "busybox");
    }
    Ok(tree)
}
