//! containerd's Task API, and what nerdbox and firecracker-containerd have before its Create.
//!
//! Read: containerd api/runtime/task/v3/shim.proto; containerd/nerdbox api/proto/nerdbox/services/bundle/v1/bundle.proto
//! (commit 6f0215930bec); firecracker-containerd proto/types.proto (0249ddb3bd4a) and `Create` in agent/service.go
//! (0475a0f91479).

use std::collections::HashMap;

use anyhow::{Result, ensure};
use prost::Message;

use crate::call::Connection;

pub const SERVICE: &str = "containerd.task.v3.Task";
/// The same messages under the name they had before containerd 2.0.
pub const SERVICE_V2: &str = "containerd.task.v2.Task";
pub const BUNDLE_SERVICE: &str = "containerd.vminitd.services.bundle.v1.Bundle";

/// A message of no package has its name alone.
pub const EXTRA_DATA: &str = "type.googleapis.com/ExtraData";

#[derive(Clone, PartialEq, Message)]
pub struct CreateTask {
    #[prost(string, tag = "1")]
    pub id: String,
    /// In the guest.
    #[prost(string, tag = "2")]
    pub bundle: String,
    #[prost(message, tag = "10")]
    pub options: Option<Any>,
}

/// google.protobuf.Any.
#[derive(Clone, PartialEq, Message)]
pub struct Any {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// Start, Wait and Delete take the same.
#[derive(Clone, PartialEq, Message)]
pub struct Process {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub exec_id: String,
}

/// Create and Start answer the same.
#[derive(Clone, PartialEq, Message)]
pub struct Pid {
    #[prost(uint32, tag = "1")]
    pub pid: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Waited {
    #[prost(uint32, tag = "1")]
    pub exit_status: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Deleted {
    #[prost(uint32, tag = "1")]
    pub pid: u32,
    #[prost(uint32, tag = "2")]
    pub exit_status: u32,
}

/// nerdbox's.
#[derive(Clone, PartialEq, Message)]
pub struct CreateBundle {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(map = "string, bytes", tag = "2")]
    pub files: HashMap<String, Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Bundle {
    /// Where the guest has it.
    #[prost(string, tag = "1")]
    pub bundle: String,
}

/// firecracker-containerd's options of Create.
#[derive(Clone, PartialEq, Message)]
pub struct ExtraData {
    #[prost(bytes = "vec", tag = "1")]
    pub json_spec: Vec<u8>,
}

/// A bundle that is in the guest.
pub fn containerd(agent: &Connection, id: &str, bundle: &str) -> Result<u32> {
    run(agent, SERVICE, &CreateTask { id: id.into(), bundle: bundle.into(), options: None })
}

/// The guest gets config.json, and has the container's root already.
pub fn nerdbox(agent: &Connection, id: &str, config: &str) -> Result<u32> {
    let files = HashMap::from([("config.json".to_string(), config.into())]);
    let Bundle { bundle } = agent.call(BUNDLE_SERVICE, "Create", &CreateBundle { id: id.into(), files })?;
    run(agent, SERVICE, &CreateTask { id: id.into(), bundle, options: None })
}

/// The bundle's directory is in the guest, with the container's root in `rootfs`; config.json is written there.
pub fn firecracker_containerd(agent: &Connection, id: &str, config: &str) -> Result<u32> {
    let value = ExtraData { json_spec: config.into() }.encode_to_vec();
    let options = Some(Any { type_url: EXTRA_DATA.into(), value });
    run(agent, SERVICE_V2, &CreateTask { id: id.into(), bundle: format!("/container/{id}"), options })
}

fn run(agent: &Connection, service: &str, create: &CreateTask) -> Result<u32> {
    let process = Process { id: create.id.clone(), exec_id: String::new() };
    let _: Pid = agent.call(service, "Create", create)?;
    let _: Pid = agent.call(service, "Start", &process)?;
    let Waited { exit_status } = agent.call(service, "Wait", &process)?;
    let deleted: Deleted = agent.call(service, "Delete", &process)?;
    ensure!(deleted.exit_status == exit_status, "Wait says {exit_status}, and Delete {}", deleted.exit_status);
    Ok(exit_status)
}
