//! What cannot work is refused before anything is fetched, built or booted, in one line.

use std::process::Command;

use anyhow::{Result, ensure};

/// What the command says on standard error; it has to fail.
fn refused(words: &[&str]) -> Result<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_vm")).args(words).output()?;
    ensure!(output.status.code() == Some(1), "{words:?}: {}", output.status);
    ensure!(output.stdout.is_empty(), "{words:?}: {}", String::from_utf8_lossy(&output.stdout));
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn files_that_cannot_be_written() -> Result<()> {
    for (words, message) in [
        (vec!["boot", "--timeline", "/none/x.svg"], "cannot write /none/x.svg: there is no directory /none"),
        (vec!["boot", "--timeline", "/dev"], "cannot write /dev: it is a directory"),
        (vec!["matrix", "--json", "/none/x.json"], "cannot write /none/x.json: there is no directory /none"),
        (vec!["pack", "-o", "/none/x"], "cannot write /none/x: there is no directory /none"),
        (vec!["profile", "--out", "/dev/null"], "cannot make the directory /dev/null: File exists (os error 17)"),
    ] {
        assert_eq!(refused(&words)?, format!("vm: {message}\n"), "{words:?}");
    }
    Ok(())
}

/// Of an agent that is not there.
#[test]
fn tasks_without_an_agent() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(path("config.json"), r#"{"root": {"path": "rootfs"}}"#)?;
    let [bundle, socket, none] = [path(""), path("socket"), path("none")];
    for (words, message) in [
        (vec!["--style", "kata", "--socket", &none], format!("cannot connect to {none}: No such file or directory (os error 2)")),
        (
            vec!["--style", "nerdbox", "--listen", "--timeout", "1", "--socket", &socket],
            format!("no agent called at {socket}: within 1 s"),
        ),
        (
            vec!["--style", "nerdbox", "--socket", &none, "--bundle", &bundle],
            "config.json has the container's root at \"rootfs\", and only that file is sent: say by --rootfs where the \
                guest has it"
                .to_string(),
        ),
        (
            vec!["--style", "kata", "--socket", &none, "--bundle", &none],
            format!("cannot read {none}/config.json: No such file or directory (os error 2)"),
        ),
    ] {
        let words = [vec!["task"], words].concat();
        assert_eq!(refused(&words)?, format!("vm: {message}\n"), "{words:?}");
    }
    assert!(!std::fs::exists(&socket)?, "a socket is left behind");
    assert_eq!(refused(&["boot", "--initramfs", &none])?, format!("vm: --initramfs {none} is no file\n"));
    Ok(())
}

/// What there is on x86-64 alone.
#[test]
fn what_a_processor_has_not() -> Result<()> {
    for (words, message) in [
        (
            vec!["boot", "--arch", "aarch64", "--timeline", "x.svg"],
            "--timeline has no steps on aarch64: marks leave a guest by an I/O port, which x86-64 alone has",
        ),
        (
            vec!["profile", "--arch", "riscv64", "--only", "count"],
            "a profile is made of marks, which leave a guest by an I/O port, and by the time stamp counter: riscv64 has neither",
        ),
    ] {
        assert_eq!(refused(&words)?, format!("vm: {message}\n"), "{words:?}");
    }
    Ok(())
}

#[test]
fn words_that_name_nothing() -> Result<()> {
    let said = refused(&["matrix", "--only", "nosuchword"])?;
    assert!(said.starts_with("vm: no scenario's name contains \"nosuchword\"; they are: 512 MB, 1 CPU; "), "{said}");
    assert!(said.contains("; gzip; ") && said.lines().count() == 1, "{said}");
    Ok(())
}

/// Whether the server says so or is not reached: one line of it, behind the one that tells what is being done.
#[test]
fn releases_that_are_none() -> Result<()> {
    for command in ["boot", "matrix"] {
        let said = refused(&[command, "--release", "nosuch"])?;
        let lines: Vec<&str> = said.lines().collect();
        let [refreshing, reason] = lines.as_slice() else { panic!("{said}") };
        assert_eq!(*refreshing, "vm: refreshing package lists of nosuch");
        assert!(reason.starts_with("vm: no kernel of nosuch: "), "{said}");
    }
    let said = refused(&["boot", "--release", "No-Such"])?;
    assert_eq!(said, "vm: No-Such is no release's name: name one as trixie or sid\n");
    Ok(())
}
