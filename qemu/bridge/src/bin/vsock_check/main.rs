//! Tries the bridge, and in a guest the kernel too: `vsock-check unix` runs it over Unix sockets, `vsock-check kernel` over
//! AF_VSOCK's loopback, and asks /dev/vhost-vsock for CIDs. Exits 0 if all is as it should be; what is not is said.

mod sides;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use socket2::SockAddr;
use vsock_bridge::vhost::{self, Answer};
use vsock_bridge::{Addresses, Bridge, End, HOST_CID, cids};

use sides::{LIMIT, Sides, carries_much, exchange};

/// VMADDR_CID_LOCAL, vsock(7).
const LOOPBACK: u32 = 1;

fn main() -> ExitCode {
    let way = std::env::args().nth(1).unwrap_or_default();
    match run(&way) {
        Ok(()) => {
            println!("vsock-check {way}: all is well");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("vsock-check {way}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(way: &str) -> Result<()> {
    let directory = std::env::temp_dir().join(format!("vsock-check-{}", std::process::id()));
    fs::create_dir(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let checked = match way {
        "unix" => check_bridge(&directory, || unix(&directory)),
        "kernel" => check_vhost()
            .and_then(|()| check_host_without_guest(&directory))
            .and_then(|()| check_bridge(&directory, || cids(LOOPBACK, LOOPBACK))),
        _ => bail!("say unix or kernel"),
    };
    fs::remove_dir_all(&directory).with_context(|| format!("cannot remove {}", directory.display()))?;
    checked
}

/// In the same directory, under names that are no ports of the bridge's.
fn unix(directory: &Path) -> Addresses {
    let directory = directory.to_path_buf();
    Box::new(move |end, port| SockAddr::unix(directory.join(format!("{end:?}-{port}"))))
}

fn check_vhost() -> Result<()> {
    let device = Path::new(vhost::DEVICE);
    let Answer::Serves(held) = vhost::ask(device, 7) else { bail!("no CID 7: {:?}", vhost::ask(device, 7)) };
    ensure!(matches!(vhost::ask(device, 7), Answer::Taken), "a CID can be had twice");
    ensure!(matches!(vhost::ask(device, 8), Answer::Serves(_)), "one CID taken, and no other can be had");
    drop(held);
    // The kernel gives a CID free when the last descriptor is closed.
    ensure!(matches!(vhost::ask(device, 7), Answer::Serves(_)), "a CID that was given back cannot be had");
    Ok(())
}

/// A bridge as hosts open it, to a guest that is not there: the host's ports can be had, calls end.
fn check_host_without_guest(directory: &Path) -> Result<()> {
    let directory = directory.join("none");
    fs::create_dir(&directory)?;
    let bridge = Bridge::open(&directory, cids(9, HOST_CID), |text| println!("vsock-check: {text}"))?;
    bridge.open_port(6100).context("a port of the host's")?;
    let started = Instant::now();
    let mut stream = UnixStream::connect(directory.join("vsock"))?;
    stream.write_all(b"CONNECT 1024\n")?;
    ensure!(stream.read(&mut [0; 1])? == 0, "a guest that is not there answers");
    ensure!(started.elapsed() < LIMIT, "only a limit ended the call");
    Ok(())
}

fn check_bridge(directory: &Path, addresses: impl Fn() -> Addresses) -> Result<()> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let bridge = Bridge::open(directory, addresses(), move |text| telling.lock().unwrap().push(text.to_string()))?;
    let sides = Sides { directory: directory.to_path_buf(), addresses: addresses(), bridge, told };
    sides.the_host_calls().context("the host calls")?;
    sides.nobody_listens().context("nobody listens")?;
    sides.the_guest_calls().context("the guest calls")?;
    sides.a_port_is_taken().context("a port is taken")?;
    sides.the_bridge_ends().context("the bridge ends")
}

impl Sides {
    fn the_host_calls(&self) -> Result<()> {
        let guest = self.listening(End::Guest, 5000)?;
        for _ in 0..20 {
            let (mut host, answer) = self.call(5000)?;
            ensure!(answer.starts_with("OK "), "the answer is {answer:?}");
            let (mut guest, _) = guest.accept()?;
            exchange(&mut host, &mut guest)?;
        }
        let (host, _) = self.call(5000)?;
        carries_much(guest.accept()?.0, host)
    }

    fn nobody_listens(&self) -> Result<()> {
        for words in ["CONNECT 5001\n", "CONNECT\n", "CONNECT 99999999999\n", "GET / HTTP/1.1\r\nHost: none at all\r\n"]
        {
            let mut stream = self.connected()?;
            stream.write_all(words.as_bytes())?;
            let mut answer = String::new();
            let read = stream.read_to_string(&mut answer);
            // Words that were not read turn the end into a reset.
            let has_ended = read.is_ok() || read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset);
            ensure!(has_ended && answer.is_empty(), "{words:?} is answered {answer:?}");
        }
        Ok(())
    }

    /// At a port that is opened by its socket's being there, and at one opened on demand.
    fn the_guest_calls(&self) -> Result<()> {
        for port in [6000, 6001] {
            let path = self.directory.join(format!("vsock_{port}"));
            if port == 6001 {
                self.bridge.open_port(port)?;
            }
            let listener = UnixListener::bind(&path)?;
            let mut guest = if port == 6001 { self.call_host(port)? } else { self.reached(port)? };
            let (mut host, _) = listener.accept()?;
            exchange(&mut guest, &mut host)?;
            carries_much(self.call_host(port)?, listener.accept()?.0)?;

            // With nobody behind the socket a call is taken and ends.
            drop(listener);
            let ended = self.call_host(port).and_then(|mut guest| guest.read(&mut [0; 1]));
            ensure!(matches!(ended, Ok(0) | Err(_)), "somebody answers for nobody");
            fs::remove_file(&path)?;
            let deadline = Instant::now() + LIMIT;
            while self.call_host(port).is_ok() {
                ensure!(Instant::now() < deadline, "port {port} stays open without its socket");
                thread::sleep(Duration::from_millis(10));
                // What a Unix socket leaves behind; a port of the kernel's leaves nothing.
                self.remove(End::Host, port)?;
            }
        }
        Ok(())
    }

    fn a_port_is_taken(&self) -> Result<()> {
        let _taken = self.listening(End::Host, 6002)?;
        let error = self.bridge.open_port(6002).expect_err("it is taken");
        ensure!(error.kind() == ErrorKind::AddrInUse, "{error}");
        let _socket = UnixListener::bind(self.directory.join("vsock_6002"))?;
        let deadline = Instant::now() + LIMIT;
        while self.told.lock().unwrap().is_empty() {
            ensure!(Instant::now() < deadline, "nobody is told");
            thread::sleep(Duration::from_millis(10));
        }
        let told = self.told.lock().unwrap().join("; ");
        ensure!(told.starts_with("the host's vsock port 6002 cannot be opened to the guest: "), "{told}");
        Ok(())
    }

    fn the_bridge_ends(self) -> Result<()> {
        let guest = self.listening(End::Guest, 5002)?;
        let (mut host, _) = self.call(5002)?;
        let (mut guest, _) = guest.accept()?;
        exchange(&mut host, &mut guest)?;
        self.bridge.end();
        for (name, read) in [("host", host.read(&mut [0; 1])), ("guest", guest.read(&mut [0; 1]))] {
            ensure!(matches!(read, Ok(0) | Err(_)), "the {name}'s end is still there");
        }
        let (directory, bridge) = (self.directory, self.bridge);
        drop(bridge);
        let late = UnixStream::connect(directory.join("vsock"));
        ensure!(late.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused), "it can still be called");
        Ok(())
    }
}
