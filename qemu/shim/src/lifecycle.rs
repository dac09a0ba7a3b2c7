//! A shim's own life: started, serving, and cleared up after. Its working directory is the task's bundle.
//!
//! What a server needs besides lies in one directory. Its processes end with it and its mounts are in a namespace that ends
//! with those, so that after a SIGKILL only that directory and the server's socket are left.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use containerd_shim::asynchronous::{ExitSignal, Shim, spawn};
use containerd_shim::publisher::RemotePublisher;
use containerd_shim::util::timestamp;
use containerd_shim::{Config, DeleteResponse, Error, Flags, StartOpts};
use machine::cleanup;
use machine::task::setup::{Setup, VARIABLE};

use crate::events::Events;
use crate::phases::Phases;
use crate::process::KILLED;
use crate::service::Service;

/// In the bundle: where the server listens. The crate removes that socket when the server ends.
const ADDRESS: &str = "address";

pub struct Lifecycle {
    namespace: String,
    id: String,
    exit: Arc<ExitSignal>,
}

#[async_trait]
impl Shim for Lifecycle {
    type T = Service;

    async fn new(_runtime_id: &str, flags: &Flags, _config: &mut Config) -> Self {
        let (namespace, id) = (flags.namespace.clone(), flags.id.clone());
        Lifecycle { namespace, id, exit: Arc::new(ExitSignal::default()) }
    }

    async fn start_shim(&mut self, mut opts: StartOpts) -> Result<String, Error> {
        let setup = setup().map_err(told)?;
        Phases::new(&setup, &self.id).note("shim started");
        // Not the directory of all shims of this machine.
        opts.socket_dir = Some(setup.directory.display().to_string());
        let id = self.id.clone();
        let address = spawn(opts, &id, Vec::new()).await?;
        fs::write(ADDRESS, &address).context(ADDRESS).map_err(told)?;
        Ok(address)
    }

    async fn delete_shim(&mut self) -> Result<DeleteResponse, Error> {
        self.clear_up().map_err(told)?;
        let exited_at = Some(timestamp()?).into();
        Ok(DeleteResponse { exit_status: KILLED, exited_at, ..Default::default() })
    }

    async fn wait(&mut self) {
        self.exit.wait().await;
    }

    async fn create_task_service(&self, publisher: RemotePublisher) -> Service {
        let served = self.service(publisher);
        served.unwrap_or_else(|error| {
            // Nobody reads a server's standard error; containerd reads its log.
            log::error!("cannot serve: {error:#}");
            std::process::exit(1)
        })
    }
}

impl Lifecycle {
    fn service(&self, publisher: RemotePublisher) -> Result<Service> {
        let setup = setup()?;
        let directory = self.directory(&setup);
        fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
        // For sockets of vsock and virtiofs. The first call decides; this is the first.
        tempfile::env::override_temp_dir(&directory).ok();
        let events = Events::new(publisher, &self.namespace, &self.id);
        Ok(Service::new(setup, directory, events, self.exit.clone()))
    }

    /// Of one task. Short, for the sake of the sockets in it.
    fn directory(&self, setup: &Setup) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        (&self.namespace, &self.id).hash(&mut hasher);
        setup.directory.join(format!("{:08x}", hasher.finish() as u32))
    }

    /// After a server that ended as it should there is nothing to do.
    fn clear_up(&self) -> Result<()> {
        if let Ok(address) = fs::read_to_string(ADDRESS) {
            let socket = Path::new(address.trim_start_matches("unix://"));
            // One that containerd could not reach any more may still be there.
            cleanup::end_naming(socket);
            removed(fs::remove_file(socket), socket)?;
        }
        let directory = self.directory(&setup()?);
        removed(fs::remove_dir_all(&directory), &directory)
    }
}

fn setup() -> Result<Setup> {
    let path = env::var_os(VARIABLE).with_context(|| format!("containerd has no {VARIABLE} in its environment"))?;
    Setup::read(Path::new(&path))
}

/// What is gone already is removed.
pub fn removed(result: std::io::Result<()>, path: &Path) -> Result<()> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn told(error: anyhow::Error) -> Error {
    Error::Other(format!("{error:#}"))
}
