//! Mount options: the flag words of mount(8) become flags of mount(2), all others go to the filesystem.

use crate::cursor::Span;
use crate::string::CStrPtr;
use crate::table::{find, pack, size};
use linux_raw_sys::general::{
    MS_BIND, MS_DIRSYNC, MS_LAZYTIME, MS_MOVE, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID,
    MS_NOSYMFOLLOW, MS_NOUSER, MS_PRIVATE, MS_RDONLY, MS_REC, MS_RELATIME, MS_REMOUNT, MS_SHARED, MS_SLAVE,
    MS_STRICTATIME, MS_SYNCHRONOUS, MS_UNBINDABLE,
};

/// The flag words of mount(8) that are of use in a boot, and the bit that each sets or clears. The most frequent come first, because
/// [`find`] searches from the start. `defaults` clears a bit that only the kernel sets, so it does nothing.
const WORDS: &[(&str, u8)] = &[
    ("nosuid", set(MS_NOSUID)),
    ("nodev", set(MS_NODEV)),
    ("noexec", set(MS_NOEXEC)),
    ("ro", set(MS_RDONLY)),
    ("rw", clear(MS_RDONLY)),
    ("suid", clear(MS_NOSUID)),
    ("dev", clear(MS_NODEV)),
    ("exec", clear(MS_NOEXEC)),
    ("sync", set(MS_SYNCHRONOUS)),
    ("async", clear(MS_SYNCHRONOUS)),
    ("remount", set(MS_REMOUNT)),
    ("dirsync", set(MS_DIRSYNC)),
    ("nosymfollow", set(MS_NOSYMFOLLOW)),
    ("symfollow", clear(MS_NOSYMFOLLOW)),
    ("noatime", set(MS_NOATIME)),
    ("atime", clear(MS_NOATIME)),
    ("nodiratime", set(MS_NODIRATIME)),
    ("diratime", clear(MS_NODIRATIME)),
    ("bind", set(MS_BIND)),
    ("rbind", set(MS_BIND) | REC),
    ("move", set(MS_MOVE)),
    ("private", set(MS_PRIVATE)),
    ("rprivate", set(MS_PRIVATE) | REC),
    ("slave", set(MS_SLAVE)),
    ("rslave", set(MS_SLAVE) | REC),
    ("shared", set(MS_SHARED)),
    ("rshared", set(MS_SHARED) | REC),
    ("unbindable", set(MS_UNBINDABLE)),
    ("runbindable", set(MS_UNBINDABLE) | REC),
    ("relatime", set(MS_RELATIME)),
    ("strictatime", set(MS_STRICTATIME)),
    ("lazytime", set(MS_LAZYTIME)),
    ("defaults", clear(MS_NOUSER)),
];
/// For [`names`](crate::names).
pub static FLAGS: [u8; size(WORDS)] = pack(WORDS);

/// A word's meaning: the number of its bit, whether it clears that bit, whether it is recursive.
const BIT: u8 = 0x1f;
const CLEAR: u8 = 0x20;
const REC: u8 = 0x40;

const fn set(flag: u32) -> u8 {
    flag.trailing_zeros() as u8
}

const fn clear(flag: u32) -> u8 {
    set(flag) | CLEAR
}

const PROPAGATION: u32 = MS_PRIVATE | MS_SLAVE | MS_SHARED | MS_UNBINDABLE;

/// The flag words among mount options. mount(2) takes at most one kind of them a call: what to mount, new flags of a mount, its
/// propagation.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct MountFlags {
    /// MS_* bits, except propagation. Of two words for the same bit the later one wins.
    pub set: u32,
    /// MS_* bits that a word has cleared, and no later one has set.
    pub cleared: u32,
    /// MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE, and MS_REC if it is for all mounts below too.
    pub propagation: u32,
}

impl MountFlags {
    /// Takes the flag words out of the options, and calls `push` with each byte of what is left for the filesystem.
    /// Taking a word out must not leave an empty option: cifs stops at the first one (smb3_fs_context_parse_monolithic in
    /// fs/smb/client/fs_context.c).
    pub fn take(options: CStrPtr, mut push: impl FnMut(u8)) -> Self {
        let (mut flags, mut is_first, mut rest) = (Self::default(), true, options.span());
        loop {
            let option = rest.take_until(b',');
            match meaning(option) {
                Some(meaning) => flags.add(meaning),
                None => {
                    if !is_first {
                        push(b',');
                    }
                    for byte in option {
                        push(byte);
                        is_first = false;
                    }
                }
            }
            if rest.next().is_none() {
                return flags;
            }
        }
    }

    /// The flags that are in both.
    pub const fn only(self, these: Self) -> Self {
        Self {
            set: self.set & these.set,
            cleared: self.cleared & these.cleared,
            propagation: self.propagation & these.propagation,
        }
    }

    /// The flags that are in either.
    pub const fn and(self, others: Self) -> Self {
        Self {
            set: self.set | others.set,
            cleared: self.cleared | others.cleared,
            propagation: self.propagation | others.propagation,
        }
    }

    fn add(&mut self, meaning: u8) {
        let bit = 1 << (meaning & BIT);
        let recursive = if meaning & REC != 0 { MS_REC } else { 0 };
        if bit & PROPAGATION != 0 {
            self.propagation |= bit | recursive;
        } else if meaning & CLEAR != 0 {
            self.set &= !bit;
            self.cleared |= bit;
        } else {
            self.set |= bit | recursive;
            self.cleared &= !bit;
        }
    }
}

/// The kinds of propagation, in an order in which they can be set one after the other: a slave can become shared, and stays a slave.
pub const PROPAGATIONS: &[u32] = &[MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED];

/// The options of `root` begin with this, then [`ROOT_MODE`]. If the plan gives another value for one of them, that comes later and wins.
///
/// Large pages for large files: shmem_huge_global_enabled in mm/shmem.c. Since Linux 6.14 a write of 2 MB then takes half the
/// time, and no file takes more than its size: docs/performance.md. A kernel may refuse the option.
pub const LARGE_PAGES: CStrPtr = CStrPtr::new(c"huge=within_size,");
/// By default everybody may write to a tmpfs: its mode is 1777.
pub const ROOT_MODE: CStrPtr = CStrPtr::new(c"mode=0755,");
/// The options of `root` if the plan has none.
pub const ROOT_OPTIONS: CStrPtr = CStrPtr::new(c"size=128m");

/// Whether a mount option is a flag word: for tools on the host.
pub fn is_flag(option: CStrPtr) -> bool {
    meaning(option.span()).is_some()
}

/// The first of these options that changes a mount instead of making one.
pub fn option_that_changes_a_mount(mut options: Span) -> Option<Span> {
    loop {
        let option = options.take_until(b',');
        let bit = meaning(option).map_or(0, |meaning| 1 << (meaning & BIT));
        if bit & (PROPAGATION | MS_REMOUNT | MS_BIND | MS_MOVE) != 0 {
            return Some(option);
        }
        options.next()?;
    }
}

/// The meaning of a flag word; none of other options. Those with a `=` are never flags, and need no search of the table.
fn meaning(option: Span) -> Option<u8> {
    let mut value = option;
    if value.any(|byte| byte == b'=') { None } else { find(&FLAGS, option) }
}
