//! Fixed plans for tests: an init for each, built when it is first wanted.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::tree::FORK;
use anyhow::{Context, Result};
use language::{Lines, Plan, Text};
use sources::{build, workspace};
use tool::initramfs::Initramfs;

/// Set in the tests' environment where they are to run with fixed plans.
pub const FIXED: &str = "MOVEROOT_FIXED";

/// The init for a plan, if tests are to run with fixed plans, and if this is one: what is refused is left to the init that reads.
pub fn init_for(text: &[u8]) -> Result<Option<PathBuf>> {
    if is_on() && is_plan(text) { init_of(text).map(Some) } else { Ok(None) }
}

/// Puts a plan into an image. Where tests are to run with fixed plans, an init that runs no other takes the place of the one that reads
/// it.
pub fn put(image: &mut Initramfs, text: &str) -> Result<()> {
    image.bytes("/boot.plan", 0o644, text);
    if let Some(init) = init_for(text.as_bytes())? {
        image.file("/init", &init)?;
    }
    Ok(())
}

/// Whether tests are to run with fixed plans: then each plan has an `/init` of its own.
pub fn is_on() -> bool {
    env::var_os(FIXED).is_some()
}

fn is_plan(text: &[u8]) -> bool {
    let Ok(mut text) = Text::from_slice(text) else { return false };
    !text.contains(&0) && Plan::read(&mut text, &mut Lines::new()).is_ok()
}

/// The init that runs this plan and no other. Messages name it `boot.plan`.
pub fn init_of(text: &[u8]) -> Result<PathBuf> {
    static BUILT: Mutex<Option<HashMap<Vec<u8>, PathBuf>>> = Mutex::new(None);
    // One at a time: all are built in the same directory, where what they have in common is built once.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    if let Some(init) = built.get(text) {
        return Ok(init.clone());
    }
    let directory = workspace::cache("fixed")?;
    let (plan, init) =
        (directory.join("boot.plan"), directory.join(format!("init-{}-{}", std::process::id(), built.len())));
    fs::write(&plan, text).with_context(|| format!("cannot write {}", plan.display()))?;
    // No other process has the file of an init open to write it, while one that is to execute it is started.
    let _alone = FORK.write().unwrap_or_else(PoisonError::into_inner);
    fs::copy(build::fixed_init(Some(&plan))?, &init).with_context(|| format!("cannot write {}", init.display()))?;
    built.insert(text.to_vec(), init.clone());
    Ok(init)
}
