//! Room for a text, and a way through it.

use super::{Name, Word};
use core::cell::Cell;
use core::marker::PhantomData;
use heapless::Vec;

/// The longest plan, in bytes.
pub const MAX_LEN: usize = 4096;

/// Room for a plan, one byte that shows it is too long, and a NUL; and for whatever else is put together.
pub type Text = Vec<u8, { MAX_LEN + 2 }>;

/// A place in a text that ends with NUL: a pointer that never goes beyond that NUL nor overwrites it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place<'t>(*const Cell<u8>, PhantomData<&'t [Cell<u8>]>);

impl<'t> Place<'t> {
    /// The beginning of `text`, which is ended with NUL, over its last byte if there is no room behind that.
    #[inline(always)]
    pub fn begin(text: &'t mut Text) -> Self {
        let end = text.len().min(text.capacity() - 1);
        let begin = text.as_mut_ptr();
        // SAFETY: the text has that much room.
        unsafe { begin.add(end).write(0) };
        Self(begin.cast(), PhantomData)
    }

    #[inline(always)]
    pub(super) fn of(text: *const u8) -> Self {
        Self(text.cast(), PhantomData)
    }

    /// # Safety
    /// The byte there is none of the text's last.
    #[inline(always)]
    pub(super) unsafe fn restore(self, byte: u8) {
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

    /// Replaces the byte there, unless it is a NUL.
    #[inline(always)]
    pub fn put(self, byte: u8) {
        if self.byte() != 0 {
            // SAFETY: not the text's last NUL.
            unsafe { (*self.0).set(byte) };
        }
    }

    /// The string that begins there: up to where it is cut, else to the text's end.
    #[inline(always)]
    pub fn word(self) -> Word<'t> {
        Word(Name(self.0.cast(), PhantomData))
    }
}
