//! Connections under way, each of two sockets: what comes from one goes to the other, until both have ended.

use std::collections::BTreeMap;
use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use socket2::Socket;

type Pair = Arc<[Socket; 2]>;

#[derive(Default)]
pub struct Streams(Mutex<Live>);

#[derive(Default)]
struct Live {
    pairs: BTreeMap<u64, Pair>,
    next: u64,
    has_ended: bool,
}

impl Streams {
    /// Passes everything on both ways. An end of one direction is passed on too, and leaves the other.
    pub fn join(&self, one: Socket, other: Socket) -> io::Result<()> {
        let pair = Arc::new([one, other]);
        let Some(number) = self.enter(&pair) else { return Ok(()) };
        let [one, other] = &*pair;
        thread::scope(|scope| {
            scope.spawn(|| pass(one, other));
            pass(other, one);
        });
        self.live().pairs.remove(&number);
        Ok(())
    }

    /// Ends all there are, and all to come.
    pub fn break_off(&self) {
        let mut live = self.live();
        live.has_ended = true;
        for socket in live.pairs.values().flat_map(|pair| pair.iter()) {
            // One that has ended already is no failure.
            socket.shutdown(Shutdown::Both).ok();
        }
    }

    fn enter(&self, pair: &Pair) -> Option<u64> {
        let mut live = self.live();
        let number = live.next;
        live.next += 1;
        (!live.has_ended).then(|| live.pairs.insert(number, Arc::clone(pair)))?;
        Some(number)
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Up to the end, of which whoever reads is notified; one that reads no more ends what comes for it.
fn pass(mut from: &Socket, mut to: &Socket) {
    let passed = io::copy(&mut from, &mut to);
    // Each may have ended already.
    to.shutdown(Shutdown::Write).ok();
    if passed.is_err() {
        from.shutdown(Shutdown::Read).ok();
    }
}
