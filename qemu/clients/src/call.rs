//! One call: a message there, a message back, or the agent's own words for why not.

use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use prost::Message;
use ttrpc::{Client, Error, Request};

/// A connection to an agent.
pub struct Connection {
    client: Client,
    /// For each answer.
    limit: Duration,
}

impl Connection {
    /// Every answer has to come within the limit.
    pub fn over(stream: UnixStream, limit: Duration) -> Result<Self> {
        let client = Client::new(stream.into_raw_fd()).map_err(|error| anyhow!("ttrpc: {error}"))?;
        Ok(Connection { client, limit })
    }

    pub fn call<A: Message + Default>(&self, service: &str, method: &str, message: &impl Message) -> Result<A> {
        let nanoseconds = i64::try_from(self.limit.as_nanos()).unwrap_or(i64::MAX);
        let request = Request {
            service: service.to_string(),
            method: method.to_string(),
            payload: message.encode_to_vec(),
            timeout_nano: nanoseconds,
            ..Default::default()
        };
        let answer = self.client.request(request).map_err(|error| match error {
            Error::RpcStatus(status) => anyhow!("{} ({:?})", status.message(), status.code()),
            Error::Others(text) if text.contains("timeout") => anyhow!("no answer within {:?}", self.limit),
            Error::Others(text) | Error::Socket(text) => anyhow!("the connection is gone: {text}"),
            other => anyhow!("{other}"),
        });
        let answer = answer.with_context(|| format!("{service} {method}"))?;
        A::decode(answer.payload.as_slice()).with_context(|| format!("{service} {method}: the answer can't be read"))
    }
}
