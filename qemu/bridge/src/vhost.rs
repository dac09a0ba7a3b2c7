//! Whether the host's kernel serves a guest's vsock: found out by asking it for a CID.

use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::ioctl::{Setter, ioctl, opcode};

pub const DEVICE: &str = "/dev/vhost-vsock";

/// `VHOST_VIRTIO` and `VHOST_VSOCK_SET_GUEST_CID`: include/uapi/linux/vhost.h.
const GROUP: u8 = 0xaf;
const SET_GUEST_CID: u8 = 0x60;

/// What the kernel answers.
#[derive(Debug)]
pub enum Answer {
    /// It does; the CID is taken as long as the descriptor is open.
    Serves(OwnedFd),
    /// It does, but another guest of this machine has that CID.
    Taken,
    /// It does not, and why.
    Missing(anyhow::Error),
}

/// Asks it for a CID. That the device's file is there says little: its module may be missing, or it is not ours to use.
pub fn ask(device: &Path, cid: u32) -> Answer {
    match asked(device, cid) {
        Ok(answer) => answer,
        Err(error) => Answer::Missing(error),
    }
}

fn asked(device: &Path, cid: u32) -> Result<Answer> {
    let file = OpenOptions::new().read(true).write(true).open(device);
    let file = file.with_context(|| format!("cannot open {}", device.display()))?;
    // SAFETY: the kernel reads a u64 by this ioctl, and writes nothing.
    let set = unsafe { ioctl(&file, Setter::<{ opcode::write::<u64>(GROUP, SET_GUEST_CID) }, u64>::new(cid.into())) };
    match set {
        Ok(()) => Ok(Answer::Serves(file.into())),
        // vhost_vsock_set_cid in drivers/vhost/vsock.c.
        Err(Errno::ADDRINUSE) => Ok(Answer::Taken),
        Err(error) => Err(error).with_context(|| format!("{} takes no CID", device.display())),
    }
}
