//! A task's VM as the service sees it: taskd's calls, ports for streams, and the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use containerd_shim::api::ShutdownRequest;
use containerd_shim::protos::shim_async::{Client, TaskClient};
use containerd_shim::protos::ttrpc::asynchronous::transport::Socket;
use containerd_shim::protos::ttrpc::context::{self, with_duration};
use machine::vsock::Vsock;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};

use crate::machinery::{self, Order, Plan};

/// For the answer to Shutdown.
const LIMIT: Duration = Duration::from_secs(5);

pub struct Guest {
    /// taskd.
    pub task: TaskClient,
    /// QEMU's, on this machine: what containerd has for the task's pid.
    pub process: u32,
    vsock: Arc<Vsock>,
    next_port: AtomicU32,
    orders: Sender<Order>,
    /// How it ended.
    ended: watch::Receiver<Option<String>>,
}

impl Guest {
    /// Boots a VM and waits until its agent has called.
    pub async fn boot(plan: Plan) -> Result<Guest> {
        let (ready, is_ready) = oneshot::channel();
        let (orders, ordered) = channel();
        let (end, mut ended) = watch::channel(None);
        thread::spawn(move || {
            let how = machinery::run(&plan, ready, ordered);
            log::info!("the VM ended: {how}");
            end.send_replace(Some(how))
        });
        let Ok(ready) = is_ready.await else {
            let how = ended.wait_for(Option::is_some).await.context("the VM's thread panicked")?;
            return Err(anyhow!("the VM did not come up: {}", how.as_deref().unwrap_or_default()));
        };
        ready.connection.set_nonblocking(true)?;
        let connection = UnixStream::from_std(ready.connection)?;
        let task = TaskClient::new(Client::new(Socket::from(connection)));
        let next_port = AtomicU32::new(ready.port);
        Ok(Guest { task, process: ready.process, vsock: ready.vsock, next_port, orders, ended })
    }

    /// A port that the guest is to call once: its URI, the listener, and the file that is removed when it has.
    pub fn listen(&self) -> Result<(String, UnixListener, PathBuf)> {
        let port = self.next_port.fetch_add(1, Ordering::Relaxed);
        let listener = self.vsock.listen(port)?;
        listener.set_nonblocking(true)?;
        let path: &Path = self.vsock.directory();
        Ok((format!("vsock://2:{port}"), UnixListener::from_std(listener)?, path.join(format!("vsock_{port}"))))
    }

    pub fn has_ended(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// Powers it off. What the container wrote has been synced then.
    pub async fn power_off(&self) {
        let request = ShutdownRequest { now: true, ..Default::default() };
        let order = match self.task.shutdown(with_duration(LIMIT), &request).await {
            Ok(_) => Order::Await,
            Err(_) => Order::End,
        };
        self.end(order).await;
    }

    /// A VM that has lost its agent: why.
    pub async fn lose(&self) -> String {
        self.end(Order::End).await;
        self.has_ended().unwrap_or_else(|| "its thread panicked".to_string())
    }

    async fn end(&self, order: Order) {
        // One that has ended takes no orders.
        self.orders.send(order).ok();
        self.ended.clone().wait_for(Option::is_some).await.ok();
    }
}

/// Of calls without a limit.
pub fn no_limit() -> context::Context {
    context::Context::default()
}
