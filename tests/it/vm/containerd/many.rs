//! One after the other: nothing is left of them.

use anyhow::Result;
use vm::test::long;

use super::{alone, daemon, nothing_is_left, told};

const ONE_AFTER_THE_OTHER: usize = 20;

#[test]
fn leave_nothing_behind() -> Result<()> {
    let count = if long() { ONE_AFTER_THE_OTHER } else { 2 };
    if !long() {
        eprintln!("{count} containers: {ONE_AFTER_THE_OTHER} take --long");
    }
    let _alone = alone();
    let daemon = daemon()?;
    for number in 0..count {
        let script = format!("echo {number}; exit {number}");
        let ran = told(&mut daemon.run(&["--rm"], &format!("n{number}"), &["sh", "-c", &script]))?;
        assert_eq!(ran, (Some(number as i32), number.to_string()), "{}", daemon.last_lines());
        nothing_is_left(&daemon)?;
    }
    assert_eq!(daemon.done(&["containers", "ls", "--quiet"])?, "");
    Ok(())
}
