//! Programs whose output is parsed run in the C locale: in any other their messages and fields may be translated.

use std::ffi::OsStr;
use std::process::Command;

/// LC_ALL wins over LANG and every LC_*, and with C gettext ignores LANGUAGE too: locale(7), gettext(1).
pub const VARIABLE: (&str, &str) = ("LC_ALL", "C");

/// A program in the C locale.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env(VARIABLE.0, VARIABLE.1);
    command
}
