//! The real init under a real kernel, in QEMU.

mod agents;
mod before;
mod console;
mod container;
mod containerd;
mod failures;
mod foreign;
mod images;
mod matrix;
mod memory;
mod migrate;
mod modules;
mod packed;
mod plans;
mod profile;
mod ready;
mod recipes;
mod roots;
mod shell;
mod soak;
mod spawn;
mod task;
mod timeline;
mod tried;
pub mod troubleshooting;
mod vsock;

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use agent::Report;
use anyhow::{Context, Result};
use vm::accel::{self, Choice};
use vm::demo::Parts;
use vm::initramfs::Initramfs;
use vm::qemu::{Outcome, Vm};
use vm::sandbox::fixed;

/// The limit for a guest. Without hardware support one boots in seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// What the agent has to complain of in a good boot.
const NO_PROBLEMS: [&str; 0] = [];

/// What the guests are made of, built, fetched and installed once. Whatever is missing fails each test that needs it.
pub fn parts() -> &'static Parts {
    static PARTS: OnceLock<Parts> = OnceLock::new();
    static GATHERING: Mutex<()> = Mutex::new(());
    let _alone = GATHERING.lock().unwrap_or_else(PoisonError::into_inner);
    PARTS.get_or_init(|| Parts::gather().expect("kernel, crun, busybox and QEMU are there or can be fetched"))
}

static GUESTS: RwLock<()> = RwLock::new(());

/// For a guest that others may run beside, as many as there are threads for tests.
pub fn beside_others() -> RwLockReadGuard<'static, ()> {
    GUESTS.read().unwrap_or_else(PoisonError::into_inner)
}

/// For what measures time or memory, or has something that there is one of.
fn alone() -> RwLockWriteGuard<'static, ()> {
    GUESTS.write().unwrap_or_else(PoisonError::into_inner)
}

/// Boots a guest.
fn boot(tree: &Initramfs, append: &str, init_args: &[&str]) -> Result<Outcome> {
    boot_with_disk(tree, None, append, init_args)
}

fn boot_with_disk(tree: &Initramfs, disk: Option<&Path>, append: &str, init_args: &[&str]) -> Result<Outcome> {
    let image = tempfile::Builder::new().suffix(".cpio").tempfile()?;
    tree.write(image.path())?;
    boot_image(image.path(), disk, append, init_args)
}

/// The same with an initramfs that is written already.
fn boot_image(image: &Path, disk: Option<&Path>, append: &str, init_args: &[&str]) -> Result<Outcome> {
    boot_parts(parts(), image, disk, append, init_args)
}

/// The same with these parts' kernel, for whatever processor they are.
fn boot_parts(parts: &Parts, image: &Path, disk: Option<&Path>, append: &str, init_args: &[&str]) -> Result<Outcome> {
    let _guest = beside_others();
    let vm = Vm {
        disk: disk.map(Path::to_path_buf),
        append: append.to_string(),
        init_args: init_args.iter().map(ToString::to_string).collect(),
        accel: accel::choose_for(parts.arch, Choice::Auto, &parts.kernel)?,
        timeout: LIMIT,
        ..Vm::for_arch(parts.arch, &parts.kernel, image)
    };
    vm.run()
}

/// The agent's report, or all there is to see of a boot without one.
fn report(outcome: &Outcome) -> Result<Report> {
    Report::find(&outcome.transcript).with_context(|| format!("no report of the agent: {}", outcome.evidence()))
}

/// An initramfs with the init, the agent and a plan, and nothing else.
fn small(plan: &str) -> Result<Initramfs> {
    small_of(parts(), plan)
}

fn small_of(parts: &Parts, plan: &str) -> Result<Initramfs> {
    let mut tree = Initramfs::with_console();
    tree.file("/init", &parts.init)?.file("/sbin/agent", &parts.agent)?;
    fixed::put(&mut tree, plan)?;
    Ok(tree)
}
