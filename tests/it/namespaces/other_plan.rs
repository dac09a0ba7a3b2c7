//! Another plan built in by `MOVEROOT_PLAN`: it runs, and one with an error fails the build.

use anyhow::{Context, Result};
use vm::sandbox::Sandbox;
use vm::{build, workspace};

use super::agent;

#[test]
fn it_runs_where_the_initramfs_has_none() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let plan = directory.path().join("other.plan");
    std::fs::write(&plan, "root size=2m\nbind /sbin/agent /bin/it\n-bind /gone\nexec /bin/it --report\n")?;
    let sandbox = Sandbox::new()?.init(&build::init(Some(&plan))?)?.program("/sbin/agent", agent())?;
    let outcome = sandbox.run()?;
    assert_eq!(outcome.stderr, "moveroot: other.plan:3: bind /gone: ENOENT (2)\n");
    let report = outcome.report()?;
    assert_eq!((report.argv.join(" "), report.root.bytes), ("/bin/it --report".to_string(), 2 << 20));
    Ok(())
}

/// A plan, and what the build says of it behind the plan's path.
const WRONG: [(&str, &str); 4] = [
    ("root\nbogus\nexec /sbin/agent\n", "wrong.plan:2: unknown verb"),
    ("root\ndir /a\n", "wrong.plan: ends without exec or spawn"),
    ("root\nwrite /a b\0c\nexec /a", "wrong.plan: there is a NUL in it"),
    ("root\n\n\ncopy sbin/crun\nexec /sbin/agent", "wrong.plan:4: path is not absolute"),
];

#[test]
fn one_with_an_error_fails_the_build() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("wrong.plan");
    for (plan, message) in WRONG {
        std::fs::write(&path, plan)?;
        let mut cargo = workspace::cargo();
        cargo.args(["build", "--quiet", "--release", "--package", "moveroot", "--bin", "init"]);
        cargo.arg("--target-dir").arg(workspace::target()?.join("planned/wrong")).env("MOVEROOT_PLAN", &path);
        let output = cargo.output().context("cannot run cargo")?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{plan:?} was built in");
        assert!(said.contains(message), "no {message}: {said}");
    }
    Ok(())
}
