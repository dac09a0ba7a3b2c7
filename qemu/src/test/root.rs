//! The tests that need root, for a user who isn't: the integration tests' binary, built by the user, run by sudo. What
//! root leaves in the user's directories is given back to the user.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{getegid, geteuid};
use serde_json::Value;

use sources::workspace;

/// In the names of tests that need root.
pub const NEED_ROOT: [&str; 6] = [
    "namespaces::",
    "bad_plans::whole::",
    "vm::containerd::",
    "give_the_reason_in_a_chroot",
    "trial::foreign::",
    "docs::migrate::busyboxs_script",
];

/// The only test binary with such tests, and the directory that cargo runs it in.
const BINARY: &str = "it";
const DIRECTORY: &str = "qemu";

/// Run by root. First the owner and the number of directories to give back, then these, then the command. One script,
/// so that sudo asks for a password once; the trap has it go on after Ctrl-C ends the tests. HOME is temporary: root
/// leaves nothing in the user's. An ordinary user's PATH has no chroot(8).
const SCRIPT: &str = "trap : INT TERM HUP
owner=$1; shift
PATH=$PATH:/usr/sbin:/sbin HOME=$(mktemp -d); export PATH HOME
list=$1; shift
\"$@\"; status=$?
rm -rf \"$HOME\"
printf '%s' \"$list\" | xargs -r -d '\\n' chown --recursive --no-dereference --from=0 \"$owner\" --
exit $status";

/// What is to run as root.
pub struct RootPass {
    binary: PathBuf,
    tests: Vec<String>,
}

impl RootPass {
    /// The tests with one of these in their names, or all; None where root isn't needed. Builds all tests.
    pub fn of(filters: &[String]) -> Result<Option<RootPass>> {
        let binary = built()?;
        let mut list = Command::new(&binary);
        list.args(["--list", "--format", "terse"]).args(filters).current_dir(workspace::root());
        let output = list.output().with_context(|| format!("cannot run {}", binary.display()))?;
        ensure!(output.status.success(), "{} cannot list its tests: {}", binary.display(), output.status);
        let tests = that_need_root(&String::from_utf8_lossy(&output.stdout));
        Ok((!tests.is_empty()).then_some(RootPass { binary, tests }))
    }

    pub fn count(&self) -> usize {
        self.tests.len()
    }

    /// The environment is kept but for what sudo and the loader change: sudoers(5), ld.so(8).
    pub fn command(&self) -> Result<Command> {
        let home = PathBuf::from(env::var_os("HOME").context("HOME is not set")?);
        let directory = |name: &str, default: &str| env::var_os(name).map_or(home.join(default), PathBuf::from);
        let cargo_home = directory("CARGO_HOME", ".cargo");
        let variables = [
            ("PATH", env::var_os("PATH").unwrap_or_default()),
            ("TMPDIR", env::temp_dir().into()),
            ("RUSTUP_HOME", directory("RUSTUP_HOME", ".rustup").into()),
            ("CARGO_HOME", cargo_home.clone().into()),
        ];
        let mut sudo = Command::new("sudo");
        sudo.args(["--preserve-env", "env"]);
        sudo.args(variables.map(|(name, value)| assignment(name, value)));
        sudo.args(["sh", "-c", SCRIPT, "sh"]).arg(format!("{}:{}", geteuid().as_raw(), getegid().as_raw()));
        sudo.arg(lines(&[workspace::target()?, cargo_home])).arg(&self.binary).arg("--exact").args(&self.tests);
        sudo.current_dir(workspace::root().join(DIRECTORY));
        Ok(sudo)
    }
}

fn assignment(name: &str, value: OsString) -> OsString {
    let mut assignment = OsString::from(format!("{name}="));
    assignment.push(value);
    assignment
}

/// Those directories that are the user's own, one a line.
fn lines(directories: &[PathBuf]) -> OsString {
    let is_ours = |path: &Path| path.metadata().is_ok_and(|about| about.uid() == geteuid().as_raw());
    let mut lines = OsString::new();
    // chown doesn't follow a symlink, not even one that it is given.
    for directory in directories.iter().filter_map(|path| path.canonicalize().ok()).filter(|path| is_ours(path)) {
        lines.push(directory);
        lines.push("\n");
    }
    lines
}

/// The path of the integration tests' binary. The same arguments as the run's, so that nothing is built twice.
fn built() -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--workspace", "--no-run", "--message-format=json-render-diagnostics"]);
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot run cargo test")?;
    ensure!(output.status.success(), "cargo could not build the tests: {}", output.status);
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    messages
        .lines()
        .find_map(|message| executable(message, "test", BINARY))
        .with_context(|| format!("cargo built no tests named {BINARY}"))
}

/// In a message of cargo that reports a binary of this kind and name: "External tools" in cargo's book.
pub fn executable(message: &str, kind: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_ours = message["target"]["name"] == name && message["target"]["kind"][0] == kind;
    is_ours.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
}

fn that_need_root(list: &str) -> Vec<String> {
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    names.filter(|name| NEED_ROOT.iter().any(|part| name.contains(part))).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_found_among_cargos_messages() {
        let message = |kind: &str, name: &str| {
            format!(r#"{{"target":{{"kind":["{kind}"],"name":"{name}"}},"executable":"/t/{name}-1"}}"#)
        };
        assert_eq!(executable(&message("test", "it"), "test", BINARY), Some("/t/it-1".into()));
        for other in [message("lib", "it"), message("test", "other"), "warning: text".into(), "{}".into()] {
            assert_eq!(executable(&other, "test", BINARY), None, "{other}");
        }
    }

    #[test]
    fn tests_that_need_root_are_told_by_their_names() {
        let list = "namespaces::carry::a: test\nbad_plans::texts::b: test\nbad_plans::whole::c: test\n\n3 tests\n";
        assert_eq!(that_need_root(list), ["namespaces::carry::a", "bad_plans::whole::c"]);
    }

    /// The script by an ordinary shell: the command's status, a home of its own, and nothing to give back.
    #[test]
    fn the_script_ends_as_the_command_does() {
        let command = ["test -d \"$HOME\" && echo \"$HOME\" && exit 7"];
        let mut script = Command::new("sh");
        script.args(["-c", SCRIPT, "sh", "0:0", "", "sh", "-c"]).args(command).env("HOME", "/none");
        let output = script.output().unwrap();
        let home = String::from_utf8(output.stdout).unwrap();
        assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(7), ""));
        assert!(home.len() > 2 && !Path::new(home.trim()).exists(), "{home}");
    }
}
