//! `cargo vm check`: every error of a plan, with its place and what would be right; exit code 1.

mod formats;
mod habits;
mod hostile;
mod images;
mod mistakes;
mod packed;
mod verbs;

use anyhow::Result;

use crate::pack::Ground;

/// Twenty errors, and what is said of each.
const PLANTED: [(&str, &[&str]); 19] = [
    ("-root size=64q", &["1:1: -root: out of order: without", "1:7: size=64q: no size: a number and k, m, g or %"]),
    ("mount proc proc proc", &["2:12: proc: path is not absolute: did you mean /proc?"]),
    ("mount sysfs /sys sysfs nosiud,nodev", &["3:24: nosiud: no option of sysfs: did you mean nosuid?"]),
    ("# a comment", &[]),
    ("moutn devtmpfs /dev devtmpfs", &["5:1: moutn: unknown verb: did you mean mount?"]),
    ("mount cgroup2 /sys/fs/cgroup cgroup3", &["6:30: cgroup3: no such filesystem: did you mean cgroup2?"]),
    ("mount tmpfs /run", &["7:17: too few words: mount SOURCE TARGET FSTYPE [OPTIONS]"]),
    ("  dir /a 0o755", &["8:10: 0o755: mode is not octal"]),
    ("\tdir\t/a 0755 # why", &["9:14: #: too many words: dir PATH [MODE]; a comment is a line of its own"]),
    ("link /proc/self/fd dev/fd", &["10:20: dev/fd: path is not absolute: did you mean /dev/fd?"]),
    ("-controllers cpu memroy", &["11:18: warning: memroy: no controller of cgroup v2: did you mean memory?"]),
    ("controllers +cpu", &["12:13: +cpu: no controller of cgroup v2: did you mean cpu?"]),
    ("env PATH", &["13:5: PATH: not NAME=VALUE: env NAME=VALUE"]),
    ("copy sbin/crun", &["14:6: sbin/crun: path is not absolute: did you mean /sbin/crun?"]),
    ("bind /a /b /c", &["15:12: /c: too many words: bind SOURCE [TARGET]"]),
    ("write /proc/sys/kernel/hostname", &["16:32: too few words: write PATH TEXT"]),
    (
        "mount none /x tmpfs mode=rwx,size=1m,inode",
        &["17:21: mode=rwx: no mode", "17:38: inode: no option of tmpfs: did you mean"],
    ),
    ("perform /bin/x", &["18:1: perform: unknown verb: the verbs are root, mount, dir,"]),
    ("exce /sbin/agent", &["19:1: exce: unknown verb: did you mean exec?"]),
];

/// Of a plan `p`.
const NOTHING: &[u8] = b"p: no problems found\n";

#[test]
fn finds_twenty_planted_errors() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan(PLANTED.map(|(line, _)| line).join("\n"))?;
    let output = ground.vm("check p")?;
    let said = String::from_utf8(output.stdout)?;
    let expected: Vec<&str> = PLANTED.iter().flat_map(|(_, messages)| *messages).copied().collect();
    assert_eq!(expected.len(), 20);
    assert_eq!(said.lines().count(), 20, "{said}");
    for (line, expected) in said.lines().zip(expected) {
        assert!(line.starts_with(&format!("p:{expected}")), "{line:?} is not {expected:?}");
    }
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}

#[test]
fn comes_to_an_end_where_the_plan_does_not() -> Result<()> {
    let output = Ground::new()?.vm("check /dev/zero")?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout)?.starts_with("/dev/zero: "));
    Ok(())
}

/// What is not there is reported once, not again where it is executed.
#[test]
fn tells_of_what_is_missing_once() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("root\nbind /sbin/agent\nexec /sbin/agent\n")?;
    std::fs::create_dir(ground.path("empty"))?;
    let output = ground.vm("check p --root empty")?;
    assert_eq!(
        String::from_utf8(output.stdout)?,
        "p:2:6: bind /sbin/agent: not in the initramfs: put it there, or leave the step out\n"
    );
    Ok(())
}

#[test]
fn has_nothing_to_say_of_a_good_plan() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan(include_bytes!("../../src/default.plan"))?;
    let output = ground.vm("check p")?;
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), NOTHING));
    ground.plan("root\n-mount a /b prco\nbind /a\nexec /a\n")?;
    let output = ground.vm("check p")?;
    let said = String::from_utf8(output.stdout)?;
    assert_eq!(said, "p:2:13: warning: prco: no such filesystem: did you mean proc?\n");
    assert_eq!(output.status.code(), Some(0), "a warning is no error");
    Ok(())
}

/// What may fail, and does, has taken nothing away and covers nothing.
#[test]
fn goes_on_after_what_fails() -> Result<()> {
    let ground = Ground::new()?;
    ground.file("tree/etc/a", "a", 0o644)?.file("tree/b", "b", 0o644)?;
    ground.file("tree/sbin/agent", std::fs::read(ground.path("agent"))?, 0o755)?;
    ground.plan("root\n-copy /etc\n-copy /etc/a /b\n-copy /b\n-bind /etc /b\nbind /sbin/agent\nexec /sbin/agent\n")?;
    let output = ground.vm("check p --root tree")?;
    let expected = "p:2:7: warning: copy /etc: a directory, no file: bind takes directories, copy doesn't\n\
        p:4:7: warning: copy to /b: there is something already: copy to another path\n\
        p:5:12: warning: bind on /b: a file, and /etc is a directory: name another\n";
    assert_eq!((String::from_utf8(output.stdout)?.as_str(), output.status.code()), (expected, Some(0)));
    Ok(())
}

/// What is reported about a plan without an initramfs: what no initramfs can have.
#[test]
fn follows_the_steps_without_a_tree() -> Result<()> {
    let ground = Ground::new()?;
    let nothing = || String::from_utf8_lossy(NOTHING).into_owned();
    let not_there = "exec /sbin/agnet: not in the new root:";
    for (steps, expected) in [
        ("bind /sbin/agent", format!("p:3:6: {not_there} did you mean /sbin/agent?\n")),
        ("copy /agent /sbin/agent", format!("p:3:6: {not_there} did you mean /sbin/agent?\n")),
        ("bind /usr/bin/agnet", format!("p:3:6: {not_there} did you mean /usr/bin/agnet?\n")),
        ("dir /sbin", format!("p:3:6: {not_there} no step carries it: `bind /sbin/agnet` before this one\n")),
        (
            "bind /usr\nlink usr/bin /bin",
            format!("p:4:6: {not_there} no step carries it: `bind /sbin/agnet` before this one\n"),
        ),
        (
            "bind /sbin/agnet\nmount tmpfs /sbin tmpfs",
            format!("p:4:6: {not_there} a later step covers it: carry it after that one\n"),
        ),
        ("bind /sbin", nothing()),
        ("bind /usr\nlink usr/sbin /sbin", nothing()),
        ("mount /dev/vda / ext4 ro", nothing()),
        ("mount /dev/vda /system erofs\nlink system/sbin /sbin", nothing()),
        ("mount share /sbin virtiofs", nothing()),
        ("bind /a\nmount /a /sbin none bind", nothing()),
    ] {
        let output = ground.plan(format!("root\n{steps}\nexec /sbin/agnet\n"))?.vm("check p")?;
        assert_eq!(String::from_utf8(output.stdout)?, expected, "{steps}");
    }
    Ok(())
}

/// Against a directory and against images, packed in every way.
#[test]
fn looks_into_trees_and_images() -> Result<()> {
    let ground = Ground::new()?;
    let agent = std::fs::read(ground.path("agent"))?;
    ground.file("tree/sbin/agent", &agent, 0o755)?.file("tree/init", std::fs::read(ground.path("init"))?, 0o755)?;
    ground.plan("root\nbind /sbin/agent\nexec /sbin/agent\n")?;
    ground.file("bad", "root\nbind /sbin/agnt\ncopy /etc\nexec /sbin/agent\n", 0o644)?;
    let mut trees = vec!["--root tree".to_string()];
    for compression in vm::compression::Compression::ALL {
        ground.pack(&format!("--file /sbin/agent=agent --compress {compression}"))?;
        let name = format!("{compression}.img");
        std::fs::rename(ground.path("out"), ground.path(&name))?;
        trees.push(format!("--initramfs {name}"));
    }
    for tree in trees {
        let output = ground.vm(&format!("check p {tree}"))?;
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), NOTHING), "{tree}");
        let output = ground.vm(&format!("check bad {tree}"))?;
        let said = String::from_utf8(output.stdout)?;
        let expected = "bad:2:6: bind /sbin/agnt: not in the initramfs: put it there, or leave the step out\n\
            bad:3:6: copy /etc: not in the initramfs: put it there, or leave the step out\n\
            bad:4:6: exec /sbin/agent: not in the new root: it is in the initramfs; carry it by `bind /sbin/agent`\n";
        assert_eq!((output.status.code(), said.as_str()), (Some(1), expected), "{tree}");
    }
    Ok(())
}

/// What a dynamic program would miss, and the lines that fix it.
#[test]
fn names_libraries_that_are_not_carried() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("root\nbind /sbin/ls\nexec /sbin/ls\n")?;
    ground.pack("--file /sbin/ls=/bin/ls --carry-libs")?;
    let output = ground.vm("check p --initramfs out")?;
    let said = String::from_utf8(output.stdout)?;
    assert!(said.starts_with("p:3:6: /sbin/ls needs what no step carries: /lib"), "{said}");
    assert!(said.ends_with("\np: add before line 3: bind /lib, bind /lib64\n"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}
