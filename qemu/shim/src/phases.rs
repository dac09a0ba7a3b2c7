//! When a task came to which phase, for who measures: a line of JSON for each, where the setup names a file for them.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use machine::task::setup::{Phase, Setup};

#[derive(Clone)]
pub struct Phases {
    file: Option<PathBuf>,
    task: String,
}

impl Phases {
    pub fn new(setup: &Setup, task: &str) -> Self {
        Phases { file: setup.phases.clone(), task: task.to_string() }
    }

    pub fn note(&self, name: &str) {
        if let Err(error) = self.write(name) {
            log::warn!("the phase \"{name}\" is not noted: {error:#}");
        }
    }

    fn write(&self, name: &str) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let at_us = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
        let phase = Phase { task: self.task.clone(), name: name.to_string(), at_us };
        let line = serde_json::to_string(&phase)? + "\n";
        // In one write, as others write there too.
        Ok(OpenOptions::new().append(true).create(true).open(file)?.write_all(line.as_bytes())?)
    }
}
