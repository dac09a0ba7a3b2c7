//! docs/troubleshooting.md: the messages in its tables are those that the tests make, and no other.

use std::collections::BTreeSet;

use anyhow::Result;

use super::read;
use crate::namespaces::troubleshooting::{ENDS, OTHERS, PLANS, STEPS};
use crate::vm::troubleshooting::messages;

/// The first cell of each row of the tables of messages.
fn quoted(page: &str) -> BTreeSet<String> {
    let sections = page
        .split("\n## ")
        .filter(|section| ["By message", "What the kernel"].iter().any(|name| section.starts_with(name)));
    let rows = sections.flat_map(str::lines).filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(str::to_string).collect()
}

#[test]
fn each_message_is_one_that_a_test_makes() -> Result<()> {
    let page = read("docs/troubleshooting.md")?;
    let made = STEPS.iter().chain(&PLANS).chain(&ENDS).map(|(_, message)| *message).chain(OTHERS).chain(messages());
    let made: BTreeSet<String> = made.map(str::to_string).collect();
    let quoted = quoted(&page);
    let wrong: Vec<&String> = quoted.symmetric_difference(&made).collect();
    assert_eq!(wrong, [""; 0], "quoted and not made, or made and not quoted");
    Ok(())
}
