//! Each system call of a boot goes wrong once in each way it can; each boot ends in one of three ways.
//!
//! EINTR comes once, not for ever: a signal interrupts a call for a handler, and pid 1 has none.

use std::io::Write;

use anyhow::Result;
use vm::faults::{self, Scenario};
use vm::sandbox::Sandbox;
use vm::test::long;

use super::{busybox, content, initramfs};

const BUILT_IN: &str = include_str!("../../../src/default.plan");

/// Every verb, with all that it does at the most; steps that fail and may; one that undoes what it has made.
pub const EVERY_VERB: &str = "root size=16m,mode=0755
dir /etc 0750
dir /deep/down 2755
-dir /etc/
link /proc/self/fd /dev/fd
-link /proc/self/fd /dev/fd
mount proc /proc proc nosuid,nodev,noexec
mount tmpfs /run/deep tmpfs size=1m,mode=0700,nodev
copy /files/cgroup.subtree_control /sys/fs/cgroup/cgroup.subtree_control
controllers cpu memory
write /proc/sys/kernel/hostname vm
copy /files/owned /deep/owned
-copy /files/gone
bind /files/bound /bound
-copy /.moveroot/bound /copied
-copy /files/tolerated /directory/file
-module /files/gone.ko
-module /files/garbage.ko.xz debug=1
-mount none /none nosuchfs
-mount tmpfs /tolerated tmpfs size=1m,mode=0755
mount /etc /again none rbind,ro,nosuid,rprivate
-mount /etc /once-more none bind,ro,unbindable
mount none /again none remount,bind,noexec
bind /directory /data/directory
bind /sbin/agent
env A=1
exec /sbin/agent --report word --files /proc/sys/kernel/hostname
";

/// What other inits do before their service, and what of the initramfs nobody needs then.
pub const BEFORE_THE_SERVICE: &str = "root
dir /sys/fs/cgroup
copy /files/cgroup.controllers /sys/fs/cgroup/cgroup.controllers
copy /files/cgroup.subtree_control /sys/fs/cgroup/cgroup.subtree_control
controllers
limit nofile 100 200
-limit nofile 9 8
bind /bin
run /bin/true one two
-run /bin/false
-run /bin/gone
wait /bin/true 1
-wait /gone 0
drop /dropped
-drop /bin
bind /sbin/agent
exec /sbin/agent --report word
";

pub fn with_programs() -> Result<Sandbox> {
    let sandbox = furnished()?.file("/files/cgroup.controllers", "cpu memory\n", 0o600)?;
    let sandbox = sandbox.program("/bin/true", busybox())?.symlink("true", "/bin/false")?;
    let sandbox = sandbox.file("/bin/end", "#!/bin/sh\nexit 42\n", 0o755)?.symlink("true", "/bin/sh")?;
    sandbox.file("/dropped/one", "1", 0o644)?.file("/dropped/deeper/two", "2", 0o644)
}

#[test]
fn of_what_goes_before_the_service() -> Result<()> {
    let (name, plan) = ("before the service", BEFORE_THE_SERVICE);
    assert_all_right(&Scenario { name, plan, built_in: false, furnish: &with_programs, output: None })
}

pub const SPAWNED: &str = "root\nbind /bin\non-exit panic\nspawn /bin/end\n";

/// The service's end becomes init's: whatever is told in its place, the exit code shows.
#[test]
fn of_a_service_that_is_spawned() -> Result<()> {
    let scenario = Scenario { name: "spawned", plan: SPAWNED, built_in: false, furnish: &with_programs, output: None };
    let summary = faults::spawned::run(&scenario)?;
    writeln!(std::io::stderr(), "{summary}")?;
    assert!(summary.wrong.is_empty(), "{summary}\n{}", summary.wrong.join("\n"));
    assert!(summary.failed > 20, "{summary}: nothing was injected");
    Ok(())
}

pub fn furnished() -> Result<Sandbox> {
    let sandbox =
        initramfs()?.file("/sbin/crun", content(70_001), 0o755)?.file("/files/cgroup.subtree_control", "", 0o600)?;
    let sandbox = sandbox.file("/files/owned", content(9_001), 0o4755)?.owner("/files/owned", 1000, 1001)?;
    let sandbox = sandbox.file("/files/bound", "bound", 0o644)?.file("/files/tolerated", content(5_001), 0o640)?;
    sandbox.file("/directory/file", "in a directory", 0o644)?.file("/files/garbage.ko.xz", "no module", 0o644)
}

fn assert_all_right(scenario: &Scenario) -> Result<()> {
    let summary = faults::run(scenario, long())?;
    // Past the test harness, which keeps what a test prints: the figures are for each run's reader.
    writeln!(std::io::stderr(), "{summary}")?;
    assert!(summary.wrong.is_empty(), "{summary}\n{}", summary.wrong.join("\n"));
    Ok(())
}

#[test]
fn of_the_built_in_plan() -> Result<()> {
    let furnish = || Ok(furnished()?.args(["--report"]));
    let name = "the built-in plan";
    assert_all_right(&Scenario { name, plan: BUILT_IN, built_in: true, furnish: &furnish, output: None })
}

#[test]
fn of_a_plan_with_every_verb() -> Result<()> {
    let furnish = || Ok(furnished()?.args(["--report"]));
    let name = "every verb";
    assert_all_right(&Scenario { name, plan: EVERY_VERB, built_in: false, furnish: &furnish, output: None })
}

/// What follows `-exec`, and what is said where no other `exec` does.
const SERVICES: [(&str, &str); 2] = [
    ("falling back", "root\nbind /sbin/agent\n-exec /gone one two\nexec /sbin/agent --report\n"),
    ("giving up", "root\nmount tmpfs / tmpfs mode=0755\nbind /sbin/agent\nexec /gone one two\n"),
];

#[test]
fn of_a_service_that_is_not_there() -> Result<()> {
    let furnish = || Ok(furnished()?.args(["--report"]));
    for (name, plan) in SERVICES {
        assert_all_right(&Scenario { name, plan, built_in: false, furnish: &furnish, output: None })?;
    }
    Ok(())
}

#[test]
fn without_a_console() -> Result<()> {
    let furnish = || {
        let sandbox = furnished()?.args(["--report", "--output", "/out"]).file("/out", "", 0o600)?;
        Ok(sandbox.dir("/dev/console", 0o755)?.closed_descriptors())
    };
    let plan = "root\n-bind /gone\nbind /out\nbind /sbin/agent\nexec /sbin/agent\n";
    assert_all_right(&Scenario { name: "no console", plan, built_in: false, furnish: &furnish, output: Some("/out") })
}
