//! A task: its VM, its processes, and what becomes of both.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use containerd_shim::TtrpcResult as Result;
use containerd_shim::api::*;
use containerd_shim::protos::ttrpc::Error;
use machine::task::setup::{BUNDLE, Setup};

use crate::events::Events;
use crate::fit;
use crate::guest::{Guest, no_limit};
use crate::machinery::Plan;
use crate::phases::Phases;
use crate::process::{Exit, Process};
use crate::refusal::{already_exists, failed, gone, not_found, unsupported};
use crate::streams::{Names, Streams};

pub struct Tasks {
    setup: Setup,
    events: Events,
    phases: Phases,
    parts: Mutex<Parts>,
}

#[derive(Default)]
struct Parts {
    bundle: PathBuf,
    guest: Option<Arc<Guest>>,
    /// By their exec ids; the container's first one has none.
    processes: HashMap<String, Arc<Process>>,
}

/// What taskd answered, if it still could.
pub fn answer<T>(guest: &Guest, answer: Result<T>) -> Result<T> {
    answer.map_err(|error| match error {
        Error::RpcStatus(_) => error,
        error => gone(&guest.has_ended().unwrap_or_else(|| error.to_string())),
    })
}

impl Tasks {
    pub fn new(setup: Setup, events: Events) -> Self {
        let phases = Phases::new(&setup, &events.id);
        Tasks { setup, events, phases, parts: Mutex::default() }
    }

    pub fn guest(&self) -> Result<Arc<Guest>> {
        self.parts().guest.clone().ok_or_else(|| not_found("such task"))
    }

    pub fn process(&self, exec_id: &str) -> Result<Arc<Process>> {
        let process = self.parts().processes.get(exec_id).cloned();
        process.ok_or_else(|| not_found(if exec_id.is_empty() { "such task" } else { "such process" }))
    }

    /// Boots a VM and makes the container in it: the pid of QEMU.
    pub async fn create(self: &Arc<Self>, request: CreateTaskRequest) -> Result<u32> {
        self.phases.note("create asked for");
        let bundle = Path::new(&request.bundle);
        if let Some(obstacle) = fit::obstacle(bundle).map_err(failed)? {
            return Err(unsupported(&obstacle));
        }
        let names =
            Names { stdin: request.stdin.clone(), stdout: request.stdout.clone(), stderr: request.stderr.clone() };
        let init = self.add("", names)?;
        self.parts().bundle = bundle.to_path_buf();
        match self.boot(&request, &init).await {
            Ok(pid) => {
                self.phases.note("created");
                self.events.created(&request, pid).await;
                tokio::spawn(self.clone().follow(String::new(), init));
                Ok(pid)
            }
            Err(error) => {
                self.end_guest().await;
                Err(error)
            }
        }
    }

    async fn boot(&self, request: &CreateTaskRequest, init: &Process) -> Result<u32> {
        let plan = Plan {
            setup: self.setup.clone(),
            bundle: PathBuf::from(&request.bundle),
            mounts: request.rootfs.clone(),
            phases: self.phases.clone(),
        };
        let guest = Arc::new(Guest::boot(plan).await.map_err(failed)?);
        self.phases.note("agent called");
        self.parts().guest = Some(guest.clone());
        let (uris, streams) = Streams::open(&init.names, &guest).map_err(failed)?;
        *init.streams.lock().await = streams;
        let request = CreateTaskRequest {
            id: request.id.clone(),
            bundle: BUNDLE.to_string(),
            stdin: uris.stdin,
            stdout: uris.stdout,
            stderr: uris.stderr,
            ..Default::default()
        };
        answer(&guest, guest.task.create(no_limit(), &request).await)?;
        init.set_pid(guest.process);
        Ok(guest.process)
    }

    /// Notes one more process; its start makes it.
    pub async fn exec(&self, request: ExecProcessRequest) -> Result<()> {
        let guest = self.guest()?;
        let exec_id = request.exec_id.clone();
        let names = Names { stdin: request.stdin, stdout: request.stdout, stderr: request.stderr };
        let process = self.add(&exec_id, names)?;
        let added = async {
            let (uris, streams) = Streams::open(&process.names, &guest).map_err(failed)?;
            *process.streams.lock().await = streams;
            let Names { stdin, stdout, stderr } = uris;
            let (id, spec, exec_id) = (request.id, request.spec, exec_id.clone());
            let request = ExecProcessRequest { id, exec_id, spec, stdin, stdout, stderr, ..Default::default() };
            answer(&guest, guest.task.exec(no_limit(), &request).await)
        };
        if let Err(error) = added.await {
            self.parts().processes.remove(&exec_id);
            return Err(error);
        }
        self.events.exec_added(&exec_id).await;
        Ok(())
    }

    pub async fn start(self: &Arc<Self>, request: &StartRequest) -> Result<u32> {
        let (guest, process) = (self.guest()?, self.process(&request.exec_id)?);
        let _starting = process.starting.lock().await;
        let started = answer(&guest, guest.task.start(no_limit(), request).await)?;
        process.streams.lock().await.begin_stdin().map_err(failed)?;
        if request.exec_id.is_empty() {
            self.phases.note("started");
        } else {
            process.set_pid(started.pid);
            tokio::spawn(self.clone().follow(request.exec_id.clone(), process.clone()));
        }
        self.events.started(&request.exec_id, process.pid()).await;
        Ok(process.pid())
    }

    /// Waits for a process's end, or that of its VM, and sees to what follows.
    async fn follow(self: Arc<Self>, exec_id: String, process: Arc<Process>) {
        let Ok(guest) = self.guest() else { return };
        let request = WaitRequest { id: self.events.id.clone(), exec_id: exec_id.clone(), ..Default::default() };
        let (exit, word) = match guest.task.wait(no_limit(), &request).await {
            Ok(answer) => (Exit::from(answer), None),
            Err(error) => {
                log::warn!("wait for \"{exec_id}\": {error}");
                let why = guest.lose().await;
                (Exit::killed(), Some(format!("io.containerd.moveroot.v1: the task's VM is gone: {why}")))
            }
        };
        process.streams.lock().await.finish(word.filter(|_| exec_id.is_empty())).await;
        let _started = process.starting.lock().await;
        self.events.exited(&exec_id, process.pid(), &exit).await;
        process.set_exit(exit);
    }

    pub async fn state(&self, request: StateRequest) -> Result<StateResponse> {
        let (guest, process) = (self.guest()?, self.process(&request.exec_id)?);
        let state = match process.exit() {
            Some(exit) => process.stopped(exit),
            None => match guest.task.state(no_limit(), &request).await {
                // It is stopped for others when its output has come.
                Ok(state) if state.status == Status::STOPPED.into() => process.stopped(process.end().await),
                Err(error) if !matches!(error, Error::RpcStatus(_)) => process.stopped(process.end().await),
                answer => answer?,
            },
        };
        let Names { stdin, stdout, stderr } = process.names.clone();
        let bundle = self.parts().bundle.display().to_string();
        let (pid, id, exec_id) = (process.pid(), request.id, request.exec_id);
        Ok(StateResponse { id, exec_id, bundle, pid, stdin, stdout, stderr, ..state })
    }

    pub async fn delete(&self, request: DeleteRequest) -> Result<DeleteResponse> {
        let (guest, process) = (self.guest()?, self.process(&request.exec_id)?);
        if guest.has_ended().is_none() {
            answer(&guest, guest.task.delete(no_limit(), &request).await)?;
        }
        let pid = process.pid();
        let exit = if pid == 0 { Exit::killed() } else { process.end().await };
        self.parts().processes.remove(&request.exec_id);
        if request.exec_id.is_empty() {
            self.end_guest().await;
            self.events.deleted(pid, &exit).await;
        }
        Ok(DeleteResponse { pid, exit_status: exit.status, exited_at: exit.at, ..Default::default() })
    }

    /// Ends the VM, if there is one, and forgets the task.
    pub async fn end_guest(&self) {
        let guest = self.parts().guest.take();
        if let Some(guest) = guest {
            guest.power_off().await;
        }
        self.parts().processes.clear();
    }

    fn add(&self, exec_id: &str, names: Names) -> Result<Arc<Process>> {
        let process = Arc::new(Process::new(names));
        let mut parts = self.parts();
        if parts.processes.contains_key(exec_id) {
            return Err(already_exists(if exec_id.is_empty() { "the task" } else { exec_id }));
        }
        parts.processes.insert(exec_id.to_string(), process.clone());
        Ok(process)
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
