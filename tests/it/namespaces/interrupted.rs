//! One system call fails, by strace: if a signal has interrupted it, it is tried again, and what was done by then is not done
//! twice; where the kernel has no large pages, the root is mounted without.

use std::fs;
use std::process::Command;

use agent::Report;
use anyhow::{Context, Result, ensure};

use super::{agent, init};

/// Calls of init, and the how manieth by its process: unshare is that process until it executes init, and changes its
/// directory by then.
const INTERRUPTED: [(&str, u32); 9] = [
    ("execve", 2),
    ("mount", 1),
    ("chdir", 2),
    ("openat2", 1),
    ("open_tree", 1),
    ("move_mount", 1),
    ("sendfile", 1),
    ("mknodat", 1),
    ("readlinkat", 1),
];

const PLAN: &str =
    "root\nlink a /l\nlink a /l\ncopy /file\nbind /linked /again\nbind /sbin/agent\nexec /sbin/agent --report one";

/// Makes an initramfs that is a mount of its own, and init PID 1 there, under strace.
const SCRIPT: &str =
    "mount -t tmpfs tmpfs $1 && cd $1 && mkdir sbin && cp $2 init && cp $3 sbin/agent && cp $4 boot.plan &&
    ln -s sbin/agent linked && echo content >file && exec strace -f -qqq -s 100 -o $5 -e trace=$6 -e inject=$6:error=$7:when=$8 \
    unshare --pid --fork --root=$1 --wd=/ /init kernel";

/// A boot in which one call fails: the service's report, and what strace has seen of such calls.
fn boot_with(call: &str, errno: &str, when: u32) -> Result<(Report, String)> {
    let directory = tempfile::tempdir()?;
    let [root, plan, trace] = ["root", "plan", "trace"].map(|name| directory.path().join(name));
    fs::write(&plan, PLAN)?;
    fs::create_dir(&root)?;
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-c", SCRIPT, "sh"]).args([&root, init(), agent(), &plan, &trace]);
    let output = unshare.args([call, errno, &when.to_string()]).output().context("cannot run unshare")?;
    let traced = fs::read_to_string(&trace).with_context(|| format!("{call}: {output:?}"))?;
    ensure!(traced.contains("(INJECTED)"), "{call}: no call failed: {traced}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = Report::find(&said).with_context(|| format!("{call}: {output:?} {traced}"))?;
    Ok((report, traced))
}

#[test]
fn each_call_is_tried_again() -> Result<()> {
    for (call, when) in INTERRUPTED {
        let (report, traced) = boot_with(call, "EINTR", when)?;
        // Not the mount without large pages, which is for another failure.
        assert_eq!(traced.matches("huge=within_size").count(), if call == "mount" { 2 } else { 0 }, "{traced}");
        assert_eq!(report.argv, ["/sbin/agent", "--report", "one", "kernel"], "{call}");
        assert_eq!(report.file("/file").map(|file| file.size), Some(8), "{call}");
    }
    Ok(())
}

/// As by a kernel without large pages: shmem_parse_one in mm/shmem.c.
#[test]
fn a_root_without_large_pages_is_as_good() -> Result<()> {
    let (report, traced) = boot_with("mount", "EINVAL", 1)?;
    assert_eq!(report.argv, ["/sbin/agent", "--report", "one", "kernel"]);
    let mounts: Vec<&str> = traced.lines().filter(|line| line.contains("mount(\"tmpfs\", \".moveroot\"")).collect();
    let [refused, taken] = mounts.as_slice() else { panic!("{traced}") };
    assert!(
        refused.contains("\"huge=within_size,mode=0755,size=128m\"") && refused.ends_with("(INJECTED)"),
        "{refused}"
    );
    assert!(taken.contains("\"mode=0755,size=128m\") = 0"), "{taken}");
    Ok(())
}
