//! Properties of the parser: what was put in comes out, and any bytes have the one right answer.

use fuzz::model::Step;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::texts::{Line, is_flag, mutated, plan, written};
use super::{cases, runner};

/// A step: whether it may fail, its words, what of its options is for the filesystem.
type Made<'t> = (bool, Vec<&'t str>, &'t str);

/// What the parser has to make of a plan: README's table in words of its own.
fn expected(plan: &[Line]) -> Vec<Made<'_>> {
    let implied = plan.first().is_none_or(|first| first.verb != "root").then_some((false, vec![], ""));
    implied.into_iter().chain(plan.iter().map(expected_step)).collect()
}

fn expected_step(line: &Line) -> Made<'_> {
    let words: Vec<&str> = line.words.iter().map(String::as_str).collect();
    let data = match (line.verb, &words[..]) {
        ("root", [options]) | ("mount", [_, _, _, options]) => data(options),
        _ => "",
    };
    (line.may_fail, [vec![line.verb], words].concat(), data)
}

/// The options before the first flag.
fn data(options: &str) -> &str {
    let mut end = 0;
    for option in options.split(',').take_while(|option| !is_flag(option)) {
        end += option.len() + 1;
    }
    &options[..end - 1]
}

fn got(step: &Step) -> Made<'_> {
    let text = |word| std::str::from_utf8(word).expect("what was put in is UTF-8");
    let words = step.words.iter().map(|word| text(word)).collect();
    (step.may_fail, words, text(&step.options.rest))
}

#[test]
fn what_was_put_in_comes_out() {
    let texts = (plan(), vec(any::<Index>(), 1..12));
    let result = runner(cases(1_500, 50_000), 1).run(&texts, |(plan, noise)| {
        let text = written(&plan, &noise);
        prop_assume!(text.len() <= language::MAX_LEN);
        let judgement = fuzz::assert_right(&text);
        prop_assert_eq!(&judgement.faults, &[]);
        let got: Vec<_> = judgement.steps.iter().map(got).collect();
        prop_assert_eq!(got, expected(&plan));
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
    const WORDS: [&str; 18] = [
        "root", "exec", "/a", "\n", " ", "-", "#", "=", "\0", "\r", "mount", "ro,", "dir", "077", "\u{fffd}", "env ",
        ",move,", "rshared",
    ];
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
