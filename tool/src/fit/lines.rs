//! The lines of a plan that carry interpreters and libraries.

use std::collections::BTreeSet;

use language::Verb;

use crate::initramfs::{Content, Initramfs, normalized};
use crate::plan::{Plan, Step};

/// The lines that carry these files: directories where nothing else lies in them, which costs a boot fewer steps.
pub fn lines(files: &BTreeSet<String>, tree: &Initramfs, plan: &Plan) -> Vec<String> {
    let targets = targets(plan);
    let sources: BTreeSet<String> = files.iter().map(|file| widest(file, files, tree, &targets)).collect();
    sources.iter().map(|source| format!("bind {source}")).collect()
}

/// The highest directory that holds nothing but such files, and that no step of the plan puts anything into: binding a directory
/// hides what was there. Else the file itself.
fn widest(file: &str, files: &BTreeSet<String>, tree: &Initramfs, targets: &[String]) -> String {
    let mut found = file.to_string();
    for (end, _) in file.rmatch_indices('/').filter(|(end, _)| *end > 0) {
        let directory = &file[..end];
        let inside = format!("{directory}/");
        let is_ours = |(path, content): (String, &Content)| *content == Content::Directory || files.contains(&path);
        let is_free = !targets.iter().any(|target| target == directory || target.starts_with(&inside));
        if tree.at(directory) != Some(&Content::Directory) || !is_free || !tree.below(directory).all(is_ours) {
            break;
        }
        found = directory.to_string();
    }
    found
}

/// What the plan makes in the new root.
fn targets(plan: &Plan) -> Vec<String> {
    let target = |step: &Step| match step.verb {
        Verb::Dir => Some(step.word(1).to_string()),
        Verb::Link | Verb::Mount => Some(step.word(2).to_string()),
        Verb::Copy | Verb::Bind => Some(step.target().to_string()),
        _ => None,
    };
    plan.steps().iter().filter_map(target).map(|path| normalized(&path)).collect()
}
