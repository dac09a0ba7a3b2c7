//! How a try ends, for a person and for a script.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{ground, tried};

/// The agent that finds no port to tell its code to powers off all the same: by reboot(2).
const POWERS_OFF: &str = "root\nbind /sbin/agent\nenv agent_exit=none\nexec /sbin/agent --report\n";

#[test]
fn a_power_off_is_told_from_a_panic() -> Result<()> {
    let ground = ground(POWERS_OFF)?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p --run")?;
    assert_eq!(code, Some(0), "{said}{errors}");
    assert!(said.ends_with("the service powered off: a clean end\n"), "{said}{errors}");
    ground.plan("root\nbind /sbin/agent\nexec /sbin/agent --report\n")?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p --run")?;
    assert_eq!(code, Some(0), "{said}{errors}");
    assert!(said.ends_with("the service exited with 0, and a kernel would panic\n"), "{said}{errors}");
    Ok(())
}

/// The last line, as the service prints too.
fn json(said: &str) -> Result<Value> {
    let line = said.lines().next_back().context("nothing was printed")?;
    serde_json::from_str(line).with_context(|| said.to_string())
}

#[test]
fn scripts_get_steps_and_ending() -> Result<()> {
    let ground = ground(POWERS_OFF)?;
    let (_, said, errors) = tried(&ground, "--root tree --plan p --run --json")?;
    let found = json(&said)?;
    assert_eq!(found["ending"], json!({"kind": "service"}), "{said}{errors}");
    assert_eq!(found["service"], json!({"kind": "power-off"}), "{said}{errors}");
    let lines: Vec<(&Value, &Value)> =
        [0, 3].map(|at| (&found["steps"][at]["line"], &found["steps"][at]["step"])).into();
    assert_eq!(lines, [(&json!(1), &json!("root")), (&json!(4), &json!("exec /sbin/agent --report"))]);
    assert!(found["steps"][1]["microseconds"].is_u64() && found["findings"] == json!([]), "{said}");
    Ok(())
}

#[test]
fn scripts_get_the_step_that_fails() -> Result<()> {
    let ground = ground("root\n\ncopy /nothing\nexec /sbin/agent\n")?;
    let (code, said, _) = tried(&ground, "--root tree --plan p --json")?;
    let found = json(&said)?;
    assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
    assert_eq!(found["ending"], json!({"kind": "exit", "code": 3}));
    assert_eq!((&found["steps"][1]["failed"], &found["service"]), (&json!(true), &Value::Null));
    assert_eq!((&found["steps"][2]["failed"], &found["steps"][2]["microseconds"]), (&json!(false), &Value::Null));
    assert_eq!(
        found["findings"][0],
        json!("p:3:6: copy /nothing: not in the initramfs: put it there, or leave the step out")
    );
    Ok(())
}
