//! taskd: a containerd agent in a few hundred lines, for tests and to begin your own with.
//!
//! It serves `containerd.task.v3.Task` over ttrpc on vsock, keeps containers with crun, and does PID 1's duty: it
//! collects every process that ends. One word says how host and guest find each other:
//!
//! | words | does | as |
//! |---|---|---|
//! | `--listen PORT` | waits for the host at that vsock port | kata-agent, firecracker-containerd |
//! | `--dial PORT` | calls the host (CID 2) at that port and serves on the connection | nerdbox |
//!
//! On entry: PID 1, `/dev`, `/proc`, `/sys`, `/sys/fs/cgroup` and a writable `/run` are mounted, `/sbin/crun` is
//! there, and the kernel has vsock (`module` lines of the plan bring it where it is no part of the kernel).

mod boot;
mod connection;
mod crun;
mod exits;
mod process;
mod refusal;
mod service;
mod stats;
mod stream;
mod tasks;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use containerd_shim_protos::shim_async::create_task;
use containerd_shim_protos::ttrpc::asynchronous::Server;
use containerd_shim_protos::ttrpc::asynchronous::transport::Listener;
use tokio::signal::unix::{SignalKind, signal};

use crate::exits::Exits;
use crate::service::Service;

/// One thread: all it does is wait.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Err(error) = run().await;
    eprintln!("taskd: {error:#}");
    ExitCode::FAILURE
}

/// Serves until the host shuts it down, which ends the machine; it returns on an error only.
async fn run() -> Result<std::convert::Infallible> {
    let time_of_init = boot::time_of_init();
    crun::prepare()?;
    let mut ended = signal(SignalKind::child()).context("cannot learn of ended processes")?;
    let exits = Arc::new(Exits::default());
    let service = create_task(Arc::new(Service::new(exits.clone())));
    let mut server = Server::new().add_listener(listener()?).register_service(service);
    server.start().await.context("cannot serve")?;
    println!("taskd: serving");
    match time_of_init {
        Ok(time) => println!("taskd: init took {} us", time.as_micros()),
        Err(error) => eprintln!("taskd: how long init took is not known: {error:#}"),
    }
    loop {
        ended.recv().await;
        exits.collect();
    }
}

fn listener() -> Result<Listener> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [style, port] = words.as_slice() else { bail!("call it with --listen PORT or with --dial PORT") };
    let port: u32 = port.parse().with_context(|| format!("{port} is no vsock port"))?;
    match style.as_str() {
        "--listen" => connection::listening(port),
        "--dial" => Ok(connection::dialling(port)),
        _ => bail!("call it with --listen PORT or with --dial PORT, not with {style}"),
    }
}
