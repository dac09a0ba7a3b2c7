//! containerd-shim-moveroot-v1: for each of containerd's tasks a VM of its own under QEMU, booted by moveroot, with taskd
//! for an agent. An example and a proof, no product: docs/containerd.md.
//!
//! containerd runs it three times: as `start` it starts itself again as a server and answers with the server's socket; the
//! server takes the task's calls and passes them on to taskd; as `delete` it clears up after a server that was killed.
//!
//! Floors: what containerd calls (`lifecycle`, `service`); the task with its processes and their streams (`task`, `process`,
//! `streams`); the VM (`guest`, `machinery`, `mounts`); what a VM can't give a container (`fit`); what is noted and told (`events`,
//! `phases`, `refusal`).

mod events;
mod fit;
mod guest;
mod lifecycle;
mod machinery;
mod mounts;
mod phases;
mod process;
mod refusal;
mod service;
mod streams;
mod task;

use containerd_shim::Config;
use containerd_shim::asynchronous::run;

use lifecycle::Lifecycle;

#[tokio::main]
async fn main() {
    // A server's standard error is /dev/null.
    std::panic::set_hook(Box::new(|panic| log::error!("{panic}")));
    // Who started QEMU and the others waits for them; a reaper would be quicker.
    let config = Config { no_reaper: true, no_sub_reaper: true, ..Config::default() };
    run::<Lifecycle>("io.containerd.moveroot.v1", Some(config)).await;
}
