//! Boots in a row, right ones and failing ones, leave nothing on the machine: no mount, process, descriptor or file.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use vm::test::long;

use super::{content, initramfs};

const LONG: usize = 1000;
const SHORT: usize = 50;

/// Set for the process in which nothing else runs: other tests have mounts, processes and files of their own.
const ALONE: &str = "MOVEROOT_SOAK";

/// What a process has and may leave behind.
#[derive(Debug, PartialEq, Eq)]
struct Holdings {
    mounts: BTreeSet<String>,
    processes: BTreeSet<String>,
    descriptors: BTreeSet<String>,
    temporary: BTreeSet<String>,
    threads: usize,
}

impl Holdings {
    fn of_this_process() -> Result<Holdings> {
        let mounts = fs::read_to_string("/proc/self/mountinfo")?.lines().map(str::to_string).collect();
        let descriptors = names("/proc/self/fd")?.into_iter();
        // The directory's own descriptor is gone by now.
        let open = descriptors.filter_map(|number| fs::read_link(format!("/proc/self/fd/{number}")).ok());
        Ok(Holdings {
            mounts,
            processes: descendants()?,
            descriptors: open.enumerate().map(|(at, target)| format!("{at}: {}", target.display())).collect(),
            temporary: names(&std::env::temp_dir().display().to_string())?,
            threads: names("/proc/self/task")?.len(),
        })
    }
}

fn names(directory: &str) -> Result<BTreeSet<String>> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {directory}"))?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// Processes whose parent's parent, or so, is this one; ended ones that nobody waited for among them.
fn descendants() -> Result<BTreeSet<String>> {
    let mut parents = Vec::new();
    for name in names("/proc")?.into_iter().filter(|name| name.parse::<u32>().is_ok()) {
        let Ok(stat) = fs::read_to_string(format!("/proc/{name}/stat")) else { continue };
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)).map(str::to_string);
        parents.extend(parent.map(|parent| (name, parent)));
    }
    let mut found = BTreeSet::from([std::process::id().to_string()]);
    loop {
        let known = found.len();
        found.extend(
            parents
                .iter()
                .filter(|(_, parent)| found.contains(parent))
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>(),
        );
        if found.len() == known {
            return Ok(found);
        }
    }
}

/// The built-in plan, then one that fails in the middle.
fn boot(number: usize) -> Result<()> {
    let sandbox = initramfs()?.file("/sbin/crun", content(100_001), 0o755)?.args(["--report"]);
    if number.is_multiple_of(2) {
        let outcome = sandbox.run()?;
        let report = outcome.report()?;
        ensure!(outcome.code == Some(0) && report.problems.is_empty(), "boot {number}: {outcome:#?}");
    } else {
        let outcome =
            sandbox.plan("root\nmount proc /proc proc\nbind /sbin/agent\ncopy /gone\nexec /sbin/agent")?.run()?;
        ensure!(outcome.code == Some(4), "boot {number}: {outcome:#?}");
    }
    Ok(())
}

#[test]
fn boots_in_a_row_leave_nothing() -> Result<()> {
    let count = if long() { LONG } else { SHORT };
    if std::env::var_os(ALONE).is_some() {
        return alone(count);
    }
    let temporary = tempfile::tempdir()?;
    // In a mount namespace of its own, for what other tests and programs mount meanwhile is not to be counted; its mounts are
    // shared as most machines' are, so that a boot's mount that got out would be.
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-ec", "mount --make-rshared /; exec \"$@\"", "sh"]);
    command.arg(std::env::current_exe()?);
    command.args(["--exact", "namespaces::soak::boots_in_a_row_leave_nothing", "--nocapture"]);
    let output = command.env(ALONE, "1").env("TMPDIR", temporary.path()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let summary = said.lines().find(|line| line.starts_with("soak: "));
    ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    writeln!(std::io::stderr(), "{}", summary.with_context(|| format!("no test has run: {said}"))?)?;
    Ok(())
}

fn alone(count: usize) -> Result<()> {
    // What is made once, init and agent, is made by then.
    boot(0)?;
    boot(1)?;
    let before = Holdings::of_this_process()?;
    for number in 0..count {
        boot(number)?;
    }
    let after = Holdings::of_this_process()?;
    assert_eq!(after, before, "left behind by {count} boots");
    let Holdings { mounts, processes, descriptors, temporary, threads } = after;
    println!(
        "soak: {count} boots in a row; before and after: {} mounts, {} processes, {} descriptors, {} temporary files, {threads} threads",
        mounts.len(),
        processes.len(),
        descriptors.len(),
        temporary.len()
    );
    Ok(())
}
