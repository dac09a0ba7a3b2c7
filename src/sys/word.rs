//! NUL-terminated strings: what the kernel takes, and what the plan is cut into.

use core::cell::Cell;
use core::ffi::CStr;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr;

/// A pointer to a NUL-terminated string that lives as long as `'t`, or a null pointer, which stands for none: one
/// register, no length beside it. Two are equal if they are the same string in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Name<'t>(*const u8, PhantomData<&'t [Cell<u8>]>);

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

    /// What follows `prefix`, if the string begins with it.
    pub fn strip_prefix(self, prefix: &[u8]) -> Option<Self> {
        let mut bytes = self.bytes();
        if prefix.iter().all(|byte| bytes.next() == Some(*byte)) {
            // SAFETY: so many bytes were just seen before the NUL.
            return Some(Self(unsafe { self.0.add(prefix.len()) }, PhantomData));
        }
        None
    }
}

/// A [`Name`] in memory that can be written: a word of the plan, or one that the kernel put on the initial stack.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Word<'t>(Name<'t>);

impl<'t> Deref for Word<'t> {
    type Target = Name<'t>;

    fn deref(&self) -> &Name<'t> {
        &self.0
    }
}

impl<'t> Word<'t> {
    pub const NONE: Self = Self(Name::NONE);

    /// Calls `failure` with the word cut off at each slash but a leading one, from left to right, up to the first
    /// that it has something of.
    #[inline(always)]
    pub(super) fn each_parent<F>(self, failure: impl Fn(Name<'t>) -> Option<F>) -> Option<F> {
        if self.is_none() {
            return None;
        }
        let mut at = Place(self.0.0.cast(), PhantomData);
        while at.byte() != 0 {
            at = at.next();
            if at.byte() == b'/' {
                at.put(0);
                let found = failure(self.0);
                // SAFETY: the NUL just put there is not the string's last.
                unsafe { (*at.0).set(b'/') };
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
}

/// A place in a text that ends with NUL: a pointer that never goes beyond that NUL nor overwrites it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place<'t>(*const Cell<u8>, PhantomData<&'t [Cell<u8>]>);

impl<'t> Place<'t> {
    /// The beginning of `text`, which is ended with NUL, over its last byte.
    pub fn begin(text: &'t mut [u8]) -> Self {
        match text.last_mut() {
            Some(last) => {
                *last = 0;
                Self(Cell::from_mut(text).as_slice_of_cells().as_ptr(), PhantomData)
            }
            None => Self(c"".as_ptr().cast(), PhantomData),
        }
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

/// Texts that each end with NUL, one behind the other.
pub struct Table(&'static [u8]);

impl Table {
    pub const fn new(texts: &'static [u8]) -> Self {
        assert!(matches!(texts, [.., 0]), "a table's last text must end with NUL");
        Self(texts)
    }

    /// The text at `place`, none beyond the last one.
    pub fn text(&self, place: u16) -> Name<'static> {
        let mut rest = self.0.iter();
        for _ in 0..place {
            rest.any(|byte| *byte == 0);
        }
        match rest.as_slice() {
            [] => Name::NONE,
            // The whole ends with NUL, so what is left of it does.
            rest => Name(rest.as_ptr(), PhantomData),
        }
    }
}
