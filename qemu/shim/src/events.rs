//! The events of a task's life, for containerd.

use containerd_shim::event::Event;
use containerd_shim::protos::events::task::*;
use containerd_shim::protos::protobuf::MessageField;
use containerd_shim::publisher::RemotePublisher;
use containerd_shim::{Context, api::CreateTaskRequest};

use crate::process::Exit;

pub struct Events {
    publisher: RemotePublisher,
    namespace: String,
    pub id: String,
}

impl Events {
    pub fn new(publisher: RemotePublisher, namespace: &str, id: &str) -> Self {
        Events { publisher, namespace: namespace.to_string(), id: id.to_string() }
    }

    pub async fn created(&self, request: &CreateTaskRequest, pid: u32) {
        let io = TaskIO {
            stdin: request.stdin.clone(),
            stdout: request.stdout.clone(),
            stderr: request.stderr.clone(),
            ..Default::default()
        };
        let (bundle, rootfs) = (request.bundle.clone(), request.rootfs.clone());
        let io = MessageField::some(io);
        self.publish(TaskCreate { container_id: self.id(), bundle, rootfs, io, pid, ..Default::default() }).await;
    }

    pub async fn exec_added(&self, exec_id: &str) {
        let exec_id = exec_id.to_string();
        self.publish(TaskExecAdded { container_id: self.id(), exec_id, ..Default::default() }).await;
    }

    pub async fn started(&self, exec_id: &str, pid: u32) {
        let container_id = self.id();
        if exec_id.is_empty() {
            self.publish(TaskStart { container_id, pid, ..Default::default() }).await;
        } else {
            let exec_id = exec_id.to_string();
            self.publish(TaskExecStarted { container_id, exec_id, pid, ..Default::default() }).await;
        }
    }

    pub async fn exited(&self, exec_id: &str, pid: u32, exit: &Exit) {
        let id = if exec_id.is_empty() { self.id() } else { exec_id.to_string() };
        let (exit_status, exited_at) = (exit.status, exit.at.clone());
        self.publish(TaskExit { container_id: self.id(), id, pid, exit_status, exited_at, ..Default::default() }).await;
    }

    pub async fn deleted(&self, pid: u32, exit: &Exit) {
        let (exit_status, exited_at) = (exit.status, exit.at.clone());
        let container_id = self.id();
        self.publish(TaskDelete { container_id, pid, exit_status, exited_at, ..Default::default() }).await;
    }

    fn id(&self) -> String {
        self.id.clone()
    }

    async fn publish(&self, event: impl Event + 'static) {
        let topic = event.topic();
        // A containerd that was restarted is called again.
        if let Err(error) = self.publisher.publish(Context::default(), &topic, &self.namespace, Box::new(event)).await {
            log::warn!("the event {topic} is lost: {error}");
        }
    }
}
