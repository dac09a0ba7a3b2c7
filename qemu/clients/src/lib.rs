//! What speaks to agents from the host, each as its own shim or runtime does: a container from create to delete.
//!
//! | style | service | before Create |
//! |---|---|---|
//! | `containerd` | `containerd.task.v3.Task` | the bundle is in the guest |
//! | `nerdbox` | the same | `Bundle.Create` brings config.json |
//! | `firecracker-containerd` | `containerd.task.v2.Task` | config.json comes in Create's options |
//! | `kata` | `grpc.AgentService` | `CreateSandbox`; config.json comes in CreateContainer, in a form of its own |
//!
//! All four are ttrpc: a request names service and method, and its payload is a protobuf message. Messages are given by their
//! field numbers, and only the fields that are sent or read. Floors, from the top: the services, the call.

pub mod kata;
pub mod task;

pub mod call;
