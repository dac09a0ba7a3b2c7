//! What the service finds: argv, environment, descriptors, umask, signals, working directory.

use agent::{Report, Signals};
use anyhow::Result;

use super::{NO_PROBLEMS, boot, initramfs, run};

#[test]
fn finds_what_the_contract_says() -> Result<()> {
    let (_, report) = boot(initramfs()?, "mount proc /proc proc")?;
    assert_eq!((report.pid, report.cwd.as_str(), report.umask), (1, "/", 0o022));
    assert_eq!(report.signals, Signals::default());
    assert_eq!(report.descriptors.iter().map(|open| open.number).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(report.exe.as_deref(), Some("/sbin/agent"));
    assert_eq!(report.tree.iter().filter(|file| file.path == "/init").count(), 0);
    Ok(())
}

#[test]
fn argv_is_the_path_the_plans_words_and_the_kernels() -> Result<()> {
    let sandbox = initramfs()?.args(["--vsock=3", "-x", "two words", ""]);
    let report = run(sandbox, "exec /sbin/agent --report a  b")?.report()?;
    assert_eq!(report.argv, ["/sbin/agent", "--report", "a", "b", "--vsock=3", "-x", "two words", ""]);
    let report = run(initramfs()?, "exec /sbin/agent --report")?.report()?;
    assert_eq!(report.argv, ["/sbin/agent", "--report"]);
    Ok(())
}

/// As many as the kernel passes: CONFIG_INIT_ENV_ARG_LIMIT.
#[test]
fn all_of_the_kernels_words_arrive() -> Result<()> {
    let words: Vec<String> = (0..32).map(|number| format!("word-{number}")).collect();
    let mut sandbox = initramfs()?.args(words.clone());
    for number in 0..30 {
        sandbox = sandbox.env(&format!("name{number}"), &number.to_string());
    }
    let (_, report) = boot(sandbox, "")?;
    assert_eq!(report.argv[2..], words);
    assert_eq!(report.environment.len(), 32);
    assert_eq!(report.environment[31], "name29=29");
    Ok(())
}

/// The plan's `env` steps, and the environment that comes of the kernel's: HOME, TERM, zone=1, alpha=2.
const ENVIRONMENTS: [(&str, &[&str]); 8] = [
    ("", &["HOME=/", "TERM=linux", "zone=1", "alpha=2"]),
    ("env PATH=/sbin", &["HOME=/", "TERM=linux", "zone=1", "alpha=2", "PATH=/sbin"]),
    ("env HOME=/root", &["HOME=/root", "TERM=linux", "zone=1", "alpha=2"]),
    ("env zone=", &["HOME=/", "TERM=linux", "zone=", "alpha=2"]),
    ("env zon=3\nenv zonee=4", &["HOME=/", "TERM=linux", "zone=1", "alpha=2", "zon=3", "zonee=4"]),
    ("env A=1\nenv B=2\nenv A=3", &["HOME=/", "TERM=linux", "zone=1", "alpha=2", "A=3", "B=2"]),
    ("env A= b  c # d ", &["HOME=/", "TERM=linux", "zone=1", "alpha=2", "A= b  c # d"]),
    ("env A=b=c", &["HOME=/", "TERM=linux", "zone=1", "alpha=2", "A=b=c"]),
];

#[test]
fn environment_is_the_kernels_and_the_plans() -> Result<()> {
    for (steps, expected) in ENVIRONMENTS {
        let (_, report) = boot(initramfs()?.env("zone", "1").env("alpha", "2"), steps)?;
        assert_eq!(report.environment, expected, "{steps}");
    }
    Ok(())
}

#[test]
fn standard_input_is_not_touched() -> Result<()> {
    let sandbox = initramfs()?.input(b"left for the service");
    let (_, report) = boot(sandbox, "")?;
    let input = report.descriptors.first().expect("descriptor 0 is open");
    assert_eq!((input.number, input.kind.as_str()), (0, "file"));
    Ok(())
}

/// What is at `/dev/console` of the initramfs, and the device that descriptors 0 to 2 should be then.
const CONSOLES: [(bool, &[(u64, u64)]); 2] = [
    // A directory opens for no writer: as if there were no console.
    (true, &[(1, 3)]),
    // Nothing: init makes the node, and whether it opens is this machine's matter.
    (false, &[(1, 3), (5, 1)]),
];

#[test]
fn closed_descriptors_are_opened() -> Result<()> {
    for (blocked, devices) in CONSOLES {
        let mut sandbox = initramfs()?.file("/out", "", 0o600)?.closed_descriptors();
        if blocked {
            sandbox = sandbox.dir("/dev/console", 0o755)?;
        }
        let outcome = run(sandbox, "bind /out\nexec /sbin/agent --report --output /out")?;
        let said = std::fs::read_to_string(outcome.path("/out"))?;
        let report = Report::find(&said).unwrap_or_else(|| panic!("no report: {said:?} {outcome:#?}"));
        let found: Vec<_> = report.descriptors.iter().map(|open| (open.number, open.access.as_str())).collect();
        assert_eq!(found, [(0, "rw"), (1, "rw"), (2, "rw")]);
        for open in &report.descriptors {
            assert!(open.device.is_some_and(|device| devices.contains(&device)), "{open:?}");
        }
        assert_eq!(report.problems, NO_PROBLEMS);
    }
    Ok(())
}

/// An agent that mounts everything itself: nothing but the root and the agent is there.
#[test]
fn root_only() -> Result<()> {
    let plan = "root\nbind /sbin/agent\nexec /sbin/agent --report";
    let outcome = initramfs()?.plan(plan)?.run()?;
    let report = outcome.report()?;
    let paths: Vec<&str> = report.tree.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["/sbin", "/sbin/agent"]);
    assert_eq!((report.problems.len(), outcome.code), (0, Some(0)), "{:?}", report.problems);
    assert_eq!((outcome.stderr.as_str(), outcome.kmsg.as_str()), ("", ""));
    Ok(())
}
