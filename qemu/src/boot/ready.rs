//! When an agent that makes no report is ready: it called, it answers, it printed a line, or the machine has powered off.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use machine::qemu::Machine;
use machine::vsock::Vsock;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// For one call to be taken or refused.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Between two looks for the guest's driver, and for one that has just come up to offer its buffers.
const A_MOMENT: Duration = Duration::from_millis(300);

/// For the last lines of a machine that has ended to arrive.
const LAST_LINES: Duration = Duration::from_millis(300);

/// What an agent is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    Dial(u32),
    Listen(u32),
    Line(String),
    Exit,
}

impl FromStr for Ready {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> Result<Self> {
        let port = |text: &str| text.parse().with_context(|| format!("{text} is no vsock port"));
        match word.split_once(':') {
            Some(("dial", text)) => Ok(Ready::Dial(port(text)?)),
            Some(("listen", text)) => Ok(Ready::Listen(port(text)?)),
            Some(("line", text)) if !text.is_empty() => Ok(Ready::Line(text.to_string())),
            None if word == "exit" => Ok(Ready::Exit),
            _ => bail!("not one of dial:PORT, listen:PORT, line:TEXT, exit"),
        }
    }
}

impl Ready {
    pub fn needs_vsock(&self) -> bool {
        matches!(self, Ready::Dial(_) | Ready::Listen(_))
    }

    /// What is missing while it is not met.
    fn lack(&self) -> String {
        match self {
            Ready::Dial(port) => format!("the agent has not called the host's vsock port {port}"),
            Ready::Listen(port) => format!("nobody answered at the guest's vsock port {port}"),
            Ready::Line(text) => format!("no line of the console has {text:?}"),
            Ready::Exit => "the machine has not powered off".to_string(),
        }
    }
}

/// What has happened, once it has.
impl fmt::Display for Ready {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Ready::Dial(port) => write!(out, "the agent called the host's vsock port {port}"),
            Ready::Listen(port) => write!(out, "the agent answers at its vsock port {port}"),
            Ready::Line(text) => write!(out, "the console said {text:?}"),
            Ready::Exit => write!(out, "the machine ended"),
        }
    }
}

/// Looks for all that an agent is judged by, in order.
pub struct Watch<'v> {
    conditions: Vec<Condition>,
    vsock: Option<&'v Vsock>,
    limit: Duration,
}

struct Condition {
    ready: Ready,
    /// Where the agent is to call: there before the guest is.
    calls: Option<UnixListener>,
    /// When the console said the line.
    said: OnceLock<Instant>,
}

impl<'v> Watch<'v> {
    pub fn new(conditions: &[Ready], vsock: Option<&'v Vsock>, limit: Duration) -> Result<Self> {
        let condition = |ready: &Ready| -> Result<Condition> {
            let calls = match (ready, vsock) {
                (Ready::Dial(port), Some(vsock)) => Some(vsock.listen(*port)?),
                _ => None,
            };
            if let Some(calls) = &calls {
                calls.set_nonblocking(true).context("cannot prepare a socket for the agent's call")?;
            }
            Ok(Condition { ready: ready.clone(), calls, said: OnceLock::new() })
        };
        Ok(Watch { conditions: conditions.iter().map(condition).collect::<Result<_>>()?, vsock, limit })
    }

    /// A line of the console.
    pub fn see(&self, line: &str) {
        for condition in &self.conditions {
            if matches!(&condition.ready, Ready::Line(text) if line.contains(text)) {
                condition.said.get_or_init(Instant::now);
            }
        }
    }

    /// Waits for one after the other. Reports each that is met; the first that isn't within the limit is the failure. The
    /// calls that were taken, which end when they are dropped.
    pub fn wait(&self, machine: &Machine, mut met: impl FnMut(&Ready, Duration)) -> Result<Vec<UnixStream>> {
        let mut connections = Vec::new();
        for condition in &self.conditions {
            let connection = self.wait_for(condition, machine)?;
            let at = condition.said.get().copied().unwrap_or_else(Instant::now);
            met(&condition.ready, at.saturating_duration_since(machine.started));
            if let (Some(stream), Some(vsock), Ready::Dial(port)) = (&connection, self.vsock, &condition.ready) {
                hand_on(stream.try_clone()?, &vsock.directory().join(format!("called_{port}")))?;
            }
            connections.extend(connection);
        }
        Ok(connections)
    }

    fn wait_for(&self, condition: &Condition, machine: &Machine) -> Result<Option<UnixStream>> {
        let Condition { ready, calls, said } = condition;
        let mut is_last_look = false;
        let mut driver_is_up = false;
        loop {
            match (ready, calls, self.vsock) {
                (Ready::Line(_), ..) if said.get().is_some() => return Ok(None),
                (Ready::Exit, ..) if machine.has_ended() => return Ok(None),
                (Ready::Dial(_), Some(calls), _) => match calls.accept() {
                    Ok((stream, _)) => {
                        stream.set_nonblocking(false)?;
                        return Ok(Some(stream));
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error).context("cannot take the agent's call"),
                },
                (Ready::Listen(_), _, Some(vsock)) if !driver_is_up => {
                    // QEMU's monitor may not be there yet.
                    driver_is_up = vsock.driver_is_up().unwrap_or(false);
                    sleep(A_MOMENT);
                }
                // It is not kept: an agent that serves one connection at a time is to be free for the next.
                (Ready::Listen(port), _, Some(vsock)) if vsock.call(*port, ATTEMPT).is_ok() => return Ok(None),
                _ => {}
            }
            if is_last_look {
                bail!("{} before the machine ended", ready.lack());
            }
            if machine.started.elapsed() > self.limit {
                bail!("{} within {:.0} s", ready.lack(), self.limit.as_secs_f64());
            }
            is_last_look = machine.has_ended();
            sleep(if is_last_look { LAST_LINES } else { PAUSE });
        }
    }
}

/// An agent that calls does so once: whoever connects to this socket first gets its connection.
fn hand_on(agent: UnixStream, path: &Path) -> Result<()> {
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen at {}", path.display()))?;
    // It ends with the connection, or with this program.
    thread::spawn(move || -> io::Result<()> {
        let (client, _) = listener.accept()?;
        drop(listener);
        let (from_client, to_agent) = (client.try_clone()?, agent.try_clone()?);
        thread::spawn(move || pass(from_client, to_agent));
        pass(agent, client);
        Ok(())
    });
    Ok(())
}

/// Up to the end, which is passed on.
fn pass(mut from: UnixStream, mut to: UnixStream) {
    // A connection that breaks off has ended too; each end may have gone already.
    io::copy(&mut from, &mut to).ok();
    to.shutdown(Shutdown::Write).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_four_forms_are_read() {
        let read = |word: &str| word.parse::<Ready>().map_err(|error| format!("{error:#}"));
        assert_eq!(read("dial:1025"), Ok(Ready::Dial(1025)));
        assert_eq!(read("listen:1024"), Ok(Ready::Listen(1024)));
        assert_eq!(read("line:a: b"), Ok(Ready::Line("a: b".to_string())));
        assert_eq!(read("exit"), Ok(Ready::Exit));
        assert!(read("dial:x").is_err_and(|error| error.starts_with("x is no vsock port")));
        for word in ["dial", "line:", "exit:", "listen", ""] {
            assert_eq!(read(word), Err("not one of dial:PORT, listen:PORT, line:TEXT, exit".to_string()), "{word}");
        }
    }
}
