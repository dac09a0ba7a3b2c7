//! What Debian's perf and inferno make of a recording.

use std::fs::{self, File};
use std::io::{BufWriter, Cursor};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use inferno::collapse::Collapse;
use inferno::collapse::perf::{Folder, Options};
use inferno::flamegraph;

use super::guest::Recording;
use sources::{apt, locale};

/// A recording in a directory of this machine.
pub struct Recorded {
    directory: PathBuf,
}

impl Recorded {
    /// Keeps `perf.data` and `kallsyms` there.
    pub fn keep(recording: &Recording, directory: &Path) -> Result<Recorded> {
        for (name, content) in [(recorder::DATA, &recording.data), (recorder::SYMBOLS, &recording.symbols)] {
            let path = directory.join(name);
            fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(Recorded { directory: directory.to_path_buf() })
    }

    /// What PID 1 asked of the kernel, and the samples' stacks, as text.
    pub fn system_calls(&self) -> Result<String> {
        let text =
            self.perf(&["script", "--ns", "--show-lost-events", "--fields", "comm,pid,tid,time,event,trace,ip,sym"])?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// `perf report`, as text.
    pub fn report(&self, out: &Path) -> Result<()> {
        let text =
            self.perf(&["report", "--stdio", "--no-children", "--call-graph=none", "--sort", "comm,dso,symbol"])?;
        fs::write(out, text).with_context(|| format!("cannot write {}", out.display()))
    }

    /// The samples of the clock as flame graphs: of the whole system, and of the init alone.
    pub fn flame_graphs(&self, title: &str, unit: &str) -> Result<()> {
        let script = self.perf(&["script", "--fields", "comm,pid,tid,time,event,ip,sym,dso"])?;
        let folded = String::from_utf8(folded(&script).context("cannot fold perf's stacks")?)?;
        draw(folded.lines(), title, unit, &self.directory.join("flame.svg"))?;
        let init = folded.lines().filter(|line| line.starts_with("init;"));
        draw(init, &format!("init alone: {title}"), unit, &self.directory.join("flame-init.svg"))
    }

    fn perf(&self, words: &[&str]) -> Result<Vec<u8>> {
        let (first, rest) = words.split_first().context("perf does nothing without arguments")?;
        let mut command = program()?;
        command.arg(first).arg("--input").arg(self.directory.join(recorder::DATA));
        command.arg("--kallsyms").arg(self.directory.join(recorder::SYMBOLS)).args(rest).env("PAGER", "cat");
        let output = command.output().context("cannot run perf")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "perf {first} ended with {}: {}", output.status, said.trim());
        Ok(output.stdout)
    }
}

/// perf, which would keep copies of the programs and of the kernel's symbols in the user's `~/.debug`: it does so unless
/// the directory is this, perf-config(1). It doesn't read PERF_BUILDID_DIR, it only sets that for its scripts.
pub fn program() -> Result<Command> {
    let mut command = locale::command(apt::program("perf").context("perf is not on the path")?);
    command.args(["--buildid-dir", "/dev/null"]);
    Ok(command)
}

fn draw<'l>(folded: impl Iterator<Item = &'l str>, title: &str, unit: &str, out: &Path) -> Result<()> {
    let mut options = flamegraph::Options::default();
    options.title = title.to_string();
    options.count_name = format!("samples of {unit}");
    // The smallest boxes make most of the bytes.
    options.min_width = 0.1;
    let file = File::create(out).with_context(|| format!("cannot create {}", out.display()))?;
    let drawn = flamegraph::from_lines(&mut options, folded, BufWriter::new(file));
    drawn.with_context(|| format!("cannot draw {}", out.display()))
}

fn folded(script: &[u8]) -> Result<Vec<u8>> {
    let mut options = Options::default();
    options.event_filter = Some("cpu-clock".to_string());
    let mut folded = Vec::new();
    Folder::from(options).collapse(Cursor::new(script), &mut folded)?;
    Ok(folded)
}
