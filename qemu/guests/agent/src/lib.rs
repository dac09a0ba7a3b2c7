//! What every agent that stands for another does: it looks at what it was given, checks moveroot's promises, runs the
//! bundle's container, and says all of it. The harness and the tests read the [`Report`], one line of JSON behind
//! [`MARK`].

pub mod container;
pub mod contract;
pub mod ending;
pub mod facts;
pub mod files;
mod log;
pub mod marks;
pub mod port;
pub mod recorder;

use std::io::Write;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Opens the one machine-readable line of the agent's output.
pub const MARK: &str = "moveroot-report: ";

/// The variable with a recorder's process number.
pub const RECORDER: &str = "agent_recorder";

/// The exit code a bundle's container should have, unless `/bundle/expect` names another.
pub const EXPECTED_EXIT: i32 = 42;

/// Everything the agent saw, taken before it opened anything itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    pub pid: u32,
    pub argv: Vec<String>,
    /// `NAME=VALUE`, in the order they were handed over.
    pub environment: Vec<String>,
    /// As the kernel says it; starts with `(unreachable)` when outside the root.
    pub cwd: String,
    /// What `/proc/self/exe` points to, where proc is mounted.
    pub exe: Option<String>,
    pub umask: u32,
    pub signals: Signals,
    pub descriptors: Vec<Descriptor>,
    /// `/proc/self/mountinfo`, word for word, where proc is mounted.
    pub mountinfo: Option<String>,
    pub root: Filesystem,
    /// Every file of the root filesystem, mount points included but not crossed.
    pub tree: Vec<File>,
    /// The files asked for by `--files`.
    pub files: Vec<File>,
    /// The controllers enabled at the top of the cgroup v2 tree, where that is mounted.
    pub subtree_control: Option<String>,
    /// What is not as moveroot promises its service.
    pub problems: Vec<String>,
    pub container: Option<Container>,
    pub times_us: Times,
}

/// Signal sets; bit N-1 stands for signal N.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    pub blocked: u64,
    pub ignored: u64,
    pub caught: u64,
}

/// An open descriptor and what is behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    pub number: i32,
    pub kind: String,
    /// Of a device: major and minor number.
    pub device: Option<(u64, u64)>,
    /// The access mode: `r`, `w` or `rw`.
    pub access: String,
}

/// statfs(2) of the root directory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Filesystem {
    pub magic: i64,
    pub bytes: u64,
    pub bytes_free: u64,
}

/// One file, not followed if it is a symbolic link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub path: String,
    /// `file`, `directory`, `symlink`, `character`, `block`, `fifo`, `socket`, or `missing`.
    pub kind: String,
    /// Permission bits only.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub device: u64,
    pub inode: u64,
    /// SHA-256 of a regular file's content, in hexadecimal.
    pub sha256: Option<String>,
    pub target: Option<String>,
}

/// How the bundle's container went.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Container {
    pub argv: Vec<String>,
    /// `128 + N` when the runtime died of signal N.
    pub exit_code: i32,
    pub expected: i32,
    /// What the runtime and the container wrote, both streams together.
    pub output: String,
}

/// Microseconds since the kernel started.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Times {
    /// When the kernel handed over to init, by its own log; absent without `/dev/kmsg`.
    pub init: Option<u64>,
    /// The agent's first instructions.
    pub service: u64,
    pub container_start: Option<u64>,
    pub container_end: Option<u64>,
}

impl Report {
    /// Finds and reads the report in a guest's console output.
    pub fn find(output: &str) -> Option<Report> {
        let line = output.lines().rev().find(|line| line.contains(MARK))?;
        let (_, json) = line.split_once(MARK)?;
        serde_json::from_str(json.trim_end()).ok()
    }

    /// Prints it: one write, so that no kernel message parts the line.
    pub fn say(&self, output: Option<&str>) -> Result<()> {
        for problem in &self.problems {
            println!("agent: not as promised: {problem}");
        }
        if self.problems.is_empty() {
            let mounts = self.mountinfo.as_deref().map_or(0, |text| text.lines().count());
            println!("agent: pid {}, {mounts} mounts, nothing amiss", self.pid);
        }
        if let Some(ran) = &self.container {
            println!("agent: container exited {}, expected {}", ran.exit_code, ran.expected);
        }
        let line = format!("{MARK}{}\n", serde_json::to_string(self)?);
        let written = match output {
            Some(path) => std::fs::write(path, line),
            None => std::io::stdout().lock().write_all(line.as_bytes()),
        };
        written.context("cannot write the report")
    }

    /// 0 if nothing was amiss and the container, if there was one, ended as expected.
    pub fn verdict(&self) -> i32 {
        let as_expected = self.container.as_ref().is_none_or(|ran| ran.exit_code == ran.expected);
        i32::from(!self.problems.is_empty() || !as_expected)
    }

    /// The file of that path: one asked for, or one of the root filesystem.
    pub fn file(&self, path: &str) -> Option<&File> {
        let mut files = self.files.iter().chain(&self.tree);
        files.find(|file| file.path == path)
    }
}

/// The hash that [`File::sha256`] has, of content at hand.
pub fn sha256(content: &[u8]) -> String {
    hex(&hmac_sha256::Hash::hash(content))
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
