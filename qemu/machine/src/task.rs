//! A guest whose agent serves containerd's Task API, and a host that drives it over vsock as a containerd shim does.

pub mod bundles;
pub mod client;
pub mod host;
mod output;
pub mod setup;

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use tempfile::NamedTempFile;

use crate::cleanup::Cleanup;
use crate::qemu::{Outcome, Vm};
use crate::vsock::{FIRST_CID, Vsock};
use host::Host;
use sources::workspace;
use tool::initramfs::Initramfs;

/// Of the Task API, whoever listens there.
pub const PORT: u32 = 1024;

/// What taskd says on the console when it listens. A call that is made before, while the guest's driver is still coming up,
/// may stay without an answer for good.
const SERVING: &str = "taskd: serving";

/// How long the host waits for that.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who calls whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Style {
    /// The agent calls the host, as nerdbox's does
    Dial,
    /// The agent waits for the host, as those of kata and firecracker-containerd do
    Listen,
}

impl Style {
    /// taskd's words for it.
    pub fn words(self) -> Vec<String> {
        let style = match self {
            Style::Dial => "--dial",
            Style::Listen => "--listen",
        };
        vec![style.to_string(), PORT.to_string()]
    }
}

/// A machine whose agent serves the Task API.
pub struct TaskVm {
    pub vm: Vm,
    pub cid: u32,
    style: Style,
    image: NamedTempFile,
    _cleanup: Cleanup,
}

impl TaskVm {
    /// The initramfs has an agent that understands the style's words, and a plan that loads what vsock needs.
    pub fn new(kernel: &Path, initramfs: &Initramfs, style: Style) -> Result<Self> {
        let image = tempfile::Builder::new().suffix(".cpio").tempfile_in(workspace::cache("images")?)?;
        let cleanup = Cleanup::of_path(image.path());
        initramfs.write(image.path())?;
        let vm = Vm { init_args: style.words(), ..Vm::new(kernel, image.path()) };
        Ok(TaskVm { vm, cid: FIRST_CID, style, image, _cleanup: cleanup })
    }

    /// Where its initramfs lies, as long as the guest is there.
    pub fn image(&self) -> &Path {
        self.image.path()
    }

    /// Boots it, and lets `work` drive its agent. Work that is done must have shut it down.
    pub fn run<T: Send>(
        &self,
        mut line: impl FnMut(&str),
        work: impl FnOnce(Host) -> Result<T> + Send,
    ) -> Result<(Outcome, Result<T>)> {
        let vsock = Vsock::start(self.cid)?;
        let calls = host::calls(&vsock, self.style)?;
        let vm = Vm { extra: vsock.words(self.vm.memory_mb), ..self.vm.clone() };
        let (serving, is_serving) = channel();
        let watch = |text: &str| {
            if text.contains(SERVING) {
                // Nobody waits for it any more where the work has ended.
                serving.send(()).ok();
            }
            line(text);
        };
        let (vsock_device, calls) = (&vsock, calls.as_ref());
        let (outcome, worked) = vm.drive(watch, move |machine| {
            if calls.is_none() {
                // An agent that is not taskd may say nothing; then it is called without.
                let _ = is_serving.recv_timeout(PATIENCE);
            }
            work(Host::meet(machine, vsock_device, calls)?)
        })?;
        let worked = worked.map_err(|error| match vsock.log().trim() {
            "" => error,
            log => error.context(format!("the vsock device says: {log}")),
        });
        Ok((outcome, worked))
    }
}
