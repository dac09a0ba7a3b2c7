//! Words and what they are looked up in: packed tables, names and what they mean in one string of bytes, because a
//! slice of slices costs sixteen bytes an entry before its first letter.

use core::cell::Cell;

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

/// Looks a name up in a table of names, each followed by one byte of 0x80 or more: the place of the entry and that
/// byte.
pub fn find(table: &[u8], name: &[Cell<u8>]) -> Option<(u8, u8)> {
    let mut place = 0;
    let mut unread = name.iter();
    let mut equal = true;
    for byte in table {
        if *byte >= 0x80 {
            if equal && unread.next().is_none() {
                return Some((place, *byte));
            }
            place += 1;
            unread = name.iter();
            equal = true;
        } else if unread.next().is_none_or(|letter| letter.get() != *byte) {
            equal = false;
        }
    }
    None
}

/// Cuts the next word off a line, the byte after it included: up to a blank, or `to_end` of the line.
pub fn cut<'t>(line: &mut &'t [Cell<u8>], to_end: bool) -> Option<&'t [Cell<u8>]> {
    let full = |byte: &Cell<u8>| byte.get() > b' ';
    let start = line.iter().position(full)?;
    let rest = line.get(start..)?;
    let end = if to_end { rest.iter().rposition(full)? + 1 } else { rest.iter().position(|byte| !full(byte))? };
    let (word, rest) = rest.split_at_checked(end + 1)?;
    *line = rest;
    Some(word)
}
