//! `cargo vm task`: a container through an agent that runs somewhere, from create to delete.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use clients::call::Connection;
use clients::{kata, task};
use serde_json::{Value, json};

use machine::bundle::{self, Bundle};
use machine::cleanup::Cleanup;

/// Between two looks for an agent's call.
const PAUSE: Duration = Duration::from_millis(20);

/// Of this command, at the end of its help.
const EXIT_CODES: &str = "\
Exit codes:
  0  the container ran, and its exit status is printed, whatever it is
  1  a call failed: a message says which, and why
  2  the command line is wrong";

/// Whose agent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Style {
    /// containerd's Task API: the bundle is in the guest
    Containerd,
    /// The same after Bundle.Create
    Nerdbox,
    /// kata-agent's AgentService
    Kata,
    /// The Task API of containerd 1.x, with config.json in Create's options; the guest has /container/ID/rootfs
    FirecrackerContainerd,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct Options {
    /// Whose agent it is
    #[arg(long, value_enum, value_name = "STYLE")]
    style: Style,
    /// A Unix socket that leads to the agent
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// The agent's vsock port, where the socket leads to all of a guest's: `CONNECT PORT` is said first
    #[arg(long, value_name = "PORT")]
    port: Option<u32>,
    /// Listen at the socket, and take the call of an agent that calls its host; to be there before its VM is
    #[arg(long, conflicts_with = "port")]
    listen: bool,
    /// The container's name
    #[arg(long, value_name = "NAME", default_value = "demo")]
    id: String,
    /// For containerd: the bundle's directory in the guest [default: /bundle]; for the others: a directory of this machine with
    /// the config.json to send [default: the demo's]
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Where the guest has the container's root [default: what config.json says; with the demo's, /bundle/rootfs]
    #[arg(long, value_name = "DIR")]
    rootfs: Option<String>,
    /// The limit for an answer, also to Wait, and for an agent's call, in seconds
    #[arg(long, value_name = "S", default_value_t = 60)]
    timeout: u64,
}

/// The command.
pub fn run(options: &Options) -> Result<ExitCode> {
    let config = config(options)?;
    let agent = Connection::over(connected(options)?, Duration::from_secs(options.timeout))?;
    let status = match options.style {
        Style::Containerd => {
            let bundle = options.bundle.as_deref().unwrap_or(Path::new(bundle::PATH));
            task::containerd(&agent, &options.id, &bundle.to_string_lossy())?
        }
        Style::Nerdbox => task::nerdbox(&agent, &options.id, &config)?,
        Style::FirecrackerContainerd => task::firecracker_containerd(&agent, &options.id, &config)?,
        Style::Kata => {
            let (status, output) = kata::kata(&agent, &options.id, &config)?;
            print!("{output}");
            status
        }
    };
    println!("container exited {status}");
    Ok(ExitCode::SUCCESS)
}

fn connected(options: &Options) -> Result<UnixStream> {
    let shown = options.socket.display();
    if options.listen {
        return called(options).with_context(|| format!("no agent called at {shown}"));
    }
    let mut stream = UnixStream::connect(&options.socket).with_context(|| format!("cannot connect to {shown}"))?;
    let Some(port) = options.port else { return Ok(stream) };
    stream.set_read_timeout(Some(Duration::from_secs(options.timeout)))?;
    // In one write: vhost-device-vsock hangs up at half a line.
    let word = format!("CONNECT {port}\n");
    stream.write_all(word.as_bytes()).with_context(|| format!("cannot write to {shown}"))?;
    let mut answer = String::new();
    // An agent says nothing before it is asked, so there is no byte behind the line.
    let read = BufReader::new(&stream).read_line(&mut answer);
    read.with_context(|| format!("no answer from {shown} to CONNECT {port}"))?;
    ensure!(answer.starts_with("OK "), "nobody listens at the guest's vsock port {port}, by {shown}");
    stream.set_read_timeout(None)?;
    Ok(stream)
}

/// The first call of an agent.
fn called(options: &Options) -> Result<UnixStream> {
    let listener = UnixListener::bind(&options.socket)?;
    // If this is broken off; else it goes at once.
    let _cleanup = Cleanup::of_path(&options.socket);
    let stream = accept(&listener, Duration::from_secs(options.timeout));
    fs::remove_file(&options.socket)?;
    stream
}

fn accept(listener: &UnixListener, limit: Duration) -> Result<UnixStream> {
    listener.set_nonblocking(true)?;
    let since = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(PAUSE),
            Err(error) => return Err(error.into()),
        }
        ensure!(since.elapsed() < limit, "within {} s", limit.as_secs());
    }
}

/// What is sent as config.json.
fn config(options: &Options) -> Result<String> {
    let mut config = match &options.bundle {
        Some(directory) if options.style != Style::Containerd => read(&directory.join("config.json"))?,
        _ => Bundle::default().config(),
    };
    let is_demo = options.bundle.is_none();
    let root = options.rootfs.clone().or_else(|| is_demo.then(|| format!("{}/rootfs", bundle::PATH)));
    // Beside the config.json that firecracker-containerd's agent writes.
    let has_own = options.style == Style::FirecrackerContainerd && options.rootfs.is_none();
    if let Some(root) = root.filter(|_| !has_own) {
        config["root"]["path"] = json!(root);
    }
    let path = config["root"]["path"].as_str().unwrap_or_default();
    let is_sent = matches!(options.style, Style::Nerdbox | Style::Kata);
    ensure!(
        !is_sent || path.starts_with('/'),
        "config.json has the container's root at {path:?}, and only that file is sent: say by --rootfs where the guest has it"
    );
    Ok(config.to_string())
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}
