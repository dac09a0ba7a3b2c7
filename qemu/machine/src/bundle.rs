//! An OCI bundle (runtime-spec 1.0): config.json and a busybox root, for the initramfs or for a directory.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use tool::initramfs::Initramfs;

/// Where the guest's agent looks for the bundle.
pub const PATH: &str = "/bundle";

/// The demo container's exit code.
pub const EXIT_CODE: u8 = 42;

const GREETING: &str = r#"
echo "hello from a container on $(uname -s) $(uname -r), $(uname -m)"
echo "host name $(hostname), pid $$"
echo "memory limit $(cat /sys/fs/cgroup/memory.max), pids limit $(cat /sys/fs/cgroup/pids.max)"
exit 42
"#;

const APPLETS: [&str; 10] = ["cat", "env", "hostname", "id", "ls", "mount", "sed", "sh", "sleep", "uname"];

const CAPABILITIES: [&str; 3] = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

/// A container: what it runs, and its limits.
pub struct Bundle {
    pub args: Vec<String>,
    pub memory_limit: Option<u64>,
    pub pids_limit: Option<u32>,
}

impl Default for Bundle {
    /// The demo: a greeting, two limits to read back, then exit code 42.
    fn default() -> Self {
        Bundle { memory_limit: Some(64 << 20), pids_limit: Some(32), ..Bundle::shell(GREETING.trim()) }
    }
}

impl Bundle {
    /// A container without limits that runs a shell script.
    pub fn shell(script: &str) -> Self {
        let args = ["/bin/sh", "-c", script].map(String::from).to_vec();
        Bundle { args, memory_limit: None, pids_limit: None }
    }

    /// Puts the bundle into an initramfs at [`PATH`].
    pub fn pack(&self, tree: &mut Initramfs, busybox: &Path) -> Result<()> {
        let config = serde_json::to_string_pretty(&self.config())?;
        tree.bytes(&format!("{PATH}/config.json"), 0o644, config);
        for directory in ["dev", "proc", "sys", "tmp"] {
            tree.dir(&format!("{PATH}/rootfs/{directory}"), 0o755);
        }
        for applet in APPLETS {
            tree.symlink("busybox", &format!("{PATH}/rootfs/bin/{applet}"));
        }
        tree.file(&format!("{PATH}/rootfs/bin/busybox"), busybox)?;
        Ok(())
    }

    /// The content of config.json.
    pub fn config(&self) -> Value {
        json!({
            "ociVersion": "1.0.2",
            "process": self.process(),
            "root": { "path": "rootfs", "readonly": true },
            "hostname": "container",
            "mounts": mounts(),
            "linux": {
                "cgroupsPath": "/demo",
                "resources": self.resources(),
                "namespaces": namespaces(),
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware"],
                "readonlyPaths": ["/proc/bus", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
            },
        })
    }

    fn process(&self) -> Value {
        json!({
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": self.args,
            "env": ["PATH=/bin", "TERM=linux"],
            "cwd": "/",
            "noNewPrivileges": true,
            "capabilities": {
                "bounding": CAPABILITIES,
                "effective": CAPABILITIES,
                "permitted": CAPABILITIES,
            },
        })
    }

    fn resources(&self) -> Value {
        let mut resources = json!({});
        if let Some(limit) = self.memory_limit {
            resources["memory"] = json!({ "limit": limit });
        }
        if let Some(limit) = self.pids_limit {
            resources["pids"] = json!({ "limit": limit });
        }
        resources
    }
}

fn namespaces() -> Value {
    ["pid", "mount", "ipc", "uts", "cgroup"].map(|kind| json!({ "type": kind })).into_iter().collect()
}

fn mounts() -> Value {
    const MOUNTS: [(&str, &str, &str); 6] = [
        ("/proc", "proc", "nosuid,noexec,nodev"),
        ("/dev", "tmpfs", "nosuid,strictatime,mode=755,size=64k"),
        ("/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620"),
        ("/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=64k"),
        ("/sys", "sysfs", "nosuid,noexec,nodev,ro"),
        ("/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,ro"),
    ];
    let mount = |(destination, kind, options): (&str, &str, &str)| {
        let options: Vec<&str> = options.split(',').collect();
        json!({ "destination": destination, "type": kind, "source": kind, "options": options })
    };
    MOUNTS.map(mount).into_iter().collect()
}
