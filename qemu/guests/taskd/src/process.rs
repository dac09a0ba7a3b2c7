//! A task as the API knows it: a container's first process, and those that `exec` adds. Each is created, then runs,
//! then is stopped; what it is follows from what was noted, so no state can contradict another.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use containerd_shim_protos::api::{StateResponse, Status};
use containerd_shim_protos::protobuf::MessageField;
use containerd_shim_protos::protobuf::well_known_types::timestamp::Timestamp;
use tokio::sync::watch;

use crate::crun::Launched;
use crate::exits::{Ending, Exit, end_of};

/// Where its streams come from and go, as the request named it.
#[derive(Clone, Default)]
pub struct Destinations {
    pub stdin: String,
    pub stdout: String,
    pub stderr: String,
}

pub struct Process {
    pub destinations: Destinations,
    launch: watch::Sender<Launch>,
    started: AtomicBool,
}

enum Launch {
    /// `exec`'s process is made by its start.
    Awaited,
    Done(Launched),
    Failed,
}

impl Process {
    /// One that is yet to be launched.
    pub fn new(destinations: Destinations) -> Self {
        Process { destinations, launch: watch::Sender::new(Launch::Awaited), started: AtomicBool::new(false) }
    }

    pub fn set_launched(&self, launched: Launched) {
        self.launch.send_replace(Launch::Done(launched));
    }

    /// It will never be there: who waits for its end learns that.
    pub fn set_failed(&self) {
        self.launch.send_replace(Launch::Failed);
    }

    pub fn set_started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// 0 before it is launched.
    pub fn pid(&self) -> u32 {
        match &*self.launch.borrow() {
            Launch::Done(launched) => launched.pid,
            Launch::Awaited | Launch::Failed => 0,
        }
    }

    pub fn exit(&self) -> Option<Exit> {
        match &*self.launch.borrow() {
            Launch::Done(launched) => *launched.ending.borrow(),
            Launch::Awaited | Launch::Failed => None,
        }
    }

    /// Waits until it has ended, however long before or after its start that was asked.
    pub async fn end(&self) -> Result<Exit> {
        let mut launch = self.launch.subscribe();
        let ending: Option<Ending> = match &*launch.wait_for(|launch| !matches!(launch, Launch::Awaited)).await? {
            Launch::Done(launched) => Some(launched.ending.clone()),
            Launch::Awaited | Launch::Failed => None,
        };
        end_of(ending.context("it could not be started")?).await
    }

    pub fn status(&self) -> Status {
        match self.exit() {
            Some(_) => Status::STOPPED,
            None if self.started.load(Ordering::Relaxed) => Status::RUNNING,
            None => Status::CREATED,
        }
    }

    /// All that State says about it.
    pub fn state(&self) -> StateResponse {
        let exit = self.exit();
        StateResponse {
            pid: self.pid(),
            status: self.status().into(),
            stdin: self.destinations.stdin.clone(),
            stdout: self.destinations.stdout.clone(),
            stderr: self.destinations.stderr.clone(),
            exit_status: exit.map_or(0, |exit| exit.status),
            exited_at: exit.map_or_else(MessageField::none, exited_at),
            ..Default::default()
        }
    }
}

/// An exit's time in the API's form.
pub fn exited_at(exit: Exit) -> MessageField<Timestamp> {
    MessageField::some(exit.at.into())
}
