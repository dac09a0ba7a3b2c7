//! What dynamic programs need: brought into the initramfs, and carried by the plan.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use moveroot::verb::Verb;

use crate::initramfs::{Content, Initramfs};
use crate::plan::Plan;

/// What an OCI bundle calls its container's root: programs in there look for their libraries in there.
const OTHER_ROOT: &str = "/rootfs/";

/// Brings interpreters and libraries along: of each program that is packed by name, and of those in packed folders as far
/// as this machine has them. The paths that have come.
pub fn bring(tree: &mut Initramfs, files: &[(String, PathBuf)]) -> Result<Vec<String>> {
    let mut brought = Vec::new();
    for (guest, host) in files {
        if !host.is_dir() {
            brought.extend(tree.bring_libraries(guest)?);
            continue;
        }
        let programs: Vec<String> =
            tree.below(guest).filter(|(_, content)| content.is_file()).map(|(path, _)| path).collect();
        for path in programs {
            let mode = tree.rights_at(&path).map_or(0, |rights| rights.mode);
            if mode & 0o111 == 0 || path.contains(OTHER_ROOT) {
                continue;
            }
            match tree.bring_libraries(&path) {
                Ok(more) => brought.extend(more),
                Err(error) => eprintln!("vm: warning: {error:#}"),
            }
        }
    }
    Ok(brought)
}

/// The lines that carry these files: folders where nothing else lies in them, which costs a boot fewer steps.
pub fn lines(files: &BTreeSet<String>, tree: &Initramfs, plan: &Plan) -> Vec<String> {
    let targets = targets(plan);
    let sources: BTreeSet<String> = files.iter().map(|file| widest(file, files, tree, &targets)).collect();
    sources.iter().map(|source| format!("bind {source}")).collect()
}

/// The highest folder that holds nothing but such files, and that no step of the plan puts anything into: binding a folder
/// hides what was there. Else the file itself.
fn widest(file: &str, files: &BTreeSet<String>, tree: &Initramfs, targets: &[String]) -> String {
    let mut found = file.to_string();
    for (end, _) in file.rmatch_indices('/').filter(|(end, _)| *end > 0) {
        let folder = &file[..end];
        let inside = format!("{folder}/");
        let is_ours = |(path, content): (String, &Content)| *content == Content::Directory || files.contains(&path);
        let is_free = !targets.iter().any(|target| target == folder || target.starts_with(&inside));
        if tree.at(folder) != Some(&Content::Directory) || !is_free || !tree.below(folder).all(is_ours) {
            break;
        }
        found = folder.to_string();
    }
    found
}

/// What the plan makes in the new root.
fn targets(plan: &Plan) -> Vec<String> {
    let target = |step: &crate::plan::Step| match step.verb {
        Verb::DIR => Some(step.word(1).to_string()),
        Verb::LINK | Verb::MOUNT => Some(step.word(2).to_string()),
        Verb::COPY | Verb::BIND => Some(step.target().to_string()),
        _ => None,
    };
    plan.steps().iter().filter_map(target).map(|path| crate::initramfs::normalized(&path)).collect()
}
