//! How a service that was run ended, and what a VM would make of it.

use std::fmt;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

#[derive(Debug)]
pub enum Gone {
    Exited(u8),
    Killed(Signal),
    PoweredOff,
    Restarted,
}

impl Gone {
    /// reboot(2) ends the first process of a PID namespace by one of two signals, which nobody else can send to it: SIGINT
    /// for power off and halt, SIGHUP for a restart.
    pub fn of(signal: Signal) -> Gone {
        match signal {
            Signal::SIGINT => Gone::PoweredOff,
            Signal::SIGHUP => Gone::Restarted,
            other => Gone::Killed(other),
        }
    }

    /// For this program to exit with: 0 after reboot(2), else as the service did.
    pub fn code(&self) -> u8 {
        match self {
            Gone::Exited(code) => *code,
            Gone::Killed(signal) => 128 + *signal as u8,
            Gone::PoweredOff | Gone::Restarted => 0,
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Gone::Exited(code) => json!({"kind": "exit", "code": code}),
            Gone::Killed(signal) => json!({"kind": "signal", "signal": signal.as_str()}),
            Gone::PoweredOff => json!({"kind": "power-off"}),
            Gone::Restarted => json!({"kind": "restart"}),
        }
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Gone::Exited(code) => write!(out, "the service exited with {code}, and a kernel would panic"),
            Gone::Killed(signal) => write!(out, "{signal} ended the service, and a kernel would panic"),
            Gone::PoweredOff => write!(out, "the service powered off: a clean end"),
            Gone::Restarted => write!(out, "the service restarted the machine: a clean end"),
        }
    }
}
