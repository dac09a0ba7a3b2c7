//! The host's side of the Task API: one call a method, each with a limit, each failure with the agent's own words.

use std::fmt;
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use containerd_shim_protos::TaskClient;
pub use containerd_shim_protos::api::Status;
use containerd_shim_protos::api::*;
use containerd_shim_protos::protobuf::MessageField;
use containerd_shim_protos::protobuf::well_known_types::any::Any;
use containerd_shim_protos::protobuf::well_known_types::timestamp::Timestamp;
use containerd_shim_protos::ttrpc::context::{Context, with_duration};
use containerd_shim_protos::ttrpc::{Client as Connection, Error};

/// A connection to an agent. Clones share it, and may call at the same time.
#[derive(Clone)]
pub struct Client {
    task: TaskClient,
    limit: Duration,
}

/// How a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    pub status: u32,
    /// Since 1970, by the guest's clock.
    pub at: Option<Duration>,
}

impl Client {
    /// Speaks ttrpc over a connection to the agent; every answer has to come within the limit.
    pub fn over(stream: UnixStream, limit: Duration) -> Result<Self> {
        let connection = Connection::new(stream.into_raw_fd()).map_err(|error| anyhow!("ttrpc: {error}"))?;
        Ok(Client { task: TaskClient::new(connection), limit })
    }

    /// The agent's pid, whether there is such a task or not.
    pub fn connect(&self, id: &str) -> Result<u32> {
        let request = ConnectRequest { id: id.into(), ..Default::default() };
        Ok(self.answer("connect", id, self.task.connect(self.context(), &request))?.shim_pid)
    }

    /// The pid of the container's first process, which waits for the start.
    pub fn create(&self, id: &str, bundle: &str, stdout: &str, stderr: &str) -> Result<u32> {
        let (stdout, stderr) = (stdout.into(), stderr.into());
        let request = CreateTaskRequest { id: id.into(), bundle: bundle.into(), stdout, stderr, ..Default::default() };
        Ok(self.answer("create", id, self.task.create(self.context(), &request))?.pid)
    }

    pub fn start(&self, id: &str, exec_id: &str) -> Result<u32> {
        let request = StartRequest { id: id.into(), exec_id: exec_id.into(), ..Default::default() };
        Ok(self.answer("start", id, self.task.start(self.context(), &request))?.pid)
    }

    pub fn wait(&self, id: &str, exec_id: &str) -> Result<Exit> {
        let request = WaitRequest { id: id.into(), exec_id: exec_id.into(), ..Default::default() };
        let answer = self.answer("wait", id, self.task.wait(self.context(), &request))?;
        Ok(Exit { status: answer.exit_status, at: answer.exited_at.into_option().map(since_1970) })
    }

    pub fn delete(&self, id: &str, exec_id: &str) -> Result<Exit> {
        let request = DeleteRequest { id: id.into(), exec_id: exec_id.into(), ..Default::default() };
        let answer = self.answer("delete", id, self.task.delete(self.context(), &request))?;
        Ok(Exit { status: answer.exit_status, at: answer.exited_at.into_option().map(since_1970) })
    }

    pub fn status(&self, id: &str, exec_id: &str) -> Result<Status> {
        let request = StateRequest { id: id.into(), exec_id: exec_id.into(), ..Default::default() };
        Ok(self.answer("state", id, self.task.state(self.context(), &request))?.status.enum_value_or_default())
    }

    pub fn kill(&self, id: &str, exec_id: &str, signal: u32) -> Result<()> {
        let request = KillRequest { id: id.into(), exec_id: exec_id.into(), signal, ..Default::default() };
        self.answer("kill", id, self.task.kill(self.context(), &request)).map(drop)
    }

    pub fn pids(&self, id: &str) -> Result<Vec<u32>> {
        let request = PidsRequest { id: id.into(), ..Default::default() };
        let answer = self.answer("pids", id, self.task.pids(self.context(), &request))?;
        Ok(answer.processes.iter().map(|process| process.pid).collect())
    }

    /// Notes one more process, of the OCI form, for a task; its start runs it.
    pub fn exec(&self, id: &str, exec_id: &str, process: &serde_json::Value, stdout: &str) -> Result<()> {
        let spec = Any { value: process.to_string().into_bytes(), ..Default::default() };
        let (exec_id, stdout) = (exec_id.into(), stdout.into());
        let request =
            ExecProcessRequest { id: id.into(), exec_id, stdout, spec: MessageField::some(spec), ..Default::default() };
        self.answer("exec", id, self.task.exec(self.context(), &request)).map(drop)
    }

    /// Ends the machine, with whatever still runs in it.
    pub fn shutdown(&self) -> Result<()> {
        let request = ShutdownRequest { now: true, ..Default::default() };
        self.answer("shutdown", "", self.task.shutdown(self.context(), &request)).map(drop)
    }

    fn context(&self) -> Context {
        with_duration(self.limit)
    }

    fn answer<T>(&self, call: &str, id: &str, answer: Result<T, Error>) -> Result<T> {
        let place = format!("{call} {id}");
        answer.map_err(|error| anyhow!("{}", Reason(&error, self.limit))).context(place.trim_end().to_string())
    }
}

fn since_1970(time: Timestamp) -> Duration {
    Duration::new(time.seconds.max(0) as u64, time.nanos.max(0) as u32)
}

/// A failed call in words.
struct Reason<'e>(&'e Error, Duration);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            Error::RpcStatus(status) => write!(out, "{} ({:?})", status.message(), status.code()),
            Error::Others(text) if text.contains("timeout") => write!(out, "no answer within {:?}", self.1),
            Error::Socket(text) => write!(out, "the connection is gone: {text}"),
            other => write!(out, "the connection is gone: {other}"),
        }
    }
}
