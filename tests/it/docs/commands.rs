//! The commands of README.md and docs/: each block is run by a test or named here with the reason why it is not, and each
//! `cargo vm` in a block or in a line has options that the command has.

use std::process::Command as Program;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use clap::error::ErrorKind;
use vm::command::Command;

use super::blocks::{self, Block};

/// Why a block has nobody who runs it, or who does.
enum How {
    /// The test, or the tests of a module.
    Run(&'static str),
    Not(&'static str),
}

use How::{Not, Run};

const SOURCES: How = Not("takes the agent's own sources from the web");
const LISTENS: How =
    Not("nerdbox.md's is run and has the same words; a client may call this agent only once the console says so");
const VHOST: How = Not("needs /dev/vhost-vsock");

/// By page, and what the block begins with.
const BLOCKS: &[(&str, &str, How)] = &[
    ("README.md", "moveroot pack", Run("docs::run::readmes_three_steps")),
    ("README.md", "qemu-system", Run("docs::run::readmes_three_steps")),
    ("README.md", "MOVEROOT_PLAN=", Run("namespaces::fixed")),
    ("docs/agents/containerization.md", "cargo vm boot", Run("vm::plans")),
    ("docs/agents/containerization.md", "cargo vm pack", Run("docs::run::agents_that_are_packed")),
    ("docs/agents/firecracker-containerd.md", "cargo vm boot --plan", Run("vm::plans")),
    ("docs/agents/firecracker-containerd.md", "git clone", SOURCES),
    ("docs/agents/firecracker-containerd.md", "sed", Run("vm::agents::page")),
    ("docs/agents/firecracker-containerd.md", "cargo vm task", Run("vm::agents::page")),
    ("docs/agents/firecracker-containerd.md", "mkdir -p rootfs", Run("vm::agents::page")),
    ("docs/agents/firecracker-containerd.md", "cargo vm pack", Run("vm::agents::page")),
    ("docs/agents/firecracker-containerd.md", "mkdir -p sockets", LISTENS),
    ("docs/agents/firecracker-containerd.md", "qemu-system", VHOST),
    ("docs/agents/kata.md", "cargo vm boot --plan", Run("vm::plans")),
    ("docs/agents/kata.md", "git clone", SOURCES),
    ("docs/agents/kata.md", "cargo vm boot --agent", Run("vm::agents::page")),
    ("docs/agents/kata.md", "cargo vm task", Run("vm::agents::page")),
    ("docs/agents/kata.md", "mkdir -p rootfs", Run("vm::agents::page")),
    ("docs/agents/kata.md", "cargo vm pack", Run("vm::agents::page")),
    ("docs/agents/kata.md", "mkdir -p sockets", LISTENS),
    ("docs/agents/kata.md", "qemu-system", VHOST),
    ("docs/agents/kuasar.md", "cargo vm boot", Run("vm::plans")),
    ("docs/agents/kuasar.md", "cargo vm pack", Run("docs::run::agents_that_are_packed")),
    ("docs/agents/libkrun.md", "cargo vm boot", Run("vm::plans")),
    ("docs/agents/libkrun.md", "cargo vm pack", Run("docs::run::agents_that_are_packed")),
    ("docs/agents/nerdbox.md", "cargo vm boot --plan", Run("vm::plans")),
    ("docs/agents/nerdbox.md", "git clone", SOURCES),
    ("docs/agents/nerdbox.md", "cargo vm boot --agent", Run("vm::agents::page")),
    ("docs/agents/nerdbox.md", "cargo vm task", Run("vm::agents::page")),
    ("docs/agents/nerdbox.md", "mkdir -p rootfs", Run("vm::agents::page")),
    ("docs/agents/nerdbox.md", "cargo vm pack", Run("vm::agents::page")),
    ("docs/agents/nerdbox.md", "mkdir -p sockets", Run("docs::run::nerdboxs_qemu")),
    ("docs/agents/nerdbox.md", "qemu-system", VHOST),
    ("docs/agents/nvrc.md", "cargo vm boot", Run("vm::plans")),
    ("docs/agents/nvrc.md", "cargo vm pack", Run("docs::run::agents_that_are_packed")),
    ("docs/agents/own.md", "", Run("docs::run::an_agent_of_your_own")),
    ("docs/containerd.md", "$ cargo vm boot --task", Run("vm::task")),
    ("docs/containerd.md", "vhost-device-vsock", Not("a part of a command: the pages of docs/agents have all of it")),
    ("docs/containerd.md", "cargo vm pack", Not("a part of a command: the pages of docs/agents have all of it")),
    ("docs/containerd.md", "# cargo vm containerd", Run("vm::containerd")),
    ("docs/embedding.md", "gen_init_cpio", Run("vm::images::generated::by_the_kernels_own_tool")),
    ("docs/embedding.md", "docker build", Run("docs::run::an_initramfs_by_bsdtar")),
    ("docs/embedding.md", "#!/bin/bash", Not("needs dracut, which replaces initramfs-tools where it is installed")),
    ("docs/embedding.md", "dracut", Not("needs dracut, which replaces initramfs-tools where it is installed")),
    ("docs/embedding.md", "mkosi", Not("fetches a whole distribution; vm::images::generated::by_mkosi takes none")),
    ("docs/embedding.md", "qemu-system", Run("docs::run::an_initramfs_by_make")),
    ("docs/migrate.md", "#!/bin/sh\nset -e\nmkdir /newroot", Run("docs::migrate::busyboxs_script")),
    ("docs/migrate.md", "#!/bin/sh\nmount -t devtmpfs", Not("what one comes from: needs klibc and a disk")),
    ("docs/migrate.md", "#!/bin/bash\n# module-setup.sh", Not("what one comes from: needs dracut")),
    ("docs/migrate.md", "#!/bin/sh\nmount -t proc", Not("what one comes from: it powers off the machine")),
    ("docs/profiling.md", "cargo vm profile", Run("vm::profile")),
    ("docs/recipes.md", "cargo vm pack", Run("vm::recipes")),
];

/// Those that have commands: of no language are blocks that show a command and what it prints.
fn is_of_commands(block: &Block) -> bool {
    let is_shown = |line: &str| line.starts_with("$ ") || line.starts_with("# ") || line.contains("cargo ");
    block.language == "sh" || block.language.is_empty() && block.text.lines().next().is_some_and(is_shown)
}

fn all() -> Result<Vec<Block>> {
    let mut all = Vec::new();
    for page in blocks::pages()? {
        all.extend(blocks::of(&page)?.into_iter().filter(is_of_commands));
    }
    Ok(all)
}

#[test]
fn each_block_is_run_or_has_a_reason() -> Result<()> {
    let all = all()?;
    ensure!(all.len() > 50, "found {}: this test looks at the wrong files", all.len());
    let is_of =
        |(page, begins, _): &(&str, &str, How), block: &Block| block.page == *page && block.text.starts_with(begins);
    let forgotten = all.iter().filter(|block| !BLOCKS.iter().any(|row| is_of(row, block)));
    let forgotten: Vec<String> = forgotten.map(|block| format!("{}: {}", block.page, block.text)).collect();
    assert_eq!(forgotten, [""; 0], "run it in a test and name that, or say why it cannot be run");
    let stale = BLOCKS.iter().filter(|row| !all.iter().any(|block| is_of(row, block)));
    let stale: Vec<(&str, &str)> = stale.map(|(page, begins, _)| (*page, *begins)).collect();
    assert_eq!(stale, [("", ""); 0], "no page has a block that begins so");
    Ok(())
}

#[test]
fn each_test_that_runs_a_block_is_there() -> Result<()> {
    let output = Program::new(std::env::current_exe()?).arg("--list").output().context("cannot list the tests")?;
    let tests = String::from_utf8(output.stdout)?;
    for (page, begins, how) in BLOCKS {
        match how {
            Run(test) => assert!(tests.lines().any(|line| line.starts_with(test)), "{page}, {begins}: no test {test}"),
            Not(reason) => assert!(!reason.is_empty(), "{page}, {begins}"),
        }
    }
    Ok(())
}

/// `cargo vm` or `moveroot` with its words; the tool's commands are the laboratory's, but for those it alone has.
fn words(line: &str) -> Option<Vec<String>> {
    let line = line.trim_start_matches(['$', '#', ' ']);
    let words =
        line.strip_prefix("cargo vm").or_else(|| line.strip_prefix("moveroot ")).filter(|rest| !rest.contains("=="))?;
    let words = shlex::split(words.trim_end().trim_end_matches('&'))?;
    let is_own = words.first().is_some_and(|first| ["init", "man", "completions"].contains(&first.as_str()));
    let words = words.into_iter().filter(|word| word != "…");
    (!is_own).then(|| ["vm".to_string()].into_iter().chain(words).collect())
}

#[test]
fn each_command_of_a_block_has_options_that_there_are() -> Result<()> {
    let (mut count, mut wrong) = (0, Vec::new());
    for block in all()? {
        for line in block.text.replace("\\\n", " ").lines() {
            let Some(words) = words(line) else { continue };
            count += 1;
            if let Err(error) = Command::try_parse_from(words) {
                wrong.push(format!("{}: {line}\n{error}", block.page));
            }
        }
    }
    assert!(count > 40, "found {count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// There a word such as DIR stands for a value, and what a command needs may be left out.
#[test]
fn each_command_of_a_line_has_options_that_there_are() -> Result<()> {
    let (mut count, mut wrong) = (0, Vec::new());
    for page in blocks::pages()? {
        for quoted in blocks::quoted(&page)? {
            let words = words(&quoted).filter(|words| words.len() > 1 && quoted.starts_with("cargo vm "));
            let Some(words) = words else { continue };
            count += 1;
            let Err(error) = Command::try_parse_from(words) else { continue };
            let is_of_names = [ErrorKind::UnknownArgument, ErrorKind::InvalidSubcommand, ErrorKind::ArgumentConflict]
                .contains(&error.kind());
            wrong.extend(is_of_names.then(|| format!("{page}: {quoted}\n{error}")));
        }
    }
    assert!(count > 60, "found {count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
