//! How host and guest find each other: the guest listens, or it calls the host.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Context, Result};
use containerd_shim_protos::ttrpc::asynchronous::transport::Listener;
use futures::stream::unfold;
use tokio::io::{DuplexStream, copy_bidirectional, duplex};
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_vsock::{VMADDR_CID_ANY, VMADDR_CID_HOST, VsockAddr, VsockListener, VsockStream};

/// Between two calls to a host that doesn't answer.
const PAUSE: Duration = Duration::from_millis(100);

/// What may be under way in one direction.
const BUFFER: usize = 64 << 10;

/// Waits for the host; any number of connections.
pub fn listening(port: u32) -> Result<Listener> {
    let listener = VsockListener::bind(VsockAddr::new(VMADDR_CID_ANY, port));
    Ok(listener.with_context(|| format!("cannot listen at vsock port {port}"))?.into())
}

/// Calls the host, and again whenever the connection has ended: one connection at a time.
pub fn dialling(port: u32) -> Listener {
    Listener::new(unfold(None, move |before: Option<oneshot::Receiver<Infallible>>| async move {
        if let Some(before) = before {
            // Its other half is dropped when the connection ends; nothing is ever sent.
            before.await.ok();
        }
        let (end, ended) = oneshot::channel();
        let connection = follow(call(port).await, end);
        Some((Ok(connection), Some(ended)))
    }))
}

async fn call(port: u32) -> VsockStream {
    let mut refused = false;
    loop {
        match VsockStream::connect(VsockAddr::new(VMADDR_CID_HOST, port)).await {
            Ok(stream) => return stream,
            Err(error) if !refused => eprintln!("taskd: the host's vsock port {port}: {error}; calling on"),
            Err(_) => {}
        }
        refused = true;
        sleep(PAUSE).await;
    }
}

/// Passes everything on both ways, so that the end of the connection is seen here: `end` is dropped then.
fn follow(mut stream: VsockStream, end: oneshot::Sender<Infallible>) -> DuplexStream {
    let (ours, mut inner) = duplex(BUFFER);
    tokio::spawn(async move {
        // Whether the host hung up or broke off makes no difference here.
        copy_bidirectional(&mut stream, &mut inner).await.ok();
        drop(end);
    });
    ours
}
