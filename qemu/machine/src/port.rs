//! A port of the guest's by which it speaks without a driver, QEMU's `isa-debugcon`: what came through it, and when.

use std::io::{Read, Seek};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use tempfile::{NamedTempFile, TempDir};

/// Bytes, and when each part of them came.
#[derive(Debug, Default)]
pub struct Heard {
    pub bytes: Vec<u8>,
    /// (how many bytes were there, when)
    pub arrivals: Vec<(usize, Instant)>,
}

impl Heard {
    /// When the first `length` bytes were there.
    pub fn arrival(&self, length: usize) -> Option<Instant> {
        self.arrivals.iter().find(|(there, _)| *there >= length).map(|(_, when)| *when)
    }
}

/// A port that is listened to while QEMU runs.
pub struct Live {
    number: u16,
    socket: PathBuf,
    reader: JoinHandle<std::io::Result<Heard>>,
    _directory: TempDir,
}

impl Live {
    pub fn listen(number: u16) -> Result<Live> {
        let directory = tempfile::tempdir().context("cannot make a temporary directory")?;
        let socket = directory.path().join("port");
        let listener = UnixListener::bind(&socket).with_context(|| format!("cannot listen at {}", socket.display()))?;
        let reader = thread::spawn(move || read(&listener));
        Ok(Live { number, socket, reader, _directory: directory })
    }

    /// For QEMU's command line.
    pub fn words(&self) -> Vec<String> {
        words(self.number, &format!("socket,path={}", self.socket.display()))
    }

    /// All that came, when QEMU has ended.
    pub fn heard(self) -> Result<Heard> {
        // Should QEMU never have come, the reader still waits for somebody.
        drop(UnixStream::connect(&self.socket));
        let heard = self.reader.join().map_err(|_| anyhow!("the reader of port {:#x} panicked", self.number))?;
        heard.with_context(|| format!("cannot read port {:#x}", self.number))
    }
}

fn read(listener: &UnixListener) -> std::io::Result<Heard> {
    let (mut guest, _) = listener.accept()?;
    let mut heard = Heard::default();
    let mut part = [0; 4096];
    loop {
        let length = guest.read(&mut part)?;
        if length == 0 {
            return Ok(heard);
        }
        heard.bytes.extend_from_slice(&part[..length]);
        heard.arrivals.push((heard.bytes.len(), Instant::now()));
    }
}

/// A port that writes to a file: for much, whenever it comes.
pub struct Kept {
    number: u16,
    file: NamedTempFile,
}

impl Kept {
    pub fn new(number: u16) -> Result<Kept> {
        Ok(Kept { number, file: NamedTempFile::new().context("cannot make a temporary file")? })
    }

    /// For QEMU's command line.
    pub fn words(&self) -> Vec<String> {
        words(self.number, &format!("file,path={}", self.file.path().display()))
    }

    pub fn heard(mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.file.rewind().and_then(|()| self.file.read_to_end(&mut bytes));
        read.with_context(|| format!("cannot read what port {:#x} said", self.number))?;
        Ok(bytes)
    }
}

fn words(number: u16, backend: &str) -> Vec<String> {
    let (kind, rest) = backend.split_once(',').unwrap_or((backend, ""));
    [
        "-chardev".to_string(),
        format!("{kind},id=port{number},{rest}"),
        "-device".to_string(),
        format!("isa-debugcon,iobase={number:#x},chardev=port{number}"),
    ]
    .into()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_said_is_heard_with_its_time() {
        let (before, port) = (Instant::now(), Live::listen(0xe9).unwrap());
        let mut guest = UnixStream::connect(&port.socket).unwrap();
        guest.write_all(b"mark").unwrap();
        drop(guest);
        let heard = port.heard().unwrap();
        assert_eq!(heard.bytes, b"mark");
        assert!(heard.arrival(4).unwrap() >= before);
        assert_eq!(heard.arrival(5), None);
    }

    #[test]
    fn a_guest_that_never_comes_says_nothing() {
        assert!(Live::listen(0xe9).unwrap().heard().unwrap().bytes.is_empty());
    }
}
