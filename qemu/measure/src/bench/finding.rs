//! What the service reported about a boot, and whether the boot was right.

use anyhow::{Context, Result, ensure};
use language::Verb;
use procfs_core::process::MountInfo;
use serde::{Deserialize, Serialize};

use super::candidate::Carry;
use tool::plan::Plan;

/// Opens each line of the service's.
const MARK: &str = "probe: ";

/// A boot as its service saw it.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// Nanoseconds of the machine's clock at the service's first instruction.
    pub service_ns: u64,
    /// In a VM: when the kernel's log says it ran init.
    pub init_ns: Option<u64>,
    pub memory: Memory,
    /// Pages that a file of one byte takes of the new root.
    pub byte_pages: u64,
    pid: u32,
    crun: String,
    /// (mount point, filesystem)
    mounts: Vec<(String, String)>,
    controllers: String,
}

/// KiB that were free when the service started, and KiB in tmpfs.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    pub free: u64,
    pub available: u64,
    pub shmem: u64,
}

/// What a boot should lead to.
#[derive(Clone, Debug)]
pub struct Expected {
    pub carry: Carry,
    /// The boot plan, with its mounts and controllers.
    pub plan: Plan,
    /// Size, mode, owner and hash, as the service tells them.
    pub crun: String,
}

impl Expected {
    pub fn new(plan: String, carry: Carry, crun: &[u8]) -> Expected {
        Expected { carry, plan: Plan::of("plan", plan), crun: format!("{} 755 0:0 {:016x}", crun.len(), fnv1a(crun)) }
    }

    /// Fails where the boot was wrong.
    pub fn check(&self, found: &Finding) -> Result<()> {
        ensure!(found.crun == self.crun, "/sbin/crun is {:?}, not {:?}", found.crun, self.crun);
        let is_mounted = found.is_mounted("/sbin/crun", "");
        ensure!(is_mounted == (self.carry == Carry::Bind), "crun should be there by {}", self.carry);
        self.check_mounts(found)
    }

    /// The same without a look at what was carried.
    pub fn check_mounts(&self, found: &Finding) -> Result<()> {
        ensure!(found.pid == 1, "the service is pid {}", found.pid);
        ensure!(found.is_mounted("/", "tmpfs"), "the root is no tmpfs: {:?}", found.mounts);
        for step in self.plan.steps() {
            match step.verb {
                Verb::Mount => {
                    let (target, kind) = (step.word(2), step.word(3));
                    ensure!(found.is_mounted(target, kind), "no {kind} on {target}: {:?}", found.mounts);
                }
                Verb::Controllers => {
                    let all = step.texts().skip(1).all(|name| found.controllers.split(' ').any(|one| one == name));
                    ensure!(all, "controllers {:?} where {} were asked for", found.controllers, step.text());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Finding {
    /// Reads the service's lines, wherever they stand between other output.
    pub fn read(output: &str) -> Result<Finding> {
        let mut found = Finding::default();
        let facts = output.lines().filter_map(|line| line.trim_end().split_once(MARK)?.1.split_once(' '));
        let mut last = "";
        for (name, value) in facts {
            found.take(name, value).with_context(|| format!("the service said {name} {value}"))?;
            last = name;
        }
        ensure!(output.contains("probe: end"), "the service did not come to its end (last: {last:?}): {output}");
        Ok(found)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "service" => self.service_ns = value.parse()?,
            "init" => self.init_ns = Some(value.parse()?),
            "byte" => self.byte_pages = value.parse()?,
            "pid" => self.pid = value.parse()?,
            "crun" => self.crun = value.to_string(),
            "controllers" => self.controllers = value.to_string(),
            "mount" => self.mounts.extend(mount(value)),
            "memory" => self.memory.take(value)?,
            _ => {}
        }
        Ok(())
    }

    fn is_mounted(&self, path: &str, kind: &str) -> bool {
        self.mounts.iter().any(|(point, filesystem)| point == path && (kind.is_empty() || filesystem == kind))
    }
}

impl Memory {
    /// Field by field.
    pub fn median(of: &[Memory]) -> Option<Memory> {
        let median = |field: fn(&Memory) -> u64| {
            let mut values: Vec<u64> = of.iter().map(field).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied()
        };
        let (free, available) = (median(|memory| memory.free)?, median(|memory| memory.available)?);
        Some(Memory { free, available, shmem: median(|memory| memory.shmem)? })
    }

    /// A line of /proc/meminfo.
    fn take(&mut self, line: &str) -> Result<()> {
        let (name, value) = line.split_once(':').context("no colon")?;
        let place = match name {
            "MemFree" => &mut self.free,
            "MemAvailable" => &mut self.available,
            "Shmem" => &mut self.shmem,
            _ => return Ok(()),
        };
        *place = value.trim().trim_end_matches(" kB").parse()?;
        Ok(())
    }
}

/// Mount point and filesystem of a line of mountinfo: proc(5).
fn mount(line: &str) -> Option<(String, String)> {
    let mount = MountInfo::from_line(line).ok()?;
    Some((mount.mount_point.display().to_string(), mount.fs_type))
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "root\nmount proc /proc proc nosuid\n-controllers cpu\ncopy /sbin/crun\n";
    const RIGHT: [&str; 7] = [
        "probe: service 7",
        "probe: pid 1",
        "probe: mount 20 19 0:21 / / rw - tmpfs tmpfs rw",
        "probe: mount 21 20 0:22 / /proc rw,nosuid - proc proc rw",
        "probe: controllers cpu memory",
        "probe: crun 3 755 0:0 e71fa2190541574b",
        "probe: end x",
    ];

    fn judged(lines: &[&str], carry: Carry) -> Result<()> {
        Expected::new(PLAN.to_string(), carry, b"abc").check(&Finding::read(&lines.join("\n"))?)
    }

    #[test]
    fn a_right_boot_is_right() {
        judged(&RIGHT, Carry::Copy).unwrap();
    }

    #[test]
    fn whatever_is_missing_makes_it_wrong() {
        for missing in &RIGHT[1..] {
            let lines: Vec<&str> = RIGHT.into_iter().filter(|line| line != missing).collect();
            assert!(judged(&lines, Carry::Copy).is_err(), "without {missing}");
        }
        assert!(judged(&RIGHT, Carry::Bind).is_err(), "a copy where a bind was asked for");
    }
}
