//! What measures: time against peers, bytes, where a boot's time goes; and pictures of it.

pub mod pictures;

pub mod bench;
pub mod profile;
pub mod size;
pub mod timeline;

mod records;
mod theme;
