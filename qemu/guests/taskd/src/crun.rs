//! crun as a program: each call runs it once, and a failure tells what crun wrote to its log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};

use crate::exits::{Ending, Exits, end_of};
use crate::stream::Streams;

const PROGRAM: &str = "/sbin/crun";

/// crun's own notes of its containers.
const STATE: &str = "/run/crun";

/// Ours: logs, pid files and exec's processes, each removed when it was read.
const NOTES: &str = "/run/taskd";

/// crun looks programs up by it, where a container's configuration sets none.
const SEARCH_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A process that a container's init or `exec` became.
pub struct Launched {
    pub pid: u32,
    pub ending: Ending,
}

/// Makes the directory for notes.
pub fn prepare() -> Result<()> {
    fs::create_dir_all(NOTES).with_context(|| format!("cannot make {NOTES}"))
}

/// Makes a container of a bundle: its process is there and waits for [`start`].
pub async fn create(exits: &Exits, id: &str, bundle: &str, streams: Streams) -> Result<Launched> {
    // crun tells this one nowhere but on the container's own standard error.
    let config = Path::new(bundle).join("config.json");
    fs::metadata(&config).with_context(|| format!("no bundle: {}", config.display()))?;
    launch(exits, &["create", "--bundle", bundle], id, streams).await
}

/// Runs one more process, of the OCI form, in a container that runs.
pub async fn exec(exits: &Exits, id: &str, process: &[u8], streams: Streams) -> Result<Launched> {
    let file = Note::new();
    fs::write(&file.0, process).context("cannot write the process")?;
    launch(exits, &["exec", "--detach", "--process", file.text()], id, streams).await
}

pub async fn start(exits: &Exits, id: &str) -> Result<()> {
    call(exits, &["start", id], Streams::none()).await
}

/// Kills what is left of a container and forgets it.
pub async fn delete(exits: &Exits, id: &str) -> Result<()> {
    call(exits, &["delete", "--force", id], Streams::none()).await
}

/// A signal to the container's init, or to all of its processes.
pub async fn kill(exits: &Exits, id: &str, signal: u32, all: bool) -> Result<()> {
    let signal = signal.to_string();
    let words: &[&str] = if all { &["kill", "--all", id, &signal] } else { &["kill", id, &signal] };
    call(exits, words, Streams::none()).await
}

/// The pids, in the guest's own count, of a container's processes: one a line.
pub async fn processes(exits: &Exits, id: &str) -> Result<Vec<u32>> {
    let list = Note::new();
    let out = fs::File::create(&list.0).context("cannot make a file for crun's answer")?;
    call(exits, &["ps", id], Streams { out: out.into(), ..Streams::none() }).await?;
    let text = fs::read_to_string(&list.0).context("cannot read crun's answer")?;
    Ok(text.lines().filter_map(|line| line.trim().parse().ok()).collect())
}

async fn launch(exits: &Exits, words: &[&str], id: &str, streams: Streams) -> Result<Launched> {
    let launch = exits.launch();
    let pid_file = Note::new();
    let words = [words, &["--pid-file", pid_file.text(), id]].concat();
    call(exits, &words, streams).await?;
    let pid = fs::read_to_string(&pid_file.0).context("crun wrote no pid")?;
    let pid = pid.trim().parse().with_context(|| format!("crun wrote the pid {pid}"))?;
    Ok(Launched { pid, ending: launch.ending_of(pid) })
}

async fn call(exits: &Exits, words: &[&str], streams: Streams) -> Result<()> {
    let log = Note::new();
    let mut command = Command::new(PROGRAM);
    command.args(["--root", STATE, "--log", log.text(), "--log-format", "text"]).args(words);
    command.env_clear().env("PATH", SEARCH_PATH).current_dir("/");
    command.stdin(streams.input).stdout(streams.out).stderr(streams.err);
    let (_, ending) = exits.spawn(&mut command)?;
    // It holds the container's streams, which are to end with the container.
    drop(command);
    let status = end_of(ending).await?.status;
    if status == 0 {
        return Ok(());
    }
    let said = fs::read_to_string(&log.0).unwrap_or_default();
    bail!("crun {}: {}", words[0], reason(&said).unwrap_or(&format!("it ended with {status}")))
}

/// The last line of crun's log without its time.
fn reason(log: &str) -> Option<&str> {
    let line = log.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.split_once("Z: ").map_or(line, |(_, reason)| reason).trim())
}

/// A file of ours, gone when dropped.
struct Note(PathBuf);

impl Note {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Note(Path::new(NOTES).join(COUNT.fetch_add(1, Ordering::Relaxed).to_string()))
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // One that crun never wrote is none to remove.
        fs::remove_file(&self.0).ok();
    }
}
