//! A vsock device for a guest, and the host's end of it: a folder of Unix sockets.
//!
//! The device is a program of its own, vhost-device-vsock, which QEMU reaches by the vhost-user protocol. It needs no
//! right of root and no /dev/vhost-vsock, and the guest's CID is nobody else's business. On the host it is what
//! Firecracker and Cloud Hypervisor have: a guest's call of port P arrives at the socket `vsock_P`; who connects to
//! `vsock` and writes `CONNECT P\n` is answered `OK …\n` and then talks to the guest's port P.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::cargo_program;
use crate::leavings::Leavings;
use crate::modules::{Module, Modules};

const PROGRAM: (&str, &str) = ("vhost-device-vsock", "0.3.0");

/// The first CID that is a guest's to have, vsock(7).
pub const FIRST_CID: u32 = 3;

/// For the device to be there.
const LIMIT: Duration = Duration::from_secs(20);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// What vsock needs of a kernel that has it as modules; a microvm's devices are of the kind mmio.
const MODULES: [&str; 2] = ["virtio_mmio", "vmw_vsock_virtio_transport"];

/// What a kernel needs for vsock, from the folder of its modules; nothing where it has none: then it is built in.
pub fn modules(folder: Option<&Path>) -> Result<Vec<Module>> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    Modules::of(folder)?.needed(&MODULES.map(String::from))
}

/// A device that runs; it ends, and its folder goes, when this is dropped.
pub struct Vsock {
    device: Child,
    folder: TempDir,
    _leavings: [Leavings; 2],
}

impl Vsock {
    /// Builds the device's program at need and starts it.
    pub fn start(cid: u32) -> Result<Self> {
        let program = cargo_program::installed(PROGRAM.0, PROGRAM.1)?;
        // Not in the cache: a Unix socket's path has 107 bytes at most.
        let folder = tempfile::Builder::new().prefix("moveroot-vsock-").tempdir().context("no folder for sockets")?;
        let mut command = Command::new(&program);
        command.args(["--guest-cid", &cid.to_string(), "--socket"]).arg(folder.path().join("device"));
        command.arg("--uds-path").arg(folder.path().join("vsock"));
        let log = fs::File::create(folder.path().join("log")).context("no file for the device's log")?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let device = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let leavings = [Leavings::of_process(device.id()), Leavings::of_path(folder.path())];
        let mut vsock = Vsock { device, folder, _leavings: leavings };
        vsock.wait_for_device()?;
        Ok(vsock)
    }

    /// QEMU's words for it. The device works on the guest's memory, so that is shared.
    pub fn words(&self, memory_mb: u32) -> Vec<String> {
        let memory = format!("memory-backend-memfd,id=memory,share=on,size={memory_mb}M");
        let device = format!("socket,id=vsock,path={}", self.device().display());
        let words = ["-machine", "memory-backend=memory", "-object", &memory, "-chardev", &device];
        words.into_iter().chain(["-device", "vhost-user-vsock-device,chardev=vsock"]).map(String::from).collect()
    }

    fn device(&self) -> PathBuf {
        self.folder.path().join("device")
    }

    /// Where the host's sockets are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the device had to complain of.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Takes the guest's calls of a port.
    pub fn listen(&self, port: u32) -> Result<UnixListener> {
        let path = self.folder.path().join(format!("vsock_{port}"));
        UnixListener::bind(&path).with_context(|| format!("cannot listen at {}", path.display()))
    }

    /// Calls the guest at a port; one attempt. Before the guest listens there, it fails.
    pub fn call(&self, port: u32, limit: Duration) -> Result<UnixStream> {
        let path = self.folder.path().join("vsock");
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
        kill(Pid::from_raw(self.device.id() as i32), Signal::SIGKILL).context("cannot end the vsock device")
    }

    fn wait_for_device(&mut self) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        while !self.device().exists() {
            let ended = self.device.try_wait().context("cannot look at the vsock device")?;
            if ended.is_some() || Instant::now() > deadline {
                bail!("{} did not start: {}", PROGRAM.0, self.log().trim());
            }
            sleep(PAUSE);
        }
        Ok(())
    }
}

impl Drop for Vsock {
    fn drop(&mut self) {
        // It may have ended with QEMU.
        self.device.kill().ok();
        self.device.wait().ok();
    }
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
