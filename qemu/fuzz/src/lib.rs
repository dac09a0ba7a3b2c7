//! What holds for the parser whatever it is given: checked against a [`model`] that was written from README's words.
//!
//! [`assert_right`] runs the real parser both ways, as the tools do and as a boot does, and compares.

pub mod model;

use moveroot::check;
use moveroot::plan::{self, Pass, Step, Text};
use moveroot::sys::Name;
use moveroot::verb::Verb;

use model::{Fault, Judgement};

/// A text as the init reads it from a file: one byte more than the longest plan is enough to know that it is too long.
pub fn text(bytes: &[u8]) -> Text {
    bytes.iter().copied().take(plan::MAX_LEN + 1).collect()
}

/// Panics where the parser and the model differ, or the parser with itself.
pub fn assert_right(bytes: &[u8]) -> Judgement {
    let judgement = model::judge(bytes);
    assert_eq!(faults(bytes), judgement.faults, "the faults that are told");
    if bytes.len() > plan::MAX_LEN {
        return judgement;
    }
    assert_eq!(first_fault(bytes), judgement.faults.first().cloned(), "the fault at which a boot stops");
    if judgement.faults.is_empty() {
        let steps = steps(bytes);
        assert_eq!(steps, judgement.steps, "the steps of a boot");
        assert!(steps.last().is_some_and(|step| step.verb == "exec"), "the last step of a plan is exec");
    }
    judgement
}

/// What `check` tells.
fn faults(bytes: &[u8]) -> Vec<Fault> {
    let mut found = Vec::new();
    check::faults(&mut text(bytes), |step, fault| {
        found.push(Fault { line: step.map_or(0, |step| step.line as u16), what: format!("{fault:?}") });
    });
    found
}

/// The fault at which the boot's first pass ends: see `boot::run`. That pass leaves the text as it is.
fn first_fault(bytes: &[u8]) -> Option<Fault> {
    let mut text = text(bytes);
    plan::blank_out(&mut text);
    let before = text.clone();
    let mut put_together = plan::Text::new();
    let mut step = Step::before(&mut text, &mut put_together, Pass::Check);
    let fault = loop {
        match step.read() {
            Ok(()) => {}
            Err(moveroot::fault::Fault::NoExec) if step.verb == Verb::EXEC => break None,
            Err(fault) => {
                let line = if step.count > 0 { step.line as u16 } else { 0 };
                break Some(Fault { line, what: format!("{fault:?}") });
            }
        }
    };
    assert_eq!(text[..before.len()], before[..], "the text after it was checked");
    fault
}

/// The steps of the boot's second pass.
fn steps(bytes: &[u8]) -> Vec<model::Step> {
    let mut text = text(bytes);
    plan::blank_out(&mut text);
    let mut put_together = plan::Text::new();
    let mut step = Step::before(&mut text, &mut put_together, Pass::Run);
    let mut steps = Vec::new();
    while step.read().is_ok() {
        // `copy` and `bind` have a target, said or not.
        let count = if matches!(step.verb, Verb::COPY | Verb::BIND) { 3 } else { step.count.into() };
        let words: Vec<Name> = step.frame.words[..count].iter().map(|word| **word).collect();
        let bytes = |name: &Name| name.bytes().collect::<Vec<u8>>();
        steps.push(model::Step {
            line: step.line as u16,
            may_fail: step.may_fail,
            verb: String::from_utf8_lossy(&bytes(&words[0])).into_owned(),
            words: words[1..].iter().map(bytes).collect(),
            number: step.number,
        });
    }
    steps
}
