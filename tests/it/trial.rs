//! `cargo vm try`: init as it boots, here, by whoever asks, and nothing changes outside.

mod ending;
mod foreign;
mod namespace;
mod refusals;
mod verbs;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result};
use vm::plan::Plan;

use crate::pack::Ground;

/// A tree with the agent and something to carry.
fn ground(plan: &str) -> Result<Ground> {
    let ground = Ground::new()?;
    ground.file("tree/sbin/agent", fs::read(ground.path("agent"))?, 0o755)?;
    ground.file("tree/sbin/crun", vec![7; 100_000], 0o755)?.file("tree/bundle/config.json", "{}", 0o644)?;
    ground.plan(plan)?;
    Ok(ground)
}

fn tried(ground: &Ground, words: &str) -> Result<(Option<i32>, String, String)> {
    let output = ground.vm(&format!("try --init init {words}"))?;
    texts(output)
}

fn texts(output: Output) -> Result<(Option<i32>, String, String)> {
    Ok((output.status.code(), String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?))
}

/// Whether a table has a line of these words, whatever the blanks, after a time or any other word.
fn has_line(said: &str, words: &str) -> bool {
    let words: Vec<&str> = words.split(' ').collect();
    said.lines().any(|line| line.split_whitespace().collect::<Vec<_>>().ends_with(&words))
}

/// The built-in plan, as it is.
#[test]
fn shows_each_step_and_what_the_service_finds() -> Result<()> {
    let ground = ground("")?;
    let (code, said, errors) = tried(&ground, "--root tree")?;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    for step in Plan::of("default.plan", include_str!("../../src/default.plan")).steps() {
        let line = said.lines().find(|line| line.trim_start().starts_with(&format!("{} ", step.line)));
        let line = line.with_context(|| format!("no line {}: {said}", step.line))?;
        let (numbers, text) = line.split_at(15);
        assert_eq!(text, step.text(), "{said}");
        let time: u64 = numbers.split_whitespace().nth(1).context("it has a time")?.parse()?;
        assert!(time < 10_000_000, "{said}");
    }
    for substitute in
        ["substitute: a directory with the devices", "substitute: a directory with empty files of cgroup2's names"]
    {
        assert!(said.contains(substitute), "{substitute}: {said}");
    }
    for line in ["program /sbin/agent, pid 1", "environment HOME=/ TERM=linux", "directory /", "arguments /sbin/agent"]
    {
        assert!(has_line(&said, line), "{line}: {said}");
    }
    for line in ["100000 /sbin/crun", "/dev substitute", "/dev/null, a device", "/dev/fd → /proc/self/fd", "/run/"] {
        assert!(has_line(&said, line), "{line}: {said}");
    }
    for descriptor in ["descriptor   0, ", "descriptor   1, ", "descriptor   2, "] {
        assert!(said.contains(descriptor), "{descriptor}: {said}");
    }
    assert!(!said.contains("descriptor   3"), "{said}");
    Ok(())
}

#[test]
fn runs_the_service_where_asked_to() -> Result<()> {
    let ground = ground("root\nmount proc /proc proc\nbind /sbin/agent\nexec /sbin/agent --report\n")?;
    ground.pack("--file /sbin/agent=agent --compress zstd")?;
    let (code, said, errors) = tried(&ground, "--initramfs out --run -- --word")?;
    assert_eq!(code, Some(0), "{said}{errors}");
    let report = agent::Report::find(&said).with_context(|| said.clone())?;
    assert_eq!(report.argv, ["/sbin/agent", "--report", "--word"]);
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert!(said.ends_with("the service exited with 0, and a kernel would panic\n"), "{said}");
    ground.file("script", "#!/sbin/sh\nexit 7\n", 0o755)?.file("p", "root\nbind /sbin\nexec /sbin/script", 0o644)?;
    fs::copy(vm::kernel::busybox()?, ground.path("busybox"))?;
    ground.pack("--file /sbin/script=script --file /sbin/sh=busybox")?;
    let (code, said, errors) = tried(&ground, "--initramfs out --run")?;
    assert_eq!(code, Some(7), "{said}{errors}");
    Ok(())
}

#[test]
fn shows_the_step_that_fails() -> Result<()> {
    let ground = ground("root\n\ndir /etc\ncopy /nothing\nbind /sbin/agent\nexec /sbin/agent\n")?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(1), "moveroot: boot.plan:4: copy /nothing: ENOENT (2)\n"), "{said}");
    let (_, after) = said.split_once("copy /nothing\n").context("the step is there")?;
    assert!(after.trim_start().starts_with("init ended here, for the reason it gave\n   5           bind"), "{said}");
    assert!(said.ends_with("no service runs: init exited with 4, and a kernel would panic\n"), "{said}");
    Ok(())
}

/// A file's mode, when it was changed, its bytes.
type Facts = (u32, i64, i64, Vec<u8>);

/// Everything in a directory.
fn snapshot(directory: &Path) -> Result<BTreeMap<String, Facts>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let about = fs::symlink_metadata(&path)?;
        let bytes = if about.is_file() { fs::read(&path)? } else { Vec::new() };
        found.insert(path.display().to_string(), (about.mode(), about.ctime(), about.ctime_nsec(), bytes));
        if about.is_dir() {
            found.extend(snapshot(&path)?);
        }
    }
    Ok(found)
}

/// Steps that as root, without more ado, would change this machine.
const REACHING_OUT: &str = "root
mount proc /proc proc
mount sysfs /sys sysfs
mount cgroup2 /sys/fs/cgroup cgroup2
mount devtmpfs /dev devtmpfs
mount /dev/vda /disk ext4
controllers memory pids
dir /dev/made-by-a-try
link /nowhere /dev/linked-by-a-try
write /proc/sys/vm/overcommit_memory 1
write /proc/sys/kernel/hostname tried
copy /sbin/crun
bind /sbin/agent
bind /bundle
module /bundle/config.json
dir /bundle/made
exec /sbin/agent
";

#[test]
fn changes_nothing_outside() -> Result<()> {
    let ground = ground(REACHING_OUT)?;
    let before = snapshot(&ground.path("tree"))?;
    let settings = || {
        let files = ["/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/hostname", "/proc/self/mountinfo"];
        files.map(|file| fs::read_to_string(file).unwrap_or_default())
    };
    let then = settings();
    let (code, said, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    assert!(has_line(&said, "refused here, so written to nowhere: only a VM's root may"), "{said}");
    assert!(has_line(&said, "substitute: an empty tmpfs; only a VM's root may mount this"), "{said}");
    assert!(has_line(&said, "not loaded: only a VM's root may"), "{said}");
    assert!(has_line(&said, "/dev/made-by-a-try/") && has_line(&said, "/bundle/made/"), "{said}");
    assert_eq!(snapshot(&ground.path("tree"))?, before, "the tree has changed");
    assert_eq!(settings(), then, "this machine has changed");
    for path in ["/dev/made-by-a-try", "/dev/linked-by-a-try"] {
        assert!(fs::symlink_metadata(path).is_err(), "{path} is on this machine");
    }
    Ok(())
}

/// No right of root is needed.
#[test]
fn works_for_an_ordinary_user() -> Result<()> {
    let ground = ground(REACHING_OUT)?;
    let program = ground.path("vm");
    fs::copy(env!("CARGO_BIN_EXE_vm"), &program)?;
    fs::set_permissions(ground.path(""), fs::Permissions::from_mode(0o755))?;
    let mut command = Command::new(program);
    command.current_dir(ground.path("")).args(["try", "--init", "init", "--root", "tree", "--plan", "p"]);
    if rustix::process::geteuid().is_root() {
        command.uid(12345).gid(12345);
    }
    let (code, said, errors) = texts(command.output()?)?;
    if errors.contains("cannot make a user namespace") || errors.contains("restricts user namespaces") {
        eprintln!("skipped: {errors}");
        return Ok(());
    }
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    assert!(said.starts_with("trying p as an ordinary user, in namespaces of its own\n"), "{said}");
    assert!(has_line(&said, "program /sbin/agent, pid 1"), "{said}");
    Ok(())
}

/// An image may have links and names that lead out of it: they stay inside.
#[test]
fn keeps_an_image_inside() -> Result<()> {
    let ground = ground("root\nbind /sbin/agent\nexec /sbin/agent\n")?;
    fs::create_dir(ground.path("target"))?;
    fs::set_permissions(ground.path("target"), fs::Permissions::from_mode(0o777))?;
    fs::set_permissions(ground.path(""), fs::Permissions::from_mode(0o755))?;
    let target = ground.path("target").display().to_string();
    let mut tree = vm::initramfs::Initramfs::empty();
    tree.file("/sbin/agent", &ground.path("agent"))?.symlink(&target, "/a").bytes("/a/by-link", 0o644, "out");
    tree.bytes(&format!("/../../..{target}/by-name"), 0o644, "out");
    tree.write(&ground.path("image"))?;
    let (_, said, errors) = tried(&ground, "--initramfs image --plan p")?;
    assert_eq!(fs::read_dir(&target)?.count(), 0, "{said}{errors}");
    // Both lie in there, where the kernel would make them.
    assert!(errors.is_empty(), "{errors}");
    let tree = vm::initramfs::Initramfs::of_image(&ground.path("image"))?;
    for name in ["by-link", "by-name"] {
        assert!(tree.at(&format!("{target}/{name}")).is_some_and(|content| content.is_file()), "{name}");
    }
    Ok(())
}
