//! A container's standard streams, from and to where the Task API's `stdin`, `stdout` and `stderr` say:
//!
//! | URI | the stream is |
//! |---|---|
//! | (none) | `/dev/null` |
//! | `vsock://2:PORT` | the host's vsock port, on a connection of its own: bytes as they come, then the end |
//! | `/path` | a file or fifo of the guest: read from its start, written at its end |

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, PipeReader, PipeWriter, pipe};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncWriteExt, copy};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::timeout;
use tokio_vsock::{VsockAddr, VsockStream};

use crate::process::Destinations;

/// For the host to take a stream's connection.
const LIMIT: Duration = Duration::from_secs(10);

/// What a process gets as its descriptors 0, 1 and 2.
pub struct Streams {
    pub input: Stdio,
    pub out: Stdio,
    pub err: Stdio,
}

impl Streams {
    pub async fn open(to: &Destinations) -> Result<Self> {
        let (input, out, err) = (&to.stdin, &to.stdout, &to.stderr);
        Ok(Streams {
            input: open(input, Way::In).await.with_context(|| format!("stdin {input}"))?,
            out: open(out, Way::Out).await.with_context(|| format!("stdout {out}"))?,
            err: open(err, Way::Out).await.with_context(|| format!("stderr {err}"))?,
        })
    }

    pub fn none() -> Self {
        Streams { input: Stdio::null(), out: Stdio::null(), err: Stdio::null() }
    }
}

/// As the container sees it.
#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

async fn open(uri: &str, way: Way) -> Result<Stdio> {
    if let Some(address) = uri.strip_prefix("vsock://") {
        return piped(call(parse(address)?).await?, way);
    }
    if uri.is_empty() {
        return Ok(Stdio::null());
    }
    if !uri.starts_with('/') {
        bail!("it is neither vsock://CID:PORT nor an absolute path");
    }
    let file: File = match way {
        Way::In => File::open(uri)?,
        Way::Out => OpenOptions::new().append(true).create(true).open(uri)?,
    };
    Ok(file.into())
}

async fn call(address: VsockAddr) -> Result<VsockStream> {
    Ok(timeout(LIMIT, VsockStream::connect(address)).await.context("the host does not answer")??)
}

fn parse(address: &str) -> Result<VsockAddr> {
    let numbers = address.split_once(':').map(|(cid, port)| (cid.parse(), port.parse()));
    let Some((Ok(cid), Ok(port))) = numbers else { bail!("it is not of the form vsock://CID:PORT") };
    Ok(VsockAddr::new(cid, port))
}

/// A pipe, as containers expect: they may open /dev/stdout again, which a socket would refuse.
fn piped(connection: VsockStream, way: Way) -> Result<Stdio> {
    let (reader, writer) = pipe()?;
    Ok(match way {
        Way::In => {
            tokio::spawn(bring(connection, writer));
            reader.into()
        }
        Way::Out => {
            tokio::spawn(pass_on(reader, connection));
            writer.into()
        }
    })
}

/// Until the last process that holds the pipe is gone.
async fn pass_on(reader: PipeReader, mut connection: VsockStream) {
    let passed = async {
        copy(&mut Receiver::from_owned_fd(reader.into())?, &mut connection).await?;
        AsyncWriteExt::shutdown(&mut connection).await
    };
    if let Err(error) = passed.await {
        eprintln!("taskd: a container's stream to the host: {error}");
    }
}

/// Until the host has no more, or nobody reads.
async fn bring(mut connection: VsockStream, writer: PipeWriter) {
    let brought = async { copy(&mut connection, &mut Sender::from_owned_fd(writer.into())?).await };
    match brought.await {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => eprintln!("taskd: a container's stdin: {error}"),
        _ => {}
    }
}
