//! Guests of the other processors, under TCG: the container and what its agent finds before, and plans that fail.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use vm::arch::{AARCH64, Arch, RISCV64};
use vm::bundle::Bundle;
use vm::demo::{Parts, demo_plan};

use super::container::assert_container_ran;
use super::{beside_others, boot_parts, failures, report};

/// After `--`.
const WORDS: [&str; 2] = ["--vsock-port=1024", "word"];

/// What the guests of a processor are made of, fetched and built once.
fn parts(arch: &'static Arch, once: &'static OnceLock<Parts>) -> &'static Parts {
    once.get_or_init(|| {
        let parts = Parts::gather_for(arch, None, None, None);
        parts.unwrap_or_else(|error| panic!("no guest for {arch}: {error:#}"))
    })
}

fn aarch64() -> &'static Parts {
    static PARTS: OnceLock<Parts> = OnceLock::new();
    parts(&AARCH64, &PARTS)
}

fn riscv64() -> &'static Parts {
    static PARTS: OnceLock<Parts> = OnceLock::new();
    parts(&RISCV64, &PARTS)
}

/// Boots the demo: the agent looks at all that it was promised, then crun pivots.
fn container_runs(parts: &Parts) -> Result<()> {
    let image = tempfile::Builder::new().suffix(".cpio").tempfile()?;
    parts.initramfs(Some(&demo_plan()), &Bundle::default())?.write(image.path())?;
    let outcome = boot_parts(parts, image.path(), None, "", &WORDS)?;
    let report = report(&outcome)?;
    let evidence = outcome.evidence();
    assert_container_ran(&outcome, &report);
    assert!(!outcome.transcript.contains("moveroot: "), "a warning: {evidence}");
    assert_eq!((&report.argv[0], &report.argv[1..]), (&"/sbin/agent".to_string(), WORDS.map(String::from).as_slice()));
    assert_eq!(report.environment[..2], ["HOME=/", "TERM=linux"], "{evidence}");
    assert_eq!((report.cwd.as_str(), report.umask), ("/", 0o022), "{evidence}");
    let devices: Vec<_> = report.descriptors.iter().map(|open| (open.number, open.device)).collect();
    assert_eq!(devices, [0, 1, 2].map(|number| (number, Some((5, 1)))), "{evidence}");
    let crun = report.file("/sbin/crun").context("crun is not in the new root")?;
    let original = std::fs::read(&parts.crun)?;
    assert_eq!((crun.mode, crun.size, &crun.sha256), (0o755, original.len() as u64, &Some(agent::sha256(&original))));
    let container = report.container.context("no container")?;
    assert!(container.output.contains(&format!(", {}\n", parts.arch)), "{}", container.output);
    assert!(container.output.contains("memory limit 67108864, pids limit 32"), "{}", container.output);
    Ok(())
}

#[test]
fn a_container_runs_on_aarch64() -> Result<()> {
    container_runs(aarch64())
}

#[test]
fn a_container_runs_on_riscv64() -> Result<()> {
    container_runs(riscv64())
}

#[test]
fn failing_plans_are_told_on_aarch64() -> Result<()> {
    failures::are_seen(aarch64())
}

#[test]
fn failing_plans_are_told_on_riscv64() -> Result<()> {
    failures::are_seen(riscv64())
}

/// `cargo vm boot`, which exits 0; the line that it ends with is printed.
fn assert_booted(words: &[&OsStr], last: &str) -> Result<()> {
    let _guest = beside_others();
    let output = Command::new(env!("CARGO_BIN_EXE_vm")).args(["boot", "--arch", "aarch64"]).args(words).output()?;
    let [said, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(said.contains(last), "{said}{errors}");
    Ok(())
}

/// Over vsock, by modules of that processor's kernel.
#[test]
fn the_task_api_works_on_aarch64() -> Result<()> {
    aarch64();
    assert_booted(&["--task".as_ref()], "container exited 42, by the Task API\n")
}

/// An Image, which doesn't tell its version as a bzImage does.
#[test]
fn a_kernel_of_ones_own_is_booted_on_aarch64() -> Result<()> {
    let kernel = aarch64().kernel.as_os_str();
    assert_booted(&["--kernel".as_ref(), kernel], "container exited 42, with pivot_root\n")
}
