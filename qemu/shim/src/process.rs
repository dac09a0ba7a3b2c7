//! A process of the task: the container's first one, or one that `exec` adds. taskd has its state; its end is noted here, so
//! that there is one too when the VM has gone.

use std::sync::atomic::{AtomicU32, Ordering};

use containerd_shim::api::{StateResponse, Status, WaitResponse};
use containerd_shim::protos::protobuf::MessageField;
use containerd_shim::protos::protobuf::well_known_types::timestamp::Timestamp;
use containerd_shim::util::timestamp;
use tokio::sync::{Mutex, watch};

use crate::streams::{Names, Streams};

/// 128 and SIGKILL: of what went down with its VM.
pub const KILLED: u32 = 137;

#[derive(Clone, Debug)]
pub struct Exit {
    pub status: u32,
    pub at: MessageField<Timestamp>,
}

impl Exit {
    /// Now, with its VM.
    pub fn killed() -> Self {
        Exit { status: KILLED, at: timestamp().ok().into() }
    }
}

impl From<WaitResponse> for Exit {
    fn from(answer: WaitResponse) -> Self {
        Exit { status: answer.exit_status, at: answer.exited_at }
    }
}

#[derive(Default)]
pub struct Process {
    pub names: Names,
    pub streams: Mutex<Streams>,
    /// Held while it is being started, so that no end is told before the start.
    pub starting: Mutex<()>,
    pid: AtomicU32,
    exit: watch::Sender<Option<Exit>>,
}

impl Process {
    pub fn new(names: Names) -> Self {
        Process { names, ..Process::default() }
    }

    pub fn set_pid(&self, pid: u32) {
        self.pid.store(pid, Ordering::Relaxed);
    }

    pub fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    pub fn set_exit(&self, exit: Exit) {
        self.exit.send_replace(Some(exit));
    }

    pub fn exit(&self) -> Option<Exit> {
        self.exit.borrow().clone()
    }

    /// Its end, whether it is before or after its start.
    pub async fn end(&self) -> Exit {
        let mut exit = self.exit.subscribe();
        // The sender is in here, so there will be one.
        let exit = exit.wait_for(Option::is_some).await.ok().and_then(|exit| exit.clone());
        exit.unwrap_or_else(Exit::killed)
    }

    /// What State says of one that has ended.
    pub fn stopped(&self, exit: Exit) -> StateResponse {
        let (exit_status, exited_at) = (exit.status, exit.at);
        StateResponse { status: Status::STOPPED.into(), exit_status, exited_at, ..Default::default() }
    }
}
