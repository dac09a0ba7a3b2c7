//! The Task API's methods. Those that are not here (Pause, Resume, Checkpoint, ResizePty, CloseIO, Update)
//! answer that they are not supported; terminals and mounts for the root are refused by Create and Exec.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use containerd_shim_protos::TASK_API_VERSION;
use containerd_shim_protos::api::*;
use containerd_shim_protos::shim_async;
use containerd_shim_protos::ttrpc::Result;
use containerd_shim_protos::ttrpc::asynchronous::TtrpcContext;
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, sync};
use tokio::time::sleep;

use crate::crun::{self, Launched};
use crate::exits::Exits;
use crate::process::{Process, exited_at};
use crate::refusal::{failed, not_found, precondition, refuse};
use crate::stats;
use crate::stream::Streams;
use crate::tasks::Tasks;

/// From the answer to Shutdown to the end of the machine: time for the answer to leave.
const LAST_WORDS: Duration = Duration::from_millis(100);

pub struct Service {
    exits: Arc<Exits>,
    tasks: Tasks,
}

impl Service {
    pub fn new(exits: Arc<Exits>) -> Self {
        Service { exits, tasks: Tasks::default() }
    }

    async fn launch(&self, request: &CreateTaskRequest, init: &Process) -> anyhow::Result<Launched> {
        let streams = Streams::open(&init.destinations).await?;
        crun::create(&self.exits, &request.id, &request.bundle, streams).await
    }

    async fn launch_exec(&self, request: &StartRequest, process: &Process) -> anyhow::Result<()> {
        let spec = self.tasks.spec(&request.id, &request.exec_id);
        let streams = Streams::open(&process.destinations).await?;
        process.set_launched(crun::exec(&self.exits, &request.id, &spec, streams).await?);
        Ok(())
    }
}

#[async_trait]
impl shim_async::Task for Service {
    async fn create(&self, _: &TtrpcContext, request: CreateTaskRequest) -> Result<CreateTaskResponse> {
        refuse(request.terminal, "a terminal")?;
        refuse(!request.rootfs.is_empty(), "mounts for the root: a bundle brings its own")?;
        refuse(!request.checkpoint.is_empty(), "checkpoints")?;
        let init = self.tasks.add(&request)?;
        match self.launch(&request, &init).await {
            Ok(launched) => init.set_launched(launched),
            Err(error) => {
                self.tasks.remove(&request.id, "");
                init.set_failed();
                return Err(failed(error));
            }
        }
        Ok(CreateTaskResponse { pid: init.pid(), ..Default::default() })
    }

    async fn start(&self, _: &TtrpcContext, request: StartRequest) -> Result<StartResponse> {
        let process = self.tasks.process(&request.id, &request.exec_id)?;
        if process.status() != Status::CREATED {
            return Err(precondition(&request.id, &request.exec_id, "was started before"));
        }
        if request.exec_id.is_empty() {
            crun::start(&self.exits, &request.id).await.map_err(failed)?;
        } else {
            self.launch_exec(&request, &process).await.map_err(failed)?;
        }
        process.set_started();
        Ok(StartResponse { pid: process.pid(), ..Default::default() })
    }

    async fn wait(&self, _: &TtrpcContext, request: WaitRequest) -> Result<WaitResponse> {
        let exit = self.tasks.process(&request.id, &request.exec_id)?.end().await.map_err(failed)?;
        Ok(WaitResponse { exit_status: exit.status, exited_at: exited_at(exit), ..Default::default() })
    }

    async fn state(&self, _: &TtrpcContext, request: StateRequest) -> Result<StateResponse> {
        let state = self.tasks.process(&request.id, &request.exec_id)?.state();
        let bundle = self.tasks.bundle(&request.id);
        Ok(StateResponse { id: request.id, exec_id: request.exec_id, bundle, ..state })
    }

    async fn kill(&self, _: &TtrpcContext, request: KillRequest) -> Result<Empty> {
        let process = self.tasks.process(&request.id, &request.exec_id)?;
        if process.pid() == 0 || process.exit().is_some() {
            return Err(not_found(&request.id, &request.exec_id));
        }
        if request.exec_id.is_empty() {
            crun::kill(&self.exits, &request.id, request.signal, request.all).await.map_err(failed)?;
        } else {
            let signal = Signal::try_from(request.signal as i32).map_err(failed)?;
            kill(Pid::from_raw(process.pid() as i32), signal).map_err(failed)?;
        }
        Ok(Empty::default())
    }

    async fn delete(&self, _: &TtrpcContext, request: DeleteRequest) -> Result<DeleteResponse> {
        let process = self.tasks.process(&request.id, &request.exec_id)?;
        if process.status() == Status::RUNNING {
            return Err(precondition(&request.id, &request.exec_id, "still runs"));
        }
        if request.exec_id.is_empty() {
            crun::delete(&self.exits, &request.id).await.map_err(failed)?;
            // One that was created and never started is killed by that.
            process.end().await.map_err(failed)?;
        }
        self.tasks.remove(&request.id, &request.exec_id);
        let StateResponse { pid, exit_status, exited_at, .. } = process.state();
        Ok(DeleteResponse { pid, exit_status, exited_at, ..Default::default() })
    }

    async fn exec(&self, _: &TtrpcContext, request: ExecProcessRequest) -> Result<Empty> {
        refuse(request.terminal, "a terminal")?;
        self.tasks.add_exec(request)?;
        Ok(Empty::default())
    }

    async fn pids(&self, _: &TtrpcContext, request: PidsRequest) -> Result<PidsResponse> {
        self.tasks.process(&request.id, "")?;
        let pids = crun::processes(&self.exits, &request.id).await.map_err(failed)?;
        let processes = pids.into_iter().map(|pid| ProcessInfo { pid, ..Default::default() }).collect();
        Ok(PidsResponse { processes, ..Default::default() })
    }

    async fn stats(&self, _: &TtrpcContext, request: StatsRequest) -> Result<StatsResponse> {
        let stats = stats::of(self.tasks.process(&request.id, "")?.pid()).map_err(failed)?;
        Ok(StatsResponse { stats: Some(stats).into(), ..Default::default() })
    }

    /// Answers where there is no such task too, with pid 0: so a host learns that the agent is there.
    async fn connect(&self, _: &TtrpcContext, request: ConnectRequest) -> Result<ConnectResponse> {
        let task_pid = self.tasks.process(&request.id, "").map_or(0, |process| process.pid());
        let (shim_pid, version) = (std::process::id(), TASK_API_VERSION.to_string());
        Ok(ConnectResponse { shim_pid, task_pid, version, ..Default::default() })
    }

    /// Powers off. containerd asks after the end of each task: while there are others, only `now` counts.
    async fn shutdown(&self, _: &TtrpcContext, request: ShutdownRequest) -> Result<Empty> {
        if request.now || self.tasks.is_empty() {
            tokio::spawn(async {
                sleep(LAST_WORDS).await;
                sync();
                let Err(errno) = reboot(RebootMode::RB_POWER_OFF);
                eprintln!("taskd: cannot power off: {errno}");
            });
        }
        Ok(Empty::default())
    }
}
