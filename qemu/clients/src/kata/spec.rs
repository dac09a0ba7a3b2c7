//! config.json as kata-agent wants it: the same fields as messages. What is not here is not passed on: seccomp, hooks, devices,
//! user namespaces.
//!
//! Read: kata-containers/kata-containers src/libs/protocols/protos/oci.proto (commit 1e301482e7c5).

use std::collections::HashMap;

use prost::Message;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    #[prost(string, tag = "1")]
    #[serde(rename = "ociVersion")]
    pub version: String,
    #[prost(message, tag = "2")]
    pub process: Option<Process>,
    #[prost(message, tag = "3")]
    pub root: Option<Root>,
    #[prost(string, tag = "4")]
    pub hostname: String,
    #[prost(message, repeated, tag = "5")]
    pub mounts: Vec<Mount>,
    #[prost(map = "string, string", tag = "7")]
    pub annotations: HashMap<String, String>,
    #[prost(message, tag = "8")]
    pub linux: Option<Linux>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Process {
    #[prost(bool, tag = "1")]
    pub terminal: bool,
    #[prost(message, tag = "3")]
    pub user: Option<User>,
    #[prost(string, repeated, tag = "4")]
    pub args: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub env: Vec<String>,
    #[prost(string, tag = "6")]
    pub cwd: String,
    #[prost(message, tag = "7")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    #[prost(message, repeated, tag = "8")]
    pub rlimits: Vec<Limit>,
    #[prost(bool, tag = "9")]
    pub no_new_privileges: bool,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    #[prost(uint32, tag = "1")]
    pub uid: u32,
    #[prost(uint32, tag = "2")]
    pub gid: u32,
    #[prost(uint32, repeated, tag = "3")]
    pub additional_gids: Vec<u32>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    #[prost(string, repeated, tag = "1")]
    pub bounding: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub effective: Vec<String>,
    #[prost(string, repeated, tag = "3")]
    pub inheritable: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    pub permitted: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub ambient: Vec<String>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Limit {
    #[prost(string, tag = "1")]
    #[serde(rename = "type")]
    pub kind: String,
    #[prost(uint64, tag = "2")]
    pub hard: u64,
    #[prost(uint64, tag = "3")]
    pub soft: u64,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Root {
    /// Absolute, in the guest.
    #[prost(string, tag = "1")]
    pub path: String,
    #[prost(bool, tag = "2")]
    pub readonly: bool,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Mount {
    #[prost(string, tag = "1")]
    pub destination: String,
    #[prost(string, tag = "2")]
    pub source: String,
    #[prost(string, tag = "3")]
    #[serde(rename = "type")]
    pub kind: String,
    #[prost(string, repeated, tag = "4")]
    pub options: Vec<String>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Linux {
    #[prost(map = "string, string", tag = "3")]
    pub sysctl: HashMap<String, String>,
    #[prost(message, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    #[prost(string, tag = "5")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cgroups_path: String,
    #[prost(message, repeated, tag = "6")]
    pub namespaces: Vec<Namespace>,
    #[prost(string, repeated, tag = "10")]
    pub masked_paths: Vec<String>,
    #[prost(string, repeated, tag = "11")]
    pub readonly_paths: Vec<String>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespace {
    #[prost(string, tag = "1")]
    #[serde(rename = "type")]
    pub kind: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    #[prost(message, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Most>,
    #[prost(message, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<Most>,
}

/// Of memory in bytes, of processes in number: the first field of both messages.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Most {
    #[prost(int64, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Through the message and back: what was said is still said.
    #[test]
    fn a_configuration_comes_through() {
        let config = json!({
            "ociVersion": "1.0.2",
            "process": {
                "terminal": false, "user": {"uid": 1, "gid": 2, "additionalGids": [3]}, "args": ["/bin/sh"],
                "env": ["A=b"], "cwd": "/", "noNewPrivileges": true, "capabilities": {"bounding": ["CAP_KILL"]},
                "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 5, "soft": 4}],
            },
            "root": {"path": "/r", "readonly": true},
            "hostname": "h",
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc", "options": ["ro"]}],
            "linux": {
                "cgroupsPath": "/c", "resources": {"memory": {"limit": 1}, "pids": {"limit": 0}},
                "namespaces": [{"type": "pid"}, {"type": "network", "path": "/n"}],
                "maskedPaths": ["/m"], "readonlyPaths": ["/o"], "sysctl": {"a.b": "1"}, "seccomp": {"x": 1},
            },
        });
        let spec: Spec = serde_json::from_value(config.clone()).expect("it is read");
        let there = Spec::decode(spec.encode_to_vec().as_slice()).expect("it is decoded");
        let back = serde_json::to_value(there).expect("it is written");
        assert!(holds(&back, &config), "{back:#}");
        assert!(back["linux"].get("seccomp").is_none());
    }

    /// Whether all of `less`, but for seccomp, is in `more`.
    fn holds(more: &Value, less: &Value) -> bool {
        match (more, less) {
            (Value::Object(more), Value::Object(less)) => less
                .iter()
                .filter(|(name, _)| *name != "seccomp")
                .all(|(name, value)| more.get(name).is_some_and(|found| holds(found, value))),
            (Value::Array(more), Value::Array(less)) => {
                more.len() == less.len() && more.iter().zip(less).all(|(more, less)| holds(more, less))
            }
            _ => more == less,
        }
    }
}
