//! What a plan can do that hardly anybody means: it must neither hang nor surprise.

use anyhow::Result;
use vm::sandbox::Sandbox;

use super::{FIRST_LINE, agent, init, initramfs};

/// A plan without a log of its own: what a report needs, it has to find in the initramfs.
const OPENING: &str = "root\nbind /sbin/agent\n";
const AGENT: &str = "exec /sbin/agent --report";

#[test]
fn a_fifo_is_no_file_to_copy_and_is_not_waited_for() -> Result<()> {
    let outcome = initramfs()?.fifo("/fifo")?.plan(format!("{OPENING}copy /fifo\n{AGENT}"))?.run()?;
    assert_eq!(outcome.stderr, "moveroot: boot.plan:3: copy /fifo: EINVAL (22)\n");
    assert_eq!((outcome.code, outcome.kmsg.as_str()), (Some(3), "<3>moveroot: boot.plan:3: copy /fifo: EINVAL (22)\n"));
    let outcome = initramfs()?.fifo("/other.plan")?.env("moveroot_plan", "/other.plan").run()?;
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(201), "moveroot: other.plan: ends without exec or spawn\n")
    );
    Ok(())
}

#[test]
fn a_write_to_a_fifo_that_nobody_reads_is_not_waited_for() -> Result<()> {
    let plan = format!("{OPENING}bind /fifo\nwrite /fifo text\n{AGENT}");
    let outcome = initramfs()?.fifo("/fifo")?.plan(plan)?.run()?;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(4), "moveroot: boot.plan:4: write /fifo: ENXIO (6)\n"));
    Ok(())
}

#[test]
fn warnings_leave_nothing_in_the_new_root() -> Result<()> {
    for step in ["-copy /nothing", "-exec /sbin/nothing", "-mount none /mnt nosuchfs"] {
        let outcome = initramfs()?.plan(format!("{OPENING}{step}\n{AGENT}"))?.run()?;
        assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(0), 1), "{step}: {outcome:#?}");
        assert!(outcome.kmsg.starts_with("<4>moveroot: boot.plan:3: "), "{step}: {}", outcome.kmsg);
        let report = outcome.report()?;
        assert!(report.file("/dev").is_none(), "{step}: {:?}", report.tree);
    }
    Ok(())
}

#[test]
fn a_service_that_cannot_run_is_in_the_log_whatever_the_new_root_is() -> Result<()> {
    let outcome = initramfs()?.plan("root nodev\nbind /sbin/agent\nexec /sbin/nothing")?.run()?;
    assert_eq!(outcome.kmsg, "<3>moveroot: boot.plan:3: exec /sbin/nothing: ENOENT (2)\n");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(3), &outcome.kmsg[3..]));
    Ok(())
}

/// Options of `root`, and the mode of `/` that they come to.
const ROOT_MODES: [(&str, u32); 5] =
    [("", 0o755), ("size=9m", 0o755), ("nodev,noatime", 0o755), ("mode=0700", 0o700), ("size=9m,mode=1777", 0o1777)];

#[test]
fn the_root_is_closed_to_others_unless_the_plan_opens_it() -> Result<()> {
    for (options, mode) in ROOT_MODES {
        let plan = format!("root {options}\nbind /sbin/agent\n{AGENT} --files /");
        let report = initramfs()?.plan(plan)?.run()?.report()?;
        let root = report.files.iter().find(|file| file.path == "/").expect("the agent was asked for /");
        assert_eq!(root.mode, mode, "{options}: {:o}", root.mode);
    }
    Ok(())
}

/// Whatever a plan has room for, the kernel takes: with the longest there is no room for what init adds, large pages.
#[test]
fn options_of_root_may_be_as_long_as_a_plan() -> Result<()> {
    let rest = "\nbind /a\nexec /a";
    let times = (4096 - "root size=9m,mode=0700".len() - rest.len()) / ",mode=1777".len();
    for padding in ["", ",uid=0", ",uid=0,gid=00"] {
        let plan = format!("root size=9m{padding}{},mode=0700{rest}", ",mode=1777".repeat(times - padding.len() / 10));
        let sandbox = Sandbox::new()?.init(init())?.program("/a", agent())?.plan(plan)?;
        let report = sandbox.args(["--report", "--files", "/"]).run()?.report()?;
        let root = report.files.iter().find(|file| file.path == "/").expect("the agent was asked for /");
        assert_eq!((root.mode, report.root.bytes), (0o700, 9 << 20), "{padding}");
    }
    Ok(())
}

/// What ends with a slash is a directory, and where none is asked for, none is made.
#[test]
fn a_path_that_ends_with_a_slash_is_no_parent_of_itself() -> Result<()> {
    let steps = "-link t /deep/x/\n-link t /y/\ndir /made/here/";
    let outcome = initramfs()?.plan(format!("{OPENING}{steps}\n{AGENT} --files /deep/x /y /made/here"))?.run()?;
    let told = ["boot.plan:3: link t to /deep/x/: ENOENT (2)", "boot.plan:4: link t to /y/: ENOENT (2)"];
    assert_eq!(outcome.stderr, told.map(|line| format!("moveroot: {line}\n")).concat());
    let kinds: Vec<String> = outcome.report()?.files.into_iter().map(|file| file.kind).collect();
    assert_eq!(kinds, ["missing", "missing", "directory"]);
    Ok(())
}

#[test]
fn what_is_mounted_over_the_root_is_the_root() -> Result<()> {
    let plan = format!("root\ndir /below\nmount tmpfs / tmpfs mode=0755\ndir /above\nbind /sbin/agent\n{AGENT}");
    let report = initramfs()?.plan(plan)?.run()?.report()?;
    assert!(report.file("/above").is_some() && report.file("/below").is_none(), "{:?}", report.tree);
    Ok(())
}

/// The kernel's HOME and TERM leave room for so many.
const MOST_VARIABLES: usize = 64;

#[test]
fn one_variable_too_many_is_refused_on_its_line() -> Result<()> {
    let variables = |count: usize| (0..count).map(|number| format!("env v{number}=\n")).collect::<String>();
    let report = initramfs()?.plan(format!("{OPENING}{}{AGENT}", variables(MOST_VARIABLES)))?.run()?.report()?;
    assert_eq!(report.environment.len(), MOST_VARIABLES + 2);
    let outcome = initramfs()?.plan(format!("{OPENING}{}{AGENT}", variables(MOST_VARIABLES + 1)))?.run()?;
    let line = FIRST_LINE - 1 + MOST_VARIABLES as i32;
    let message = format!("moveroot: boot.plan:{line}: env v{MOST_VARIABLES}=: E2BIG (7)\n");
    assert_eq!((outcome.code, outcome.stderr), (Some(line), message));
    Ok(())
}

#[test]
fn a_service_to_fall_back_to_gets_its_own_words() -> Result<()> {
    let plan = format!("{OPENING}-exec /sbin/nothing one two three four\n{AGENT} last");
    let report = initramfs()?.args(["kernel"]).plan(plan)?.run()?.report()?;
    assert_eq!(report.argv, ["/sbin/agent", "--report", "last", "kernel"]);
    Ok(())
}

/// A file of proc cannot be unlinked. Until the hand-over the new root is mounted in the initramfs, where `copy` finds it.
#[test]
fn a_copy_whose_original_cannot_go_goes_itself() -> Result<()> {
    let plan = format!("{OPENING}mount proc /proc proc\n-copy /.moveroot/proc/version /copy\n{AGENT}");
    let outcome = initramfs()?.plan(plan)?.run()?;
    assert_eq!(outcome.stderr, "moveroot: boot.plan:4: copy /.moveroot/proc/version to /copy: EPERM (1)\n");
    let report = outcome.report()?;
    assert!(report.file("/copy").is_none(), "{:?}", report.tree);
    Ok(())
}
