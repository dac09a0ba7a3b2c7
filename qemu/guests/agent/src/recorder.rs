//! A profile's recorder, a process that runs beside: `agent_recorder=PID` in the environment names it.

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

/// The recorder, if there is one.
pub fn process() -> Option<Pid> {
    std::env::var(crate::RECORDER).ok()?.parse().ok().map(Pid::from_raw)
}

/// Ends the recorder and waits until it has sent what it recorded.
pub fn stop() -> Result<()> {
    let Some(recorder) = process() else { return Ok(()) };
    kill(recorder, Signal::SIGTERM).context("cannot signal the recorder")?;
    let ended = waitpid(recorder, None).context("cannot wait for the recorder")?;
    println!("agent: the recorder ended: {ended:?}");
    Ok(())
}
