//! Properties of the parser: what was put in comes out, and any bytes have the one right answer.

use fuzz::model::Step;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::texts::{Line, mutated, plan, written};
use super::{cases, runner};

/// What the parser has to make of a line: README's table in words of its own.
fn expected(line: &Line) -> (bool, &str, Vec<&str>) {
    let mut words: Vec<&str> = line.words.iter().map(String::as_str).collect();
    match (line.verb, words.len()) {
        ("copy" | "bind", 1) => words.push(words[0]),
        ("root", 1) => words[0] = data(words[0]),
        ("mount", 4) => words[3] = data(words[3]),
        _ => {}
    }
    (line.may_fail, line.verb, words)
}

/// The options before the first flag.
fn data(options: &str) -> &str {
    let flags = ["ro", "nosuid", "nodev", "noexec", "noatime", "remount", "rbind", "private"];
    let mut end = 0;
    for option in options.split(',').take_while(|option| !flags.contains(option)) {
        end += option.len() + 1;
    }
    &options[..end - 1]
}

fn got(step: &Step) -> (bool, &str, Vec<&str>) {
    let words = step.words.iter().map(|word| std::str::from_utf8(word).expect("what was put in is UTF-8"));
    (step.may_fail, step.verb.as_str(), words.collect())
}

#[test]
fn what_was_put_in_comes_out() {
    let texts = (plan(), vec(any::<Index>(), 1..12));
    let result = runner(cases(1_500, 50_000), 1).run(&texts, |(plan, noise)| {
        let text = written(&plan, &noise);
        prop_assume!(text.len() <= moveroot::plan::MAX_LEN);
        let judgement = fuzz::assert_right(&text);
        prop_assert_eq!(&judgement.faults, &[]);
        let got: Vec<_> = judgement.steps.iter().map(got).collect();
        prop_assert_eq!(got, plan.iter().map(expected).collect::<Vec<_>>());
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// A fault with its line, or none: the model knows which.
#[test]
fn mutated_plans_have_the_right_answer() {
    let (mut good, mut bad) = (0, 0);
    let counted = std::cell::RefCell::new((&mut good, &mut bad));
    let result = runner(cases(4_000, 200_000), 2).run(&mutated(), |text| {
        let mut counted = counted.borrow_mut();
        match fuzz::assert_right(&text).faults.is_empty() {
            true => *counted.0 += 1,
            false => *counted.1 += 1,
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(good > 100 && bad > 1_000, "{good} good and {bad} bad texts: the mutations are of no use");
}

/// The language's words in any order.
#[test]
fn any_words_have_the_right_answer() {
    const WORDS: [&str; 15] =
        ["root", "exec", "/a", "\n", " ", "-", "#", "=", "\0", "\r", "mount", "ro,", "dir", "077", "\u{fffd}"];
    let result = runner(cases(3_000, 100_000), 4).run(&vec(select(&WORDS[..]), 0..40), |words| {
        fuzz::assert_right(words.concat().as_bytes());
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn any_bytes_have_the_right_answer() {
    let result = runner(cases(3_000, 100_000), 3).run(&vec(any::<u8>(), 0..200), |text| {
        fuzz::assert_right(&text);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
