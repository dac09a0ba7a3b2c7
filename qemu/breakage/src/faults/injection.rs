//! What can go wrong with a system call.

use nix::errno::Errno;
use syscalls::Sysno;

/// A system call as it went; the count that it was made with, where it has one.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub name: Sysno,
    pub first: u64,
    pub count: Option<u64>,
    /// A negative errno, or a value. None of a call that did not return.
    pub answer: Option<i64>,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not made, and this is its answer.
    Fails(Errno),
    /// It is made with this count instead of its own; with 0, it is not made.
    Short(u64),
}

/// Which call of a boot goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Injection {
    /// Its place among all calls of init.
    pub place: usize,
    pub fault: Fault,
    pub then: Then,
}

/// What becomes of the calls that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// They go well.
    Well,
    /// The next one of the same name goes wrong this way, the others go well.
    Next(Fault),
    /// The very next one goes wrong the same way: the first of what init does about the failure.
    Following,
    /// All of the same name go wrong the same way.
    Ever,
}

/// Which argument of a call says how much it is to do, if it may do less.
pub fn count(name: Sysno) -> Option<usize> {
    match name {
        Sysno::read | Sysno::write => Some(2),
        Sysno::sendfile => Some(3),
        _ => None,
    }
}
