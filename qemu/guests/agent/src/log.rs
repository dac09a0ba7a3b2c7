//! The kernel's log, `/dev/kmsg`.

use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

use nix::fcntl::OFlag;

/// Gives each message and its microseconds to `look`, the oldest first, until it finds what it looks for.
pub fn find<T>(mut look: impl FnMut(u64, &str) -> Option<T>) -> Option<T> {
    // Anything else there would lose what is read from it.
    std::fs::metadata("/dev/kmsg").ok().filter(|metadata| metadata.file_type().is_char_device())?;
    let mut options = std::fs::File::options();
    let mut log = options.read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open("/dev/kmsg").ok()?;
    // One read gives one record: `priority,sequence,microseconds,flags;text`.
    let mut record = [0_u8; 8192];
    loop {
        let length = match log.read(&mut record) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => continue,
            read => read.ok().filter(|&length| length > 0)?,
        };
        let text = String::from_utf8_lossy(&record[..length]);
        let Some((fields, message)) = text.split_once(';') else { continue };
        let Some(microseconds) = fields.split(',').nth(2).and_then(|field| field.parse().ok()) else { continue };
        if let found @ Some(_) = look(microseconds, message.lines().next().unwrap_or_default()) {
            return found;
        }
    }
}
