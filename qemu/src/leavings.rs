//! What a run leaves behind if it is broken off by Ctrl-C or SIGTERM: drops don't run then, so this cleans up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// As shells count an end by SIGINT.
const INTERRUPTED: i32 = 130;

static LIST: Mutex<Vec<(u32, Option<PathBuf>)>> = Mutex::new(Vec::new());

/// While it lives, the process would be ended and its folder removed.
pub struct Leavings(u32);

impl Leavings {
    pub fn of_process(process: u32) -> Self {
        Leavings::new(process, None)
    }

    pub fn with_folder(process: u32, folder: &Path) -> Self {
        Leavings::new(process, Some(folder.to_path_buf()))
    }

    fn new(process: u32, folder: Option<PathBuf>) -> Self {
        static INSTALL: Once = Once::new();
        // A program that has a handler already cleans up by itself.
        INSTALL.call_once(|| drop(ctrlc::set_handler(clean_up)));
        list().push((process, folder));
        Leavings(process)
    }
}

impl Drop for Leavings {
    fn drop(&mut self) {
        list().retain(|(process, _)| *process != self.0);
    }
}

fn clean_up() {
    for (process, folder) in list().drain(..) {
        // Either may be gone already.
        kill(Pid::from_raw(process as i32), Signal::SIGKILL).ok();
        folder.map(fs::remove_dir_all);
    }
    process::exit(INTERRUPTED);
}

fn list() -> MutexGuard<'static, Vec<(u32, Option<PathBuf>)>> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}
