//! A system call that a signal interrupts is tried again, and what was done by then is not done twice.

use std::fs;
use std::process::Command;

use agent::Report;
use anyhow::{Context, Result};

use super::{agent, init};

/// Calls of init, and the how manieth by its process: unshare is that process until it executes init, and changes its
/// folder by then.
const INTERRUPTED: [(&str, u32); 7] =
    [("execve", 2), ("mount", 1), ("chdir", 2), ("open_tree", 1), ("move_mount", 1), ("sendfile", 1), ("mknodat", 1)];

const PLAN: &str = "root\ncopy /file\nbind /sbin/agent\nexec /sbin/agent --report one";

/// Makes an initramfs that is a mount of its own, and init PID 1 there, under strace.
const SCRIPT: &str =
    "mount -t tmpfs tmpfs $1 && cd $1 && mkdir sbin && cp $2 init && cp $3 sbin/agent && cp $4 boot.plan &&
    echo content >file && exec strace -f -qqq -o $5 -e trace=$6 -e inject=$6:error=EINTR:when=$7 \
    unshare --pid --fork --root=$1 --wd=/ /init kernel";

#[test]
fn each_call_is_tried_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (plan, trace) = (folder.path().join("plan"), folder.path().join("trace"));
    fs::write(&plan, PLAN)?;
    for (call, when) in INTERRUPTED {
        let root = folder.path().join(call);
        fs::create_dir(&root)?;
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh", "-c", SCRIPT, "sh"]).args([&root, init(), agent(), &plan, &trace]);
        let output = unshare.args([call, &when.to_string()]).output().context("cannot run unshare")?;
        let traced = fs::read_to_string(&trace).with_context(|| format!("{call}: {output:?}"))?;
        assert!(traced.contains("(INJECTED)"), "{call}: no call was interrupted: {traced}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let report = Report::find(&said).with_context(|| format!("{call}: {output:?} {traced}"))?;
        assert_eq!(report.argv, ["/sbin/agent", "--report", "one", "kernel"], "{call}");
        assert_eq!(report.file("/file").map(|file| file.size), Some(8), "{call}");
    }
    Ok(())
}
