//! Packed tables: names and what they mean in one string of bytes, because a slice of slices costs sixteen bytes an
//! entry before its first letter.

use crate::sys::Span;

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
        table[at] = meaning | FOUND;
        (at, row) = (at + 1, row + 1);
    }
    table
}

/// Set in what [`find`] gives for what is there.
pub const FOUND: u8 = 0x80;

/// Looks up a name: its meaning, and [`FOUND`]; 0 for what isn't there.
#[inline(never)]
pub fn find(table: &[u8], name: Span) -> u8 {
    let mut rest = name;
    let mut bytes = table.iter();
    while let Some(mut byte) = bytes.next() {
        if *byte < FOUND {
            if !rest.is_empty() && rest.byte() == *byte {
                rest.next();
                continue;
            }
            while *byte < FOUND {
                let Some(next) = bytes.next() else { return 0 };
                byte = next;
            }
        } else if rest.is_empty() {
            return *byte;
        }
        rest = name;
    }
    0
}
