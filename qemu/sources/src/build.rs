//! Builds what runs in a guest: the init for this workspace's target directory, agents as static programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::arch::{Arch, X86_64};
use crate::toolchain::{self, Needs};
use crate::workspace;
use tool::output;

/// How long cargo may take without a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two looks whether it has ended.
const PAUSE: Duration = Duration::from_millis(10);

/// The release `init`. With a plan it is built in, and the program lands in a target directory of its own so that the
/// two builds don't undo each other.
pub fn init(plan: Option<&Path>) -> Result<PathBuf> {
    if let (None, Some(init)) = (plan, workspace::given("init")) {
        return Ok(init);
    }
    with_plan(cargo_for_init("build"), workspace::target()?, "planned", plan)
}

/// The release `init` that has a plan, or the built-in one, and runs no other: in a target directory of its own.
pub fn fixed_init(plan: Option<&Path>) -> Result<PathBuf> {
    let mut cargo = cargo_for_init("build");
    cargo.args(["--features", "fixed-plan"]);
    with_plan(cargo, workspace::target()?.join("fixed"), "", plan)
}

/// Builds init with a plan in it, in a directory of the plan's name within `planned`.
fn with_plan(mut cargo: Command, mut target: PathBuf, planned: &str, plan: Option<&Path>) -> Result<PathBuf> {
    if let Some(plan) = plan {
        let plan = plan.canonicalize().with_context(|| format!("cannot find the plan {}", plan.display()))?;
        let name = plan.file_stem().context("the plan's path names no file")?;
        target = target.join(planned).join(name);
        cargo.env("MOVEROOT_PLAN", &plan);
    }
    cargo.arg("--target-dir").arg(&target);
    built(cargo, target.join("release/init"))
}

/// The release `init` for a processor.
pub fn init_for(arch: &Arch) -> Result<PathBuf> {
    if arch.is_native() { init(None) } else { foreign_init(arch, foreign()?, &[]) }
}

/// The release `init` for a processor that runs the built-in plan alone.
pub fn fixed_init_for(arch: &Arch) -> Result<PathBuf> {
    if arch.is_native() {
        fixed_init(None)
    } else {
        foreign_init(arch, foreign()?.join("fixed"), &["--features", "fixed-plan"])
    }
}

fn foreign_init(arch: &Arch, target: PathBuf, features: &[&str]) -> Result<PathBuf> {
    let mut cargo = cargo_for_init("build");
    cargo.args(features);
    toolchain::target(&mut cargo, arch, Needs::Core)?;
    cargo.arg("--target-dir").arg(&target);
    built(cargo, target.join(arch.target).join("release/init"))
}

/// Where everything for other processors is built.
pub fn foreign() -> Result<PathBuf> {
    Ok(workspace::target()?.join("foreign"))
}

/// The release `init` of another checkout, with a plan built in.
pub fn other_init(checkout: &Path, plan: &Path) -> Result<PathBuf> {
    let name = plan.file_stem().context("the plan's path names no file")?;
    let target = workspace::cache("against")?.join(name);
    let mut cargo = cargo_for_init("build");
    cargo.current_dir(checkout).env("MOVEROOT_PLAN", plan).arg("--target-dir").arg(&target);
    built(cargo, target.join("release/init"))
}

/// The release `init` that marks its entry and its steps, in a target directory of its own.
pub fn marked_init() -> Result<PathBuf> {
    let target = workspace::target()?.join("marks");
    let mut cargo = cargo_for_init("build");
    cargo.args(["--features", "marks"]).arg("--target-dir").arg(&target);
    built(cargo, target.join("release/init"))
}

/// Cargo, told to build init, or to give rustc more arguments for it, whatever plan and flags the environment names.
pub fn cargo_for_init(command: &str) -> Command {
    let mut cargo = workspace::cargo();
    cargo.args([command, "--quiet", "--release", "--package", "moveroot", "--bin", "init"]);
    for variable in ["MOVEROOT_PLAN", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        cargo.env_remove(variable);
    }
    cargo
}

/// The program `moveroot`, with the init inside.
pub fn tool() -> Result<PathBuf> {
    own("moveroot-tool", "moveroot")
}

/// The same as a release has it: static, with the inits of these processors inside, and without a path of this machine.
pub fn released_tool(arch: &Arch, inits: &[(&Arch, PathBuf)]) -> Result<PathBuf> {
    let target = workspace::target()?.join("released");
    let mut cargo = workspace::cargo();
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--profile",
        "dist",
        "--package",
        "moveroot-tool",
        "--bin",
        "moveroot",
    ]);
    toolchain::target(&mut cargo, arch, Needs::Std)?;
    toolchain::c_compiler(&mut cargo, arch)?;
    for (arch, init) in inits {
        cargo.env(format!("MOVEROOT_INIT_{}", arch.name.to_uppercase()), init);
    }
    let flags = [toolchain::static_program(arch)?, toolchain::without_paths(arch)?].concat();
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")).arg("--target-dir").arg(&target);
    built(cargo, target.join(arch.target).join("dist/moveroot"))
}

/// containerd's shim.
pub fn shim() -> Result<PathBuf> {
    own("shim", "containerd-shim-moveroot-v1")
}

/// A program of this workspace that runs here.
fn own(package: &str, program: &str) -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--quiet", "--package", package, "--bin", program]);
    built(cargo, workspace::target()?.join("debug").join(program))
}

/// The demo agent.
pub fn agent() -> Result<PathBuf> {
    workspace::given("agent").map_or_else(|| guest("agent", "agent"), Ok)
}

/// A program that runs in a guest: static, so that it needs nothing of the initramfs.
pub fn guest(package: &str, program: &str) -> Result<PathBuf> {
    guest_for(&X86_64, package, program)
}

/// The same for a processor.
pub fn guest_for(arch: &Arch, package: &str, program: &str) -> Result<PathBuf> {
    let target = if arch.is_native() { workspace::target()?.join("guests") } else { foreign()? };
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--quiet", "--release", "--package", package, "--bin", program]);
    toolchain::target(&mut cargo, arch, Needs::Std)?;
    cargo.arg("--target-dir").arg(&target);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", toolchain::static_program(arch)?.join("\x1f"));
    built(cargo, target.join(arch.target).join("release").join(program))
}

/// Cargo, told to build the integration tests and the program `vm` for a processor, static.
pub fn cargo_for_tests(arch: &Arch) -> Result<Command> {
    let mut cargo = workspace::cargo();
    // Tests unwind; with programs that don't, the standard library would have to be built in two ways, and cargo mixes them up.
    cargo.args(["--config", "profile.fuzz.panic=\"unwind\""]);
    cargo.args(["test", "--no-run", "--profile", "fuzz", "--package", "vm", "--test", "it"]);
    toolchain::target(&mut cargo, arch, Needs::Tests)?;
    toolchain::c_compiler(&mut cargo, arch)?;
    cargo.arg("--target-dir").arg(workspace::target()?.join("foreign-tests"));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", toolchain::static_program(arch)?.join("\x1f"));
    Ok(cargo)
}

/// Says that it builds before that takes long: at once where there is no such program yet, else after a second.
fn built(mut cargo: Command, program: PathBuf) -> Result<PathBuf> {
    let context = || format!("cannot run cargo to build {}", program.display());
    let name = program.file_name().unwrap_or_default().display().to_string();
    let is_first = !program.is_file();
    let mut child = cargo.spawn().with_context(context)?;
    let since = Instant::now();
    let mut waiting = None;
    let status = loop {
        if let Some(status) = child.try_wait().with_context(context)? {
            break status;
        }
        if waiting.is_none() && (is_first || since.elapsed() > PATIENCE) {
            let time = if is_first { ": the first time this takes some minutes" } else { "" };
            eprintln!("vm: building {name}{time}");
            waiting = Some(output::waiting(&format!("building {name}")));
        }
        sleep(PAUSE);
    };
    drop(waiting);
    ensure!(status.success(), "cargo could not build {}: {status}", program.display());
    ensure!(program.is_file(), "cargo built no {}", program.display());
    Ok(program)
}
