//! The thread that a task's VM lives in. Whatever the VM needs is started here, and so ends with this thread if not before.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use containerd_shim::protos::types::mount::Mount;
use machine::qemu::{Machine, Outcome, Vm, shared_memory};
use machine::share::Share;
use machine::task::host::accept;
use machine::task::setup::{Setup, TAG};
use machine::vsock::{DEVICE, Vsock};
use tokio::sync::oneshot;

use crate::fit::ROOTFS;
use crate::mounts;
use crate::phases::Phases;

/// For a guest that was told to power off.
const END_LIMIT: Duration = Duration::from_secs(10);

/// For the container, which may run as long as it likes.
const NO_LIMIT: Duration = Duration::from_secs(1 << 32);

/// Between two looks at what runs.
const PAUSE: Duration = Duration::from_millis(50);

/// Where vhost is the device, CIDs and the host's ports are this machine's: each VM has a CID of its own, and the ports from
/// that number on.
const PORTS: u32 = 1 << 8;
const TRIES: u32 = 16;

/// How much of the guest's console says why it failed.
const LAST_LINES: usize = 5;

pub struct Plan {
    pub setup: Setup,
    pub bundle: PathBuf,
    pub mounts: Vec<Mount>,
    pub phases: Phases,
}

/// A VM whose agent has called.
pub struct Ready {
    pub connection: UnixStream,
    pub vsock: Arc<Vsock>,
    pub process: u32,
    /// The first of the host's ports that are free.
    pub port: u32,
}

/// What is asked of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It powers off by itself; it is ended if it doesn't.
    Await,
    End,
}

/// Runs the VM to its end, and says how it ended.
pub fn run(plan: &Plan, ready: oneshot::Sender<Ready>, orders: Receiver<Order>) -> String {
    match live(plan, ready, orders) {
        Ok(ended) => ended,
        Err(error) => format!("{error:#}"),
    }
}

fn live(plan: &Plan, ready: oneshot::Sender<Ready>, orders: Receiver<Order>) -> Result<String> {
    let setup = &plan.setup;
    mounts::bring(&plan.mounts, &plan.bundle.join(ROOTFS))?;
    let mut share = Share::start(&setup.virtiofsd, &plan.bundle)?;
    let (vsock, port) = vsock(&setup.vsock_device)?;
    let calls = vsock.listen(port)?;
    let vm = vm(setup, &vsock, &share, port);
    plan.phases.note("QEMU started");
    let (outcome, worked) = vm.drive(
        |line| hear(&plan.phases, line),
        move |machine| {
            let connection = accept(&calls, machine)?;
            let (vsock, process) = (vsock.clone(), machine.process());
            // Who asked for the VM may have gone: then an order to end it has come.
            ready.send(Ready { connection, vsock, process, port: port + 1 }).ok();
            Ok(keep(machine, &mut share, &orders))
        },
    )?;
    match worked {
        Ok(Some(reason)) => bail!("{reason}"),
        Ok(None) => Ok(last_words(&outcome)),
        Err(error) => Err(error.context(last_words(&outcome))),
    }
}

fn vm(setup: &Setup, vsock: &Vsock, share: &Share, port: u32) -> Vm {
    let mut extra = vsock.words(setup.memory_mb);
    if !vsock.shares_memory() {
        extra.extend(shared_memory(setup.memory_mb));
    }
    extra.extend(share.words(TAG));
    Vm {
        init_args: vec!["--dial".to_string(), port.to_string()],
        memory_mb: setup.memory_mb,
        cpus: setup.cpus,
        accel: setup.accel,
        extra,
        timeout: NO_LIMIT,
        ..Vm::new(&setup.kernel, &setup.initramfs)
    }
}

/// A device with a CID that no other guest of this machine has, and the port of the host's that its number is.
fn vsock(program: &Path) -> Result<(Arc<Vsock>, u32)> {
    let mut number = std::process::id();
    for _ in 0..TRIES {
        let cid = (number % (u32::MAX / PORTS) + 1).saturating_mul(PORTS);
        match Vsock::start_with(Path::new(DEVICE), || Ok(program.to_path_buf()), cid) {
            Ok(vsock) => return Ok((Arc::new(vsock), cid)),
            Err(error) => log::warn!("CID {cid}: {error:#}"),
        }
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    }
    bail!("no vsock device in {TRIES} attempts: the log has the reasons")
}

fn hear(phases: &Phases, line: &str) {
    log::info!("console: {line}");
    if line.starts_with("taskd: ") {
        phases.note(line);
    }
}

/// Until the VM is told to end, or ends, or can't go on: why not.
fn keep(machine: &Machine, share: &mut Share, orders: &Receiver<Order>) -> Option<String> {
    let mut deadline = None;
    while !machine.has_ended() {
        match orders.recv_timeout(PAUSE) {
            Ok(Order::Await) => deadline = Some(Instant::now() + END_LIMIT),
            Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => machine.end(),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            machine.end();
        }
        // With QEMU it ends by itself.
        if share.has_ended() && deadline.is_none() && !machine.has_ended() {
            machine.end();
            return Some(format!("virtiofsd ended: {}", share.log().trim()));
        }
    }
    None
}

/// How it ended, and the end of what it said.
fn last_words(outcome: &Outcome) -> String {
    let lines: Vec<&str> = outcome.transcript.lines().rev().take(LAST_LINES).collect();
    let lines: Vec<&str> = lines.into_iter().rev().collect();
    format!("{}; its last lines: {}", outcome.ending(), lines.join(" | "))
}
