//! kata-agent's AgentService: a sandbox, and a container in it.
//!
//! Read: kata-containers/kata-containers src/libs/protocols/protos/agent.proto (commit 1538c92944f9).

pub mod spec;

use anyhow::{Context, Result};
use prost::Message;

use crate::call::Connection;
use spec::Spec;

pub const SERVICE: &str = "grpc.AgentService";

/// The most bytes of output in one answer.
const PART: u32 = 32 << 10;

/// google.protobuf.Empty: what most calls answer, and DestroySandbox sends.
#[derive(Clone, PartialEq, Message)]
pub struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub struct CreateSandbox {
    #[prost(string, tag = "1")]
    pub hostname: String,
    #[prost(string, tag = "5")]
    pub sandbox_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct CreateContainer {
    #[prost(string, tag = "1")]
    pub container_id: String,
    #[prost(string, tag = "2")]
    pub exec_id: String,
    #[prost(message, tag = "6")]
    pub oci: Option<Spec>,
}

/// StartContainer and RemoveContainer take the same.
#[derive(Clone, PartialEq, Message)]
pub struct Container {
    #[prost(string, tag = "1")]
    pub container_id: String,
}

/// A container's first process has the container's id.
#[derive(Clone, PartialEq, Message)]
pub struct WaitProcess {
    #[prost(string, tag = "1")]
    pub container_id: String,
    #[prost(string, tag = "2")]
    pub exec_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Waited {
    #[prost(int32, tag = "1")]
    pub status: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct ReadStream {
    #[prost(string, tag = "1")]
    pub container_id: String,
    #[prost(string, tag = "2")]
    pub exec_id: String,
    #[prost(uint32, tag = "3")]
    pub len: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Part {
    #[prost(bytes = "vec", tag = "1")]
    pub data: Vec<u8>,
}

/// A container in a sandbox of its own; its exit status and its output. The container's root is in the guest.
pub fn kata(agent: &Connection, id: &str, config: &str) -> Result<(u32, String)> {
    let oci: Spec = serde_json::from_str(config).context("config.json is not what the agent could be told")?;
    let call = |method, message: &CreateContainer| agent.call::<Empty>(SERVICE, method, message);
    let sandbox = CreateSandbox { hostname: oci.hostname.clone(), sandbox_id: id.into() };
    let _: Empty = agent.call(SERVICE, "CreateSandbox", &sandbox)?;
    call("CreateContainer", &CreateContainer { container_id: id.into(), exec_id: id.into(), oci: Some(oci) })?;
    let container = Container { container_id: id.into() };
    let _: Empty = agent.call(SERVICE, "StartContainer", &container)?;
    let output = output(agent, id);
    let process = WaitProcess { container_id: id.into(), exec_id: id.into() };
    let Waited { status } = agent.call(SERVICE, "WaitProcess", &process)?;
    let _: Empty = agent.call(SERVICE, "RemoveContainer", &container)?;
    let _: Empty = agent.call(SERVICE, "DestroySandbox", &Empty {})?;
    Ok((status.cast_unsigned(), output))
}

/// Up to the stream's end, which the agent tells by a failure.
fn output(agent: &Connection, id: &str) -> String {
    let request = ReadStream { container_id: id.into(), exec_id: id.into(), len: PART };
    let mut output = Vec::new();
    while let Ok(Part { data }) = agent.call(SERVICE, "ReadStdout", &request)
        && !data.is_empty()
    {
        output.extend(data);
    }
    String::from_utf8_lossy(&output).into_owned()
}
