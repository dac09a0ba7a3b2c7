//! Who ended, and how. The one place that waits for processes: as PID 1 the agent is the parent of every orphan, and
//! containers are orphans, for the runtime that starts one ends right after.

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use tokio::sync::watch;

/// How a process ended: its exit code, or 128 and the signal, as shells and containerd count.
#[derive(Clone, Copy, Debug)]
pub struct Exit {
    pub status: u32,
    pub at: SystemTime,
}

/// Becomes an [`Exit`] when the process ends.
pub type Ending = watch::Receiver<Option<Exit>>;

#[derive(Default)]
pub struct Exits(Mutex<Book>);

#[derive(Default)]
struct Book {
    awaited: HashMap<u32, watch::Sender<Option<Exit>>>,
    /// Ends that nobody awaited, kept while a launch is under way: its process may end before its pid is known.
    early: HashMap<u32, Exit>,
    launches: usize,
}

impl Exits {
    /// Starts a program; its end is told by the ending.
    pub fn spawn(&self, command: &mut Command) -> Result<(u32, Ending)> {
        let mut book = self.book();
        let program = command.get_program().to_string_lossy().into_owned();
        let pid = command.spawn().with_context(|| format!("cannot run {program}"))?.id();
        Ok((pid, book.of(pid)))
    }

    /// While this lives, the end of a process that is not awaited yet is not lost.
    pub fn launch(&self) -> Launch<'_> {
        self.book().launches += 1;
        Launch(self)
    }

    /// Collects all that ended. To be called after each SIGCHLD; one signal may stand for many.
    pub fn collect(&self) {
        let mut book = self.book();
        loop {
            let (pid, status) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, code as u32),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, 128 + signal as u32),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return,
                Ok(_) | Err(Errno::EINTR) => continue,
                Err(error) => return eprintln!("taskd: waitpid: {error}"),
            };
            book.note(pid.as_raw() as u32, Exit { status, at: SystemTime::now() });
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn of(&mut self, pid: u32) -> Ending {
        let early = self.early.remove(&pid);
        let (sender, ending) = watch::channel(early);
        if early.is_none() {
            self.awaited.insert(pid, sender);
        }
        ending
    }

    fn note(&mut self, pid: u32, exit: Exit) {
        match self.awaited.remove(&pid) {
            Some(awaited) => drop(awaited.send_replace(Some(exit))),
            None if self.launches > 0 => drop(self.early.insert(pid, exit)),
            None => {}
        }
    }
}

/// A launch that is under way.
pub struct Launch<'e>(&'e Exits);

impl Launch<'_> {
    /// The ending of a process that somebody else started.
    pub fn ending_of(&self, pid: u32) -> Ending {
        self.0.book().of(pid)
    }
}

impl Drop for Launch<'_> {
    fn drop(&mut self) {
        let mut book = self.0.book();
        book.launches -= 1;
        if book.launches == 0 {
            book.early.clear();
        }
    }
}

/// Waits for an end.
pub async fn end_of(mut ending: Ending) -> Result<Exit> {
    let exit = *ending.wait_for(Option::is_some).await.context("nobody waits for that process")?;
    exit.context("nobody waits for that process")
}
