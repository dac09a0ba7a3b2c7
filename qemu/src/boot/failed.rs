//! A boot that failed: all there is to see of it, and last what init said.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Error, Result};

use machine::demo::Guest;
use machine::qemu::Outcome;
use sources::workspace;
use tool::output;

/// How init's own lines begin.
const INIT: &str = "moveroot: ";

/// Prints the transcript, how to run it again, the reason, and init's own lines.
pub fn tell(guest: Option<&Guest>, image: &Path, outcome: &Outcome, reason: &Error) -> Result<ExitCode> {
    let evidence = keep(guest, image, outcome.evidence())?;
    eprintln!("{evidence}\n{}", output::message(&format!("vm: boot failed: {reason:#}")));
    for line in inits(&outcome.transcript) {
        eprintln!("{}", output::message(&line));
        let place = guest.and_then(|guest| guest.own_place(&line));
        place.iter().for_each(|place| eprintln!("{}", output::message(&format!("vm: {place}"))));
    }
    Ok(ExitCode::FAILURE)
}

/// Keeps what the guest was started with, up to the next failure, so that the command line shown can be run again.
fn keep(guest: Option<&Guest>, image: &Path, evidence: String) -> Result<String> {
    let disk = guest.and_then(|guest| guest.disk.as_ref()).map(|disk| (disk.path(), "failed.erofs"));
    let mut evidence = evidence;
    for (file, name) in [(image, "failed.cpio")].into_iter().chain(disk) {
        let kept = workspace::cache("images")?.join(name);
        fs::copy(file, &kept).with_context(|| format!("cannot keep {} as {}", file.display(), kept.display()))?;
        evidence = evidence.replace(&*file.to_string_lossy(), &kept.to_string_lossy());
    }
    Ok(evidence)
}

/// What init said, each line once: it comes by the console and by the kernel's log, with a time before it.
fn inits(transcript: &str) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for line in transcript.lines() {
        let line = if line.starts_with('[') { line.split_once("] ").map_or(line, |(_, line)| line) } else { line };
        if line.starts_with(INIT) && !said.iter().any(|known| known == line) {
            said.push(line.to_string());
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_inits_lines_is_there_once() {
        let transcript = "moveroot: boot.plan:2: a\n[    1.5] moveroot: boot.plan:2: a\n[    1.6] Kernel panic\n\
                          [    1.7] moveroot: boot.plan:3: b\nagent: moveroot: c\n";
        assert_eq!(inits(transcript), ["moveroot: boot.plan:2: a", "moveroot: boot.plan:3: b"]);
    }
}
