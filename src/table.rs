//! Packed tables: names and what they mean in one string of bytes, because a slice of slices costs sixteen bytes an
//! entry before its first letter.

use crate::sys::Place;

/// The bytes that a table of these rows takes.
pub const fn size(rows: &[(&str, u8)]) -> usize {
    let (mut size, mut row) = (0, 0);
    while row < rows.len() {
        size += rows[row].0.len() + 1;
        row += 1;
    }
    size
}

/// Packs rows of a name and its meaning, seven bits, when the program is built.
pub const fn pack<const SIZE: usize>(rows: &[(&str, u8)]) -> [u8; SIZE] {
    let mut table = [0; SIZE];
    let (mut at, mut row) = (0, 0);
    while row < rows.len() {
        let (name, meaning) = rows[row];
        let mut letter = 0;
        while letter < name.len() {
            table[at] = name.as_bytes()[letter];
            (at, letter) = (at + 1, letter + 1);
        }
        table[at] = meaning | 0x80;
        (at, row) = (at + 1, row + 1);
    }
    table
}

/// Looks up what is written from `start` up to `end`: the place of the entry and its meaning, with the highest bit set; 0 for
/// what isn't there, its place behind the last.
#[inline(never)]
pub fn find(table: &[u8], start: Place, end: Place) -> (u8, u8) {
    let (mut place, mut at) = (0, start);
    let mut bytes = table.iter();
    while let Some(byte) = bytes.next() {
        if *byte < 0x80 && *byte == at.byte() {
            at = at.next();
            continue;
        }
        if *byte < 0x80 {
            bytes.find(|byte| **byte >= 0x80);
        } else if at == end {
            return (place, *byte);
        }
        (place, at) = (place + 1, start);
    }
    (place, 0)
}
