//! The Task API as containerd calls it: what taskd does is passed on to it, with this machine's paths and pids in the place of the
//! guest's. A task has one VM, from its Create to its Delete.
//!
//! Methods that are not here (Pause, Resume, Checkpoint, Update, ResizePty) answer that they are not supported.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use containerd_shim::TtrpcResult as Result;
use containerd_shim::api::*;
use containerd_shim::asynchronous::ExitSignal;
use containerd_shim::protos::TASK_API_VERSION;
use containerd_shim::protos::shim_async::Task;
use containerd_shim::protos::ttrpc::asynchronous::TtrpcContext;
use machine::task::setup::Setup;

use crate::events::Events;
use crate::guest::no_limit;
use crate::refusal::{failed, not_found, unsupported};
use crate::task::{Tasks, answer};

pub struct Service {
    tasks: Arc<Tasks>,
    /// For this task's sockets.
    directory: PathBuf,
    exit: Arc<ExitSignal>,
}

impl Service {
    pub fn new(setup: Setup, directory: PathBuf, events: Events, exit: Arc<ExitSignal>) -> Self {
        Service { tasks: Arc::new(Tasks::new(setup, events)), directory, exit }
    }
}

#[async_trait]
impl Task for Service {
    async fn create(&self, _: &TtrpcContext, request: CreateTaskRequest) -> Result<CreateTaskResponse> {
        if request.terminal {
            return Err(unsupported("a terminal"));
        }
        if !request.checkpoint.is_empty() {
            return Err(unsupported("checkpoints"));
        }
        let pid = self.tasks.create(request).await?;
        Ok(CreateTaskResponse { pid, ..Default::default() })
    }

    async fn start(&self, _: &TtrpcContext, request: StartRequest) -> Result<StartResponse> {
        let pid = self.tasks.start(&request).await?;
        Ok(StartResponse { pid, ..Default::default() })
    }

    async fn exec(&self, _: &TtrpcContext, request: ExecProcessRequest) -> Result<Empty> {
        if request.terminal {
            return Err(unsupported("a terminal"));
        }
        self.tasks.exec(request).await?;
        Ok(Empty::default())
    }

    async fn wait(&self, _: &TtrpcContext, request: WaitRequest) -> Result<WaitResponse> {
        let exit = self.tasks.process(&request.exec_id)?.end().await;
        Ok(WaitResponse { exit_status: exit.status, exited_at: exit.at, ..Default::default() })
    }

    async fn state(&self, _: &TtrpcContext, request: StateRequest) -> Result<StateResponse> {
        self.tasks.state(request).await
    }

    async fn kill(&self, _: &TtrpcContext, request: KillRequest) -> Result<Empty> {
        if self.tasks.process(&request.exec_id)?.exit().is_some() {
            return Err(not_found("such process: it has ended"));
        }
        let guest = self.tasks.guest()?;
        answer(&guest, guest.task.kill(no_limit(), &request).await)
    }

    async fn pids(&self, _: &TtrpcContext, request: PidsRequest) -> Result<PidsResponse> {
        let guest = self.tasks.guest()?;
        answer(&guest, guest.task.pids(no_limit(), &request).await)
    }

    async fn stats(&self, _: &TtrpcContext, request: StatsRequest) -> Result<StatsResponse> {
        let guest = self.tasks.guest()?;
        answer(&guest, guest.task.stats(no_limit(), &request).await)
    }

    async fn close_io(&self, _: &TtrpcContext, request: CloseIORequest) -> Result<Empty> {
        if request.stdin {
            self.tasks.process(&request.exec_id)?.streams.lock().await.close_stdin();
        }
        Ok(Empty::default())
    }

    async fn delete(&self, _: &TtrpcContext, request: DeleteRequest) -> Result<DeleteResponse> {
        self.tasks.delete(request).await
    }

    /// To a containerd that was restarted, this says that the task is still there.
    async fn connect(&self, _: &TtrpcContext, _: ConnectRequest) -> Result<ConnectResponse> {
        let task_pid = self.tasks.process("").map_or(0, |process| process.pid());
        let (shim_pid, version) = (std::process::id(), TASK_API_VERSION.to_string());
        Ok(ConnectResponse { shim_pid, task_pid, version, ..Default::default() })
    }

    async fn shutdown(&self, _: &TtrpcContext, request: ShutdownRequest) -> Result<Empty> {
        if request.now || self.tasks.guest().is_err() {
            self.tasks.end_guest().await;
            crate::lifecycle::removed(std::fs::remove_dir_all(&self.directory), &self.directory).map_err(failed)?;
            self.exit.signal();
        }
        Ok(Empty::default())
    }
}
