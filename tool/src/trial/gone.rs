//! How init, or a service that was run, ended, and what a VM would make of it.

use std::fmt;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::tracer::End;

#[derive(Debug)]
pub enum Gone {
    Ended(End),
    PoweredOff,
    Restarted,
    /// By init, after the service's end, which init tells.
    PoweredOffByInit,
    RestartedByInit,
}

impl Gone {
    /// reboot(2) ends the first process of a PID namespace by one of two signals, which nobody else can send to it: SIGINT
    /// for power off and halt, SIGHUP for a restart.
    pub fn of(end: End) -> Gone {
        match end {
            End::Killed(Signal::SIGINT) => Gone::PoweredOff,
            End::Killed(Signal::SIGHUP) => Gone::Restarted,
            other => Gone::Ended(other),
        }
    }

    /// The same, of a service that init has spawned.
    pub fn of_init(end: End) -> Gone {
        match Gone::of(end) {
            Gone::PoweredOff => Gone::PoweredOffByInit,
            Gone::Restarted => Gone::RestartedByInit,
            other => other,
        }
    }

    /// For this program to exit with: 0 after reboot(2), else as the service did.
    pub fn code(&self) -> u8 {
        match self {
            Gone::Ended(End::Exited(code)) => *code as u8,
            Gone::Ended(End::Killed(signal)) => 128 + *signal as u8,
            Gone::PoweredOff | Gone::Restarted | Gone::PoweredOffByInit | Gone::RestartedByInit => 0,
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Gone::Ended(end) => json(*end),
            Gone::PoweredOff | Gone::PoweredOffByInit => json!({"kind": "power-off"}),
            Gone::Restarted | Gone::RestartedByInit => json!({"kind": "restart"}),
        }
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Gone::Ended(end) => out.write_str(&told("the service", *end)),
            Gone::PoweredOff => write!(out, "the service powered off: a clean end"),
            Gone::Restarted => write!(out, "the service restarted the machine: a clean end"),
            Gone::PoweredOffByInit => write!(out, "the service ended, and init powered off: a clean end"),
            Gone::RestartedByInit => write!(out, "the service ended, and init restarted the machine: a clean end"),
        }
    }
}

pub fn json(end: End) -> Value {
    match end {
        End::Exited(code) => json!({"kind": "exit", "code": code}),
        End::Killed(signal) => json!({"kind": "signal", "signal": signal.as_str()}),
    }
}

pub fn told(who: &str, end: End) -> String {
    match end {
        End::Exited(code) => format!("{who} exited with {code}, and a kernel would panic"),
        End::Killed(signal) => format!("{signal} ended {who}, and a kernel would panic"),
    }
}
