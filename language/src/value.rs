//! Words that are neither paths nor mount options: modes, numbers, limits, actions after the service's end.

use crate::string::CStrPtr;
use crate::table::{find, pack, size};

/// A mode of up to four octal digits.
pub fn octal(digits: CStrPtr) -> Option<u32> {
    let mut mode = 0;
    for byte in digits.bytes() {
        let digit = u32::from(byte ^ b'0');
        if digit > 7 || mode >= 0o1000 {
            return None;
        }
        mode = mode * 8 + digit;
    }
    Some(mode)
}

/// A decimal number below 2^64; `unlimited` is the greatest: RLIM_INFINITY of setrlimit(2).
pub fn number(digits: CStrPtr) -> Option<u64> {
    if digits.equals(CStrPtr::new(c"unlimited")) {
        return Some(u64::MAX);
    }
    digits.bytes().try_fold(0u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { number.checked_mul(10)?.checked_add(digit.into()) }
    })
}

/// The limits of setrlimit(2) by the names of limits.conf(5), each with its number in include/uapi/asm-generic/resource.h.
const LIMIT_ROWS: &[(&str, u8)] = &[
    ("cpu", 0),
    ("fsize", 1),
    ("data", 2),
    ("stack", 3),
    ("core", 4),
    ("rss", 5),
    ("nproc", 6),
    ("nofile", 7),
    ("memlock", 8),
    ("as", 9),
    ("locks", 10),
    ("sigpending", 11),
    ("msgqueue", 12),
    ("nice", 13),
    ("rtprio", 14),
    ("rttime", 15),
];
/// For [`names`](crate::names).
pub static LIMITS: [u8; size(LIMIT_ROWS)] = pack(LIMIT_ROWS);

/// The number of a limit, RLIMIT_* of setrlimit(2), by its name in limits.conf(5).
pub fn limit(name: CStrPtr) -> Option<u8> {
    find(&LIMITS, name.span())
}

/// What to do when a spawned service has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Poweroff,
    Reboot,
    Halt,
    Panic,
}

impl Action {
    const ALL: [Self; 4] = [Self::Poweroff, Self::Reboot, Self::Halt, Self::Panic];

    pub fn named(name: CStrPtr) -> Option<Self> {
        find(&ACTIONS, name.span()).and_then(|action| Self::ALL.get(usize::from(action)).copied())
    }
}

const ACTION_ROWS: &[(&str, u8)] = &[("poweroff", 0), ("reboot", 1), ("halt", 2), ("panic", 3)];
/// For [`names`](crate::names).
pub static ACTIONS: [u8; size(ACTION_ROWS)] = pack(ACTION_ROWS);
