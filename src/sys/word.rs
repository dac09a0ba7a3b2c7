//! NUL-terminated strings: what the kernel takes, and what the plan is cut into.

use super::Place;
use core::cell::Cell;
use core::ffi::CStr;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr;

/// A pointer to a NUL-terminated string that lives as long as `'t`, or a null pointer, which stands for none: one
/// register, no length beside it. Two are equal if they are the same string in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Name<'t>(pub(super) *const u8, pub(super) PhantomData<&'t [Cell<u8>]>);

impl<'t> Name<'t> {
    pub const NONE: Self = Self(ptr::null(), PhantomData);

    pub const fn literal(text: &'t CStr) -> Self {
        Self(text.as_ptr().cast(), PhantomData)
    }

    pub fn is_none(self) -> bool {
        self.0.is_null()
    }

    /// The address, for the kernel.
    #[inline(always)]
    pub(super) fn address(self) -> usize {
        self.0 as usize
    }

    /// The bytes before the NUL.
    #[inline(always)]
    pub fn bytes(self) -> impl Iterator<Item = u8> + use<'t> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            if rest.is_null() {
                return None;
            }
            // SAFETY: each byte up to the NUL belongs to the string, by construction; beyond it `rest` does not go.
            let byte = unsafe { rest.read() };
            if byte == 0 {
                return None;
            }
            // SAFETY: the byte passed over was not the NUL.
            rest = unsafe { rest.add(1) };
            Some(byte)
        })
    }

    /// How many bytes there are before the NUL.
    #[inline(always)]
    pub(super) fn length(self) -> usize {
        self.end() as usize - self.address()
    }

    /// The byte before the NUL; 0 of none, and of an empty string.
    #[inline(always)]
    pub fn last(self) -> u8 {
        let end = self.end();
        // SAFETY: not before the string's first byte.
        if end == self.0 { 0 } else { unsafe { *end.sub(1) } }
    }

    fn end(self) -> *const u8 {
        let mut at = self.0;
        // SAFETY: not behind the NUL.
        while !at.is_null() && unsafe { *at } != 0 {
            // SAFETY: this was not the NUL.
            at = unsafe { at.add(1) };
        }
        at
    }

    /// # Safety
    /// There is a NUL in the text, which stays as it is.
    #[inline(always)]
    pub(super) unsafe fn terminated(text: *const u8) -> Self {
        Self(text, PhantomData)
    }

    /// Whether the two are the same, byte by byte.
    #[inline(always)]
    pub(super) fn is_same(self, other: Self) -> bool {
        let (mut one, mut other) = (self.0, other.0);
        loop {
            // SAFETY: neither goes beyond its NUL: there they differ, or it is the end of both.
            let (byte, same) = unsafe { (*one, *other) };
            if byte != same || byte == 0 {
                return byte == same;
            }
            // SAFETY: see above.
            unsafe { (one, other) = (one.add(1), other.add(1)) };
        }
    }

    /// What follows the first `=`, if up to there the string is the same as another. Neither is [`Name::NONE`].
    #[inline(never)]
    pub fn value_of(self, other: Self) -> Self {
        let (mut one, mut other) = (self.0, other.0);
        loop {
            // SAFETY: neither goes beyond its NUL: there they differ, or it is the end of both.
            let (byte, same) = unsafe { (*one, *other) };
            if byte != same || byte == 0 {
                return Self::NONE;
            }
            // SAFETY: see above.
            unsafe { (one, other) = (one.add(1), other.add(1)) };
            if byte == b'=' {
                return Self(one, PhantomData);
            }
        }
    }

    /// What follows this byte, if the string begins with it. Not of [`Name::NONE`].
    #[inline(always)]
    pub fn without(self, byte: u8) -> Self {
        // SAFETY: as far as the NUL, if not the byte's equal.
        unsafe { Self(self.0.add(usize::from(*self.0 == byte && byte != 0)), PhantomData) }
    }
}

/// A [`Name`] in memory that can be written: a word of the plan, or one that the kernel put on the initial stack.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Word<'t>(pub(super) Name<'t>);

impl<'t> Deref for Word<'t> {
    type Target = Name<'t>;

    fn deref(&self) -> &Name<'t> {
        &self.0
    }
}

impl<'t> Word<'t> {
    pub const NONE: Self = Self(Name::NONE);

    /// The empty string at its end.
    #[inline(always)]
    pub fn nothing(self) -> Self {
        Self(Name(self.end(), PhantomData))
    }

    /// Calls `visit` with the word cut off at each slash but one that leads or ends it, from left to right, as long as that wants more.
    #[inline(always)]
    pub(super) fn each_parent(self, mut visit: impl FnMut(Name<'t>) -> bool) {
        let mut at = Place::of(self.0.0);
        while at.byte() != 0 {
            at = at.next();
            if at.byte() == b'/' && at.next().byte() != 0 {
                // SAFETY: this is not the string's last byte: that is NUL.
                unsafe { at.set(0) };
                let goes_on = visit(self.0);
                // SAFETY: the same byte.
                unsafe { at.set(b'/') };
                if !goes_on {
                    return;
                }
            }
        }
    }
}

/// Words, one behind the other, up to a null pointer: the kernel's for us, on the initial stack.
pub struct List<'t>(*mut Word<'t>);

impl<'t> List<'t> {
    /// # Safety
    /// There are words from here on, and a null pointer behind them, and they stay as they are.
    pub unsafe fn new(first: *mut Word<'t>) -> Self {
        Self(first)
    }
}

impl<'t> Iterator for List<'t> {
    type Item = Word<'t>;

    #[inline(always)]
    fn next(&mut self) -> Option<Word<'t>> {
        // SAFETY: not behind the null pointer.
        let word = unsafe { *self.0 };
        if word.is_none() {
            return None;
        }
        // SAFETY: this was not the null pointer.
        self.0 = unsafe { self.0.add(1) };
        Some(word)
    }
}

/// A [`List`] with room for as many words as a line may have before it, for the kernel to read.
pub struct Tail(*mut usize);

impl Tail {
    /// # Safety
    /// As [`List::new`], and there is that room, which nobody else uses.
    pub unsafe fn new(first: *mut usize) -> Self {
        Self(first)
    }

    /// Puts the words behind the first before the list, and gives the address of the whole.
    #[inline(always)]
    pub(super) fn behind(&self, frame: &crate::sys::Frame, count: usize) -> usize {
        let (mut begin, mut place) = (self.0, count);
        while place > 1 {
            place -= 1;
            // SAFETY: there is that room: a line has no more words than MAX_WORDS. Volatile because only the kernel reads it.
            unsafe {
                begin = begin.sub(1);
                begin.write_volatile(frame.word(place).address());
            }
        }
        begin as usize
    }
}
