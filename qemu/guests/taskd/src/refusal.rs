//! Why a call failed, in the codes that containerd's shims use.

use containerd_shim_protos::ttrpc::{Code, Error, Result, get_status};

/// `ID` or `ID/EXEC`: whom a call is about, as messages name it.
pub fn named(id: &str, exec_id: &str) -> String {
    if exec_id.is_empty() { format!("task {id}") } else { format!("task {id}, process {exec_id}") }
}

pub fn not_found(id: &str, exec_id: &str) -> Error {
    refusal(Code::NOT_FOUND, format!("no {}", named(id, exec_id)))
}

pub fn already_exists(id: &str, exec_id: &str) -> Error {
    refusal(Code::ALREADY_EXISTS, format!("{} is there already", named(id, exec_id)))
}

pub fn precondition(id: &str, exec_id: &str, what: &str) -> Error {
    refusal(Code::FAILED_PRECONDITION, format!("{} {what}", named(id, exec_id)))
}

/// What was tried and did not work, with its causes.
pub fn failed(error: impl Into<anyhow::Error>) -> Error {
    refusal(Code::UNKNOWN, format!("{:#}", error.into()))
}

/// Refuses what a request asks for and this agent does not do.
pub fn refuse(asked: bool, what: &str) -> Result<()> {
    if asked { Err(refusal(Code::UNIMPLEMENTED, format!("taskd does not do this: {what}"))) } else { Ok(()) }
}

fn refusal(code: Code, message: String) -> Error {
    Error::RpcStatus(get_status(code, message))
}
