//! Builds the candidates from the small sources in qemu/peers; installs by apt the compilers they need.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use language::Verb;

use super::candidate::{Candidate, Carry, Kind};
use super::program::Program;
use sources::{apt, build, kernel, workspace};
use tool::cpio::{Archive, Kind as Entry, Rights};
use tool::plan::Plan;

/// busybox's programs that its script calls.
const BUSYBOX: [&str; 8] = ["sh", "mkdir", "mount", "ln", "cp", "rm", "switch_root", "["];
/// klibc's.
const KLIBC: [&str; 7] = ["sh", "mkdir", "mount", "ln", "cpio", "cat", "run-init"];

/// The container runtime, which the built-in plan carries.
const CRUN: &str = "/sbin/crun";

/// The built-in plan, with crun carried this way; with controllers, which a VM has, while this machine's cgroup v2 tree
/// may not be changed, or without.
pub fn plan(carry: Carry, controllers: bool) -> Result<String> {
    let (mut text, mut is_carried) = (String::new(), false);
    for step in built_in()?.steps() {
        text += &match step.verb {
            Verb::Controllers if !controllers => continue,
            Verb::Copy if step.word(1) == CRUN => {
                is_carried = true;
                format!("{carry} {CRUN}\n")
            }
            _ => step.text() + "\n",
        };
    }
    ensure!(is_carried, "the built-in plan carries no {CRUN}");
    Ok(text)
}

fn built_in() -> Result<Plan> {
    Plan::read(&workspace::root().join("src/default.plan"))
}

/// What the peers write to cgroup.subtree_control: `+cpu +memory`, or nothing.
fn controllers(wanted: bool) -> Result<String> {
    let steps = built_in()?.steps();
    let step = steps.iter().find(|step| wanted && step.verb == Verb::Controllers);
    let names = step.into_iter().flat_map(|step| step.texts().skip(1));
    Ok(names.map(|name| format!("+{name}")).collect::<Vec<_>>().join(" "))
}

/// Builds a candidate; the floor needs a run of moveroot first and isn't built here.
pub fn build(candidate: Candidate, with_controllers: bool) -> Result<Program> {
    let controllers = controllers(with_controllers)?;
    let name = format!("{}{}", candidate.carry, if with_controllers { "-controllers" } else { "" });
    match candidate.kind {
        Kind::Moveroot | Kind::Floor => {
            Program::of(&build::init(Some(&plan_file(candidate.carry, with_controllers, &name)?))?)
        }
        Kind::Fixed => Program::of(&build::fixed_init(Some(&plan_file(candidate.carry, with_controllers, &name)?))?),
        Kind::Other => bail!("it is built from its own checkout"),
        Kind::C => c(candidate.carry, &controllers, &name),
        Kind::Go => go(candidate.carry, &controllers, &name),
        Kind::Busybox => busybox(&script("busybox.sh", candidate.carry, &controllers)?),
        Kind::Klibc => klibc(&script("klibc.sh", candidate.carry, &controllers)?),
    }
    .with_context(|| format!("cannot build the candidate {candidate}"))
}

/// Installs what the compiled peers need; the reason where Go can't be had.
pub fn ensure_compilers() -> Result<Option<String>> {
    apt::ensure_programs(&["gcc", "musl-gcc"])?;
    let missing = apt::ensure_programs(&["go"]).err();
    Ok(missing.map(|error| format!("Go, which is not here: {error:#}")))
}

/// The service of every candidate.
pub fn probe() -> Result<PathBuf> {
    let out = directory()?.join("probe");
    run(musl(&["-O2", "-Wl,-e,enter"], "probe.c", &out))?;
    Ok(out)
}

/// What executes the candidates, where nobody holds them.
pub fn launcher() -> Result<PathBuf> {
    let out = directory()?.join("execve");
    run(musl(&["-O2"], "execve.c", &out))?;
    Ok(out)
}

/// A program of qemu/peers.
pub fn source(name: &str) -> PathBuf {
    workspace::root().join("qemu/peers").join(name)
}

/// Where built peers are kept.
pub fn directory() -> Result<PathBuf> {
    workspace::cache("bench")
}

/// Runs a compiler.
pub fn run(mut command: Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

/// The init of another checkout, with the same plan.
pub fn other(checkout: &Path, carry: Carry) -> Result<Program> {
    let plan = plan_file(carry, false, &carry.to_string())?;
    Program::of(&build::other_init(checkout, &plan)?)
}

fn plan_file(carry: Carry, with_controllers: bool, name: &str) -> Result<PathBuf> {
    let path = directory()?.join(format!("{name}.plan"));
    let plan = plan(carry, with_controllers)?;
    if fs::read_to_string(&path).ok().as_ref() != Some(&plan) {
        fs::write(&path, plan).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(path)
}

fn c(carry: Carry, controllers: &str, name: &str) -> Result<Program> {
    let out = directory()?.join(format!("c-{name}"));
    let controllers = format!("-DCONTROLLERS=\"{controllers}\"");
    let mut options = vec!["-Os"];
    options.extend((carry == Carry::Bind).then_some("-DBIND"));
    options.extend((controllers.len() > "-DCONTROLLERS=\"\"".len()).then_some(controllers.as_str()));
    run(musl(&options, "straight.c", &out))?;
    Program::of(&out)
}

fn musl(options: &[&str], file: &str, out: &Path) -> Command {
    let mut gcc = Command::new("musl-gcc");
    gcc.args(["-static", "-s", "-Wall", "-Wextra"]).args(options).arg("-o").arg(out).arg(source(file));
    gcc
}

fn go(carry: Carry, controllers: &str, name: &str) -> Result<Program> {
    let out = directory()?.join(format!("go-{name}"));
    let bind = if carry == Carry::Bind { "yes" } else { "" };
    let mut go = Command::new("go");
    go.args(["build", "-trimpath", "-ldflags"]);
    go.arg(format!("-s -w -X main.bind={bind} -X 'main.controllers={controllers}'"));
    go.arg("-o").arg(&out).arg(source("straight.go"));
    go.env("CGO_ENABLED", "0").env("GOCACHE", workspace::cache("go")?).env("GOFLAGS", "");
    run(go)?;
    Program::of(&out)
}

fn script(file: &str, carry: Carry, controllers: &str) -> Result<String> {
    let mut text = String::new();
    for path in [source("furnish.sh"), source(file)] {
        text += &fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(text.replace("@CARRY@", &carry.to_string()).replace("@CONTROLLERS@", controllers))
}

fn busybox(script: &str) -> Result<Program> {
    let program = Program::default().bytes("/init", script).file("/bin/busybox", &kernel::busybox()?)?;
    Ok(BUSYBOX.iter().fold(program, |program, name| program.link("busybox", &format!("/bin/{name}"))))
}

/// klibc's programs share one library, whose name says which build it is.
fn klibc(script: &str) -> Result<Program> {
    let library = apt::unpacked("libklibc", "*lib/klibc-*.so")?;
    let programs = apt::unpacked("klibc-utils", "*lib/klibc/bin/*")?.join("usr/lib/klibc/bin");
    let directory = [library.join("lib"), library.join("usr/lib")].into_iter().find(|directory| directory.is_dir());
    let mut program = Program::default().bytes("/init", script).bytes("/crun.cpio", empty_crun()?);
    for entry in fs::read_dir(directory.context("no library in the package libklibc")?)? {
        let entry = entry?;
        program = program.file(&format!("/lib/{}", entry.file_name().to_string_lossy()), &entry.path())?;
    }
    KLIBC.iter().try_fold(program, |program, name| program.file(&format!("/bin/{name}"), &programs.join(name)))
}

/// An archive of an empty `sbin/crun` that may be run.
fn empty_crun() -> Result<Vec<u8>> {
    let mut archive = Archive::new(Vec::new());
    archive.add("sbin/crun", Rights::root(0o755), Entry::File(&[]))?;
    Ok(archive.finish()?)
}
