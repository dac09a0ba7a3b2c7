//! What a run leaves behind if it is broken off: by Ctrl-C, by SIGTERM, or because whoever read its output is gone. Drops
//! don't run then, so this cleans up.

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// As shells count an end by SIGINT, and by SIGPIPE.
const INTERRUPTED: i32 = 130;
const UNREAD: i32 = 141;

/// Processes to end, files and directories to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Thing {
    Process(u32),
    Path(PathBuf),
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
    for thing in list().drain(..) {
        // Each may be gone already.
        match thing {
            Thing::Process(process) => drop(kill(Pid::from_raw(process as i32), Signal::SIGKILL)),
            Thing::Path(path) if path.is_dir() => drop(fs::remove_dir_all(path)),
            Thing::Path(path) => drop(fs::remove_file(path)),
        }
    }
    process::exit(code);
}

fn list() -> MutexGuard<'static, Vec<Thing>> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}
