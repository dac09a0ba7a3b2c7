//! What a command prints, as wide as the terminal; and files that it writes at its end: whether they can be is told at
//! its start, before anything is booted.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{IsTerminal, stderr, stdout};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use tempfile::NamedTempFile;

const TICK: Duration = Duration::from_millis(200);

/// Refuses a file that cannot be written. What is there stays as it is; a device or a fifo is not opened.
pub fn ensure_writable(path: &Path) -> Result<()> {
    ensure!(!path.is_dir(), "cannot write {}: it is a directory", path.display());
    ensure!(path.file_name().is_some(), "cannot write {}: it names no file", path.display());
    if path.is_file() {
        let opened = OpenOptions::new().append(true).open(path);
        return opened.map(drop).with_context(|| format!("cannot write {}", path.display()));
    }
    if path.exists() {
        return Ok(());
    }
    let directory = directory_of(path);
    ensure!(directory.is_dir(), "cannot write {}: there is no directory {}", path.display(), directory.display());
    NamedTempFile::new_in(directory).map(drop).with_context(|| format!("cannot write {}", path.display()))
}

/// Of standard output, where that is a terminal.
pub fn width() -> Option<usize> {
    width_of(stdout())
}

fn width_of(stream: impl AsFd + IsTerminal) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(&stream).ok().filter(|_| stream.is_terminal());
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// For standard output: a terminal gets a line that is too long for it as several, those after the first indented. What
/// reads a pipe gets it as it is.
pub fn folded(line: &str, indent: usize) -> String {
    width().map_or_else(|| line.to_string(), |width| fold(line, indent, width))
}

/// The same for each line of a message on standard error.
pub fn message(text: &str) -> String {
    let Some(width) = width_of(stderr()) else { return text.to_string() };
    text.lines().map(|line| fold(line, 4, width)).collect::<Vec<_>>().join("\n")
}

/// Tells the person who runs this program of something that does not end it.
pub fn warn(text: &str) {
    let path = std::env::args_os().next().unwrap_or_default();
    let program = Path::new(&path).file_name().unwrap_or(OsStr::new("moveroot")).to_string_lossy();
    eprintln!("{}", message(&format!("{program}: {text}")));
}

/// Breaks at blanks and commas, and a path that is too long for a line of its own after a slash.
fn fold(line: &str, indent: usize, width: usize) -> String {
    let is_long = |part: &str| part.trim_end().chars().count() > width.saturating_sub(indent);
    let parts = line.split_inclusive([' ', ',']);
    let parts = parts.flat_map(|part| if is_long(part) { part.split_inclusive('/').collect() } else { vec![part] });
    let mut folded = String::new();
    let mut column = 0;
    for part in parts {
        let length = part.trim_end().chars().count();
        if column + length > width && column > indent {
            folded.truncate(folded.trim_end().len());
            folded += &format!("\n{:indent$}", "");
            column = indent;
        }
        folded += part;
        column += part.chars().count();
    }
    folded
}

/// What fits into so many columns: a longer text loses its middle, as both its ends tell what it is.
pub fn shortened(text: &str, columns: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= columns {
        return text.to_string();
    }
    let kept = columns.saturating_sub(1);
    let [head, tail] = [kept / 2, kept - kept / 2];
    letters[..head].iter().chain(&['…']).chain(&letters[letters.len() - tail..]).collect()
}

/// A sign that something goes on, with the time it takes: on a terminal, until it is dropped.
pub struct Waiting(ProgressBar);

pub fn waiting(what: &str) -> Waiting {
    let bar = ProgressBar::new_spinner().with_message(what.to_string());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    Waiting(bar)
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The directory that a file is in, by its path.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|directory| *directory != Path::new("")).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn long_lines_are_folded_and_names_shortened() {
        assert_eq!(
            fold("  12  mount tmpfs /run tmpfs nosuid,nodev", 6, 25),
            "  12  mount tmpfs /run\n      tmpfs nosuid,nodev"
        );
        assert_eq!(fold("short", 6, 5), "short");
        assert_eq!(fold("a /no/blank/in/it", 2, 10), "a /no/\n  blank/\n  in/it");
        assert_eq!(shortened("module /lib/modules/6.1/virtio.ko", 16), "module …irtio.ko");
        assert_eq!(shortened("µs", 2), "µs");
    }

    #[test]
    fn only_what_can_be_written_is_let_through() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "kept").unwrap();
        for path in [&file, &directory.path().join("new"), Path::new("/dev/null"), Path::new("new-here")] {
            ensure_writable(path).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "something is left behind");
        for (path, why) in [
            (directory.path().to_path_buf(), "it is a directory"),
            (directory.path().join("none/new"), "there is no directory"),
            (file.join("new"), "there is no directory"),
            ("/proc/new".into(), "cannot write /proc/new"),
            ("".into(), "it names no file"),
        ] {
            let error = format!("{:#}", ensure_writable(&path).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
