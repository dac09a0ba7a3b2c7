//! Positions in a text that ends with NUL, and the parser's way to cut words out of it.
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

    /// The position behind this one; the same at a NUL.
    pub fn next(self) -> Self {
        if self.byte() == 0 {
            return self;
        }
        // SAFETY: not at a NUL, so there is one more byte.
        Self(unsafe { self.0.add(1) }, PhantomData)
    }

    /// What begins there, up to where it is cut off.
    pub fn c_str(self) -> CStrPtr<'t> {
        // SAFETY: there is a NUL.
        unsafe { CStrPtr::from_ptr(self.0) }
    }
}

/// The position of the parser, which writes.
pub struct Editor<'t> {
    text: *mut u8,
    at: Cursor<'t>,
}

impl<'t> Editor<'t> {
    /// At the beginning of a text that gets a NUL in its last place.
    pub fn new(text: &'t mut [u8]) -> Self {
        let begin = match text {
            [.., last] => {
                *last = 0;
                text.as_mut_ptr()
            }
            [] => c"".as_ptr().cast_mut().cast(),
        };
        Self { text: begin, at: Cursor(begin, PhantomData) }
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

    /// Where the word begins in the text.
    pub fn offset(&self, word: Span<'t>) -> usize {
        word.begin.0 as usize - self.text as usize
    }

    /// Where the word is in the text.
    pub fn range(&self, word: Span<'t>) -> Range<usize> {
        self.offset(word)..word.end.0 as usize - self.text as usize
    }

    /// Cuts off the word that has ended before this position, and goes on behind.
    pub fn cut(&mut self, word: Span<'t>) {
        let next = self.at.next();
        // SAFETY: a word ends in the text, at its last NUL at the latest; and nobody else writes.
        unsafe { word.end.0.cast_mut().write(0) };
        self.at = next;
    }

    /// Cuts the text off where this part of a word ends.
    pub fn cut_at_end(&mut self, part: Span<'t>) {
        // SAFETY: as above.
        unsafe { part.end.0.cast_mut().write(0) };
    }
}

/// A part of a text.
#[derive(Clone, Copy)]
pub struct Span<'t> {
    /// Not behind the end.
    pub begin: Cursor<'t>,
    /// At the text's NUL, or before it.
    pub end: Cursor<'t>,
}

impl<'t> Span<'t> {
    pub fn is_empty(self) -> bool {
        self.begin == self.end
    }

    /// Removes what is before the first of this byte, or all of it, and returns that.
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

    fn next(&mut self) -> Option<u8> {
        if self.is_empty() {
            return None;
        }
        let byte = self.begin.byte();
        // SAFETY: the end is one byte further at the least.
        self.begin.0 = unsafe { self.begin.0.add(1) };
        Some(byte)
    }
}
