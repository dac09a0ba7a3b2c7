//! The steps that bring something of the initramfs into the new root: `copy`, which frees the original, and `bind`,
//! which moves no byte; and `module`, which brings it into the kernel.
//!
//! Holds on entry: `/` is the new root, the working directory is in the initramfs. Holds on exit: the same after a
//! success; after a failure `/` may be the initramfs. A source is looked up with the initramfs as `/`, so symbolic
//! links lead where its maker meant them to.

use crate::sys::*;

/// `copy SOURCE TARGET`: the original goes when its copy is whole; a copy that fails leaves nothing behind.
pub const COPY_STEP: &[Row] = &[
    enter(INITRAMFS),
    open(FIRST, TO_READ),
    enter(NEW_ROOT),
    ask_status(FILE),
    expect(FOLDER, ZERO, IS_FOLDER),
    expect(FRESH, PLAIN, NO_FILE),
    create(SECOND, NUMBER),
    stop(),
    send(COPY, FILE),
    ask_length(COPY),
    expect(ANSWER, LENGTH, BROKEN),
    set_owner(COPY).when(IF),
    set_mode(SECOND, NUMBER).when(DRESSED),
    enter(INITRAMFS),
    unlink(FIRST),
    // A half copy's memory too: there may be another step.
    close(COPY).when(FAILED),
    // Not where the original is gone, nor in the initramfs.
    enter(NEW_ROOT).when(FAILED),
    unlink(SECOND).when(FAILED),
    enter(NEW_ROOT),
    // Its memory is free from here on, not only when the service runs.
    close(FILE),
    close(COPY),
];

/// `bind SOURCE TARGET`.
pub const BIND: &[Row] = &[
    enter(INITRAMFS),
    clone_mount(FIRST),
    enter(NEW_ROOT),
    ask_status(FILE),
    make_folder(SECOND, FOLDER_MODE).when(FOLDER),
    make_file(SECOND).when(FRESH),
    attach_mount(FILE, SECOND),
];

/// `module PATH [PARAM…]`: one that is loaded already is fine.
pub const MODULE: &[Row] =
    &[enter(INITRAMFS), open(FIRST, TO_READ), enter(NEW_ROOT), load_module(FILE, SECOND, NUMBER)];

/// Of a module, whether it is compressed: names that end with `.gz`, `.xz` or `.zst`, letters behind that of `.ko`. The number is 0
/// before.
#[inline(always)]
pub fn describe(frame: &mut Frame) {
    if frame.words[1].last() > b'o' {
        frame.set(NUMBER, MODULE_INIT_COMPRESSED_FILE);
    }
}
