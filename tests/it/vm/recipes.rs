//! docs/recipes.md: each plan is packed by the page's own command and booted as it stands there.

mod disks;
mod page;
mod shell;

use anyhow::{Result, ensure};
use vm::accel;
use vm::qemu::{Machine, Outcome, Vm};

use super::{LIMIT, beside_others, parts};
use disks::Disk;
use page::Recipe;

/// The page's recipes, in its order.
const RECIPES: [&str; 6] = [
    "Make a filesystem on a scratch disk",
    "Check a disk before it is mounted",
    "A disk that is clean after power off",
    "A shell on the console",
    "A cgroup of the service's own",
    "An overlay on a disk as root",
];

#[test]
fn are_all_known() -> Result<()> {
    assert_eq!(page::titles()?, RECIPES);
    Ok(())
}

/// Packs and boots a recipe with this script as its service, and has `work` watch the console's lines and type on it.
fn boot_with<T: Send>(
    title: &str,
    service: &str,
    disk: Option<&Disk>,
    work: impl FnOnce(&Machine, &shell::Lines) -> Result<T> + Send,
) -> Result<(Outcome, T)> {
    let ground = Recipe::read(title)?.pack(service)?;
    let parts = parts();
    let vm = Vm {
        disk: disk.map(Disk::path),
        disk_is_writable: true,
        accel: accel::best(&parts.kernel)?,
        timeout: LIMIT,
        ..Vm::new(&parts.kernel, &ground.path("out"))
    };
    let _guest = beside_others();
    let (sender, lines) = shell::lines();
    let (outcome, worked) =
        vm.drive(move |line| drop(sender.send(line.to_string())), move |machine| work(machine, &lines))?;
    let worked = worked.map_err(|error| error.context(outcome.evidence()))?;
    Ok((outcome, worked))
}

/// A boot that ends by itself, by power off.
fn boot(title: &str, service: &str, disk: Option<&Disk>) -> Result<Outcome> {
    let (outcome, ()) = boot_with(title, service, disk, |_, _| Ok(()))?;
    let ended_well = outcome.transcript.contains("moveroot: /sbin/service: exit status 0\n");
    ensure!(ended_well && outcome.status.success() && !outcome.timed_out, outcome.evidence());
    Ok(outcome)
}

#[test]
fn the_service_is_in_a_cgroup_of_its_own() -> Result<()> {
    let service = "busybox=/bin/busybox; cgroup=/sys/fs/cgroup
$busybox cat /proc/self/cgroup $cgroup/service/memory.max
echo \"controllers $($busybox cat $cgroup/cgroup.subtree_control)\"
echo \"available $($busybox cat $cgroup/cgroup.controllers)\"
$busybox mkdir $cgroup/container
echo 50 > $cgroup/container/pids.max && $busybox cat $cgroup/container/pids.max";
    let outcome = boot("A cgroup of the service's own", service, None)?;
    let lines: Vec<&str> = outcome.transcript.lines().collect();
    let after = |name| lines.iter().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    assert!(lines.windows(2).any(|two| two == ["0::/service", "67108864"]), "{}", outcome.evidence());
    assert_eq!(after("controllers "), after("available "), "{}", outcome.evidence());
    assert!(after("controllers ").contains("cpu io memory") && lines.contains(&"50"), "{}", outcome.evidence());
    Ok(())
}
