//! Whether a program can be started where it lies: as the kernel starts `/init`, with the whole tree as its root.

use anyhow::Result;
use language::{MountFlags, Verb};

use super::{Fitting, Running};
use crate::elf;
use crate::initramfs::Initramfs;
use crate::plan::Step;

/// Why the program at `path` of a tree for `machine` cannot be started there; each reason begins with the path.
pub fn obstacles(tree: &Initramfs, path: &str, machine: u16) -> Result<Vec<String>> {
    let mut fitting = Fitting::new(tree, machine)?;
    fitting.root.bind("/", "/");
    let Some(name) = tree.resolve(path) else { return Ok(vec![format!("{path} is not there")]) };
    let (flags, data) = (MountFlags::default(), String::new());
    let step = Step { line: 0, verb: Verb::Exec, may_fail: false, words: Vec::new(), flags, data };
    fitting.programs.push(Running { step, path: path.to_string(), name, is_program: true });
    fitting.judge_programs()?;
    Ok(fitting.fit.findings.into_iter().map(|finding| finding.text).collect())
}

/// Why the kernel cannot start the tree's `/init`.
pub fn obstacles_to_init(tree: &Initramfs) -> Result<Vec<String>> {
    obstacles(tree, "/init", machine_of_init(tree)?)
}

/// The machine that the tree's init is for, or, where it has none yet, its first program.
pub fn machine_of_init(tree: &Initramfs) -> Result<u16> {
    let init = tree.resolve("/init").and_then(|real| tree.at(&real));
    if let Some(init) = init {
        return Ok(elf::machine_of(&init.read()?).unwrap_or(elf::DEFAULT_MACHINE));
    }
    for (_, rights, content) in tree.entries().filter(|(.., content)| content.is_file()) {
        if rights.mode & 0o111 != 0
            && let Some(machine) = elf::machine_of_program(&content.read()?)
        {
            return Ok(machine);
        }
    }
    Ok(elf::DEFAULT_MACHINE)
}
