//! Whether a guest's vsock driver is up, which QEMU tells over its monitor (QMP).
//!
//! vhost-device-vsock loses a call that comes while the driver is starting, and each that comes after it: so a host that
//! can't know when its guest listens asks here first.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// For one answer.
const LIMIT: Duration = Duration::from_secs(5);

/// The last thing that a driver says when it starts: virtio specification, 2.1.
const UP: &str = "VIRTIO_CONFIG_S_DRIVER_OK";

/// QEMU's words for a monitor at this socket.
pub fn words(socket: &Path) -> [String; 2] {
    ["-qmp".to_string(), format!("unix:{},server=on,wait=off", socket.display())]
}

/// Asks once. A QEMU that can't tell, one before 7.2, is taken at its guest's word: then it is.
pub fn is_up(socket: &Path) -> Result<bool> {
    let stream = UnixStream::connect(socket).with_context(|| format!("cannot connect to {}", socket.display()))?;
    stream.set_read_timeout(Some(LIMIT))?;
    let mut monitor = Monitor(BufReader::new(stream));
    // Its greeting.
    monitor.read()?;
    monitor.ask("qmp_capabilities", json!({}))?;
    let devices = monitor.ask("x-query-virtio", json!({}))?;
    let Some(devices) = devices["return"].as_array() else { return Ok(true) };
    let vsock = devices.iter().find(|device| device["name"].as_str().is_some_and(|name| name.contains("vsock")));
    let Some(vsock) = vsock else { return Ok(true) };
    let status = monitor.ask("x-query-virtio-status", json!({ "path": vsock["path"] }))?;
    let statuses = status["return"]["status"]["statuses"].as_array().cloned().unwrap_or_default();
    Ok(statuses.iter().any(|status| status.as_str().is_some_and(|status| status.starts_with(UP))))
}

struct Monitor(BufReader<UnixStream>);

impl Monitor {
    fn ask(&mut self, command: &str, arguments: Value) -> Result<Value> {
        writeln!(self.0.get_mut(), "{}", json!({ "execute": command, "arguments": arguments }))?;
        loop {
            let answer = self.read()?;
            // Events come between.
            if answer.get("event").is_none() {
                return Ok(answer);
            }
        }
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.0.read_line(&mut line).context("QEMU's monitor does not answer")?;
        serde_json::from_str(&line).context("QEMU's monitor answers with no JSON")
    }
}
