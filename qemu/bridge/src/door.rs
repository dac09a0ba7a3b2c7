//! Who comes in: one thread that waits at `vsock`, at the host's open ports and for changes of the directory.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use socket2::{SockAddr, Socket};

use crate::{End, Shared, connected, listening};

/// For the word `CONNECT`, once somebody has connected.
const PATIENCE: Duration = Duration::from_secs(10);

/// `CONNECT`, a blank, ten digits, and a little.
const LONGEST_WORD: usize = 32;

pub struct Door {
    /// The socket `vsock`.
    calls: Socket,
    changes: OwnedFd,
}

impl Door {
    pub fn open(directory: &Path) -> io::Result<Self> {
        let changes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let wanted = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE | WatchFlags::MOVED_FROM;
        inotify::add_watch(&changes, directory, wanted)?;
        Ok(Door { calls: listening(&SockAddr::unix(directory.join("vsock"))?)?, changes })
    }

    /// Until the bridge ends.
    pub fn keep(self, shared: &Arc<Shared>) -> io::Result<()> {
        while !shared.has_ended.load(Ordering::SeqCst) {
            let ports: Vec<(u32, Arc<Socket>)> =
                shared.ports().iter().map(|(port, socket)| (*port, Arc::clone(socket))).collect();
            let own = [shared.wake.as_fd(), self.changes.as_fd(), self.calls.as_fd()];
            let all = own.into_iter().chain(ports.iter().map(|(_, socket)| socket.as_fd()));
            let mut waited: Vec<PollFd> = all.map(|one| PollFd::from_borrowed_fd(one, PollFlags::IN)).collect();
            match poll(&mut waited, None) {
                Err(Errno::INTR) => continue,
                polled => polled?,
            };
            let is_there: Vec<bool> = waited.iter().map(|one| !one.revents().is_empty()).collect();
            if is_there[0] {
                rustix::io::read(&shared.wake, &mut [0; 8])?;
            }
            if is_there[1] {
                self.look_around(shared)?;
            }
            if is_there[2] {
                let (stream, _) = self.calls.accept()?;
                spawn(shared, move |shared| call_guest(shared, stream));
            }
            for ((port, socket), _) in ports.iter().zip(&is_there[own.len()..]).filter(|(_, is_there)| **is_there) {
                take_call(shared, *port, socket)?;
            }
        }
        shared.ports().clear();
        Ok(())
    }

    /// Opens a port for each new socket `vsock_PORT`, closes those whose socket is gone.
    fn look_around(&self, shared: &Shared) -> io::Result<()> {
        let mut room = [MaybeUninit::uninit(); 4096];
        let mut changes = inotify::Reader::new(&self.changes, &mut room);
        loop {
            let change = match changes.next() {
                Err(Errno::AGAIN) => return Ok(()),
                change => change?,
            };
            let name = change.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            let Some(port) = name.strip_prefix("vsock_").and_then(|port| port.parse().ok()) else { continue };
            if change.events().intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
                shared.ports().remove(&port);
            } else if let Err(error) = shared.open_port(port) {
                (shared.tell)(&format!("the host's vsock port {port} cannot be opened to the guest: {error}"));
            }
        }
    }
}

fn spawn(shared: &Arc<Shared>, work: impl FnOnce(&Shared) -> io::Result<()> + Send + 'static) {
    let shared = Arc::clone(shared);
    // What goes wrong with a connection ends it, which both its ends see.
    thread::spawn(move || work(&shared).ok());
}

/// The host's ports are those of all its guests: only this one's calls are taken.
fn take_call(shared: &Arc<Shared>, port: u32, listener: &Socket) -> io::Result<()> {
    let cid = |address: &SockAddr| address.as_vsock_address().map(|(cid, _)| cid);
    let (stream, caller) = match listener.accept() {
        // It was given up in the meantime: accept(2).
        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => return Ok(()),
        accepted => accepted?,
    };
    if cid(&caller) == cid(&(shared.addresses)(End::Guest, port)?) {
        let path = shared.directory.join(format!("vsock_{port}"));
        spawn(shared, move |shared| shared.streams.join(connected(&SockAddr::unix(path)?)?, stream));
    }
    Ok(())
}

fn call_guest(shared: &Shared, stream: Socket) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let port = wanted_port(&stream)?;
    stream.set_read_timeout(None)?;
    let guest = connected(&(shared.addresses)(End::Guest, port)?)?;
    let own_port = guest.local_addr()?.as_vsock_address().map_or(0, |(_, port)| port);
    (&stream).write_all(format!("OK {own_port}\n").as_bytes())?;
    shared.streams.join(stream, guest)
}

/// Byte by byte: what follows the line is the guest's.
fn wanted_port(mut stream: &Socket) -> io::Result<u32> {
    let mut line = String::new();
    let mut byte = [0];
    while !line.ends_with('\n') && line.len() < LONGEST_WORD {
        stream.read_exact(&mut byte)?;
        line.push(byte[0].into());
    }
    let port = line.trim_end().strip_prefix("CONNECT ").and_then(|port| port.parse().ok());
    port.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is not CONNECT PORT"))
}
