//! A container's stream as it arrives at the host: one vsock port, one connection, bytes up to its end.

use std::io::{ErrorKind, Read};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

/// Between two looks for the connection.
const PAUSE: Duration = Duration::from_millis(5);

/// Takes the stream in a thread of its own, so that the container never waits for its reader.
pub struct Output {
    reader: Option<JoinHandle<Result<String>>>,
    given_up: Arc<AtomicBool>,
}

impl Output {
    /// All that comes over the first connection.
    pub fn of(listener: UnixListener) -> Result<Self> {
        listener.set_nonblocking(true).context("cannot prepare a stream's socket")?;
        let given_up = Arc::new(AtomicBool::new(false));
        let reader = thread::spawn({
            let given_up = given_up.clone();
            move || read(&listener, &given_up)
        });
        Ok(Output { reader: Some(reader), given_up })
    }

    /// The whole text: to be asked for when the container has ended.
    pub fn text(mut self) -> Result<String> {
        let reader = self.reader.take().context("the stream was read before")?;
        reader.join().map_err(|_| anyhow!("the stream's reader panicked"))?
    }
}

impl Drop for Output {
    /// A container that was never made calls nobody: its reader is not to wait on.
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

fn read(listener: &UnixListener, given_up: &AtomicBool) -> Result<String> {
    let mut stream: UnixStream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock && !given_up.load(Ordering::Relaxed) => sleep(PAUSE),
            Err(error) => return Err(error).context("no stream came"),
        }
    };
    stream.set_nonblocking(false).context("cannot prepare a stream")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).context("a container's stream broke off")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
