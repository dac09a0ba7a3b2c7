//! What measures: time against peers, bytes, where a boot's time goes.

pub mod bench;
pub mod profile;
pub mod size;
pub mod timeline;

pub mod records;
