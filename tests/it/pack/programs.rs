//! Programs that a plan runs or spawns: looked at as the service is, their libraries carried before the first of them.

use anyhow::{Context, Result};
use serde_json::Value;
use vm::initramfs::Initramfs;

use super::Ground;

const LS: &str = "--file /sbin/agent=agent --file /sbin/ls=/bin/ls";

/// A plan with a dynamic program, and its line.
const PLANS: [(&str, usize); 3] = [
    ("root\nbind /sbin\nrun /sbin/ls\nexec /sbin/agent\n", 3),
    ("root\nbind /sbin\nrun /sbin/agent --version\nrun /sbin/ls\nspawn /sbin/agent\n", 3),
    ("root\nbind /sbin\n-spawn /sbin/ls\nexec /sbin/agent\n", 3),
];

#[test]
fn bring_their_libraries_before_the_first_of_them() -> Result<()> {
    for (plan, line) in PLANS {
        let ground = Ground::new()?;
        ground.plan(plan)?.pack(&format!("{LS} --carry-libs"))?;
        let tree = Initramfs::of_image(&ground.path("out"))?;
        let packed = String::from_utf8(tree.at("/boot.plan").context("no plan")?.read()?.into_owned())?;
        let own: Vec<&str> = plan.lines().collect();
        let (before, after) = own.split_at(line - 1);
        let expected = [before, &["bind /lib", "bind /lib64"], after].concat().join("\n") + "\n";
        assert_eq!(packed, expected);
    }
    Ok(())
}

/// The libraries that were added are what the program needs, when it needs them.
#[test]
fn find_their_libraries() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan(PLANS[0].0)?.pack(&format!("{LS} --carry-libs"))?;
    let output = ground.vm("try --init init --initramfs out")?;
    let [said, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert_eq!((output.status.code(), errors.as_str()), (Some(0), ""), "{said}");
    // What ls prints of the new root.
    assert!(said.lines().any(|line| line == "lib64"), "{said}");
    Ok(())
}

#[test]
fn are_refused_where_they_would_not_run() -> Result<()> {
    let ground = Ground::new()?;
    for (plan, _) in &PLANS[..2] {
        let said = ground.plan(plan)?.refusal(LS)?;
        // Of the second plan, the program that runs before has made no difference.
        assert!(said.contains(":5: /sbin/ls needs what no step carries: /lib"), "{plan}: {said}");
        assert!(
            said.contains("add before line 3, or let --carry-libs do it:\n    bind /lib\n    bind /lib64"),
            "{plan}: {said}"
        );
    }
    ground.file("script", "#!/bin/sh\n", 0o755)?;
    for (steps, expected) in [
        (
            "run /sbin/agent\nbind /sbin/agent",
            "p:2:5: run /sbin/agent: not in the new root yet: line 3 carries it: put that line before this one",
        ),
        (
            "bind /sbin/agent\nbind /sbin/script\nrun /sbin/script",
            "p:4:5: /sbin/script is a script whose interpreter /bin/sh is missing",
        ),
        (
            "bind /sbin/agent\ndrop /sbin\nbind /sbin/script",
            "p:3:6: drop /sbin: line 2 binds /sbin/agent in it, which stays",
        ),
    ] {
        let said = ground
            .plan(format!("root\n{steps}\nspawn /sbin/agent\n"))?
            .refusal("--file /sbin/agent=agent --file /sbin/script=script --no-libs")?;
        assert!(said.contains(expected), "{steps}: {said}");
    }
    Ok(())
}

const PAGE: u64 = 4096;

/// What a plan frees is not counted among what is left.
#[test]
fn memory_is_less_by_what_is_dropped() -> Result<()> {
    let ground = Ground::new()?;
    ground
        .file("data/a", vec![7; 5000], 0o644)?
        .file("data/deep/b", vec![7; 100], 0o644)?
        .file("m.ko", "module", 0o644)?;
    let files = "--file /sbin/agent=agent --file /data=data --file /m.ko=m.ko --json";
    for (steps, freed) in [
        ("", 0),
        ("drop /data\n", 3),
        ("drop /data/a\nmodule /m.ko\ndrop /data\n", 4),
        ("copy /data/a\ndrop /data\n", 1),
    ] {
        ground.plan(format!("root\nbind /sbin/agent\n{steps}exec /sbin/agent\n"))?;
        let said = ground.pack(files)?;
        let found: Value = serde_json::from_str(&said).with_context(|| said.clone())?;
        assert_eq!(found["plan"]["memory"]["freed"], freed * PAGE, "{steps}: {said}");
    }
    // What is gone is not copied once more.
    ground.plan("root\nbind /sbin/agent\ncopy /data/a\n-copy /data/a /b\nexec /sbin/agent\n")?;
    let said = ground.pack(files)?;
    assert!(said.contains("\"copied\":8192,"), "{said}");
    Ok(())
}
