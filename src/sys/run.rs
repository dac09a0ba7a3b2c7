//! The loop that issues rows of system calls.

use super::arguments::*;
use super::call::{Answer, call};
use super::frame::REGISTERS;
use super::rows::{CALL, CLOSE, EXISTING, EXPECT, GUARD, INTO, LINK, PARENTS};
use super::text::terminate;
use super::{Descriptor, Errno, Frame, Rows, Word, close_now};
use core::mem::offset_of;
use linux_raw_sys::errno::{EEXIST, EINTR, ENOENT};
use syscalls::raw;

/// A folder's bits that mkdir(2) takes from its argument whatever the umask, 022.
const MKDIR_MODE: usize = 0o1755;

impl<'t> Frame<'t> {
    #[inline(always)]
    pub fn get(&self, register: Argument) -> usize {
        self.place(register.0)
    }

    /// Registers hold numbers; those that hold addresses have functions of their own.
    #[inline(always)]
    pub fn set(&mut self, register: Argument, value: usize) {
        // SAFETY: register is one of the constants, and those that stand for a register are no greater.
        unsafe { *self.registers.as_mut_ptr().add(register.0 as usize % REGISTERS) = value };
    }

    /// A register, or one of the words behind them.
    #[inline(always)]
    pub(super) fn place(&self, place: u8) -> usize {
        // SAFETY: repr(C): the words are behind the registers, and as large; place is one of the constants.
        unsafe { *(&raw const *self).byte_add(offset_of!(Frame, registers)).cast::<usize>().add(place as usize) }
    }

    /// Sets for a new step, whatever its verb, what its rows may ask for: the number, and how long the second word is.
    #[inline(always)]
    pub fn clear(&mut self, number: usize) {
        let length = self.words[2].length();
        self.set(ENVIRONMENT, self.environment.as_ptr() as usize);
        self.set(EXISTED, 0);
        self.set(ANSWER, 0);
        self.set(NUMBER, number);
        self.set(FRESH, number & !MKDIR_MODE);
        self.set(LENGTH, length);
        self.set(IF, usize::from(length == 1));
    }

    /// Issues the calls, with `line` as [`TEXT`], but for its first bytes, of which there are as many.
    #[inline(never)]
    pub fn run_with_line(&mut self, first: usize, rows: Rows) -> Result<(), Errno> {
        let begin = terminate(self.line);
        let first = first.min(self.line.len());
        self.set(TEXT, begin as usize + first);
        self.set(LENGTH, self.line.len() - first);
        self.run(rows)
    }

    /// Issues the calls of the rows, one after the other. Behind the first failure, which is what is answered, only those
    /// that are for a failure.
    #[inline(never)]
    pub fn run(&mut self, rows: Rows) -> Result<(), Errno> {
        let mut at = rows.0;
        self.set(FAILED, 0);
        loop {
            let row = at;
            // SAFETY: rows end with two zeros, so from each there are two bytes to be read.
            let head = unsafe { row.cast::<u16>().read_unaligned() };
            if head == 0 {
                break;
            }
            let mut value = self.arguments.as_mut_ptr();
            // SAFETY: behind those two there are MOST arguments at most, the last of which is marked.
            at = unsafe { at.add(2) };
            loop {
                // SAFETY: see above; there is room for as many values.
                let argument = unsafe {
                    let argument = *at;
                    *value = Argument(argument & !LAST).value(self);
                    (value, at) = (value.add(1), at.add(1));
                    argument
                };
                if argument & LAST != 0 {
                    break;
                }
            }
            let guard = Argument((head >> GUARD) as u8 & 7);
            if self.get(FAILED) != 0 && guard.0 != FAILED.0 {
                continue;
            }
            // In a condition of its own: in one with the other both are computed before either jump.
            if self.get(guard) == 0 {
                continue;
            }
            let mut answer = self.issue(head);
            if answer == -(ENOENT as isize) && head & PARENTS != 0 {
                answer = self.make_parents();
            }
            // A signal has come between, signal(7): again this call alone, because what came before it is done.
            if answer == AGAIN {
                at = row;
                continue;
            }
            if answer == EXISTS && head & EXISTING != 0 {
                self.set(FRESH, 0);
                self.set(EXISTED, 1);
            } else if answer < 0 {
                // What was for a failure has failed itself.
                if self.get(FAILED) != 0 {
                    break;
                }
                self.set(FAILED, answer as usize);
            }
            self.set(Argument(ANSWER.0 + ((head >> INTO) as u8 & 3)), answer as usize);
            if guard.0 == LEFT.0 {
                self.set(LEFT, self.get(LEFT).wrapping_sub(answer as usize));
                if answer != 0 {
                    at = row;
                }
            }
        }
        Answer::new(self.get(FAILED)).done()
    }

    #[inline(always)]
    fn issue(&mut self, head: u16) -> isize {
        let [a, b, c, d, e] = self.arguments;
        let call = head & CALL;
        if call < CLOSE {
            // SAFETY: the arguments are what the call asks for: see the function that made the row.
            return unsafe { raw::syscall5(call as usize, a, b, c, d, e) as isize };
        }
        // Two questions instead of one with four answers: for that the compiler would make a table.
        match (call & (LINK ^ CLOSE) != 0, call & (EXPECT ^ CLOSE) != 0) {
            (false, false) => {
                close_now(Descriptor(a));
                0
            }
            (false, true) if a == b => 0,
            (false, true) => (c as isize).wrapping_neg(),
            (true, false) => self.compare_link(),
            (true, true) => {
                let room = self.line.as_mut_ptr();
                // SAFETY: there is room for a struct stat, and the line is new memory: start.rs.
                unsafe { self.ask_status(a, room.cast()) }
            }
        }
    }

    /// Makes what is missing above the path that a call was given: [`AGAIN`] if something was, else why not.
    fn make_parents(&self) -> isize {
        let [_, b, c, ..] = self.arguments;
        // SAFETY: The path is behind the folder, which is the constant HERE.
        let path: Word = unsafe { core::mem::transmute(if b == HERE { c } else { b }) };
        let mut outcome = -(ENOENT as isize);
        path.each_parent(|parent| {
            // SAFETY: `parent` is NUL-terminated.
            let answer = unsafe { call!(mkdirat, HERE, parent.address(), PARENT_MODE) }.raw();
            if answer != EXISTS {
                outcome = if answer == 0 { AGAIN } else { answer };
            }
            answer == 0 || answer == EXISTS
        });
        outcome
    }
}

/// What a call answers that is to be issued again: EINTR.
const AGAIN: isize = -(EINTR as isize);
const EXISTS: isize = -(EEXIST as isize);
