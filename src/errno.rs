//! The names of error numbers, as errno(3) has them: include/uapi/asm-generic/errno.h.
//!
//! Five bits a letter, because 131 names take a quarter of a page otherwise.

use crate::built_in;
use core::iter::from_fn;

/// From 1 on, each without its E. 41 and 58 are unused: nothing is between their two blanks.
const NAMES: &[u8] =
    b"PERM NOENT SRCH INTR IO NXIO 2BIG NOEXEC BADF CHILD AGAIN NOMEM ACCES FAULT NOTBLK BUSY EXIST XDEV NODEV \
NOTDIR ISDIR INVAL NFILE MFILE NOTTY TXTBSY FBIG NOSPC SPIPE ROFS MLINK PIPE DOM RANGE DEADLK NAMETOOLONG \
NOLCK NOSYS NOTEMPTY LOOP  NOMSG IDRM CHRNG L2NSYNC L3HLT L3RST LNRNG UNATCH NOCSI L2HLT BADE BADR XFULL \
NOANO BADRQC BADSLT  BFONT NOSTR NODATA TIME NOSR NONET NOPKG REMOTE NOLINK ADV SRMNT COMM PROTO MULTIHOP \
DOTDOT BADMSG OVERFLOW NOTUNIQ BADFD REMCHG LIBACC LIBBAD LIBSCN LIBMAX LIBEXEC ILSEQ RESTART STRPIPE USERS \
NOTSOCK DESTADDRREQ MSGSIZE PROTOTYPE NOPROTOOPT PROTONOSUPPORT SOCKTNOSUPPORT OPNOTSUPP PFNOSUPPORT \
AFNOSUPPORT ADDRINUSE ADDRNOTAVAIL NETDOWN NETUNREACH NETRESET CONNABORTED CONNRESET NOBUFS ISCONN NOTCONN \
SHUTDOWN TOOMANYREFS TIMEDOUT CONNREFUSED HOSTDOWN HOSTUNREACH ALREADY INPROGRESS STALE UCLEAN NOTNAM NAVAIL \
ISNAM REMOTEIO DQUOT NOMEDIUM MEDIUMTYPE CANCELED NOKEY KEYEXPIRED KEYREVOKED KEYREJECTED OWNERDEAD \
NOTRECOVERABLE RFKILL HWPOISON";
static PACKED: [u8; SIZE] = pack();
/// Two more bytes than the letters take: the 0 that ends the last name, and because two bytes are read at a time.
const SIZE: usize = (LENGTH * BITS as usize).div_ceil(8) + 2;

/// How many bytes of `NAMES` this init has.
const LENGTH: usize = {
    let (mut length, mut names) = (0, 0);
    while length < NAMES.len() && names < built_in::NAMED_ERRNOS {
        names += (NAMES[length] == b' ') as usize;
        length += 1;
    }
    length
};

const BITS: u32 = 5;
/// The code of `A` is 1 and so on, 0 ends a name; after the letters come the digits that are in names, 2 and 3.
const LAST_LETTER: u32 = 26;
/// What to add to a code for its ASCII byte.
const DIGITS: u32 = b'2' as u32 - LAST_LETTER - 1;
const LETTERS: u32 = b'A' as u32 - 1;

const fn pack() -> [u8; SIZE] {
    let mut packed = [0; SIZE];
    let mut at = 0;
    while at < LENGTH {
        let code = match NAMES[at] {
            b' ' => 0,
            digit @ b'2'..=b'3' => digit as u32 - DIGITS,
            letter => letter as u32 - LETTERS,
        };
        let bits = (code as u16) << (at * BITS as usize % 8);
        packed[at * BITS as usize / 8] |= bits as u8;
        packed[at * BITS as usize / 8 + 1] |= (bits >> 8) as u8;
        at += 1;
    }
    packed
}

/// The letters of an errno's name, without its E; none if it has no name.
pub fn letters(number: u16) -> impl Iterator<Item = u8> {
    let (mut names, mut bit) = (number, 0);
    from_fn(move || {
        while names > 0 {
            let at = (bit / 8) as usize;
            let (low, high) = (*PACKED.get(at)?, *PACKED.get(at + 1)?);
            let code = u32::from(u16::from_le_bytes([low, high])) >> (bit % 8) & ((1 << BITS) - 1);
            bit += BITS;
            match code {
                0 => names -= 1,
                _ if names > 1 => {}
                _ => return Some((code + if code > LAST_LETTER { DIGITS } else { LETTERS }) as u8),
            }
        }
        None
    })
}
