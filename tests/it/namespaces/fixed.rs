//! Inits that run one plan, the feature `fixed-plan`: each boots as the init that reads the same plan. `cargo vm test --fixed` runs
//! the other tests of this directory so.

use agent::Report;
use anyhow::Result;
use vm::build;
use vm::sandbox::fixed;

use super::faults::{BEFORE_THE_SERVICE, EVERY_VERB, SPAWNED, furnished, with_programs};
use super::{OPENING, initramfs};

/// What follows [`OPENING`]: boots, warnings, failures.
const STEPS: [&str; 9] = [
    "exec /sbin/agent --report",
    "-exec /gone\n-exec /sbin/missing one two\nexec /sbin/agent --report",
    "-exec /gone",
    "mount tmpfs /run tmpfs nosuid,size=64m,bogus=1\nexec /sbin/agent",
    "-mount none /none nosuchfs\nmount tmpfs /a/b/c tmpfs ro,size=1m\ndir /a/b/c/d\nexec /sbin/agent",
    "-controllers cpu bogus\nlink /a /b\n-link /c /b\nexec /sbin/agent --report",
    "env A=b\nenv TERM=x\nwait /sbin/agent 1\nlimit nofile 100 200\nexec /sbin/agent --report",
    "wait /never 0\nexec /sbin/agent",
    "drop /sbin\nexec /sbin/agent",
];

#[test]
fn boot_as_the_one_that_reads() -> Result<()> {
    let plain = || Ok(initramfs()?.args(["--word"]).env("zone", "1"));
    let mut plans: Vec<(String, &dyn Fn() -> Result<_>)> = Vec::new();
    plans.extend(STEPS.map(|steps| (format!("{OPENING}{steps}\n"), &plain as &dyn Fn() -> Result<_>)));
    plans.push((EVERY_VERB.to_string(), &furnished));
    plans
        .extend([BEFORE_THE_SERVICE, SPAWNED].map(|plan| (plan.to_string(), &with_programs as &dyn Fn() -> Result<_>)));
    let stuck = || initramfs()?.file("/.moveroot", "", 0o644);
    plans.push(("# no root\nbind /sbin/agent\nexec /sbin/agent\n".to_string(), &stuck));
    for (plan, initramfs) in plans {
        let reading = initramfs()?.plan(&plan)?.run()?;
        // The file of another plan changes nothing.
        let fixed =
            initramfs()?.file("/boot.plan", "exec /not/this\n", 0o644)?.init(&fixed::init_of(plan.as_bytes())?)?;
        let fixed = fixed.env("moveroot_plan", "/boot.plan").run()?;
        assert_eq!((fixed.code, fixed.signal), (reading.code, reading.signal), "{plan}{fixed:#?}");
        assert_eq!(fixed.stderr, reading.stderr, "{plan}");
        assert_eq!(fixed.kmsg, reading.kmsg, "{plan}");
        match (reading.report(), fixed.report()) {
            (Ok(reading), Ok(mut fixed)) => {
                fixed.environment.retain(|variable| variable != "moveroot_plan=/boot.plan");
                assert_eq!(seen(&fixed), seen(&reading), "{plan}");
            }
            (reading, fixed) => assert_eq!(reading.is_ok(), fixed.is_ok(), "{plan}"),
        }
    }
    Ok(())
}

/// What a service sees, without what each boot numbers or counts anew.
fn seen(report: &Report) -> String {
    let tree: Vec<_> =
        report.tree.iter().map(|file| (&file.path, &file.kind, file.mode, file.size, &file.sha256)).collect();
    let process = (report.pid, &report.argv, &report.environment, &report.cwd, report.umask, &report.descriptors);
    format!("{process:#?} {:#?} {tree:#?} {:#?} {:#?}", report.signals, report.subtree_control, report.problems)
}

/// Two pages with the built-in plan: the reading one has twice as many.
#[test]
fn are_half_as_large() -> Result<()> {
    let bytes = std::fs::read(build::fixed_init(None)?)?;
    assert!(bytes.len() <= 2 * 4096, "{} bytes", bytes.len());
    for absent in [&b"unknown verb"[..], b"boot.plan", b"moveroot_plan=", b"signal ", b"finit"] {
        assert!(!bytes.windows(absent.len()).any(|window| window == absent), "{}", absent.escape_ascii());
    }
    assert!(bytes.windows(12).any(|window| window == b"default.plan"), "this test looks at the wrong file");
    Ok(())
}
