//! Positions in a text that ends with NUL, and how the parser cuts words out of it.
//!
//! Holds on entry: whoever makes a [`Cursor`] has a NUL-terminated text that lives as long as `'t`. Holds on exit: it never
//! leads beyond that NUL.

use crate::string::CStrPtr;
use core::marker::PhantomData;
use core::ops::Range;

/// A position in a text, at or before its NUL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cursor<'t>(pub(crate) *const u8, pub(crate) PhantomData<&'t [u8]>);

impl<'t> Cursor<'t> {
    pub fn byte(self) -> u8 {
        // SAFETY: at or before the NUL.
        unsafe { self.0.read() }
    }

    /// The next position; at a NUL the same one.
    pub fn next(self) -> Self {
        if self.byte() == 0 {
            return self;
        }
        // SAFETY: not at a NUL, so there is one more byte.
        Self(unsafe { self.0.add(1) }, PhantomData)
    }

    /// The string from there up to the next NUL.
    pub fn c_str(self) -> CStrPtr<'t> {
        // SAFETY: there is a NUL.
        unsafe { CStrPtr::from_ptr(self.0) }
    }
}

/// The parser's position, at which it ends words with NULs.
pub struct Editor<'t> {
    at: Cursor<'t>,
    /// The text's last byte.
    end: *const u8,
    /// The current line's, from 1; 0 before the first.
    number: u16,
}

impl<'t> Editor<'t> {
    /// At the beginning of a text. Its newlines become NULs, and so does its last byte, whatever that is; its NULs become spaces.
    pub fn new(text: &'t mut [u8]) -> Self {
        for byte in text.iter_mut() {
            *byte = match *byte {
                b'\n' => 0,
                0 => b' ',
                byte => byte,
            };
        }
        let Some(last) = text.last_mut() else {
            return Self { at: CStrPtr::EMPTY.cursor(), end: CStrPtr::EMPTY.as_ptr(), number: 0 };
        };
        *last = 0;
        let end = &raw const *last;
        Self { at: Cursor(text.as_mut_ptr(), PhantomData), end, number: 0 }
    }

    /// Goes to the beginning of the next line, and returns its number; none at the text's end.
    pub fn next_line(&mut self) -> Option<u16> {
        if self.number > 0 {
            while self.byte() != 0 {
                self.advance();
            }
            if self.at.0 == self.end {
                return None;
            }
            // SAFETY: at a NUL that isn't the last.
            self.at.0 = unsafe { self.at.0.add(1) };
        }
        self.number = self.number.wrapping_add(1);
        Some(self.number)
    }

    pub fn cursor(&self) -> Cursor<'t> {
        self.at
    }

    pub fn byte(&self) -> u8 {
        self.at.byte()
    }

    pub fn advance(&mut self) {
        self.at = self.at.next();
    }

    /// Moves past the byte at this position, then ends `word` with a NUL, which may replace that byte.
    pub fn cut(&mut self, word: Span<'t>) {
        self.advance();
        self.cut_at_end(word);
    }

    /// Ends this part of a word with a NUL.
    pub fn cut_at_end(&mut self, part: Span<'t>) {
        // SAFETY: a word ends in the text, at its last NUL at the latest; and nobody else writes.
        unsafe { part.end.0.cast_mut().write(0) };
    }
}

/// A part of a text.
#[derive(Clone, Copy)]
pub struct Span<'t> {
    /// At or before the end.
    pub begin: Cursor<'t>,
    /// At the text's NUL, or before it.
    pub end: Cursor<'t>,
}

impl<'t> Span<'t> {
    pub fn is_empty(self) -> bool {
        self.begin == self.end
    }

    /// Its place in the text that begins at `text`.
    pub fn range_in(self, text: *const u8) -> Range<usize> {
        let place = |cursor: Cursor| cursor.0 as usize - text as usize;
        place(self.begin)..place(self.end)
    }

    /// Removes and returns what is before the first such byte; all if there is none.
    pub fn take_until(&mut self, byte: u8) -> Self {
        let begin = self.begin;
        while !self.is_empty() && self.begin.byte() != byte {
            self.next();
        }
        Self { begin, end: self.begin }
    }
}

impl Iterator for Span<'_> {
    type Item = u8;

    #[inline(always)] // 50 bytes: an option of a byte costs more than a comparison
    fn next(&mut self) -> Option<u8> {
        if self.is_empty() {
            return None;
        }
        let byte = self.begin.byte();
        // SAFETY: the end is at least one byte further.
        self.begin.0 = unsafe { self.begin.0.add(1) };
        Some(byte)
    }
}
