//! A container's standard output and error, to where the Task API's `stdout` and `stderr` say:
//!
//! | URI | the stream goes to |
//! |---|---|
//! | (none) | `/dev/null` |
//! | `vsock://2:PORT` | the host's vsock port, on a connection of its own: bytes as they come, then the end |
//! | `/path` | a file or fifo of the guest, at its end |

use std::fs::{File, OpenOptions};
use std::io::{PipeReader, pipe};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncWriteExt, copy};
use tokio::net::unix::pipe::Receiver;
use tokio::time::timeout;
use tokio_vsock::{VsockAddr, VsockStream};

/// For the host to take a stream's connection.
const LIMIT: Duration = Duration::from_secs(10);

/// What a process gets as its descriptors 1 and 2.
pub struct Streams {
    pub out: Stdio,
    pub err: Stdio,
}

impl Streams {
    pub async fn open(out: &str, err: &str) -> Result<Self> {
        let open_out = open(out).await.with_context(|| format!("stdout {out}"))?;
        let open_err = open(err).await.with_context(|| format!("stderr {err}"))?;
        Ok(Streams { out: open_out, err: open_err })
    }

    pub fn none() -> Self {
        Streams { out: Stdio::null(), err: Stdio::null() }
    }
}

async fn open(uri: &str) -> Result<Stdio> {
    if let Some(address) = uri.strip_prefix("vsock://") {
        return to_host(parse(address)?).await;
    }
    if uri.is_empty() {
        return Ok(Stdio::null());
    }
    if !uri.starts_with('/') {
        bail!("it is neither vsock://CID:PORT nor an absolute path");
    }
    let file: File = OpenOptions::new().append(true).create(true).open(uri)?;
    Ok(file.into())
}

fn parse(address: &str) -> Result<VsockAddr> {
    let numbers = address.split_once(':').map(|(cid, port)| (cid.parse(), port.parse()));
    let Some((Ok(cid), Ok(port))) = numbers else { bail!("it is not of the form vsock://CID:PORT") };
    Ok(VsockAddr::new(cid, port))
}

/// A pipe, as containers expect: they may open /dev/stdout again, which a socket would refuse.
async fn to_host(address: VsockAddr) -> Result<Stdio> {
    let connection = timeout(LIMIT, VsockStream::connect(address)).await.context("the host does not answer")??;
    let (reader, writer) = pipe()?;
    tokio::spawn(pass_on(reader, connection));
    Ok(writer.into())
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
