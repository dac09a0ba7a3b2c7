//! Mistakes with the steps that run programs, wait, set limits and free memory: each is reported with what to write instead.

mod trees;

use anyhow::Result;

use crate::pack::Ground;

/// What is written before the service, after `bind /sbin/agent`, its last line being line 4 of the plan or the one that is
/// named; and what is said of it after `p:`.
const STEPS: [(&str, &str); 49] = [
    // Programs.
    (
        "run /sbin/mkfs",
        "4:5: run /sbin/mkfs: not in the new root: no step carries it: `bind /sbin/mkfs` before this one",
    ),
    ("run /sbin/agnet", "4:5: run /sbin/agnet: not in the new root: did you mean /sbin/agent?"),
    (
        "run /bin/mkfs\nbind /bin",
        "3:5: run /bin/mkfs: not in the new root yet: line 4 carries it: put that line before this one",
    ),
    ("mkfs.ext4 /dev/vda", "4:1: mkfs.ext4: unknown verb: did you mean `run /sbin/mkfs.ext4 /dev/vda`?"),
    ("fsck -p /dev/vda", "4:1: fsck: unknown verb: did you mean `run /sbin/fsck -p /dev/vda`?"),
    ("sh /setup", "4:1: sh: unknown verb: did you mean `run /bin/sh /setup`?"),
    ("/sbin/agent -b", "4:1: /sbin/agent: unknown verb: did you mean `run /sbin/agent -b`?"),
    ("RUN apk add", "4:1: RUN: unknown verb: did you mean `run PATH [ARG…]`, with a path in the new root?"),
    ("once /sbin/agent -b", "4:1: once: unknown verb: did you mean `run /sbin/agent -b`?"),
    ("run /sbin/agent && dir /a", "4:17: warning: &&: there is no shell: write one step a line"),
    ("run /sbin/agent $A", "4:17: warning: $A: nothing is expanded: write the value of A in its place"),
    // The network.
    (
        "mount sysfs /sys sysfs\nip link set lo up",
        "4:1: ip: unknown verb: did you mean `write /sys/class/net/lo/flags 9`?",
    ),
    (
        "mount sysfs /sys sysfs\nifconfig lo 127.0.0.1 up",
        "4:1: ifconfig: unknown verb: did you mean `write /sys/class/net/lo/flags 9`?",
    ),
    (
        "udhcpc -i eth0",
        "4:1: udhcpc: unknown verb: no step sets up a network: `ip=dhcp` on the kernel's command line does, or the agent, or a \
         program: did you mean `run /sbin/udhcpc -i eth0`?",
    ),
    // Waiting.
    (
        "wait /dev/vda",
        "4:6: wait /dev/vda: before it devtmpfs must be mounted: `mount devtmpfs /dev devtmpfs nosuid,noexec`",
    ),
    (
        "wait /run/ready 5",
        "4:6: wait /run/ready: nothing makes it: no step has mounted a filesystem there in which the kernel makes files",
    ),
    ("dir /etc\nwait /etc", "4:6: warning: wait /etc: it is there already: leave the line out"),
    ("mount devtmpfs /dev devtmpfs\nwait /dev/vda 5s", "4:15: 5s: not a number: did you mean 5?"),
    ("mount devtmpfs /dev devtmpfs\nwait /dev/vda 0.5", "4:15: 0.5: not a number: did you mean 1?"),
    (
        "mount devtmpfs /dev devtmpfs\nwait /dev/vda soon",
        "4:15: soon: not a number: decimal digits, or unlimited: wait PATH [SECONDS]",
    ),
    (
        "sleep 2",
        "4:1: sleep: unknown verb: `wait PATH [SECONDS]` waits until a file is there, such as /dev/vda, and no longer",
    ),
    (
        "udevadm settle",
        "4:1: udevadm: unknown verb: devtmpfs has the devices: `wait PATH [SECONDS]` waits for one, such as /dev/vda",
    ),
    // Limits.
    ("limit nofiles 9", "4:7: nofiles: unknown limit: did you mean nofile?"),
    ("limit nofile -1", "4:14: -1: not a number: did you mean unlimited?"),
    ("limit memlock 64k", "4:15: 64k: not a number: did you mean 65536?"),
    ("limit core infinity", "4:12: infinity: not a number: did you mean unlimited?"),
    ("limit nofile=64:128", "4:1: limit: name and numbers are words of their own: did you mean `limit nofile 64 128`?"),
    ("limit NOFILE 64", "4:1: limit: name and numbers are words of their own: did you mean `limit nofile 64`?"),
    ("limit soft nofile 64", "4:1: limit: name and numbers are words of their own: did you mean `limit nofile 64`?"),
    ("ulimit -n 64 -c unlimited", "4:1: ulimit: unknown verb: did you mean `limit nofile 64`, `limit core unlimited`?"),
    ("ulimit -s 8192", "4:1: ulimit: unknown verb: did you mean `limit stack 8388608`?"),
    ("LimitMEMLOCK=infinity", "4:1: LimitMEMLOCK=infinity: unknown verb: did you mean `limit memlock unlimited`?"),
    ("* hard nofile 64", "4:1: *: unknown verb: did you mean `limit nofile 64`?"),
    ("limit nofile 9 8", "4:14: limit nofile: the soft limit 9 is above the hard one, 8"),
    (
        "limit nofile unlimited",
        "4:14: limit nofile unlimited: above 1048576, what /proc/sys/fs/nr_open allows: write that file before, or a lower \
         number",
    ),
    ("limit stack 8192", "4:13: warning: limit stack 8192: bytes, where limits.conf(5) has KiB: did you mean 8388608?"),
    // What is freed.
    ("drop /", "4:6: drop /: the initramfs as a whole is never dropped: name a file or a directory in it"),
    ("drop /lib/..", "4:6: drop /lib/..: the initramfs as a whole is never dropped: name a file or a directory in it"),
    ("drop /.moveroot/a", "4:6: drop /.moveroot/a: the new root, of which nothing is dropped: leave the line out"),
    (
        "drop /sbin",
        "4:6: drop /sbin: line 2 binds /sbin/agent in it, which stays: leave the line out, or name what else is to go",
    ),
    ("bind /lib\ndrop /lib/a", "4:6: warning: drop /lib/a: line 3 binds /lib, which loses it in the new root too"),
    ("drop /lib\nbind /lib/a", "4:6: bind /lib/a: line 3 has dropped it: drop it after this step"),
    ("copy /lib/a\ndrop /lib/a", "4:6: drop /lib/a: line 3 has taken it away already: leave the line out"),
    ("module /a.ko\nmodule /a.ko b=1", "4:8: module /a.ko: line 3 has loaded it: module unlinks its file"),
    ("module /a.ko\ncopy /a.ko", "4:6: copy /a.ko: line 3 has loaded it: module unlinks its file"),
    ("rm -rf /a /b", "4:1: rm: unknown verb: did you mean `drop /a`, `drop /b`?"),
    ("drop /lib/*", "4:6: /lib/*: nothing is expanded: write a step for each file, or `drop /lib` for all of it"),
    // The end.
    (
        "poweroff -f",
        "4:1: poweroff: unknown verb: `on-exit poweroff` before `spawn PATH` does this when the service has ended",
    ),
    (
        "on-exit reboot",
        "4:1: warning: on-exit reboot: exec becomes the service, and nothing follows that: write spawn in its place",
    ),
];

/// Whole plans, and what is said of them after `p:`.
const PLANS: [(&str, &str); 8] = [
    ("bind /a\non-exit restart\nspawn /a", "2:9: restart: not poweroff, reboot, halt or panic"),
    ("bind /a\non-exit powerof\nspawn /a", "2:9: powerof: not poweroff, reboot, halt or panic: did you mean poweroff?"),
    (
        "bind /a\non-exit panic\non-exit halt\nspawn /a",
        "3:1: warning: on-exit halt: it replaces what line 2 says: leave one of them out",
    ),
    ("bind /a\nspwan /a", "2:1: spwan: unknown verb: did you mean spawn?"),
    (
        "bind /a\nrespawn /a -b",
        "2:1: respawn: unknown verb: no step starts a service again when it has ended: did you mean `spawn /a -b`?",
    ),
    (
        "bind /a\nspawn /sbin/b",
        "2:7: spawn /sbin/b: not in the new root: no step carries it: `bind /sbin/b` before this one",
    ),
    (
        "bind /sbin/vminitd\nspawn /sbin/vminitd",
        "2:7: warning: spawn /sbin/vminitd: vminitd learns of its containers' ends only as pid 1, which they become children \
         of: write exec",
    ),
    (
        "bind /usr/bin/kata-agent\nspawn /usr/bin/kata-agent",
        "2:7: warning: spawn /usr/bin/kata-agent: kata-agent mounts nothing and does not power off unless it is pid 1: write exec",
    ),
];

#[test]
fn are_told_with_what_to_write_instead() -> Result<()> {
    let ground = Ground::new()?;
    let of_steps = STEPS.map(|(steps, said)| {
        let before = if steps.contains('\n') { "" } else { "# a comment\n" };
        (format!("root\nbind /sbin/agent\n{before}{steps}\nexec /sbin/agent\n"), said)
    });
    let mut wrong = Vec::new();
    for (plan, expected) in of_steps.into_iter().chain(PLANS.map(|(plan, said)| (plan.to_string(), said))) {
        let output = ground.plan(&plan)?.vm("check p")?;
        let said = String::from_utf8(output.stdout)?;
        let code = i32::from(!expected.contains(": warning: "));
        if said != format!("p:{expected}\n") || output.status.code() != Some(code) {
            wrong.push((plan, said));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// Plans that are right.
const RIGHT: [&str; 12] = [
    "bind /sbin\nrun /sbin/mkfs.ext4 -q /dev/vda\nmount /dev/vda /data ext4\nspawn /sbin/agent",
    "mount devtmpfs /dev devtmpfs nosuid,noexec\nwait /dev/vda\nbind /sbin/agent\nexec /sbin/agent",
    "mount sysfs /sys sysfs\nwait /sys/class/net/eth0 3\nbind /sbin/agent\nexec /sbin/agent",
    "mount cgroup2 /sys/fs/cgroup cgroup2\ncontrollers\nbind /a\nexec /a",
    "limit nofile 1048576\nlimit core 0 unlimited\nlimit memlock unlimited\nbind /a\nexec /a",
    "mount proc /proc proc\nwrite /proc/sys/fs/nr_open 2000000\nlimit nofile 2000000\nbind /a\nexec /a",
    "copy /a\ndrop /lib\nmodule /b.ko\ndrop /modules\nexec /a",
    "bind /a\non-exit panic\n-spawn /a\nexec /a",
    // What a program may have made is not missed.
    "bind /bin\nrun /bin/setup\nwrite /etc/hosts a\nwait /run/ready\nexec /opt/agent",
    "bind /a\nrun /a\nrun /b\nspawn /c",
    "mount tmpfs /run tmpfs noexec\nmount none /run none remount,exec\nbind /a /run/a\nexec /run/a",
    "env PATH=/bin\nbind /bin\nrun /bin/sh -c $HOME\nspawn /bin/sh",
];

#[test]
fn are_not_what_is_right() -> Result<()> {
    let ground = Ground::new()?;
    for plan in RIGHT {
        let output = ground.plan(plan)?.vm("check p")?;
        assert_eq!(String::from_utf8(output.stdout)?, "p: no problems found\n", "{plan}");
    }
    Ok(())
}
