//! Text that is put together: a message, the names of controllers, the options of the new root, the plan that is built in.

use crate::sys::{Name, Text};
use crate::texts::Packed;
use core::convert::Infallible;
use ufmt::{uWrite, uwrite};

// PACKED, PAIRS and FIRST_PAIR: see linker/pack.rs.
include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// The longest word that is added whole.
pub const MAX_TEXT: usize = 240;

/// Adds a text, unpacked, and behind it a word, if there is one, which need not have been cut off yet; of a long one the
/// beginning.
#[inline(never)]
pub fn add(line: &mut Text, text: Packed, word: Name) {
    let mut before = text.0;
    for byte in &PACKED {
        if *byte == 0 {
            if before == 0 {
                break;
            }
            before -= 1;
        } else if before == 0 {
            unpack(line, *byte);
        }
    }
    for byte in word.bytes().take_while(|byte| *byte > b' ').take(MAX_TEXT) {
        push(line, byte);
    }
}

/// Adds a text with no word behind it.
#[inline(never)]
pub fn add_text(line: &mut Text, text: Packed) {
    add(line, text, Name::NONE);
}

/// Adds a byte, or, if it stands for a pair, both of these, and so on. What is still to be added is in one number, the
/// next of it lowest, because a call for each takes twice the time: linker/pack.rs sees to it that there is room.
#[inline(always)]
fn unpack(line: &mut Text, byte: u8) {
    let mut rest = u64::from(byte);
    while rest != 0 {
        match PAIRS.get(usize::from(rest as u8).wrapping_sub(FIRST_PAIR)) {
            Some(pair) => rest = (rest & !0xff) << 8 | u64::from(u16::from_le_bytes(*pair)),
            None => {
                let _ = line.push(rest as u8);
                rest >>= 8;
            }
        }
    }
}

#[inline(never)]
pub fn push(line: &mut Text, byte: u8) {
    let _ = line.push(byte);
}

/// Adds a number, in decimal digits.
#[inline(never)]
pub fn add_number(line: &mut Text, number: u16) {
    let _ = uwrite!(Bytes(line), "{}", number);
}

/// Where ufmt writes to: one byte after the other, because the way for one is there already.
struct Bytes<'l>(&'l mut Text);

impl uWrite for Bytes<'_> {
    type Error = Infallible;

    #[inline(always)]
    fn write_str(&mut self, text: &str) -> Result<(), Infallible> {
        text.bytes().for_each(|byte| push(self.0, byte));
        Ok(())
    }
}
