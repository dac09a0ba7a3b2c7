//! A process's standard streams: containerd's fifos on one side, vsock connections on the other.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncWriteExt, copy};
use tokio::net::UnixListener;
use tokio::net::unix::pipe::{OpenOptions, Receiver, Sender};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::guest::Guest;

/// For what a container that has ended left in its pipes.
const LIMIT: Duration = Duration::from_secs(5);

/// Paths of fifos; an empty one for no stream. For taskd: URIs.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub stdin: String,
    pub stdout: String,
    pub stderr: String,
}

/// Streams that are being copied; no longer when this is dropped.
#[derive(Default)]
pub struct Streams {
    outputs: JoinSet<()>,
    input: JoinSet<()>,
    /// What is to come, with its fifo.
    pending: Option<(String, Call)>,
    /// While there is a writer, the container's stdin has no end: clients come and go.
    stdin: Option<Sender>,
    is_closed: bool,
    /// For a word of our own, and to keep the reader until then.
    stderr: Option<Sender>,
}

impl Streams {
    /// What taskd is to be told.
    pub fn open(names: &Names, guest: &Guest) -> Result<(Names, Streams)> {
        let mut streams = Streams::default();
        let mut uris = Names::default();
        if !names.stdin.is_empty() {
            let call;
            (uris.stdin, call) = Call::of(guest)?;
            streams.pending = Some((fifo(&names.stdin)?.to_string(), call));
        }
        for (name, uri) in [(&names.stdout, &mut uris.stdout), (&names.stderr, &mut uris.stderr)] {
            if !name.is_empty() {
                let call;
                (*uri, call) = Call::of(guest)?;
                streams.outputs.spawn(call.take(writer(name)?));
            }
        }
        if !names.stderr.is_empty() {
            streams.stderr = Some(writer(&names.stderr)?);
        }
        Ok((uris, streams))
    }

    /// With the process's start. Before, ctr may come to its stdin's end and not yet know whom to tell: its process
    /// would wait for more.
    pub fn begin_stdin(&mut self) -> Result<()> {
        let Some((path, call)) = self.pending.take() else { return Ok(()) };
        let fifo = OpenOptions::new().open_receiver(&path).with_context(|| path.clone())?;
        if !self.is_closed {
            self.stdin = Some(writer(&path)?);
        }
        self.input.spawn(call.bring(fifo));
        Ok(())
    }

    /// Stdin ends when all who write have ended.
    pub fn close_stdin(&mut self) {
        self.is_closed = true;
        self.stdin = None;
    }

    /// The process has ended, and with it its streams: with a last word where there is one.
    pub async fn finish(&mut self, word: Option<String>) {
        if timeout(LIMIT, async { while self.outputs.join_next().await.is_some() {} }).await.is_err() {
            log::warn!("a stream of a process that has ended has no end: it is given up");
            self.outputs.abort_all();
        }
        self.input.abort_all();
        self.stdin = None;
        let Some(mut stderr) = self.stderr.take() else { return };
        let Some(word) = word else { return };
        // A fifo without a reader may be full.
        let written = timeout(LIMIT, stderr.write_all(format!("{word}\n").as_bytes())).await;
        log::info!("told on stderr, {written:?}: {word}");
    }
}

/// Of a fifo that may have no reader now or then: a container goes on without.
fn writer(path: &str) -> Result<Sender> {
    OpenOptions::new().read_write(true).open_sender(fifo(path)?).with_context(|| path.to_string())
}

/// Other ways to log, which containerd names by URIs, are the shim's to know.
fn fifo(path: &str) -> Result<&str> {
    ensure!(path.starts_with('/'), "not supported by io.containerd.moveroot.v1: a stream other than a fifo: {path}");
    Ok(path)
}

/// A connection that taskd is to make.
struct Call {
    listener: UnixListener,
    socket: PathBuf,
}

impl Call {
    fn of(guest: &Guest) -> Result<(String, Call)> {
        let (uri, listener, socket) = guest.listen()?;
        Ok((uri, Call { listener, socket }))
    }

    async fn accept(self) -> std::io::Result<tokio::net::UnixStream> {
        let (connection, _) = self.listener.accept().await?;
        // There is no second one.
        std::fs::remove_file(&self.socket)?;
        Ok(connection)
    }

    /// From the container to the fifo.
    async fn take(self, mut fifo: Sender) {
        let taken = async { copy(&mut self.accept().await?, &mut fifo).await };
        if let Err(error) = taken.await {
            log::warn!("a stream of the container's: {error}");
        }
    }

    /// From the fifo to the container.
    async fn bring(self, mut fifo: Receiver) {
        let brought = async {
            let mut connection = self.accept().await?;
            copy(&mut fifo, &mut connection).await?;
            connection.shutdown().await
        };
        if let Err(error) = brought.await {
            log::info!("the container's stdin: {error}");
        }
    }
}
