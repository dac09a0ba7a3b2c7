//! A profile: what perf records of a boot, and two profiles side by side.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use language::Verb;
use serde_json::{Value, json};
use vm::demo::demo_plan;
use vm::plan::Plan;

use super::timeline::{texts, vm, vm_alone};

/// Two boots: the real init's, and the marked one's, whose system calls must be the same but for one.
#[test]
fn names_the_kernels_functions_and_accounts_for_init() -> Result<()> {
    let directory = tempfile::tempdir()?;
    vm_alone(&["profile", "--only", "perf", "--out", path(directory.path())?])?;
    for graph in ["flame.svg", "flame-init.svg"] {
        let functions = texts(&fs::read_to_string(directory.path().join(graph))?)?;
        assert!(functions.iter().any(|text| text.starts_with("do_syscall_64 (")), "{graph}: {functions:?}");
        assert!(functions.iter().any(|text| text.starts_with("do_sendfile (")), "{graph}: {functions:?}");
        let addresses =
            functions.iter().filter(|text| text.starts_with("0xffff") || text.starts_with("[unknown]")).count();
        assert!(addresses * 20 < functions.len(), "{graph}: {addresses} frames of {} have no name", functions.len());
    }
    assert!(
        fs::read_to_string(directory.path().join("report.txt"))?.contains("[k] "),
        "perf report names no kernel function"
    );
    let record: Value = serde_json::from_str(&fs::read_to_string(directory.path().join("profile.json"))?)?;
    let calls = &record["calls"];
    let figure = |name: &str| calls[name].as_f64().with_context(|| format!("no {name} in {calls}"));
    let part = figure("in_calls_us")? / figure("entry_to_exec_us")?;
    assert!((0.9..=1.0).contains(&part), "{:.1} % of init's time is in its system calls: {calls}", part * 100.0);
    assert_steps(calls)
}

/// Each step of the plan has its own calls.
fn assert_steps(calls: &Value) -> Result<()> {
    let steps = calls["steps"].as_array().context("no steps")?;
    let plan = Plan::read(&demo_plan())?.steps();
    assert_eq!(steps.len(), plan.len() + 1, "{steps:?}");
    for (found, step) in steps[1..].iter().zip(&plan) {
        assert_eq!(found["step"], json!(step.text()));
        let call = match step.verb {
            Verb::Root | Verb::Mount | Verb::Bind => "mount",
            Verb::Link => "symlinkat",
            Verb::Dir => "mkdirat",
            Verb::Controllers => "write",
            Verb::Copy => "sendfile",
            Verb::Exec => "execve",
            verb => panic!("what does {verb:?} call?"),
        };
        assert_eq!(found["calls"][call][0], json!(1), "{}: {found}", step.text());
    }
    Ok(())
}

fn record(phases: &[(&str, &str, Option<f64>, Option<f64>)]) -> Value {
    let line = |(phase, part, instructions, microseconds): &(&str, &str, Option<f64>, Option<f64>)| json!({ "phase": phase, "part": part, "instructions": instructions, "microseconds": microseconds });
    json!({
        "date": "2026-11-21", "machine": "one", "kernel": "vmlinuz", "accel": "tcg", "append": "", "memory_mb": 512,
        "cpus": 1, "initramfs": "none", "phases": phases.iter().map(line).collect::<Vec<_>>(), "calls": null,
    })
}

#[test]
fn two_are_compared_by_step() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let [a, b] = ["a.json", "b.json"].map(|name| directory.path().join(name));
    let kernel = ("kernel: subsystems", "Kernel", Some(1e6), Some(50.0));
    let before = [kernel, ("root", "Init", Some(40e3), Some(10.0)), ("dir /etc", "Init", Some(10e3), None)];
    let after = [kernel, ("root", "Init", Some(60e3), Some(9.0)), ("bind /lib", "Init", Some(50e3), Some(4.0))];
    fs::write(&a, record(&before).to_string())?;
    fs::write(&b, record(&after).to_string())?;
    let said = vm(&["profile", "--compare", path(&a)?, path(&b)?])?;
    let expected = [
        ("kernel: subsystems", "1000 1000 +0.0 % 50 50 +0.0 %"),
        ("root", "40 60 +50.0 % 10 9 -10.0 %"),
        ("dir /etc", "10 - gone - - -"),
        ("bind /lib", "- 50 new - 4 new"),
        ("init, all steps", "50 110 +120.0 % 10 13 +30.0 %"),
        ("the boot", "1050 1110 +5.7 % 60 63 +5.0 %"),
    ];
    for (name, figures) in expected {
        let line = said.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name} in {said}"))?;
        let found: Vec<&str> = line[name.len()..].split_whitespace().collect();
        assert_eq!(found.join(" "), figures, "{name}");
    }
    Ok(())
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}
