//! What a container uses, as its control group's files say: Documentation/admin-guide/cgroup-v2.rst.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use containerd_shim_protos::cgroups_v2::metrics::{CPUStat, MemoryStat, Metrics, PidsStat};
use containerd_shim_protos::protobuf::well_known_types::any::Any;
use containerd_shim_protos::protobuf::{Message, MessageField, MessageFull};

const ROOT: &str = "/sys/fs/cgroup";

/// Of the group that a process is in. What has no file there is 0; a limit that is none is the highest number.
pub fn of(pid: u32) -> Result<Any> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).context("its control group")?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/")).context("it is in no control group")?;
    let directory = Path::new(ROOT).join(group);
    let read = |file: &str| fs::read_to_string(directory.join(file)).unwrap_or_default();
    let (pids, memory) = (["pids.current", "pids.max"].map(read), ["memory.current", "memory.max"].map(read));
    let ([current, limit], [usage, usage_limit]) = (pids.map(number), memory.map(number));
    let cpu = read("cpu.stat");
    let metrics = Metrics {
        pids: MessageField::some(PidsStat { current, limit, ..Default::default() }),
        cpu: MessageField::some(CPUStat {
            usage_usec: field(&cpu, "usage_usec"),
            user_usec: field(&cpu, "user_usec"),
            system_usec: field(&cpu, "system_usec"),
            ..Default::default()
        }),
        memory: MessageField::some(MemoryStat { usage, usage_limit, ..Default::default() }),
        ..Default::default()
    };
    let value = metrics.write_to_bytes().context("the figures")?;
    Ok(Any { type_url: Metrics::descriptor().full_name().to_string(), value, ..Default::default() })
}

fn number(text: String) -> u64 {
    match text.trim() {
        "max" => u64::MAX,
        text => text.parse().unwrap_or_default(),
    }
}

fn field(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map(|value| number(value.to_string())).unwrap_or_default()
}
