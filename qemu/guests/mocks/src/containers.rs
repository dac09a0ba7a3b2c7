//! Containers of a mock that serves: the runtime runs each in the foreground, from its start to its end.

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};

/// Where its standard output goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Console,
    Kept,
}

pub struct Containers {
    runtime: String,
    all: Mutex<HashMap<String, Container>>,
}

struct Container {
    bundle: String,
    child: Option<Child>,
    output: Option<ChildStdout>,
    status: Option<u32>,
}

impl Containers {
    pub fn with(runtime: String) -> Self {
        Containers { runtime, all: Mutex::default() }
    }

    /// Notes a container of a bundle that is there.
    pub fn create(&self, id: &str, bundle: &str) -> Result<()> {
        let config = Path::new(bundle).join("config.json");
        ensure!(config.is_file(), "no bundle: {}", config.display());
        let container = Container { bundle: bundle.to_string(), child: None, output: None, status: None };
        ensure!(self.all().insert(id.to_string(), container).is_none(), "container {id} is there already");
        Ok(())
    }

    pub fn start(&self, id: &str, output: Output) -> Result<()> {
        let mut all = self.all();
        let container = known(&mut all, id)?;
        ensure!(container.child.is_none() && container.status.is_none(), "container {id} was started before");
        let mut command = Command::new(&self.runtime);
        command.args(["--root", "/run/crun", "run", "--bundle", &container.bundle, id]);
        command.env_clear().env("HOME", "/").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        if output == Output::Kept {
            command.stdout(Stdio::piped());
        }
        let mut child = command.spawn().with_context(|| format!("run {}", self.runtime))?;
        container.output = child.stdout.take();
        container.child = Some(child);
        Ok(())
    }

    /// The next bytes that it wrote; none at the end.
    pub fn read(&self, id: &str, most: usize) -> Result<Vec<u8>> {
        // Not with the others locked out.
        let output = known(&mut self.all(), id)?.output.take();
        let mut output = output.with_context(|| format!("container {id} has no output"))?;
        let mut bytes = vec![0; most];
        let length = output.read(&mut bytes).context("read a container's output")?;
        bytes.truncate(length);
        known(&mut self.all(), id)?.output = Some(output);
        Ok(bytes)
    }

    /// Waits for its end: its exit code, or 128 and the signal.
    pub fn wait(&self, id: &str) -> Result<u32> {
        let child = known(&mut self.all(), id)?.child.take();
        if let Some(mut child) = child {
            let ended = child.wait().context("wait for the runtime")?;
            let status = ended.code().unwrap_or_else(|| 128 + ended.signal().unwrap_or(0));
            known(&mut self.all(), id)?.status = Some(status.cast_unsigned());
        }
        known(&mut self.all(), id)?.status.with_context(|| format!("container {id} does not run"))
    }

    /// Forgets it, and tells how it ended.
    pub fn delete(&self, id: &str) -> Result<u32> {
        let status = self.wait(id)?;
        self.all().remove(id);
        Ok(status)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Container>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn known<'c>(all: &'c mut HashMap<String, Container>, id: &str) -> Result<&'c mut Container> {
    all.get_mut(id).with_context(|| format!("no container {id}"))
}
