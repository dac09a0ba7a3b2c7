//! Why a call failed, in containerd's codes. What taskd refuses passes as it is.

use containerd_shim::protos::ttrpc::{Code, Error, get_status};

pub fn not_found(what: &str) -> Error {
    refusal(Code::NOT_FOUND, format!("no {what}"))
}

pub fn already_exists(what: &str) -> Error {
    refusal(Code::ALREADY_EXISTS, format!("{what} is there already"))
}

pub fn unsupported(what: &str) -> Error {
    // UNIMPLEMENTED would have containerd try an older version of the API.
    refusal(Code::INVALID_ARGUMENT, format!("not supported by io.containerd.moveroot.v1: {what}"))
}

/// What was tried and did not work, with its causes.
pub fn failed(error: impl Into<anyhow::Error>) -> Error {
    refusal(Code::UNKNOWN, format!("{:#}", error.into()))
}

/// A task whose VM is gone.
pub fn gone(why: &str) -> Error {
    refusal(Code::UNAVAILABLE, format!("the task's VM is gone: {why}"))
}

fn refusal(code: Code, message: String) -> Error {
    Error::RpcStatus(get_status(code, message))
}
