//! `cargo vm boot` of an agent that makes no report: judged by `--ready`, in each of its forms and in the failure of each.

use std::os::unix::fs::symlink;

use anyhow::Result;
use vm::build;

use super::{beside_others, parts};
use crate::pack::Ground;

/// What busybox, for an agent, is to do.
const SAYS: &str = "spawn /bin/busybox echo hello";
const SLEEPS: &str = "spawn /bin/busybox sleep 1000";
const PANICS: &str = "exec /bin/busybox true";

/// Boots a plan that ends with this step; the exit code, and all that is said.
fn boot(service: &str, words: &str) -> Result<(Option<i32>, String)> {
    let ground = Ground::new()?;
    symlink(&parts().busybox, ground.path("busybox"))?;
    ground.plan(format!("root\nmount devtmpfs /dev devtmpfs\nbind /bin/busybox\n{service}\n"))?;
    run(&ground, &format!("boot --plan p --agent busybox {words}"))
}

fn run(ground: &Ground, words: &str) -> Result<(Option<i32>, String)> {
    let _guest = beside_others();
    let output = ground.vm(words)?;
    let [said, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok((output.status.code(), said + &errors))
}

#[test]
fn by_an_end_or_by_a_line() -> Result<()> {
    for (words, message) in [
        ("", "the machine powered off after "),
        ("--ready exit", "the machine powered off after "),
        ("--ready line:hell --then-stop", " ms: the console said \"hell\"\n"),
    ] {
        let (code, said) = boot(SAYS, words)?;
        assert!(code == Some(0) && said.contains(message), "{words}: {said}");
    }
    Ok(())
}

#[test]
fn by_a_call_or_by_an_answer() -> Result<()> {
    let ground = Ground::new()?;
    symlink(build::guest("taskd", "taskd")?, ground.path("taskd"))?;
    for (words, message) in [
        ("--ready dial:1024 --then-stop -- --dial 1024", " ms: the agent called the host's vsock port 1024\n"),
        ("--ready listen:1024 --then-stop -- --listen 1024", " ms: the agent answers at its vsock port 1024\n"),
    ] {
        let (code, said) = run(&ground, &format!("boot --agent taskd {words}"))?;
        assert!(code == Some(0) && said.contains(message), "{words}: {said}");
    }
    Ok(())
}

/// Each with the reason, and with the transcript.
#[test]
fn fails_where_nothing_comes_of_it() -> Result<()> {
    for (service, words, message) in [
        (PANICS, "", "(--ready says what else to judge it by): the machine did not power off: Kernel panic"),
        (PANICS, "--ready exit", "boot failed: the machine did not power off: Kernel panic"),
        (SLEEPS, "--ready exit --timeout 10", "boot failed: the machine has not powered off within 10 s"),
        (SAYS, "--ready line:bye", "boot failed: no line of the console has \"bye\" before the machine ended"),
        (SLEEPS, "--ready dial:9 --timeout 10", "the agent has not called the host's vsock port 9 within 10 s"),
        (SLEEPS, "--ready listen:9 --timeout 10", "nobody answered at the guest's vsock port 9 within 10 s"),
    ] {
        let (code, said) = boot(service, words)?;
        assert!(code == Some(1) && said.replace('\n', " ").contains(message), "{words}: {said}");
        assert!(said.contains("- transcript\n") && said.contains("- QEMU\nqemu-system-x86_64 "), "{words}: {said}");
        assert!(!said.contains("gave no report"), "{words}: {said}");
    }
    Ok(())
}

/// Whatever plan and init are in it.
#[test]
fn an_image_is_booted_as_it_is() -> Result<()> {
    let ground = Ground::new()?;
    symlink(&parts().busybox, ground.path("busybox"))?;
    ground.plan(format!("root\nmount devtmpfs /dev devtmpfs\nbind /bin/busybox\n{SAYS}\n"))?;
    ground.pack("--file /bin/busybox=busybox")?;
    let (code, said) = run(&ground, "boot --initramfs out --ready line:hello --ready exit")?;
    assert!(code == Some(0) && said.contains("the machine powered off after "), "{said}");
    Ok(())
}
