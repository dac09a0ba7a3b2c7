//! A guest's vsock that the host's kernel serves (vhost), as a directory of Unix sockets: what Firecracker, Cloud Hypervisor and
//! vhost-device-vsock have on the host.
//!
//! Who connects to `DIRECTORY/vsock` and writes `CONNECT PORT\n` is answered `OK …\n` and talks to the guest's port, or the
//! connection ends. Who listens at `DIRECTORY/vsock_PORT` takes the guest's calls of the host's port. The kernel has no way to
//! listen at every port at once, so the directory is watched: a port is open while there is a socket for it.
//!
//! Where the two ends are is told by an [`Addresses`], so that the same bridge runs over AF_VSOCK and over Unix sockets.

mod door;
mod streams;
pub mod vhost;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::event::{EventfdFlags, eventfd};
use socket2::{SockAddr, Socket, Type};

use streams::Streams;

/// The host's CID, as guests see it: vsock(7).
pub const HOST_CID: u32 = 2;

/// Calls that are under way to one port.
const BACKLOG: i32 = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Guest,
    Host,
}

/// Where a port of either end is.
pub type Addresses = Box<dyn Fn(End, u32) -> io::Result<SockAddr> + Send + Sync>;

/// Those of AF_VSOCK.
pub fn cids(guest: u32, host: u32) -> Addresses {
    Box::new(move |end, port| Ok(SockAddr::vsock(if end == End::Guest { guest } else { host }, port)))
}

/// A bridge that is open; when it is dropped, its connections end.
pub struct Bridge {
    shared: Arc<Shared>,
    doorman: Option<JoinHandle<()>>,
}

struct Shared {
    directory: PathBuf,
    addresses: Addresses,
    /// The host's ports that are open to the guest.
    ports: Mutex<BTreeMap<u32, Arc<Socket>>>,
    streams: Streams,
    has_ended: AtomicBool,
    /// For the doorman, when there is something new to wait for.
    wake: OwnedFd,
    tell: Box<dyn Fn(&str) + Send + Sync>,
}

impl Bridge {
    /// Opens a bridge in an empty directory. What goes wrong later, with nobody to return it to, is told.
    pub fn open(
        directory: &Path,
        addresses: Addresses,
        tell: impl Fn(&str) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            directory: directory.to_path_buf(),
            addresses,
            ports: Mutex::default(),
            streams: Streams::default(),
            has_ended: AtomicBool::new(false),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            tell: Box::new(tell),
        });
        let door = door::Door::open(directory)?;
        let doorman = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                if let Err(error) = door.keep(&shared) {
                    (shared.tell)(&format!("the bridge to the guest's vsock ended: {error}"));
                }
            }
        });
        Ok(Bridge { shared, doorman: Some(doorman) })
    }

    /// Opens a port of the host's to the guest at once, where watching the directory would take a moment.
    pub fn open_port(&self, port: u32) -> io::Result<()> {
        self.shared.open_port(port)
    }

    /// Closes all ports and breaks all connections off.
    pub fn end(&self) {
        self.shared.has_ended.store(true, Ordering::SeqCst);
        self.shared.wake();
        self.shared.streams.break_off();
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.end();
        if let Some(doorman) = self.doorman.take() {
            // A panic of its own has been reported already.
            doorman.join().ok();
        }
    }
}

impl Shared {
    fn open_port(&self, port: u32) -> io::Result<()> {
        if let Entry::Vacant(place) = self.ports().entry(port) {
            place.insert(Arc::new(listening(&(self.addresses)(End::Host, port)?)?));
            self.wake();
        }
        Ok(())
    }

    fn ports(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Socket>>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        // It fails only where nobody has looked for very long, and then there is enough to wake up for.
        rustix::io::write(&self.wake, &1_u64.to_ne_bytes()).ok();
    }
}

fn listening(address: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(address.domain(), Type::STREAM, None)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

fn connected(address: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(address.domain(), Type::STREAM, None)?;
    socket.connect(address)?;
    Ok(socket)
}
