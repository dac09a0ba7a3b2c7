//! What a run leaves behind if it is broken off: by Ctrl-C, by SIGTERM, or because whoever read its output is gone. Drops
//! don't run then, so this cleans up. Nothing runs after SIGKILL: there the kernel ends what was tied to us.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{Signal as Kill, set_parent_process_death_signal};
use tempfile::TempDir;

/// As shells count an end by SIGINT, and by SIGPIPE.
const INTERRUPTED: i32 = 130;
const UNREAD: i32 = 141;

/// Between two looks for processes, and how many.
const PAUSE: Duration = Duration::from_millis(20);
const ROUNDS: u32 = 250;

/// Processes to end, files and directories to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Thing {
    Process(u32),
    Path(PathBuf),
    /// A directory, after the processes that name it.
    Users(PathBuf),
}

static LIST: Mutex<Vec<Thing>> = Mutex::new(Vec::new());

/// While it lives, the thing would be cleaned up.
pub struct Cleanup(Thing);

impl Cleanup {
    pub fn of_process(process: u32) -> Self {
        Cleanup::new(Thing::Process(process))
    }

    /// A file or a directory.
    pub fn of_path(path: &Path) -> Self {
        Cleanup::new(Thing::Path(path.to_path_buf()))
    }

    /// A directory that daemons work in, with those.
    pub fn of_users(directory: &Path) -> Self {
        Cleanup::new(Thing::Users(directory.to_path_buf()))
    }

    fn new(thing: Thing) -> Self {
        static INSTALL: Once = Once::new();
        // A program that has a handler already cleans up by itself.
        INSTALL.call_once(|| drop(ctrlc::set_handler(|| clean_up(INTERRUPTED))));
        list().push(thing.clone());
        Cleanup(thing)
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        list().retain(|thing| *thing != self.0);
    }
}

/// The program ends, by SIGKILL, when the thread that starts it does: prctl(2), PR_SET_PDEATHSIG.
pub fn tie(command: &mut Command) {
    // SAFETY: between fork and exec the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(|| set_parent_process_death_signal(Some(Kill::KILL)).map_err(io::Error::from)) };
}

/// The processes, other than this one, that name a directory on their command lines.
pub fn naming(directory: &Path) -> Vec<u32> {
    let name = directory.as_os_str().as_bytes();
    let names_it = |process: &u32| {
        let words = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        words.windows(name.len()).any(|place| place == name)
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.filter(|process| *process != process::id() && names_it(process)).collect()
}

/// Ends them: some start others, so until there are none.
pub fn end_naming(directory: &Path) {
    for _ in 0..ROUNDS {
        let processes = naming(directory);
        if processes.is_empty() {
            return;
        }
        processes.into_iter().for_each(end);
        sleep(PAUSE);
    }
}

fn end(process: u32) {
    // It may have ended already.
    kill(Pid::from_raw(process as i32), Signal::SIGKILL).ok();
}

/// For a whole run: one directory for all that is temporary, and an end without a word where nobody reads any more.
pub fn of_this_run() -> Result<(TempDir, Cleanup)> {
    let directory =
        tempfile::Builder::new().prefix("moveroot-").tempdir().context("cannot make a temporary directory")?;
    let cleanup = Cleanup::of_path(directory.path());
    // The first call decides; this is the first.
    tempfile::env::override_temp_dir(directory.path()).ok();
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if text.contains("Broken pipe") {
            clean_up(UNREAD);
        }
        report(panic);
    }));
    Ok((directory, cleanup))
}

fn clean_up(code: i32) {
    // The last first: who works in a directory ends before it goes.
    for thing in list().drain(..).rev() {
        // Each may be gone already.
        match thing {
            Thing::Process(process) => end(process),
            Thing::Users(directory) => {
                end_naming(&directory);
                drop(fs::remove_dir_all(directory));
            }
            Thing::Path(path) if path.is_dir() => drop(fs::remove_dir_all(path)),
            Thing::Path(path) => drop(fs::remove_file(path)),
        }
    }
    process::exit(code);
}

fn list() -> MutexGuard<'static, Vec<Thing>> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}
