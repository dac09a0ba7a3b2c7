//! The page: a recipe is a section with a plan (indented), a command (```sh) and, where it needs one, a script (```text).

use anyhow::{Context, Result, ensure};
use vm::{apt, workspace};

use super::super::parts;
use crate::pack::Ground;

const COMMAND: &str = "cargo vm pack --plan recipe.plan -o initramfs";

/// The script of a recipe, by the name that its command has for it.
const SCRIPT: &str = "check-disk";

pub struct Recipe {
    plan: String,
    /// Of the command, after what each begins with.
    words: Vec<String>,
    script: Option<String>,
}

fn page() -> Result<String> {
    std::fs::read_to_string(workspace::root().join("docs/recipes.md")).context("cannot read docs/recipes.md")
}

pub fn titles() -> Result<Vec<String>> {
    Ok(page()?.lines().filter_map(|line| line.strip_prefix("## ")).map(String::from).collect())
}

impl Recipe {
    pub fn read(title: &str) -> Result<Recipe> {
        let page = page()?;
        let section = page.split("\n## ").find(|section| section.lines().next() == Some(title));
        let section = section.with_context(|| format!("the page has no recipe {title}"))?;
        let block = |fence: &str| section.split_once(fence)?.1.split_once("\n```").map(|(block, _)| block.trim_start());
        let outside = section.split("```").step_by(2).flat_map(str::lines);
        let plan = outside.filter_map(|line| line.strip_prefix("    ")).flat_map(|line| [line, "\n"]).collect();
        let command = block("```sh\n").with_context(|| format!("{title}: no command"))?.replace("\\\n", " ");
        let words = command.strip_prefix(COMMAND).with_context(|| format!("{title}: {command}"))?;
        let words = words.split_whitespace().map(String::from).collect();
        Ok(Recipe { plan, words, script: block("```text\n").map(|script| format!("{script}\n")) })
    }

    /// As `out` of a directory. The busybox is the harness's own; the rest of what the command names is this machine's.
    pub fn pack(&self, service: &str) -> Result<Ground> {
        apt::ensure_programs(&["mkfs.ext4", "e2fsck"])?;
        let ground = Ground::new()?;
        ground.plan(&self.plan)?.file("service", format!("#!/bin/busybox sh\n{service}\n"), 0o755)?;
        std::fs::copy(&parts().busybox, ground.path("busybox"))?;
        if let Some(script) = &self.script {
            ground.file(SCRIPT, script, 0o755)?;
        }
        let words: Vec<String> = self.words.iter().map(|word| word.replace("=/bin/busybox", "=busybox")).collect();
        let output = ground.vm(&format!("pack --init init --plan p -o out {}", words.join(" ")))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(ground)
    }
}
