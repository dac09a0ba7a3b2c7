//! `cargo vm pack`: what it refuses and how it says so, what it packs, and that this is always the same.

mod content;
mod init;
mod numbers;
mod processors;
mod programs;
mod refusals;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use vm::build;

/// A directory with things to pack, and where the command runs.
pub struct Ground(TempDir);

impl Ground {
    /// With `agent`, which is static, and `init`.
    pub fn new() -> Result<Ground> {
        static PROGRAMS: OnceLock<[PathBuf; 2]> = OnceLock::new();
        let [init, agent] = PROGRAMS.get_or_init(|| {
            [build::init(None), build::agent()].map(|program| program.expect("cargo builds init and agent"))
        });
        let ground = Ground(tempfile::tempdir()?);
        fs::copy(init, ground.path("init"))?;
        fs::copy(agent, ground.path("agent"))?;
        Ok(ground)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, its directory included.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> Result<&Ground> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(&path, content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        Ok(self)
    }

    /// The plan `p`.
    pub fn plan(&self, text: impl AsRef<[u8]>) -> Result<&Ground> {
        self.file("p", text, 0o644)
    }

    /// Runs `vm` there with these arguments, which blanks separate: none is a path outside, which may have a blank in it.
    pub fn vm(&self, words: &str) -> Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vm"));
        command.current_dir(self.0.path()).args(words.split_whitespace());
        command.output().with_context(|| format!("cannot run vm {words}"))
    }

    /// Runs the program `moveroot` there, with no word of cargo's.
    pub fn moveroot(&self, words: &str) -> Result<Output> {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        let mut command = Command::new(PROGRAM.get_or_init(|| build::tool().expect("cargo builds moveroot")));
        command.current_dir(self.0.path()).args(words.split_whitespace()).env_clear().env("PATH", "/usr/bin:/bin");
        command.output().with_context(|| format!("cannot run moveroot {words}"))
    }

    /// Packs the plan `p` and `files` as `out`; what it says.
    pub fn pack(&self, files: &str) -> Result<String> {
        let output = self.vm(&format!("pack --init init --plan p -o out {files}"))?;
        let said = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
        ensure!(output.status.success(), "{said}");
        Ok(said)
    }

    /// What it says when it refuses.
    pub fn refusal(&self, files: &str) -> Result<String> {
        let output = self.vm(&format!("pack --init init --plan p -o out {files}"))?;
        let said = String::from_utf8(output.stderr)?;
        ensure!(output.status.code() == Some(1), "exit {:?}: {said}", output.status.code());
        ensure!(!self.path("out").exists(), "it has written something: {said}");
        Ok(said)
    }
}
