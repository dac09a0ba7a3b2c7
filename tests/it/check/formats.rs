//! How `check` prints what it finds, its exit codes, and which plan it takes if none is named.

use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};

use crate::pack::Ground;

/// One error, and one warning.
const ERROR: &str = "root\nbind /a\nexce /a\n";
const WARNING: &str = "bind /a\nenv A=$B\nexec /a\n";

fn ground() -> Result<Ground> {
    let ground = Ground::new()?;
    ground.file("error", ERROR, 0o644)?.file("warning", WARNING, 0o644)?.file("good", "bind /a\nexec /a\n", 0o644)?;
    Ok(ground)
}

#[test]
fn are_lines_json_or_annotations() -> Result<()> {
    let ground = ground()?;
    let said = |words: &str| Ok::<_, anyhow::Error>(String::from_utf8(ground.vm(words)?.stdout)?);
    let expected = "error:3:1: exce: unknown verb: did you mean exec?\n\
        warning:2:5: warning: A=$B: nothing is expanded: write the value of B in its place\ngood: no problems found\n";
    assert_eq!(said("check error warning good")?, expected);
    let expected = "::error file=error,line=3,col=1::exce: unknown verb: did you mean exec?\n\
        ::warning file=warning,line=2,col=5::A=$B: nothing is expanded: write the value of B in its place\n\
        good: no problems found\n";
    assert_eq!(said("check --format github error warning good")?, expected);
    let found: Value = serde_json::from_str(&said("check --format json error warning good")?)?;
    let expected = json!([
        {"file": "error", "line": 3, "column": 1, "severity": "error", "message": "exce: unknown verb: did you mean exec?"},
        {"file": "warning", "line": 2, "column": 5, "severity": "warning",
         "message": "A=$B: nothing is expanded: write the value of B in its place"},
    ]);
    assert_eq!(found, expected);
    assert_eq!(said("check --format json good")?, "[]\n");
    // Names and words that would end a property or a command: GitHub's workflow-commands, escapeProperty and escapeData.
    ground.file("a:1,b=%0A.plan", "bind /a\nexec /a%0A,:$B\n", 0o644)?;
    let expected = "::error file=a%3A1%2Cb=%250A.plan,line=2,col=6::";
    let escaped = said("check --format github a:1,b=%0A.plan")?;
    assert!(escaped.starts_with(expected) && escaped.contains("/a%250A,:$B"), "{escaped}");
    // Of a plan as a whole there is no line.
    ground.file("empty", "", 0o644)?;
    assert!(said("check --format github empty")?.starts_with("::error file=empty::no step: "));
    let found: Value = serde_json::from_str(&said("check --format json empty")?)?;
    assert_eq!((&found[0]["line"], &found[0]["column"]), (&Value::Null, &Value::Null));
    Ok(())
}

#[test]
fn have_exit_codes() -> Result<()> {
    let ground = ground()?;
    for (words, code) in [
        ("good", 0),
        ("warning", 0),
        ("--strict warning", 1),
        ("--strict good", 0),
        ("error", 1),
        ("good error", 1),
        ("--format json error", 1),
        ("nowhere", 1),
        ("", 2),
        ("--format yaml good", 2),
        ("good --root . --initramfs good", 2),
    ] {
        assert_eq!(ground.vm(&format!("check {words}"))?.status.code(), Some(code), "{words}");
    }
    let help = String::from_utf8(ground.vm("check --help")?.stdout)?;
    assert!(help.contains("\nExit codes:\n  0  ") && help.contains("\n  1  ") && help.contains("\n  2  "), "{help}");
    Ok(())
}

/// Colors are for a terminal; script(1) of util-linux makes one.
#[test]
fn are_coloured_on_a_terminal_only() -> Result<()> {
    vm::apt::ensure_programs(&["script"])?;
    let ground = ground()?;
    let on_terminal = |no_color: &str| {
        let mut command = Command::new("script");
        let line = format!("{} check error", env!("CARGO_BIN_EXE_vm"));
        command.args(["-qec", &line, "/dev/null"]).current_dir(ground.path("")).env("TERM", "linux");
        let output = command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("NO_COLOR", no_color).output()?;
        Ok::<_, anyhow::Error>(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert!(on_terminal("")?.contains("\x1b["));
    assert!(!on_terminal("1")?.contains('\x1b'));
    let output = ground.vm("check error")?;
    assert!(!output.stdout.contains(&0x1b));
    Ok(())
}

/// The plan of an image is the one that it would boot with.
#[test]
fn need_no_plan_where_there_is_a_tree() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("root\nbind /sbin/agent\nexec /sbin/agent\n")?.pack("--file /sbin/agent=agent")?;
    let output = ground.vm("check --initramfs out")?;
    assert_eq!(String::from_utf8(output.stdout)?, "boot.plan: no problems found\n");
    ground.file("tree/boot.plan", "bind /sbin/agnt\nexec /sbin/agnt\n", 0o644)?;
    let output = ground.vm("check --root tree")?;
    assert_eq!(
        String::from_utf8(output.stdout)?,
        "boot.plan:1:6: bind /sbin/agnt: not in the initramfs: put it there, or leave the step out\n"
    );
    assert_eq!(output.status.code(), Some(1));
    // One without a plan of its own boots with the built-in one.
    std::fs::remove_file(ground.path("tree/boot.plan"))?;
    let said = String::from_utf8(ground.vm("check --root tree")?.stdout)?;
    assert!(said.contains("default.plan:") && said.contains(": bind /sbin/agent: not in the initramfs"), "{said}");
    Ok(())
}
