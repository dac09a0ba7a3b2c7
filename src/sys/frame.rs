//! What a step works on: registers, the line's words, the service's environment.

use super::Word;

/// The most words a line may have, its verb included: as many as the kernel itself passes to init.
pub const MAX_WORDS: usize = 32;

/// What the kernel passes of either kind (CONFIG_INIT_ENV_ARG_LIMIT in init/main.c, and two), and a null pointer.
const MAX_KERNEL_WORDS: usize = 35;

/// How many variables the service's environment may have, and a null pointer.
const MAX_VARIABLES: usize = MAX_WORDS + MAX_KERNEL_WORDS;

/// How many registers there are.
pub const REGISTERS: usize = 20;

/// The most arguments that a call takes here.
pub(super) const MOST: usize = 5;

/// Room for a struct stat, or for a symbolic link with a NUL behind it.
pub(super) const ROOM: usize = 1024;

/// Registers and words are one behind the other: a row names either by their place.
#[repr(C)]
pub struct Frame<'t> {
    pub(super) registers: [usize; REGISTERS],
    /// The verb first; none where a word was left out, but for the target of `copy` and `bind`, which is the source
    /// then.
    pub words: [Word<'t>; MAX_WORDS + 2],
    /// The service's.
    pub environment: [Word<'t>; MAX_VARIABLES],
    pub(super) arguments: [usize; MOST],
    pub(super) room: [u64; ROOM / size_of::<u64>()],
}

impl Frame<'_> {
    /// A constant, because that is cleared by one instruction, an expression by a loop.
    pub const EMPTY: Self = Self {
        registers: [0; _],
        words: [Word::NONE; _],
        environment: [Word::NONE; _],
        arguments: [0; _],
        room: [0; _],
    };
}
