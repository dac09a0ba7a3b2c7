//! A vsock device for a guest, and the host's end of it: a directory of Unix sockets.
//!
//! Where this machine's kernel serves vsock (vhost), it is the device, and a bridge of ours makes the directory of it. Elsewhere
//! the device is a program, by vhost-user. On the host both are what Firecracker and Cloud Hypervisor have: a guest's
//! call of port P arrives at the socket `vsock_P`; who connects to `vsock` and writes `CONNECT P\n` is answered `OK …\n` and
//! then talks to the guest's port P.

mod driver;
pub mod user;

use std::fmt;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
pub use vsock_bridge::vhost::DEVICE;
use vsock_bridge::vhost::{self, Answer};
use vsock_bridge::{Bridge, HOST_CID, cids};

use crate::cleanup::Cleanup;
use tool::modules::{Module, Modules};
use user::UserDevice;

/// The first CID that is a guest's to have, vsock(7).
pub const FIRST_CID: u32 = 3;

/// What vsock needs of a kernel that has it as modules; a microvm's devices are of the kind mmio.
pub const MODULES: [&str; 2] = ["virtio_mmio", "vmw_vsock_virtio_transport"];

/// What a kernel needs for vsock, from the directory of its modules; nothing where it has none: then it is built in.
pub fn modules(directory: Option<&Path>) -> Result<Vec<Module>> {
    let Some(directory) = directory else { return Ok(Vec::new()) };
    Modules::of(directory)?.needed(&MODULES.map(String::from))
}

/// Who moves the bytes.
enum Device {
    /// This machine's kernel, with a bridge to the directory.
    Vhost { bridge: Bridge, cid: u32, said: Arc<Mutex<String>> },
    /// A program, and why it is not the kernel.
    User(UserDevice, String),
}

/// A device that runs; it ends, and its directory goes, when this is dropped.
pub struct Vsock {
    // Before its directory.
    device: Device,
    directory: TempDir,
    _cleanup: Cleanup,
}

impl Vsock {
    /// By the kernel where it serves this CID, else by a program that cargo builds at need.
    pub fn start(cid: u32) -> Result<Self> {
        Vsock::start_by(Path::new(DEVICE), cid)
    }

    /// The same with another file than /dev/vhost-vsock.
    pub fn start_by(vhost: &Path, cid: u32) -> Result<Self> {
        Vsock::start_with(vhost, user::program, cid)
    }

    /// The same with that program, where it is the device.
    pub fn start_with(vhost: &Path, program: impl FnOnce() -> Result<PathBuf>, cid: u32) -> Result<Self> {
        // Not in the cache: a Unix socket's path has 107 bytes at most.
        let directory =
            tempfile::Builder::new().prefix("moveroot-vsock-").tempdir().context("no directory for sockets")?;
        let cleanup = Cleanup::of_path(directory.path());
        let device = match vhost::ask(vhost, cid) {
            // It is given back here, for QEMU to take.
            Answer::Serves(_) => bridged(directory.path(), cid)?,
            Answer::Taken => {
                bail!("another guest of this machine has the vsock CID {cid}: name a free one by --vsock CID")
            }
            Answer::Missing(why) => {
                Device::User(UserDevice::start(&program()?, directory.path(), cid)?, format!("{why:#}"))
            }
        };
        Ok(Vsock { device, directory, _cleanup: cleanup })
    }

    /// QEMU's words for it.
    pub fn words(&self, memory_mb: u32) -> Vec<String> {
        match &self.device {
            Device::Vhost { cid, .. } => vhost_words(*cid),
            Device::User(device, _) => device.words(memory_mb),
        }
    }

    /// Whether the guest's memory must be shared for it.
    pub fn shares_memory(&self) -> bool {
        matches!(self.device, Device::User(..))
    }

    /// QEMU's words by which [`Vsock::driver_is_up`] can ask it.
    pub fn monitor_words(&self) -> [String; 2] {
        driver::words(&self.directory.path().join("monitor"))
    }

    /// Whether the guest's driver is up: before, it is better not called.
    pub fn driver_is_up(&self) -> Result<bool> {
        driver::is_up(&self.directory.path().join("monitor"))
    }

    /// Where the host's sockets are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What the device had to complain of.
    pub fn log(&self) -> String {
        match &self.device {
            Device::Vhost { said, .. } => said.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            Device::User(device, _) => device.log(),
        }
    }

    /// Takes the guest's calls of a port.
    pub fn listen(&self, port: u32) -> Result<UnixListener> {
        let path = self.directory.path().join(format!("vsock_{port}"));
        if let Device::Vhost { bridge, .. } = &self.device {
            bridge.open_port(port).with_context(|| format!("cannot listen at this machine's vsock port {port}"))?;
        }
        UnixListener::bind(&path).with_context(|| format!("cannot listen at {}", path.display()))
    }

    /// Calls the guest at a port; one attempt. Before the guest listens there, it fails.
    pub fn call(&self, port: u32, limit: Duration) -> Result<UnixStream> {
        let path = self.directory.path().join("vsock");
        let mut stream = UnixStream::connect(&path).with_context(|| format!("cannot connect to {}", path.display()))?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(format!("CONNECT {port}\n").as_bytes()).context("cannot write to the vsock device")?;
        let answer = line(&mut stream).with_context(|| format!("no answer from the guest's vsock port {port}"))?;
        ensure!(answer.starts_with("OK "), "the guest's vsock port {port}: {answer}");
        stream.set_read_timeout(None)?;
        Ok(stream)
    }

    /// Ends the device under the guest's feet, for tests of what happens then.
    pub fn break_off(&self) -> Result<()> {
        match &self.device {
            Device::Vhost { bridge, .. } => bridge.end(),
            Device::User(device, _) => device.break_off()?,
        }
        Ok(())
    }
}

/// By which device, and why.
impl fmt::Display for Vsock {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match &self.device {
            Device::Vhost { .. } => out.write_str("vhost"),
            Device::User(_, why) => write!(out, "vhost-user ({why})"),
        }
    }
}

/// QEMU's words for a device that the kernel serves.
pub fn vhost_words(cid: u32) -> Vec<String> {
    vec!["-device".to_string(), format!("vhost-vsock-device,guest-cid={cid}")]
}

fn bridged(directory: &Path, cid: u32) -> Result<Device> {
    let said = Arc::new(Mutex::new(String::new()));
    let tell = {
        let said = Arc::clone(&said);
        move |text: &str| {
            eprintln!("vm: {text}");
            said.lock().unwrap_or_else(PoisonError::into_inner).push_str(&format!("{text}\n"));
        }
    };
    let bridge =
        Bridge::open(directory, cids(cid, HOST_CID), tell).context("cannot open a bridge to the guest's vsock")?;
    Ok(Device::Vhost { bridge, cid, said })
}

/// Byte by byte: what follows the line is not ours.
fn line(stream: &mut UnixStream) -> Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte)?;
        if byte[0] == b'\n' {
            return Ok(String::from_utf8_lossy(&line).into_owned());
        }
        line.push(byte[0]);
    }
}
