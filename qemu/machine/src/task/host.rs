//! The host of a running guest: connected with its agent, taking its containers' streams.

use std::io::ErrorKind;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::client::{Client, Exit};
use super::output::Output;
use super::{PORT, Style};
use crate::qemu::Machine;
use crate::vsock::Vsock;

/// For one answer of the agent.
pub const LIMIT: Duration = Duration::from_secs(60);

/// For the guest to boot and its agent to be there.
const BOOT_LIMIT: Duration = Duration::from_secs(180);

/// For the guest to take or refuse a call. One that comes before its driver does waits in the device, which is better not
/// left with calls that were given up.
const CALL_LIMIT: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(20);

/// Streams get ports from here on, a new one each.
const FIRST_STREAM_PORT: u32 = 2000;

pub struct Host<'m> {
    pub client: Client,
    pub machine: &'m Machine,
    pub vsock: &'m Vsock,
    /// Where the guest calls, if it is the one that calls.
    pub calls: Option<&'m UnixListener>,
    /// From QEMU's start to the agent's first answer.
    pub first_answer: Duration,
    next_port: AtomicU32,
}

/// How a container went, from create to delete.
#[derive(Debug)]
pub struct Ran {
    pub exit: Exit,
    pub output: String,
    /// Since QEMU's start: created, started, ended, deleted.
    pub marks: [Duration; 4],
}

impl<'m> Host<'m> {
    /// Waits until the agent answers.
    pub fn meet(machine: &'m Machine, vsock: &'m Vsock, calls: Option<&'m UnixListener>) -> Result<Self> {
        let client = match calls {
            Some(calls) => answered(Client::over(accept(calls, machine)?, LIMIT)?)?,
            None => called(vsock)?,
        };
        let first_answer = machine.started.elapsed();
        Ok(Host { client, machine, vsock, calls, first_answer, next_port: AtomicU32::new(FIRST_STREAM_PORT) })
    }

    /// A stream to give to a container, and the URI to name it by.
    pub fn stream(&self) -> Result<(String, Output)> {
        let port = self.next_port.fetch_add(1, Ordering::Relaxed);
        let output = Output::of(self.vsock.listen(port)?)?;
        Ok((format!("vsock://2:{port}"), output))
    }

    /// A container's whole life, its standard output and error in one stream.
    pub fn run(&self, id: &str, bundle: &str) -> Result<Ran> {
        let (uri, output) = self.stream()?;
        let (client, now) = (&self.client, || self.machine.started.elapsed());
        client.create(id, bundle, &uri, "")?;
        let created = now();
        client.start(id, "")?;
        let started = now();
        let exit = client.wait(id, "")?;
        let ended = now();
        let deleted = client.delete(id, "")?;
        ensure!(exit == deleted, "wait says {exit:?} of {id}, delete says {deleted:?}");
        Ok(Ran { exit, output: output.text()?, marks: [created, started, ended, now()] })
    }
}

/// Where guests call; to be there before the guest is.
pub fn calls(vsock: &Vsock, style: Style) -> Result<Option<UnixListener>> {
    match style {
        Style::Listen => Ok(None),
        Style::Dial => vsock.listen(PORT).map(Some),
    }
}

/// The guest's call of a port of the host's. A machine that has ended makes none.
pub fn accept(calls: &UnixListener, machine: &Machine) -> Result<UnixStream> {
    calls.set_nonblocking(true)?;
    let deadline = Instant::now() + BOOT_LIMIT;
    loop {
        match calls.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).context("cannot take the guest's call"),
        }
        ensure!(!machine.has_ended(), "QEMU ended, and the agent had not called");
        ensure!(Instant::now() < deadline, "the agent did not call within {BOOT_LIMIT:?}");
        sleep(PAUSE);
    }
}

/// Calls until the agent answers: first there is no guest, then nobody listens in it.
fn called(vsock: &Vsock) -> Result<Client> {
    let deadline = Instant::now() + BOOT_LIMIT;
    loop {
        let answer = vsock.call(PORT, CALL_LIMIT).and_then(|stream| answered(Client::over(stream, LIMIT)?));
        match answer {
            Ok(client) => return Ok(client),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => sleep(PAUSE),
        }
    }
}

fn answered(client: Client) -> Result<Client> {
    let pid = client.connect("")?;
    ensure!(pid == 1, "the agent is process {pid}, not 1");
    Ok(client)
}
