//! The shell on the serial console, driven by keys.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use vm::qemu::Machine;

use super::boot_with;

const PROMPT: &str = "/ # ";
const CTRL_C: &str = "\x03";
const CTRL_Z: &str = "\x1a";

/// For the next line that is waited for: a boot is the longest.
const PATIENCE: Duration = Duration::from_secs(60);

/// For what has been typed to have reached the program in the foreground.
const A_MOMENT: Duration = Duration::from_millis(500);

/// The console's lines as they come.
pub struct Lines(Receiver<String>);

pub fn lines() -> (Sender<String>, Lines) {
    let (sender, lines) = mpsc::channel();
    (sender, Lines(lines))
}

impl Lines {
    /// Passes over all lines up to one that is this, after a prompt or not.
    pub fn wait_for(&self, wanted: &str) -> Result<String> {
        self.wait(wanted, PATIENCE)
    }

    fn wait(&self, wanted: &str, patience: Duration) -> Result<String> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.0.recv_timeout(left).with_context(|| format!("no line with {wanted:?} came"))?;
            if line.contains(wanted) {
                return Ok(line);
            }
        }
    }
}

/// Presses Enter until a prompt comes of it: what is typed while the shell sets up the terminal may be lost.
fn wait_for_prompt(machine: &Machine, lines: &Lines) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        machine.type_text("\n")?;
        if lines.wait(PROMPT, A_MOMENT).is_ok() {
            return Ok(());
        }
    }
    bail!("no prompt came")
}

/// Types a command and waits for what it says. What is typed is echoed, so the two must differ.
fn ask(machine: &Machine, lines: &Lines, command: &str, answer: &str) -> Result<String> {
    ensure!(!command.contains(answer), "{answer} is in what is typed");
    wait_for_prompt(machine, lines)?;
    machine.type_text(&format!("{command}\n"))?;
    lines.wait_for(answer).with_context(|| format!("after {command}"))
}

#[test]
fn has_job_control() -> Result<()> {
    let (outcome, took) = boot_with("A shell on the console", "", None, |machine, lines| {
        ask(machine, lines, "echo $((40+2)) is here", "42 is here")?;
        wait_for_prompt(machine, lines)?;
        // Interrupted in the foreground, long before its time is up.
        machine.type_text("sleep 100\n")?;
        std::thread::sleep(A_MOMENT);
        let start = Instant::now();
        machine.type_text(CTRL_C)?;
        ask(machine, lines, "echo status $?", "status 130")?;
        let took = start.elapsed();
        wait_for_prompt(machine, lines)?;
        // Stopped, listed, brought back, interrupted.
        machine.type_text("sleep 200\n")?;
        std::thread::sleep(A_MOMENT);
        machine.type_text(CTRL_Z)?;
        ask(machine, lines, "jobs", "Stopped")?;
        ask(machine, lines, "fg; echo brought $((1+1))", "sleep 200")?;
        std::thread::sleep(A_MOMENT);
        machine.type_text(CTRL_C)?;
        ask(machine, lines, "echo job $(jobs | wc -l)", "job 0")?;
        // The rest of the recipe.
        ask(machine, lines, "echo lo $(ifconfig lo | grep -c 'inet addr:127.0.0.1'), $(hostname)", "lo 1, guest")?;
        ask(machine, lines, "ping -c 1 127.0.0.1", "1 packets received")?;
        wait_for_prompt(machine, lines)?;
        machine.type_text("exit 7\n")?;
        Ok(took)
    })?;
    let evidence = outcome.evidence();
    assert!(took < Duration::from_secs(20), "sleep was not interrupted: {took:?}: {evidence}");
    assert!(!outcome.transcript.contains("job control turned off"), "{evidence}");
    assert!(outcome.transcript.contains("moveroot: /bin/sh: exit status 7\n"), "{evidence}");
    assert!(outcome.transcript.contains("reboot: Power down"), "{evidence}");
    Ok(())
}
