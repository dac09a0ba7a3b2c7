//! What people type who know shells, fstab(5), mount(8), Dockerfiles or other inits: each mistake is reported in one line,
//! with what to write instead. Of the plans and examples of this repository nothing is told.

use std::fs;

use anyhow::{Context, Result};
use vm::workspace;

use crate::pack::Ground;

/// A step between `bind /sbin/agent` and `exec /sbin/agent`, in line 4 of the plan, and what is said of it after `p:4:`.
const STEPS: [(&str, &str); 46] = [
    // fstab(5).
    (
        "proc /a proc defaults 0 0",
        "1: proc: a line of fstab(5): write mount before it: did you mean `mount proc /a proc defaults`?",
    ),
    (
        "/dev/vda /a ext4 ro 0 1",
        "1: /dev/vda: a line of fstab(5): write mount before it: did you mean `mount /dev/vda /a ext4 ro`?",
    ),
    ("/dev/vda none swap sw 0 0", "1: /dev/vda: a line of fstab(5): no step turns swap on: leave it out"),
    (
        "mount /dev/vda /a ext4 ro 0 2",
        "27: 0 2: fields of fstab(5) for dump and fsck: leave them out: mount /dev/vda /a ext4 ro",
    ),
    (
        "mount UUID=1234 /a ext4 defaults",
        "7: UUID=1234: the kernel takes device paths only: write the disk's path, such as /dev/vda",
    ),
    ("mount sbin /a none bind,ro", "7: sbin: the source of a bind is an absolute path: did you mean /sbin?"),
    (
        "mount LABEL=data /a xfs",
        "7: LABEL=data: the kernel takes device paths only: write the disk's path, such as /dev/vda",
    ),
    (
        "mount PARTUUID=12-3 /a xfs",
        "7: PARTUUID=12-3: the kernel takes device paths only: write the disk's path, such as /dev/vda",
    ),
    (
        "mount PARTLABEL=b /a xfs",
        "7: PARTLABEL=b: the kernel takes device paths only: write the disk's path, such as /dev/vda",
    ),
    ("mount /dev/vda /a auto", "19: auto: the kernel does not look for the type: write it, such as ext4"),
    ("mount /dev/vda /a ext4,xfs", "19: ext4,xfs: a mount has one type: write ext4, and a -mount for each other"),
    ("mount /dev/vda /a ext4 ro,nofail", "27: nofail: write -mount: a - before the verb lets it fail"),
    ("mount tmpfs /a tmpfs _netdev", "22: _netdev: steps run in order: leave it out"),
    ("mount tmpfs /a tmpfs noauto", "22: noauto: every step runs: leave the line out"),
    ("mount /dev/vda /a vfat users", "24: users: there are no users yet: leave it out"),
    (
        "mount /dev/vda /a xfs loop",
        "23: loop: no step sets up a loop device: give the VM the image as a disk, such as /dev/vda",
    ),
    (
        "mount a /a 9p x-systemd.automount",
        "15: x-systemd.automount: mount(8) and systemd read it, the kernel does not: leave it out",
    ),
    ("mount a /a 9p comment=data", "15: comment=data: a comment is a line of its own, which begins with #"),
    // mount(8).
    ("mount -t sysfs sysfs /a", "7: -t: a step has no options of mount(8): did you mean `mount sysfs /a sysfs`?"),
    (
        "mount -o ro /dev/vda /a",
        "7: -o: a step has no options of mount(8): did you mean `mount /dev/vda /a FSTYPE ro`?",
    ),
    (
        "mount --bind /a /b",
        "7: --bind: a step has no options of mount(8): did you mean `mount /a /b none bind`, or `bind /a /b` from the initramfs?",
    ),
    (
        "mount --make-rshared /",
        "7: --make-rshared: a step has no options of mount(8): did you mean `mount none / none rshared`?",
    ),
    // Shells.
    ("env PATH=$PATH:/a", "5: warning: PATH=$PATH:/a: nothing is expanded: write the value of PATH in its place"),
    ("env A=~/bin:/bin", "5: warning: A=~/bin:/bin: there is no shell: did you mean A=/bin:/bin?"),
    ("copy $HOME/agent /a", "6: $HOME/agent: nothing is expanded: did you mean /agent?"),
    ("bind ~/agent /a", "6: ~/agent: there is no shell: did you mean /agent?"),
    ("copy /lib/*.so /a", "6: /lib/*.so: nothing is expanded: write a step for each file, or `bind /lib`"),
    ("env A=`date`", "5: warning: A=`date`: there is no shell: write what the command would print"),
    ("dir /a && dir /b", "8: &&: there is no shell: write one step a line"),
    ("dir /a # why", "8: # why: a comment is a line of its own: write it above"),
    ("env A=b # why", "9: warning: # why: a comment is a line of its own: write it above"),
    ("PATH=/sbin", "1: PATH=/sbin: unknown verb: did you mean `env PATH=/sbin`?"),
    // Other verbs.
    ("mkdir -p -m 0700 /a /b", "1: mkdir: unknown verb: did you mean `dir /a 0700`, `dir /b 0700`?"),
    ("ln -s /a /b", "1: ln: unknown verb: did you mean `link /a /b`?"),
    ("cp -a /a /b", "1: cp: unknown verb: did you mean `copy /a /b`?"),
    ("export A=b", "1: export: unknown verb: did you mean `env A=b`?"),
    ("setenv A b c", "1: setenv: unknown verb: did you mean `env A=b c`?"),
    ("insmod /a.ko b=1", "1: insmod: unknown verb: did you mean `module /a.ko b=1`?"),
    ("modprobe overlay", "1: modprobe: unknown verb: did you mean `module /modules/overlay.ko`?"),
    (
        "chmod 0700 /a",
        "1: chmod: unknown verb: `dir PATH MODE` makes a directory with its mode, what is carried keeps its own",
    ),
    ("umount /a", "1: umount: unknown verb: no step unmounts: leave the mount out"),
    ("switch_root /a /b", "1: switch_root: unknown verb: exec enters the new root by itself: leave the line out"),
    ("ENV A b", "1: ENV: unknown verb: did you mean `env A=b`?"),
    ("DIR /a", "1: DIR: unknown verb: did you mean dir?"),
    ("- dir /a", "2: -: no blank may follow it: did you mean `-dir /a`?"),
    // Controllers.
    (
        "mount cgroup2 /sys/fs/cgroup cgroup2\ncontrollers cpu,memory",
        "13: cpu,memory: blanks separate controllers: did you mean cpu memory?",
    ),
];

/// Whole plans, and what is said of them after `p`.
const PLANS: [(&str, &str); 13] = [
    ("", ": no step: the shortest plan is `bind /sbin/agent`, `exec /sbin/agent`"),
    ("# only a comment\n", ": no step: the shortest plan is `bind /sbin/agent`, `exec /sbin/agent`"),
    ("bind /sbin/agent\nexec /sbin/agnet", ":2:6: exec /sbin/agnet: not in the new root: did you mean /sbin/agent?"),
    (
        "bind /sbin/agent\nexec /usr/bin/agent",
        ":2:6: exec /usr/bin/agent: not in the new root: did you mean /sbin/agent?",
    ),
    (
        "bind /a\n-exec /b/c\nexec /a",
        ":2:7: warning: exec /b/c: not in the new root: no step carries it: `bind /b/c` before this one",
    ),
    (
        "controllers cpu\nbind /a\nexec /a",
        ":1:1: controllers: before it cgroup2 must be mounted: mount cgroup2 /sys/fs/cgroup cgroup2 nosuid,nodev,noexec",
    ),
    ("bind /a\nexec /a && /b", ":2:9: warning: &&: there is no shell: write one step a line"),
    ("bind /a\nexec /a;", ":2:6: /a;: there is no shell: write one step a line: did you mean /a?"),
    ("bind /a\nexec /a > /dev/null", ":2:9: warning: >: there is no shell: output goes to the console: leave it out"),
    ("bind /a\nexec /a $A", ":2:9: warning: $A: nothing is expanded: write the value of A in its place"),
    ("bind /a\nstart /a -b", ":2:1: start: unknown verb: did you mean `exec /a -b`?"),
    ("bind /a\nENTRYPOINT [\"/a\", \"-b\"]", ":2:1: ENTRYPOINT: unknown verb: did you mean `exec /a -b`?"),
    (
        "mount proc /proc proc\necho 1 > /proc/sys/vm/a\nbind /a\nexec /a",
        ":2:1: echo: unknown verb: did you mean `write /proc/sys/vm/a 1`?",
    ),
];

/// Steps that look like mistakes, and are none.
const RIGHT: [&str; 21] = [
    "write /proc/sys/kernel/core_pattern |/bin/core %e",
    "write /proc/cmd # a; b | d > e",
    "write /proc/cmd $(",
    "env PS1=#",
    "env PRICE=$5",
    "env URL=http://a//b?c=*",
    "env JSON={\"a\":{\"$ref\":\"b\"}}",
    "env A=B=C",
    "module /a.ko dyndbg=\"file a +p\" b=c,d",
    "link ../a~b /c",
    "link busybox /bin/[",
    "dir /srv/a~",
    "dir /srv\r",
    "mount share /a virtiofs",
    "mount none /a tmpfs size=50%",
    "mount overlay /a overlay lowerdir=/b:/c,upperdir=/d,workdir=/e",
    "mount /dev/vda /a ext4 errors=remount-ro,data=ordered,discard",
    "mount 10.0.2.2:/srv /a nfs4 addr=10.0.2.2,vers=4.2",
    "mount share /a 9p trans=virtio,version=9p2000.L,msize=512000",
    "mount /dev/disk /a vfat uid=1,gid=2,umask=022",
    "-mount none / none remount,ro",
];

#[test]
fn are_not_what_is_right() -> Result<()> {
    let ground = Ground::new()?;
    for step in RIGHT {
        let plan = format!("root\nmount proc /proc proc\nbind /sbin/agent\n{step}\nexec /sbin/agent *:80 {{}} a;b\n");
        let output = ground.plan(plan)?.vm("check p")?;
        assert_eq!(String::from_utf8(output.stdout)?, "p: no problems found\n", "{step}");
    }
    Ok(())
}

#[test]
fn are_told_with_what_to_write_instead() -> Result<()> {
    let ground = Ground::new()?;
    let of_steps = STEPS.map(|(step, said)| {
        let (before, step) = step.rsplit_once('\n').unwrap_or(("# a comment", step));
        (format!("root\nbind /sbin/agent\n{before}\n{step}\nexec /sbin/agent\n"), format!(":4:{said}"))
    });
    let of_plans = PLANS.map(|(plan, said)| (plan.to_string(), said.to_string()));
    for (plan, said) in of_steps.into_iter().chain(of_plans) {
        let output = ground.plan(&plan)?.vm("check p")?;
        assert_eq!(String::from_utf8(output.stdout)?, format!("p{said}\n"), "{plan}");
        let is_error = !said.contains(": warning: ");
        assert_eq!(output.status.code(), Some(i32::from(is_error)), "{plan}");
    }
    Ok(())
}

/// The plans in a page: blocks that begin with `root`, indented in Markdown.
fn examples(page: &str) -> Vec<String> {
    let blocks = page.split("\n\n").flat_map(|block| block.split(".Bd -literal -offset indent\n"));
    let blocks = blocks.filter_map(|block| block.split("\n.Ed").next());
    let plain = blocks.map(|block| block.lines().map(str::trim_start).collect::<Vec<_>>().join("\n"));
    plain.filter(|block| block.starts_with("root\n") || block.starts_with("root size=")).collect()
}

#[test]
fn are_in_no_plan_of_this_repository() -> Result<()> {
    let ground = Ground::new()?;
    let (mut texts, mut examples_of_pages) = (Vec::new(), Vec::new());
    for directory in [".", "src", "plans", "qemu/guests", "docs", "docs/agents"] {
        for entry in fs::read_dir(workspace::root().join(directory))? {
            let path = entry?.path();
            let read = || fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()));
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("plan") => texts.push(read()?),
                Some("md" | "5") => examples_of_pages.extend(examples(&read()?)),
                _ => {}
            }
        }
    }
    assert!(texts.len() > 6 && examples_of_pages.len() > 4, "{texts:?} {examples_of_pages:?}");
    texts.append(&mut examples_of_pages);
    for text in texts {
        let output = ground.plan(&text)?.vm("check p --strict")?;
        assert_eq!(String::from_utf8(output.stdout)?, "p: no problems found\n", "{text}");
        assert_eq!(output.status.code(), Some(0), "{text}");
    }
    Ok(())
}
