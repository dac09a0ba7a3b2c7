//! System calls as rows of a table: a step is a few rows, and one loop issues them. A row takes five bytes where the
//! instructions for the same call take twenty-five.
//!
//! Holds on entry: rows are made by the functions of files.rs, mounts.rs and process.rs alone, each of which says what
//! its arguments are, and a [`Frame`] has in each place what it is named for.

use super::arguments::*;
use super::frame::MOST;
use syscalls::Sysno;

/// What is in a row's head: the call's number, or what the frame itself does; where the answer goes; what guards the row;
/// two flags.
pub(super) const CALL: u16 = (1 << INTO) - 1;
pub(super) const INTO: u32 = 9;
pub(super) const GUARD: u32 = 11;
pub(super) const PARENTS: u16 = 1 << 14;
pub(super) const EXISTING: u16 = 1 << 15;

/// In place of a call's number: what isn't one call.
pub(super) const STATUS: u16 = CALL;
pub(super) const LINK: u16 = CALL - 1;
pub(super) const EXPECT: u16 = CALL - 2;
pub(super) const CLOSE: u16 = CALL - 3;

/// One system call.
#[derive(Clone, Copy)]
pub struct Row {
    head: u16,
    arguments: [Argument; MOST],
    count: usize,
}

impl Row {
    pub(super) const fn call<const N: usize>(call: Sysno, given: [Argument; N]) -> Self {
        assert!((call as u16) < CLOSE, "a call's number must be less than those of what isn't one");
        Self::new(call as u16, given)
    }

    pub(super) const fn new<const N: usize>(number: u16, given: [Argument; N]) -> Self {
        let mut arguments = [ANSWER; MOST];
        let mut count = 0;
        while count < N {
            arguments[count] = given[count];
            count += 1;
        }
        Self { head: number, arguments, count }
    }

    /// Where the answer goes: one of the two files.
    pub(super) const fn into(self, place: Argument) -> Self {
        assert!((place.0 == FILE.0 || place.0 == COPY.0) && place.0 < ANSWER.0 + 4);
        Self { head: self.head | ((place.0 - ANSWER.0) as u16) << INTO, ..self }
    }

    /// Only if this isn't 0.
    pub const fn when(self, guard: Argument) -> Self {
        assert!(guard.0 < 8);
        Self { head: self.head | (guard.0 as u16) << GUARD, ..self }
    }

    /// Where something is there already, that is fine: it [`EXISTED`], and isn't [`FRESH`].
    pub(super) const fn or_existing(self) -> Self {
        Self { head: self.head | EXISTING, ..self }
    }

    /// Where a parent of the path turns out to be missing, makes each that is, then tries again. The path is one of the
    /// plan's words.
    pub(super) const fn with_parents(self) -> Self {
        Self { head: self.head | PARENTS, ..self }
    }
}

/// The bytes that rows take.
pub const fn size(rows: &[Row]) -> usize {
    let (mut size, mut row) = (2, 0);
    while row < rows.len() {
        size += 2 + rows[row].count;
        row += 1;
    }
    size
}

/// Packs rows, when the program is built: two bytes of call and flags, a byte for each argument, zeros behind the last.
pub const fn pack<const SIZE: usize>(rows: &[Row]) -> [u8; SIZE] {
    let mut packed = [0; SIZE];
    let (mut at, mut row) = (0, 0);
    while row < rows.len() {
        let Row { head, arguments, count } = rows[row];
        [packed[at], packed[at + 1]] = head.to_le_bytes();
        at += 2;
        let mut argument = 0;
        while argument < count {
            packed[at] = arguments[argument].0;
            argument += 1;
            at += 1;
        }
        packed[at - 1] |= LAST;
        row += 1;
    }
    packed
}

/// Rows that were packed.
#[derive(Clone, Copy)]
pub struct Rows(pub(super) *const u8);

impl Rows {
    /// What [`pack`] gave.
    pub const fn new(packed: &'static [u8]) -> Self {
        Self(packed.as_ptr())
    }
}

/// The bytes that the rows of several steps take; those without any take none.
pub const fn size_of_all(steps: &[&[Row]]) -> usize {
    let (mut all, mut step) = (0, 0);
    while step < steps.len() {
        if !steps[step].is_empty() {
            all += size(steps[step]);
        }
        step += 1;
    }
    all
}

/// Where the rows of each step begin, from here, and then these, one behind the other.
#[repr(C)]
pub struct RowTable<const SIZE: usize>([u8; MOST_STEPS], [u8; SIZE]);

/// A power of two.
const MOST_STEPS: usize = 16;

impl<const SIZE: usize> RowTable<SIZE> {
    pub const fn new(steps: &[&[Row]]) -> Self {
        // What is no step, and one without rows, begins at the zeros behind the last.
        let (mut all, mut begins) = ([0; SIZE], [(MOST_STEPS + SIZE - 2) as u8; MOST_STEPS]);
        let (mut at, mut step) = (0, 0);
        assert!(MOST_STEPS + SIZE < 256, "the rows of all steps take no more than a byte can tell");
        while step < steps.len() {
            if !steps[step].is_empty() {
                begins[step] = (MOST_STEPS + at) as u8;
                let packed: [u8; SIZE] = pack(steps[step]);
                let mut byte = 0;
                while byte < size(steps[step]) {
                    all[at] = packed[byte];
                    (at, byte) = (at + 1, byte + 1);
                }
            }
            step += 1;
        }
        Self(begins, all)
    }

    /// The rows of a step.
    #[inline(always)]
    pub fn of(&'static self, step: usize) -> Rows {
        // SAFETY: in the table, and each step's rows end with zeros.
        Rows(unsafe { (&raw const *self).cast::<u8>().add(self.0[step % MOST_STEPS].into()) })
    }
}

/// Packs rows, and gives what [`Frame::run`] takes.
macro_rules! rows {
    ($($row:expr),+ $(,)?) => {{
        const ROWS: &[$crate::sys::Row] = &[$($row),+];
        const PACKED: &[u8; $crate::sys::size(ROWS)] = &$crate::sys::pack(ROWS);
        $crate::sys::Rows::new(PACKED)
    }};
}
pub(crate) use rows;
