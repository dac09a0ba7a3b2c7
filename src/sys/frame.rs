//! What a step works on: registers, the line's words, the service's environment.

use super::{Name, Text, Word};
use core::mem::offset_of;

/// The most words a line may have, its verb included: as many as the kernel itself passes to init.
pub const MAX_WORDS: usize = 32;

/// What the kernel passes of either kind (CONFIG_INIT_ENV_ARG_LIMIT in init/main.c, and two), and a null pointer.
const MAX_KERNEL_WORDS: usize = 35;

/// How many variables the service's environment may have, and a null pointer.
const MAX_VARIABLES: usize = MAX_WORDS + MAX_KERNEL_WORDS;

/// How many registers there are.
pub const REGISTERS: usize = 16;

/// The most arguments that a call takes here.
pub(super) const MOST: usize = 5;

/// Registers and words are one behind the other: a row names either by their place.
#[repr(C)]
pub struct Frame<'t> {
    /// What is put together: options, names of controllers, a message. Between steps, and while a row asks for a status or
    /// a link's target, whatever came there.
    pub line: &'t mut Text,
    pub(super) registers: [usize; REGISTERS],
    /// The verb first; none behind the last. The target of `copy` and `bind` that was left out is the source, the
    /// parameters of a `module` are empty; what is behind these may be an earlier line's.
    pub words: [Word<'t>; MAX_WORDS + 2],
    /// The service's.
    pub environment: [Word<'t>; MAX_VARIABLES],
    /// Last: in the last of these any bits are fine, and start.rs leaves some there.
    pub(super) arguments: [usize; MOST],
}

const _: () = assert!(offset_of!(Frame, arguments) + size_of::<[usize; MOST]>() == size_of::<Frame>());

impl<'t> Frame<'t> {
    /// A word, or none; of places in a line, not of more.
    pub fn word(&self, place: usize) -> Name<'t> {
        *self.words[place % MAX_WORDS]
    }

    /// Takes a word out: nothing says it any more.
    pub fn leave_out(&mut self, place: usize) {
        self.words[place % MAX_WORDS] = Word::NONE;
    }

    /// Behind the line all bytes are zero.
    pub fn new(line: &'t mut Text) -> Self {
        Self { line, registers: [0; _], words: [Word::NONE; _], environment: [Word::NONE; _], arguments: [0; _] }
    }
}
