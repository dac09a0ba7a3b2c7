//! The tasks there are, by their ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use containerd_shim_protos::api::{CreateTaskRequest, ExecProcessRequest};
use containerd_shim_protos::ttrpc::Result;

use crate::process::{Destinations, Process};
use crate::refusal::{already_exists, not_found};

#[derive(Default)]
pub struct Tasks(Mutex<HashMap<String, Task>>);

struct Task {
    bundle: String,
    init: Arc<Process>,
    execs: HashMap<String, Exec>,
}

struct Exec {
    process: Arc<Process>,
    /// The OCI runtime specification's `process`, as JSON.
    spec: Vec<u8>,
}

impl Tasks {
    /// Takes the id before the container is made: a second request for it fails at once.
    pub fn add(&self, request: &CreateTaskRequest) -> Result<Arc<Process>> {
        let mut tasks = self.lock();
        if tasks.contains_key(&request.id) {
            return Err(already_exists(&request.id, ""));
        }
        let (stdin, stdout, stderr) = (request.stdin.clone(), request.stdout.clone(), request.stderr.clone());
        let destinations = Destinations { stdin, stdout, stderr };
        let init = Arc::new(Process::new(destinations));
        let task = Task { bundle: request.bundle.clone(), init: init.clone(), execs: HashMap::new() };
        tasks.insert(request.id.clone(), task);
        Ok(init)
    }

    /// Notes one more process of a task; its start makes it.
    pub fn add_exec(&self, request: ExecProcessRequest) -> Result<()> {
        let mut tasks = self.lock();
        let task = tasks.get_mut(&request.id).ok_or_else(|| not_found(&request.id, ""))?;
        if task.execs.contains_key(&request.exec_id) {
            return Err(already_exists(&request.id, &request.exec_id));
        }
        let (stdin, stdout, stderr) = (request.stdin, request.stdout, request.stderr);
        let destinations = Destinations { stdin, stdout, stderr };
        let spec = request.spec.into_option().map(|spec| spec.value).unwrap_or_default();
        task.execs.insert(request.exec_id, Exec { process: Arc::new(Process::new(destinations)), spec });
        Ok(())
    }

    /// A task's first process, where `exec_id` is empty, or one of its further ones.
    pub fn process(&self, id: &str, exec_id: &str) -> Result<Arc<Process>> {
        let tasks = self.lock();
        let task = tasks.get(id).ok_or_else(|| not_found(id, ""))?;
        if exec_id.is_empty() {
            return Ok(task.init.clone());
        }
        task.execs.get(exec_id).map(|exec| exec.process.clone()).ok_or_else(|| not_found(id, exec_id))
    }

    pub fn bundle(&self, id: &str) -> String {
        self.lock().get(id).map(|task| task.bundle.clone()).unwrap_or_default()
    }

    /// The OCI form of a further process.
    pub fn spec(&self, id: &str, exec_id: &str) -> Vec<u8> {
        let tasks = self.lock();
        let exec = tasks.get(id).and_then(|task| task.execs.get(exec_id));
        exec.map(|exec| exec.spec.clone()).unwrap_or_default()
    }

    pub fn remove(&self, id: &str, exec_id: &str) {
        let mut tasks = self.lock();
        if exec_id.is_empty() {
            tasks.remove(id);
        } else if let Some(task) = tasks.get_mut(id) {
            task.execs.remove(exec_id);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
