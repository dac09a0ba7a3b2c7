//! A containerd with everything of its own: root and state directory, sockets, temporary directory, mounts. Debian 12's speaks
//! an API that shims on the crate containerd-shim don't, so it is that of a newer release, unpacked in the cache.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use machine::cleanup::{self, Cleanup};
use machine::task::setup::{Phase, Setup, VARIABLE};
use sources::apt::Lists;
use sources::{apt, kernel};
use tempfile::TempDir;

use super::image;

/// Whose containerd runs.
pub const RELEASE: &str = "sid";

/// As ctr's `--runtime` has it; containerd looks for the program containerd-shim-moveroot-v1.
pub const RUNTIME: &str = "io.containerd.moveroot.v1";

/// Of a task's life, in ctr's namespace of this name.
const NAMESPACE: &str = "default";

/// What would leave things in this machine's own directories, or fails here and says so.
const LEFT_OUT: [&str; 10] = [
    "io.containerd.cri.v1.images",
    "io.containerd.cri.v1.runtime",
    "io.containerd.grpc.v1.cri",
    "io.containerd.internal.v1.opt",
    "io.containerd.nri.v1.nri",
    "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.erofs",
    "io.containerd.snapshotter.v1.zfs",
];

/// For containerd to listen.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Of the log, where something went wrong.
const LAST_LINES: usize = 20;

/// It ends, with all its shims and their VMs, and its directory goes, when this is dropped.
pub struct Daemon {
    directory: TempDir,
    /// Where containerd and ctr are.
    programs: PathBuf,
    shim: PathBuf,
    snapshotter: String,
    containerd: Child,
    _cleanup: Cleanup,
}

impl Daemon {
    /// Starts it with this shim, and imports an image of busybox.
    pub fn start(shim: &Path, setup: Setup, snapshotter: &str) -> Result<Self> {
        let programs = Lists::of(RELEASE)?.unpacked("containerd", "./usr/bin/*", "")?.join("usr/bin");
        apt::ensure_programs(&["unshare"])?;
        let directory = tempfile::Builder::new().prefix("ctr-").tempdir().context("no directory for containerd")?;
        let cleanup = Cleanup::of_users(directory.path());
        let path = directory.path();
        fs::create_dir(path.join("tmp"))?;
        fs::write(path.join("config.toml"), configuration(path)).context("cannot write config.toml")?;
        let setup = Setup { directory: path.to_path_buf(), phases: Some(path.join("phases")), ..setup };
        setup.write(&path.join("setup.json"))?;
        let containerd = spawn(path, &programs, shim)?;
        let (shim, snapshotter) = (shim.to_path_buf(), snapshotter.to_string());
        let mut daemon = Daemon { directory, programs, shim, snapshotter, containerd, _cleanup: cleanup };
        daemon.wait_for_it()?;
        let archive = daemon.path().join("busybox.tar");
        image::write(&kernel::busybox()?, &archive)?;
        let import =
            ["images", "import", "--local", "--snapshotter", &daemon.snapshotter, &archive.display().to_string()];
        daemon.done(&import)?;
        Ok(daemon)
    }

    /// Of its own.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn version(&self) -> Result<String> {
        let output = Command::new(self.programs.join("containerd")).arg("--version").output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(format!("containerd {}", text.split_whitespace().nth(2).unwrap_or_default()))
    }

    pub fn ctr(&self, words: &[&str]) -> Command {
        let mut ctr = Command::new(self.programs.join("ctr"));
        ctr.arg("--address").arg(self.socket()).args(["--namespace", NAMESPACE]).args(words).stdin(Stdio::null());
        ctr
    }

    /// `ctr run`, with more options.
    pub fn run(&self, options: &[&str], id: &str, command: &[impl AsRef<str>]) -> Command {
        let mut ctr = self.ctr(&["run", "--runtime", RUNTIME, "--snapshotter", &self.snapshotter, "--fifo-dir"]);
        ctr.arg(self.path().join("fifos")).args(options).args([image::NAME, id]);
        ctr.args(command.iter().map(AsRef::as_ref));
        ctr
    }

    /// `ctr tasks exec`, with more options.
    pub fn exec(&self, options: &[&str], id: &str, command: &[&str]) -> Command {
        let mut ctr = self.ctr(&["tasks", "exec", "--fifo-dir"]);
        ctr.arg(self.path().join("fifos")).args(options).arg(id).args(command);
        ctr
    }

    /// What ctr says to a command that succeeds.
    pub fn done(&self, words: &[&str]) -> Result<String> {
        let output = self.ctr(words).output().context("cannot run ctr")?;
        ensure!(output.status.success(), "ctr {}: {}\n{}", words.join(" "), said(&output), self.last_lines());
        Ok(said(&output))
    }

    /// Kills it, and nothing else.
    pub fn kill(&mut self) -> Result<()> {
        self.containerd.kill().context("cannot kill containerd")?;
        self.containerd.wait().map(drop).context("cannot wait for containerd")
    }

    /// Starts it again, after that.
    pub fn start_again(&mut self) -> Result<()> {
        fs::remove_file(self.socket()).context("containerd's socket")?;
        self.containerd = spawn(self.path(), &self.programs, &self.shim)?;
        self.wait_for_it()
    }

    /// The processes of its shims and their VMs.
    pub fn processes(&self) -> Vec<u32> {
        let own = self.containerd.id();
        cleanup::naming(self.path()).into_iter().filter(|process| *process != own).collect()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    pub fn last_lines(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    /// What the shims have noted.
    pub fn phases(&self) -> Result<Vec<Phase>> {
        let text = fs::read_to_string(self.path().join("phases")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).context("a phase")).collect()
    }

    fn socket(&self) -> PathBuf {
        self.path().join("containerd.sock")
    }

    fn wait_for_it(&mut self) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        while UnixStream::connect(self.socket()).is_err() {
            let ended = self.containerd.try_wait().context("cannot look at containerd")?;
            ensure!(ended.is_none() && Instant::now() < deadline, "containerd did not start:\n{}", self.last_lines());
            sleep(PAUSE);
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have been killed already.
        self.kill().ok();
        cleanup::end_naming(self.path());
    }
}

/// What ctr said.
pub fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&text).trim().to_string()
}

fn configuration(path: &Path) -> String {
    let path = path.display();
    format!(
        "version = 3\nroot = \"{path}/root\"\nstate = \"{path}/state\"\ndisabled_plugins = {LEFT_OUT:?}\n\
         [grpc]\naddress = \"{path}/containerd.sock\"\n[ttrpc]\naddress = \"{path}/containerd.sock.ttrpc\"\n"
    )
}

/// In a mount namespace, so that nothing that it mounts outlives it.
fn spawn(path: &Path, programs: &Path, shim: &Path) -> Result<Child> {
    let log = File::options().append(true).create(true).open(path.join("log")).context("containerd's log")?;
    let mut search: Vec<PathBuf> = vec![shim.parent().context("the shim is in no directory")?.to_path_buf()];
    search.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut containerd = Command::new("unshare");
    containerd.args(["--mount", "--"]).arg(programs.join("containerd"));
    containerd.arg("--config").arg(path.join("config.toml"));
    containerd.env("PATH", std::env::join_paths(search)?).env("TMPDIR", path.join("tmp"));
    containerd.env(VARIABLE, path.join("setup.json"));
    cleanup::tie(&mut containerd);
    containerd.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    containerd.spawn().context("cannot run containerd")
}
