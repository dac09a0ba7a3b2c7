//! A line of text that is put together: a message, the names of controllers, the options of the new root.

use crate::sys::Name;
use heapless::Vec;

/// printk drops a record of more than 1024 bytes with its prefix (LOG_LINE_MAX in kernel/printk): a line stays below.
pub type Line = Vec<u8, 960>;

/// The longest text that is added whole.
pub const MAX_TEXT: usize = 240;

/// Adds a text up to a NUL, or a blank if `last` is one: a word of a plan need not have been cut off yet. Of a long one
/// the beginning, and nothing where there is no room: a message that is cut is better than none.
#[inline(never)]
pub fn add(line: &mut Line, text: Name, last: u8) {
    for byte in text.bytes().take_while(|byte| *byte > last).take(MAX_TEXT) {
        let _ = line.push(byte);
    }
}
