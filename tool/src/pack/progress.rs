//! A progress bar for what takes longer than a second.

use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::compression::Compression;
use crate::initramfs::Initramfs;

const PATIENCE: Duration = Duration::from_secs(1);

pub struct Progress {
    bar: ProgressBar,
    since: Instant,
    is_shown: bool,
}

impl Progress {
    /// Every byte is read once, and once more to be compressed.
    pub fn new(tree: &Initramfs, compression: Compression) -> Result<Progress> {
        let mut bytes = 0;
        for (_, _, content) in tree.entries() {
            bytes += content.size()?;
        }
        let times = if compression == Compression::None { 1 } else { 2 };
        let bar = ProgressBar::with_draw_target(Some(bytes * times), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("packing [{bar:30}] {percent:>3} % {elapsed}") {
            bar.set_style(style);
        }
        Ok(Progress { bar, since: Instant::now(), is_shown: false })
    }

    /// So many bytes more are done.
    pub fn add(&mut self, bytes: u64) {
        if !self.is_shown && self.since.elapsed() > PATIENCE {
            self.is_shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(bytes);
    }

    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}
