//! Packed tables: names and their meanings in one string of bytes. A slice of slices would take 16 bytes more an entry: 600 bytes
//! for verbs and mount options.

use crate::cursor::Span;

/// How many bytes a table of these rows takes.
pub const fn size(rows: &[(&str, u8)]) -> usize {
    let (mut size, mut row) = (0, 0);
    while row < rows.len() {
        size += rows[row].0.len() + 1;
        row += 1;
    }
    size
}

/// Marks the byte after a name as its meaning: a name, which is ASCII, has no such byte.
const MEANING: u8 = 0x80;

/// Packs rows of a name, in ASCII, and its meaning, below 128.
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
        table[at] = meaning | MEANING;
        (at, row) = (at + 1, row + 1);
    }
    table
}

/// The meaning of a name.
pub fn find(table: &[u8], name: Span) -> Option<u8> {
    let (mut rest, mut is_equal) = (name, true);
    for byte in table {
        if *byte >= MEANING {
            if is_equal && rest.is_empty() {
                return Some(*byte & !MEANING);
            }
            (rest, is_equal) = (name, true);
        } else if is_equal {
            is_equal = rest.next() == Some(*byte);
        }
    }
    None
}

/// The names in a table: for tools on the host.
pub fn names(table: &[u8]) -> impl Iterator<Item = &str> {
    table
        .split(|byte| *byte >= MEANING)
        .filter_map(|name| core::str::from_utf8(name).ok())
        .filter(|name| !name.is_empty())
}
