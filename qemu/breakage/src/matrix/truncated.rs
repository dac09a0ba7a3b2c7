//! An archive that ends too early, as after a download that broke off. The kernel boots on with what it has.

use anyhow::{Context, Result};
use cpio::newc::Reader;

/// Where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Before the entry.
    Before,
    /// In the middle of its data.
    Within,
}

/// The archive up to an entry.
pub fn at(archive: &[u8], name: &str, end: End) -> Result<Vec<u8>> {
    let mut start = 0;
    loop {
        let reader = Reader::new(&archive[start..]).with_context(|| format!("no entry {name} in the archive"))?;
        let is_last = reader.entry().is_trailer();
        let (found, size) = (reader.entry().name() == name, reader.entry().file_size() as usize);
        let rest = reader.finish().context("cannot read the archive")?;
        let next = archive.len() - rest.len();
        if found {
            let length = if end == End::Before { start } else { next - size / 2 };
            return Ok(archive[..length].to_vec());
        }
        anyhow::ensure!(!is_last, "no entry {name} in the archive");
        start = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tool::cpio::{Archive, Kind, Rights};

    #[test]
    fn an_archive_ends_where_it_is_told() {
        let mut archive = Archive::new(Vec::new());
        for (name, data) in [("a", &[1; 10]), ("b", &[2; 10]), ("c", &[3; 10])] {
            archive.add(name, Rights::root(0o644), Kind::File(data)).unwrap();
        }
        let whole = archive.finish().unwrap();
        let before = at(&whole, "b", End::Before).unwrap();
        let within = at(&whole, "b", End::Within).unwrap();
        assert!(before.contains(&1) && !before.contains(&2) && whole.starts_with(&within));
        let twos = within.iter().filter(|byte| **byte == 2).count();
        assert!((1..10).contains(&twos), "{twos} bytes of b");
        assert!(!within.contains(&3));
        assert!(at(&whole, "d", End::Before).is_err());
    }
}
