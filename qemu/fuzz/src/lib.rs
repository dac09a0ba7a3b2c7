//! What holds for the parser whatever it is given: checked against a [`model`] that was written from README's words.
//!
//! [`assert_right`] runs the real parser both ways, as the tools do and as a boot does, and compares.

pub mod model;
pub mod readers;

use language::{CStrPtr, Lines, MAX_LEN, MountFlags, Plan, Refusal, Text, Verb, octal};

use model::{Fault, Judgement, Options, Step};

/// A text as the init reads it from a file: one byte more than the longest plan is enough to know that it is too long.
pub fn text(bytes: &[u8]) -> Text {
    bytes.iter().copied().take(MAX_LEN + 1).collect()
}

/// Panics where the parser and the model differ, or the parser with itself.
pub fn assert_right(bytes: &[u8]) -> Judgement {
    let judgement = model::judge(bytes);
    assert_eq!(faults(bytes), judgement.faults, "the faults that are told");
    let expected = judgement.faults.first().map_or(Ok(&judgement.steps), Err);
    assert_eq!(read(bytes).as_ref(), expected, "the steps of a boot, or the fault at which it stops");
    if let Ok(steps) = expected {
        assert!(steps.first().is_some_and(|step| step.verb == "root"), "the first step of a plan is root");
        assert!(steps.last().is_some_and(|step| ["exec", "spawn"].contains(&step.verb.as_str())), "no service");
    }
    judgement
}

/// What `check` tells.
fn faults(bytes: &[u8]) -> Vec<Fault> {
    let mut found = Vec::new();
    language::check(&mut text(bytes), |line, fault| {
        found.push(Fault { line: line.map_or(0, |line| line.number), what: format!("{fault:?}") });
    });
    found
}

/// What a boot reads: its steps, or the fault at which it stops.
fn read(bytes: &[u8]) -> Result<Vec<Step>, Fault> {
    let (mut text, mut lines) = (text(bytes), Lines::new());
    match Plan::read(&mut text, &mut lines) {
        Ok(plan) => Ok(plan.steps().map(step).collect()),
        Err(Refusal { step, fault }) => {
            Err(Fault { line: step.map_or(0, |step| step.line()), what: format!("{fault:?}") })
        }
    }
}

fn step(step: language::Step) -> Step {
    let words: Vec<Vec<u8>> = step.words().map(|word| word.to_bytes().to_vec()).collect();
    let [_, second, _, fourth] = step.arguments();
    let (options, mode) = match step.verb() {
        Verb::Root => (step.arguments()[0], CStrPtr::EMPTY),
        Verb::Mount => (fourth, CStrPtr::EMPTY),
        Verb::Dir => (CStrPtr::EMPTY, second),
        _ => (CStrPtr::EMPTY, CStrPtr::EMPTY),
    };
    let mode = if mode.is_empty() { None } else { octal(mode) };
    let verb = step.verb().name().to_string();
    Step { line: step.line(), may_fail: step.may_fail, verb, words, mode, options: taken(options) }
}

fn taken(options: CStrPtr) -> Options {
    let mut rest = Vec::new();
    let MountFlags { set, cleared, propagation } = MountFlags::take(options, |byte| rest.push(byte));
    Options { set, cleared, propagation, rest }
}
