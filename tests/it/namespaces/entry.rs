//! How init is entered: only as PID 1, and what it says otherwise.

use anyhow::Result;

use super::initramfs;

#[test]
fn not_as_pid_1() -> Result<()> {
    for words in [vec![], vec!["--help"], vec!["--report"]] {
        let sandbox = initramfs()?.file("/sbin/crun", "crun", 0o755)?.args(words).not_pid_one();
        let outcome = sandbox.run()?;
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.kmsg.as_str()), (Some(64), "", ""));
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        assert!(outcome.stderr.starts_with("moveroot: "), "{}", outcome.stderr);
        for word in ["pid 1", "/init", "initramfs"] {
            assert!(outcome.stderr.contains(word), "no word of {word}: {}", outcome.stderr);
        }
        assert_eq!(std::fs::read(outcome.path("/sbin/crun"))?, b"crun");
        assert_eq!(std::fs::read_dir(outcome.path("/"))?.count(), 3, "dev, init and sbin");
        assert_eq!(std::fs::read_dir(outcome.path("/dev"))?.count(), 1, "kmsg");
    }
    Ok(())
}

/// A kernel that cannot open a console, and a plan that is wrong: the log still has the line.
#[test]
fn without_a_console_the_log_has_the_line() -> Result<()> {
    let sandbox = initramfs()?.dir("/dev/console", 0o755)?.plan("root\nbogus")?.closed_descriptors();
    let outcome = sandbox.run()?;
    assert_eq!((outcome.code, outcome.kmsg.as_str()), (Some(2), "<3>moveroot: boot.plan:2: bogus: unknown verb\n"));
    Ok(())
}
