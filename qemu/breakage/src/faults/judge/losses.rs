//! What may be there after a boot: no file lost, no copy half made, nothing but the failed step's own work missing.

use std::path::Path;

use anyhow::{Result, ensure};
use language::Verb;

use super::super::injection::Then;
use super::super::state::{self, Facts};
use super::super::tracer::Run;
use super::Case;
use super::words::number;
use tool::plan::Step;

impl Case<'_> {
    /// Each file of the initramfs is there as it was, or it was copied and its copy is whole; no copy is half made.
    pub fn nothing_is_lost(&self) -> Result<()> {
        let (before, after) = (&self.reference.initramfs, self.scenario.initramfs(&self.run.outcome)?);
        let copies = || self.reference.steps.iter().filter(|step| step.verb == Verb::Copy);
        for (path, file) in before.iter().filter(|(path, _)| !path.starts_with("/dev/")) {
            let is_carried = || copies().any(|step| step.word(1) == path && self.is_whole(step, [file]));
            let may_be_gone = || self.frees(path) || is_carried();
            ensure!(after.get(path) == Some(file) || !after.contains_key(path) && may_be_gone(), "{path} is lost");
        }
        for path in after.keys().filter(|path| !before.contains_key(*path)) {
            ensure!(path.starts_with("/dev/"), "{path} was made in the initramfs");
        }
        // The way to a half copy may be barred by a second fault.
        for step in copies().filter(|_| self.injection.then != Then::Following) {
            let is_there = made(self.run, step.target()).is_some();
            ensure!(!is_there || self.is_whole(step, before.values()), "half a copy: {step:?}: {:?}", self.run.made);
        }
        Ok(())
    }

    /// Whether a step frees this file of the initramfs, without a copy.
    fn frees(&self, path: &str) -> bool {
        self.reference.steps.iter().any(|step| match step.verb {
            Verb::Module => step.word(1) == path,
            Verb::Drop => Path::new(path).starts_with(step.word(1)),
            _ => false,
        })
    }

    /// Whether the copy that a step makes is one of these files, or what the plan itself makes of it later on.
    fn is_whole<'f>(&self, step: &Step, files: impl IntoIterator<Item = &'f String>) -> bool {
        let Some(found) = made(self.run, step.target()) else { return false };
        let is_written = found.starts_with(state::SET) || Some(found) == made(&self.reference.clean, step.target());
        is_written || files.into_iter().any(|file| found == file)
    }

    /// All is as ever, but for what the step makes: that is there, or not, or a mount point is.
    pub fn between(&self, without: &Run, step: &Step) -> Result<()> {
        let (run, clean) = (self.run, &self.reference.clean);
        let mounts = matches!(step.verb, Verb::Mount | Verb::Bind);
        let files = [run, clean, without].map(|run| run.made.as_ref());
        for facts in [files, [run, clean, without].map(|run| Some(&run.mounts))] {
            for path in facts.into_iter().flatten().flat_map(Facts::keys) {
                let [it, one, other] = facts.map(|facts| facts.and_then(|facts| facts.get(path)));
                let may = it == one || it == other || mounts && one != other && it.is_some_and(is_mount_point);
                ensure!(may, "{path} is {it:?} instead of {one:?} or {other:?}");
            }
        }
        Ok(())
    }

    /// All is as without the fault. A copy that failed by itself is taken away again, if that does not fail as well.
    pub fn as_ever(&self, said: &[String]) -> Result<()> {
        let (run, clean) = (self.run, &self.reference.clean);
        let copies = self.reference.steps.iter().filter(|step| step.verb == Verb::Copy);
        let failed = copies.filter(|step| said.iter().any(|message| number(message) == Some(step.line)));
        let left: Vec<&str> = failed.map(Step::target).collect();
        let mut found = run.made.clone().unwrap_or_default();
        found.retain(|path, _| !left.contains(&path.as_str()));
        difference(Some(&found), clean.made.as_ref(), "file")?;
        let [mut kept, mut expected] =
            [self.scenario.initramfs(&run.outcome)?, self.scenario.initramfs(&clean.outcome)?];
        // Devices are made there where one did not open.
        for files in [&mut kept, &mut expected] {
            files.retain(|path, _| !path.starts_with("/dev/") && !self.frees(path));
        }
        difference(Some(&kept), Some(&expected), "file of the initramfs")?;
        difference(Some(&run.mounts), Some(&clean.mounts), "mount")
    }
}

fn made<'r>(run: &'r Run, path: &str) -> Option<&'r String> {
    run.made.as_ref().and_then(|files| files.get(path))
}

fn is_mount_point(file: &String) -> bool {
    file == "directory, mode 755, owner 0:0"
        || file.starts_with("file") && file.ends_with("of 0 bytes, mode 0, owner 0:0")
}

/// That two lists of files or mounts are the same.
pub fn difference(found: Option<&Facts>, expected: Option<&Facts>, what: &str) -> Result<()> {
    let all = [found, expected].into_iter().flatten().flat_map(Facts::keys);
    for path in all {
        let [it, other] = [found, expected].map(|facts| facts.and_then(|facts| facts.get(path)));
        ensure!(it == other, "the {what} {path} is {it:?} instead of {other:?}");
    }
    Ok(())
}
