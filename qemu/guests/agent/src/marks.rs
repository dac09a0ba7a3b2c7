//! Marks for a timeline, written to a port that QEMU listens on: when the kernel's command line carries `agent_marks=1`.

use std::sync::OnceLock;

use crate::log;
use crate::port::{self, Mark, Port};

/// Marks this moment.
pub fn make(mark: Mark) {
    make_at(mark, port::ticks());
}

/// Marks a moment that has passed.
pub fn make_at(mark: Mark, ticks: u64) {
    if let Some(port) = port() {
        port.write(&port::mark(ticks, mark as u16, port::FROM_AGENT));
    }
}

/// Sends the kernel's log, for what the kernel did before, with a message in it that tells the time by the other clock.
pub fn send_log() {
    let Some(port) = port() else { return };
    // Informational, syslog(2): not for the console. Without the newline the message could go on, and can't be read yet.
    if let Err(error) = std::fs::write("/dev/kmsg", format!("<6>{}{}\n", port::BOTH_CLOCKS, port::ticks())) {
        eprintln!("agent: cannot write to the log: {error}");
    }
    log::find(|microseconds, text| -> Option<()> {
        let text = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
        port.write(&port::mark(microseconds, text.len() as u16, port::FROM_LOG));
        port.write(text);
        None
    });
}

/// The port, if marks are asked for; the right to it is asked for once.
fn port() -> Option<Port> {
    static PORT: OnceLock<Option<Port>> = OnceLock::new();
    let open = || Port::open(port::MARKS).inspect_err(|error| eprintln!("agent: no marks: {error}")).ok();
    *PORT.get_or_init(|| if std::env::var("agent_marks").is_ok() { open() } else { None })
}
