//! A vsock device that is a program of its own, vhost-device-vsock, which QEMU reaches by the vhost-user protocol. It needs
//! no right of root and no /dev/vhost-vsock, and the guest's CID is nobody else's business.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cleanup::{self, Cleanup};
use crate::qemu::shared_memory;
use sources::cargo_program;

const PROGRAM: (&str, &str) = ("vhost-device-vsock", "0.3.0");

/// For the device to be there.
const LIMIT: Duration = Duration::from_secs(20);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// The device's program, which cargo builds at need.
pub fn program() -> Result<PathBuf> {
    cargo_program::installed(PROGRAM.0, PROGRAM.1, &[])
}

/// A device that runs; it ends when this is dropped.
pub struct UserDevice {
    program: Child,
    directory: PathBuf,
    _cleanup: Cleanup,
}

impl UserDevice {
    /// Starts the device's program: its sockets are in this directory.
    pub fn start(program: &Path, directory: &Path, cid: u32) -> Result<Self> {
        let mut command = Command::new(program);
        cleanup::tie(&mut command);
        command.args(["--guest-cid", &cid.to_string(), "--socket"]).arg(directory.join("device"));
        command.arg("--uds-path").arg(directory.join("vsock"));
        let log = fs::File::create(directory.join("log")).context("no file for the device's log")?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let program = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let cleanup = Cleanup::of_process(program.id());
        let mut device = UserDevice { program, directory: directory.to_path_buf(), _cleanup: cleanup };
        device.wait_for_it()?;
        Ok(device)
    }

    /// QEMU's words for it. The device works on the guest's memory, so that is shared.
    pub fn words(&self, memory_mb: u32) -> Vec<String> {
        let device = format!("socket,id=vsock,path={}", self.socket().display());
        let words = ["-chardev", &device, "-device", "vhost-user-vsock-device,chardev=vsock"];
        shared_memory(memory_mb).into_iter().chain(words.map(String::from)).collect()
    }

    /// What it had to complain of.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Ends it under the guest's feet.
    pub fn break_off(&self) -> Result<()> {
        kill(Pid::from_raw(self.program.id() as i32), Signal::SIGKILL).context("cannot end the vsock device")
    }

    fn socket(&self) -> PathBuf {
        self.directory.join("device")
    }

    fn wait_for_it(&mut self) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        while !self.socket().exists() {
            let ended = self.program.try_wait().context("cannot look at the vsock device")?;
            if ended.is_some() || Instant::now() > deadline {
                bail!("{} did not start: {}", PROGRAM.0, self.log().trim());
            }
            sleep(PAUSE);
        }
        Ok(())
    }
}

impl Drop for UserDevice {
    fn drop(&mut self) {
        // It may have ended with QEMU.
        self.program.kill().ok();
        self.program.wait().ok();
    }
}
