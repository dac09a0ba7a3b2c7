//! C strings: what the kernel takes, and the words that the parser cuts out of a plan.
//!
//! Holds on entry: whoever makes a [`CStrPtr`] has a NUL-terminated string that lives as long as `'t`.

use crate::cursor::{Cursor, Span};
use core::ffi::CStr;
use core::fmt::{self, Write};
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A C string by its address alone: one register, where a slice takes two. `Option` of it is a pointer or null, so an
/// array of these that ends with `None` is what execve(2) takes.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct CStrPtr<'t>(NonNull<u8>, PhantomData<&'t [u8]>);

impl<'t> CStrPtr<'t> {
    pub const EMPTY: Self = Self::new(c"");

    pub const fn new(text: &'t CStr) -> Self {
        // SAFETY: that is what a `CStr` is.
        unsafe { Self::from_ptr(text.as_ptr().cast()) }
    }

    /// # Safety
    /// A NUL follows, and nothing up to it is written while the string is read.
    pub const unsafe fn from_ptr(text: *const u8) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { NonNull::new_unchecked(text.cast_mut()) }, PhantomData)
    }

    /// The string that a buffer begins with, if the buffer ends with NUL.
    pub const fn terminated(buffer: &'t [u8]) -> Option<Self> {
        match buffer {
            // SAFETY: there is a NUL, at the latest as the last byte.
            [.., 0] => Some(unsafe { Self::from_ptr(buffer.as_ptr()) }),
            _ => None,
        }
    }

    /// The address, for the kernel.
    pub const fn as_ptr(self) -> *const u8 {
        self.0.as_ptr()
    }

    /// The bytes before the NUL, one by one.
    pub fn bytes(self) -> Bytes<'t> {
        Bytes(self.cursor())
    }

    /// The bytes before the NUL, as a slice.
    pub fn to_bytes(self) -> &'t [u8] {
        // SAFETY: that many bytes are before the NUL, and they don't change.
        unsafe { core::slice::from_raw_parts(self.as_ptr(), self.bytes().count()) }
    }

    pub fn is_empty(self) -> bool {
        self.cursor().byte() == 0
    }

    /// This string, or the other where this one is empty.
    pub fn or(self, other: Self) -> Self {
        if self.is_empty() { other } else { self }
    }

    /// The next word of a line: after this one's NUL and any blanks.
    ///
    /// # Safety
    /// There is one.
    pub(crate) unsafe fn next_in_line(self) -> Self {
        let mut at = self.span().end.0;
        // SAFETY: another word follows, so there is a byte greater than a space before the text ends.
        while unsafe { *at } <= b' ' {
            at = at.wrapping_add(1);
        }
        // SAFETY: that word ends with a NUL too.
        unsafe { Self::from_ptr(at) }
    }

    /// Whether both have the same bytes.
    pub fn equals(self, other: CStrPtr) -> bool {
        self.bytes().eq(other.bytes())
    }

    /// The string without `prefix`, if it begins with it.
    pub fn strip_prefix(self, prefix: CStrPtr) -> Option<Self> {
        let mut bytes = self.bytes();
        let has_prefix = prefix.bytes().all(|byte| bytes.next() == Some(byte));
        has_prefix.then_some(bytes.0.c_str())
    }

    /// Whether these are its last bytes.
    pub fn ends_with(self, end: CStrPtr) -> bool {
        let mut rest = self.bytes();
        while !rest.0.c_str().equals(end) {
            if rest.next().is_none() {
                return false;
            }
        }
        true
    }

    pub(crate) fn cursor(self) -> Cursor<'t> {
        Cursor(self.0.as_ptr(), PhantomData)
    }

    /// All of it.
    pub(crate) fn span(self) -> Span<'t> {
        let begin = self.cursor();
        let mut end = begin;
        while end.byte() != 0 {
            end = end.next();
        }
        Span { begin, end }
    }
}

impl fmt::Display for CStrPtr<'_> {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        self.to_bytes().utf8_chunks().try_for_each(|chunk| {
            to.write_str(chunk.valid())?;
            if chunk.invalid().is_empty() { Ok(()) } else { to.write_char(char::REPLACEMENT_CHARACTER) }
        })
    }
}

/// See [`CStrPtr::bytes`].
#[derive(Clone)]
pub struct Bytes<'t>(Cursor<'t>);

impl Iterator for Bytes<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let byte = self.0.byte();
        if byte == 0 {
            return None;
        }
        self.0 = self.0.next();
        Some(byte)
    }
}
