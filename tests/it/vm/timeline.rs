//! A boot's timeline, with every step of the plan in it.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use quick_xml::Reader;
use quick_xml::events::Event;
use vm::build;
use vm::demo::demo_plan;
use vm::plan::{Plan, Step};

use super::{alone, parts};

/// A command of the harness's that boots, alone; what it printed.
pub fn vm_alone(words: &[&str]) -> Result<String> {
    parts();
    let _alone = alone();
    vm(words)
}

/// The harness's own program, as `cargo vm` runs it; what it printed.
pub fn vm(words: &[&str]) -> Result<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_vm")).args(words).output().context("cannot run vm")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "vm {}: {said}", words.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}

/// The texts of a picture; fails where it is no well-formed XML.
pub fn texts(svg: &str) -> Result<Vec<String>> {
    let mut reader = Reader::from_str(svg);
    let mut texts = Vec::new();
    let mut whole = String::new();
    loop {
        match reader.read_event().context("no well-formed XML")? {
            Event::Eof => return Ok(texts),
            Event::Text(text) => whole += &text.decode()?,
            Event::GeneralRef(reference) => whole += &format!("&{};", reference.decode()?),
            Event::End(_) => texts.extend(Some(std::mem::take(&mut whole).trim().to_string())),
            _ => {}
        }
    }
}

#[test]
fn of_a_boot_has_every_step_and_adds_up() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let svg = directory.path().join("timeline.svg");
    let said = vm_alone(&["boot", "--timeline", svg.to_str().context("a path in UTF-8")?])?;
    let drawn = texts(&std::fs::read_to_string(&svg)?)?;
    let steps: Vec<String> = Plan::read(&demo_plan())?.steps().iter().map(Step::text).collect();
    assert!(steps.len() > 10, "{steps:?}");
    let expected =
        ["QEMU starts", "kernel unpacks itself", "kernel: executes init", "init: starts", "service", "container"];
    for name in expected.into_iter().chain(steps.iter().map(String::as_str)) {
        assert!(said.lines().any(|line| line.starts_with(name)), "no {name} in {said}");
        assert!(drawn.iter().any(|text| text.starts_with(name)), "no {name} in {drawn:?}");
    }
    // By this machine's clock alone, and the sum of the phases by the guest's.
    let last = said.lines().rev().find(|line| line.starts_with("together")).context("no sum")?;
    let figures: Vec<f64> = last.split_whitespace().skip(1).map(str::parse).collect::<Result<_, _>>()?;
    let [whole, sum] = figures[..] else { panic!("{last}") };
    assert!(whole > 0.0 && (sum / whole - 1.0).abs() < 0.02, "{said}");
    Ok(())
}

/// Init is one phase where no init is built that marks its steps.
#[test]
fn of_a_boot_without_marks_has_init() -> Result<()> {
    let said = vm_alone(&["boot"])?;
    let phases = said.lines().filter(|line| line.starts_with("init: is executed, runs the plan "));
    assert_eq!(phases.count(), 1, "{said}");
    Ok(())
}

/// Marks are in a binary of their own, and cost what docs/profiling.md says.
#[test]
fn an_init_without_marks_has_no_trace_of_them() -> Result<()> {
    let before = std::fs::read(build::init(None)?)?;
    let marked = std::fs::read(build::marked_init()?)?;
    let after = std::fs::read(build::init(None)?)?;
    assert!(before == after, "the default init changed when the marked one was built");
    let rep_outsb = [0xf3, 0x6e];
    let outputs = |bytes: &[u8]| bytes.windows(2).filter(|two| *two == rep_outsb).count();
    assert!(outputs(&before) == 0 && outputs(&marked) > 0, "{} and {}", outputs(&before), outputs(&marked));
    assert!((before.len()..before.len() + 256).contains(&marked.len()), "{} and {}", before.len(), marked.len());
    Ok(())
}
