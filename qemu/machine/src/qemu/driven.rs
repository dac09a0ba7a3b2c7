//! A machine with somebody at work beside it: a client that talks to its agent while it runs.

use std::io::Write;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Outcome, Vm, shell_words};
use crate::cleanup::{self, Cleanup};
use crate::console::Console;

/// Between two looks whether a machine has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// A machine that runs.
pub struct Machine {
    pub started: Instant,
    qemu: Mutex<Child>,
    keyboard: Mutex<ChildStdin>,
}

impl Machine {
    /// Ends QEMU at once.
    pub fn end(&self) {
        // One that has ended already is no failure.
        self.qemu().kill().ok();
    }

    /// QEMU's, on this machine.
    pub fn process(&self) -> u32 {
        self.qemu().id()
    }

    /// Whether it has ended, by itself or by somebody else.
    pub fn has_ended(&self) -> bool {
        // A process that can't be waited for is none.
        !matches!(self.qemu().try_wait(), Ok(None))
    }

    /// For work that has nothing to do but keep what it holds.
    pub fn wait_for_end(&self) {
        while !self.has_ended() {
            thread::sleep(PAUSE);
        }
    }

    /// Types on the serial console. A key that is no letter is its control character: ctrl-c is `\x03`.
    pub fn type_text(&self, text: &str) -> Result<()> {
        let mut keyboard = self.keyboard.lock().unwrap_or_else(PoisonError::into_inner);
        keyboard.write_all(text.as_bytes()).context("cannot type on the guest's console")
    }

    fn qemu(&self) -> MutexGuard<'_, Child> {
        self.qemu.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vm {
    /// Runs the machine with this program's own terminal as its console, to its end.
    pub fn attend(&self) -> Result<ExitStatus> {
        let mut command = self.command();
        command.args(["-serial", "mon:stdio"]);
        command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
        let context = || format!("cannot run {}", self.arch.qemu.program);
        let mut qemu = command.spawn().with_context(context)?;
        let _cleanup = Cleanup::of_process(qemu.id());
        qemu.wait().with_context(context)
    }

    /// Runs the machine to its end or to the limit, and `work` beside it. Work that is done leaves the machine to end by
    /// itself; when it fails or panics, the machine is ended.
    pub fn drive<T: Send>(
        &self,
        mut line: impl FnMut(&str),
        work: impl FnOnce(&Machine) -> Result<T> + Send,
    ) -> Result<(Outcome, Result<T>)> {
        let mut command = self.command();
        cleanup::tie(&mut command);
        command.args(["-serial", "stdio"]);
        let command_line = shell_words(&command);
        let started = Instant::now();
        let mut qemu = command.spawn().with_context(|| format!("cannot run {}", self.arch.qemu.program))?;
        let _cleanup = Cleanup::of_process(qemu.id());
        let console = Console::of(&mut qemu)?;
        let keyboard = qemu.stdin.take().context("QEMU's input is no pipe")?;
        let machine = Machine { started, qemu: Mutex::new(qemu), keyboard: Mutex::new(keyboard) };
        let (said, worked) = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let unless_done = EndOnDrop(Some(&machine));
                let worked = work(&machine);
                if worked.is_ok() {
                    unless_done.disarm()
                }
                worked
            });
            let said = console.read_until(started + self.timeout, &mut line);
            if said.timed_out {
                machine.end();
            }
            (said, worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let status = machine.qemu().wait().with_context(|| format!("cannot wait for {}", self.arch.qemu.program))?;
        Ok((Outcome::new(self.arch, said, status, command_line, started.elapsed()), worked))
    }
}

/// Ends the machine, however its holder ends.
struct EndOnDrop<'m>(Option<&'m Machine>);

impl EndOnDrop<'_> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(machine) = self.0 {
            machine.end();
        }
    }
}
