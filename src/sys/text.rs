//! Room for a text, and ways through it.

use super::{Name, Word};
use core::cell::Cell;
use core::marker::PhantomData;
use heapless::Vec;

/// The longest plan, in bytes.
pub const MAX_LEN: usize = 4096;

/// Room for a plan, and one byte that shows it is too long; and for whatever else is put together.
pub type Text = Vec<u8, { MAX_LEN + 1 }>;

/// Behind the last byte of a full text there is at least one that belongs to it and is no other's.
const _: () = assert!(size_of::<Text>() > size_of::<usize>() + MAX_LEN + 1);

/// Ends a text with NUL; gives its first byte.
#[inline(always)]
pub(super) fn terminate(text: &mut Text) -> *mut u8 {
    let (begin, length) = (text.as_ptr().addr(), text.len());
    let begin = (&raw mut *text).cast::<u8>().with_addr(begin);
    // SAFETY: in the text, or the byte behind a full one.
    unsafe { begin.add(length).write(0) };
    begin
}

/// A place in a text that ends with NUL: a pointer that never goes beyond that NUL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place<'t>(*const Cell<u8>, PhantomData<&'t [Cell<u8>]>);

impl<'t> Place<'t> {
    /// The beginning of `text`, which is ended with NUL: see [`terminate`].
    #[inline(always)]
    pub fn begin(text: &'t mut Text) -> Self {
        Self::of(terminate(text))
    }

    #[inline(always)]
    pub(super) fn of(text: *const u8) -> Self {
        Self(text.cast(), PhantomData)
    }

    /// # Safety
    /// This is not the text's last NUL, or the byte is NUL.
    #[inline(always)]
    pub(super) unsafe fn set(self, byte: u8) {
        // SAFETY: the caller's promise.
        unsafe { (*self.0).set(byte) };
    }

    #[inline(always)]
    pub fn byte(self) -> u8 {
        // SAFETY: at or before the NUL.
        unsafe { (*self.0).get() }
    }

    /// The place behind this one; the same at a NUL.
    #[inline(always)]
    pub fn next(self) -> Self {
        if self.byte() == 0 {
            return self;
        }
        // SAFETY: not at a NUL, so there is one more byte.
        Self(unsafe { self.0.add(1) }, PhantomData)
    }

    /// Goes on to a blank, any byte up to the space, or, `to_line_end`, beyond blanks to the line's end; gives what is passed,
    /// without the blanks behind.
    #[inline(always)]
    pub fn pass(&mut self, to_line_end: bool) -> Span<'t> {
        let mut span = Span { begin: *self, end: *self };
        while self.byte() > b' ' || to_line_end && !matches!(self.byte(), b'\n' | 0) {
            if self.byte() > b' ' {
                span.end = self.next();
            }
            *self = self.next();
        }
        span
    }
}

/// A part of a text, gone through from its beginning.
#[derive(Clone, Copy)]
pub struct Span<'t> {
    /// Not behind the end.
    begin: Place<'t>,
    /// At the text's NUL, or before it.
    end: Place<'t>,
}

impl<'t> Span<'t> {
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.begin == self.end
    }

    #[inline(always)]
    pub fn begins_with(self, other: Self) -> bool {
        self.begin == other.begin
    }

    /// The byte at the beginning, or, of an empty one, the byte behind it.
    #[inline(always)]
    pub fn byte(self) -> u8 {
        self.begin.byte()
    }

    /// Puts a byte at the beginning and leaves it, if there is room.
    #[inline(always)]
    pub fn put(&mut self, byte: u8) {
        if !self.is_empty() {
            // SAFETY: before the end, so not the text's NUL.
            unsafe { self.begin.set(byte) };
            self.next();
        }
    }

    /// Leaves what is before the first of this byte, or all of it, and gives that.
    #[inline(always)]
    pub fn up_to(&mut self, byte: u8) -> Self {
        let begin = self.begin;
        while !self.is_empty() && self.byte() != byte {
            self.next();
        }
        Self { begin, end: self.begin }
    }

    /// Cuts the text at the beginning.
    #[inline(always)]
    pub fn cut(self) {
        // SAFETY: before the text's NUL, or that one once more.
        unsafe { self.begin.set(0) };
    }

    /// Cuts the text behind it.
    #[inline(always)]
    pub fn cut_behind(self) {
        // SAFETY: before the text's NUL, or that one once more.
        unsafe { self.end.set(0) };
    }

    /// The string that begins there: up to where it is cut, else to the text's end.
    #[inline(always)]
    pub fn word(self) -> Word<'t> {
        Word(Name(self.begin.0.cast(), PhantomData))
    }
}

impl Iterator for Span<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.is_empty() {
            return None;
        }
        let byte = self.byte();
        // SAFETY: the end is one byte further at the least.
        self.begin.0 = unsafe { self.begin.0.add(1) };
        Some(byte)
    }
}
