//! Mount options: fstab(5)'s flag words become mount(2)'s flags, whatever else there is stays for the filesystem.

use crate::sys::Span;
use crate::table::{find, pack, size};
use linux_raw_sys::general::{
    MS_BIND, MS_DIRSYNC, MS_LAZYTIME, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW,
    MS_NOUSER, MS_PRIVATE, MS_RDONLY, MS_REC, MS_RELATIME, MS_REMOUNT, MS_SHARED, MS_SLAVE, MS_STRICTATIME,
    MS_SYNCHRONOUS,
};

/// The words of fstab(5) and mount(8) that a boot has a use for, and the bit of mount(2)'s flags that each sets or takes
/// away; those of nearly every mount first. `defaults` takes away one that only the kernel itself ever sets.
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
    ("noatime", set(MS_NOATIME)),
    ("atime", clear(MS_NOATIME)),
    ("nodiratime", set(MS_NODIRATIME)),
    ("diratime", clear(MS_NODIRATIME)),
    ("bind", set(MS_BIND)),
    ("rbind", set(MS_BIND) | REC),
    ("private", set(MS_PRIVATE)),
    ("rprivate", set(MS_PRIVATE) | REC),
    ("slave", set(MS_SLAVE)),
    ("rslave", set(MS_SLAVE) | REC),
    ("shared", set(MS_SHARED)),
    ("rshared", set(MS_SHARED) | REC),
    ("relatime", set(MS_RELATIME)),
    ("strictatime", set(MS_STRICTATIME)),
    ("lazytime", set(MS_LAZYTIME)),
    ("defaults", clear(MS_NOUSER)),
];
pub static FLAGS: [u8; size(WORDS)] = pack(WORDS);

const BIT: u8 = 0x1f;
const CLEAR: u8 = 0x20;
const REC: u8 = 0x40;

const fn set(flag: u32) -> u8 {
    flag.trailing_zeros() as u8
}

const fn clear(flag: u32) -> u8 {
    set(flag) | CLEAR
}

/// Takes the flag words out of these options; what is left, cut behind its last byte, is the data string. Nothing stays in a
/// word's place: cifs reads no further than to an option that is empty
/// (smb3_fs_context_parse_monolithic in fs/smb/client/fs_context.c).
#[inline(never)]
pub fn take_flags(options: Span) -> u32 {
    let (mut flags, mut rest, mut free) = (0, options, options);
    loop {
        let mut word = rest.up_to(b',');
        // No flag has a value: most of what isn't one need not be compared with them all.
        let mut value = word;
        let meaning = if value.any(|byte| byte == b'=') { 0 } else { find(&FLAGS, word) };
        if meaning != 0 {
            flags |= 1 << (meaning & BIT);
            if meaning & CLEAR != 0 {
                flags &= !(1 << (meaning & BIT));
            }
            if meaning & REC != 0 {
                flags |= MS_REC;
            }
        } else {
            if !free.begins_with(options) {
                free.put(b',');
            }
            for byte in &mut word {
                free.put(byte);
            }
        }
        if rest.next().is_none() {
            free.cut();
            return flags;
        }
    }
}
