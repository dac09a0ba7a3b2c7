//! What goes wrong is told to the client, in words and within a limit.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use vm::task::Style;
use vm::task::bundles::Named;
use vm::task::host::LIMIT;

use super::{assert_fails, drive};

/// Overwrites the agent's own code: nothing less ends a PID 1.
const SHOOT: &str = r#"
line=$(grep -m 1 r-xp /proc/1/maps)
dd if=/dev/zero of=/proc/1/mem bs=4096 seek=$((0x${line%%-*} / 4096)) count=200 conv=notrunc
"#;

/// What crun says of the bundles below.
const SAID: [&str; 3] = [
    "executable file `/bin/none` not found in $PATH: No such file or directory",
    "make `/none` private: No such file or directory",
    "error loading config.json",
];

/// Bundles, and a stream, that cannot work.
#[test]
fn a_broken_bundle_is_named() -> Result<()> {
    let good = Named::shell("good", "exit 3");
    let no_program = Named::shell("no-program", "").with(&["process", "args"], json!(["/bin/none"]));
    let no_root = Named::shell("no-root", "").with(&["root", "path"], json!("/none"));
    let no_object = Named::shell("no-object", "").with(&[], json!("text"));
    let paths = [&no_program, &no_root, &no_object].map(Named::path);
    let good_path = good.path();
    drive(None, Style::Dial, &[no_program, no_root, no_object, good], |host| {
        let client = &host.client;
        let create = |bundle: &str, stdout: &str| client.create("broken", bundle, stdout, "");
        let none = "no bundle: /bundle/none/config.json: No such file or directory (os error 2)";
        assert_fails(create("/bundle/none", ""), &format!("create broken: {none} (UNKNOWN)"));
        for (path, said) in paths.iter().zip(SAID) {
            assert_fails(create(path, ""), &format!("create broken: crun create: {said} (UNKNOWN)"));
        }
        let no_stream = "stdout fifo: it is neither vsock://CID:PORT nor an absolute path";
        assert_fails(create(&good_path, "fifo"), &format!("create broken: {no_stream} (UNKNOWN)"));
        let nobody = format!("{:#}", create(&good_path, "vsock://2:9").expect_err("nobody listens there"));
        assert!(nobody.starts_with("create broken: stdout vsock://2:9: "), "{nobody}");
        assert_fails(client.start("broken", ""), "start broken: no task broken (NOT_FOUND)");
        // None of them stands in the way of the next.
        assert_eq!(host.run("broken", &good_path)?.exit.status, 3);
        client.shutdown()
    })
    .map(drop)
}

/// A wait that is under way fails when the agent dies, and so does what comes after.
#[test]
fn the_agent_killed() -> Result<()> {
    let shoot = Named::shell("shoot", SHOOT).with_guests_processes();
    let path = shoot.path();
    let (outcome, said) = drive(None, Style::Dial, &[shoot], |host| {
        host.client.create("shoot", &path, "", "")?;
        host.client.start("shoot", "").ok();
        let said = host.client.wait("shoot", "").map_err(|error| format!("{error:#}"));
        assert_gone(said.clone().map(drop), "wait shoot");
        assert_gone(host.client.connect("").map(drop).map_err(|error| format!("{error:#}")), "connect");
        Ok(said)
    })?;
    assert!(outcome.transcript.contains("Attempted to kill init!"), "{said:?}\n{}", outcome.evidence());
    Ok(())
}

#[test]
fn the_vsock_device_gone() -> Result<()> {
    let sleeper = Named::shell("sleeper", "exec sleep 1000");
    let path = sleeper.path();
    drive(None, Style::Dial, &[sleeper], |host| {
        host.client.create("one", &path, "", "")?;
        host.client.start("one", "")?;
        let started = Instant::now();
        let said = std::thread::scope(|scope| {
            let wait = scope.spawn(|| host.client.wait("one", "").map(drop).map_err(|error| format!("{error:#}")));
            std::thread::sleep(Duration::from_millis(200));
            host.vsock.break_off()?;
            Ok::<_, anyhow::Error>(wait.join().expect("no panic"))
        })?;
        assert_gone(said, "wait one");
        assert_gone(host.client.connect("").map(drop).map_err(|error| format!("{error:#}")), "connect");
        assert!(started.elapsed() < LIMIT, "only the limit ended it");
        host.machine.end();
        Ok(())
    })
    .map(drop)
}

fn assert_gone(said: Result<(), String>, call: &str) {
    let said = said.expect_err(call);
    assert!(said.starts_with(&format!("{call}: the connection is gone")), "{said}");
}
