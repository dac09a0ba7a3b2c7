//! What init has to say, in words. The build script packs it: pairs of bytes that are met often become one byte.

/// A text: its place in [`TEXTS`].
#[derive(Clone, Copy)]
pub struct Packed(pub u32);

/// Of the new root: the options that come before the plan's, and those of a plan that names none. What a good boot needs
/// comes first, because a text is found by counting.
pub const ROOT: Packed = Packed(0);
pub const ROOT_SIZE: Packed = Packed(1);
/// The plan that is built in.
pub const PLAN: Packed = Packed(2);
/// Before the name of a controller that is to be enabled.
pub const PLUS: Packed = Packed(3);
/// How a message begins; the kernel's log takes the priority for itself.
pub const FAILURE: Packed = Packed(13);
pub const WARNING: Packed = Packed(14);
pub const COLON: Packed = Packed(15);
pub const COLON_SPACE: Packed = Packed(16);
pub const SPACE: Packed = Packed(17);
pub const ON: Packed = Packed(18);
pub const TO: Packed = Packed(19);
pub const ERRNO: Packed = Packed(20);
pub const NUMBER: Packed = Packed(21);
pub const END: Packed = Packed(22);
pub const NEW_LINE: Packed = Packed(23);

pub const TEXTS: [&str; 24] = [
    "huge=within_size,mode=0755,",
    "size=128m",
    "", // the build script puts the plan there
    " +",
    "unknown verb",
    "too few words",
    "too many words",
    "path is not absolute",
    "mode is not octal",
    "not NAME=VALUE",
    "out of order",
    "ends without exec",
    "longer than 4096 bytes",
    "<3>moveroot: ",
    "<4>moveroot: ",
    ":",
    ": ",
    " ",
    " on ",
    " to ",
    ": E",
    " (",
    ")\n",
    "\n",
];
