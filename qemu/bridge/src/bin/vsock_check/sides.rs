//! A bridge with somebody on either side of it: how they call each other, and what they say.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use socket2::{Socket, Type};
use vsock_bridge::{Addresses, Bridge, End};

/// More than any buffer on the way.
const LARGE: usize = 3 << 20;

pub const LIMIT: Duration = Duration::from_secs(60);

/// A bridge, and what is on either side of it.
pub struct Sides {
    pub directory: PathBuf,
    pub addresses: Addresses,
    pub bridge: Bridge,
    pub told: Arc<Mutex<Vec<String>>>,
}

impl Sides {
    pub fn connected(&self) -> Result<UnixStream> {
        let stream = UnixStream::connect(self.directory.join("vsock")).context("cannot connect to vsock")?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(stream)
    }

    /// A call of the guest's port, and the line that comes back.
    pub fn call(&self, port: u32) -> Result<(UnixStream, String)> {
        let mut stream = self.connected()?;
        stream.write_all(format!("CONNECT {port}\n").as_bytes())?;
        let mut line = String::new();
        while !line.ends_with('\n') {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            line.push(byte[0].into());
        }
        Ok((stream, line))
    }

    pub fn call_host(&self, port: u32) -> io::Result<Socket> {
        let address = (self.addresses)(End::Host, port)?;
        let socket = Socket::new(address.domain(), Type::STREAM, None)?;
        socket.set_read_timeout(Some(LIMIT))?;
        socket.connect(&address).map(|()| socket)
    }

    /// The same, as soon as the port is open.
    pub fn reached(&self, port: u32) -> Result<Socket> {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.call_host(port) {
                Err(error) if Instant::now() > deadline => return Err(error).context("the port stays closed"),
                Err(_) => thread::sleep(Duration::from_millis(10)),
                Ok(socket) => return Ok(socket),
            }
        }
    }

    pub fn listening(&self, end: End, port: u32) -> Result<Socket> {
        let address = (self.addresses)(end, port)?;
        let socket = Socket::new(address.domain(), Type::STREAM, None)?;
        socket.bind(&address).with_context(|| format!("cannot bind {address:?}"))?;
        socket.listen(8)?;
        Ok(socket)
    }

    pub fn remove(&self, end: End, port: u32) -> Result<()> {
        let address = (self.addresses)(end, port)?;
        let Some(path) = address.as_pathname() else { return Ok(()) };
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("cannot remove a socket"),
            _ => Ok(()),
        }
    }
}

/// A word each way.
pub fn exchange(one: &mut (impl Read + Write), other: &mut (impl Read + Write)) -> Result<()> {
    let mut word = [0; 4];
    one.write_all(b"ping")?;
    other.read_exact(&mut word)?;
    ensure!(word == *b"ping", "{word:?} came");
    other.write_all(b"pong")?;
    one.read_exact(&mut word)?;
    ensure!(word == *b"pong", "{word:?} came back");
    Ok(())
}

/// Everything arrives, in order, and so does the end of one direction, which leaves the other.
pub fn carries_much(from: impl Into<Socket>, to: impl Into<Socket>) -> Result<()> {
    let (from, to) = (from.into(), to.into());
    let sent: Vec<u8> = (0..LARGE).map(|at| ((at / 7) ^ (at >> 11)) as u8).collect();
    thread::scope(|scope| {
        let sender = scope.spawn(|| (&from).write_all(&sent).and_then(|()| from.shutdown(Shutdown::Write)));
        let mut came = Vec::new();
        (&to).read_to_end(&mut came)?;
        sender.join().expect("no panic")?;
        ensure!(came == sent, "{} bytes came of {LARGE}, or others", came.len());
        (&to).write_all(b"done")?;
        let mut word = [0; 4];
        (&from).read_exact(&mut word)?;
        ensure!(word == *b"done", "{word:?} came back");
        Ok(())
    })
}
