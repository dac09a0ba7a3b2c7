//! The clients of `cargo vm task`, each against the mock of the agent it speaks to, under that agent's plan.

mod page;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use vm::{build, workspace};

use super::beside_others;
use crate::pack::Ground;

/// How `vm boot` says that the machine goes on.
const RUNS_ON: &str = "vm: the machine runs on";

/// Of `vm task`, as the pages of docs/agents have it.
const NERDBOX: &str = "--style nerdbox --socket DIRECTORY/called_1025";
const KATA: &str = "--style kata --socket DIRECTORY/vsock --port 1024";
const FIRECRACKER: &str = "--style firecracker-containerd --socket DIRECTORY/vsock --port 10789";

/// A boot with `--ready` that goes on until this is dropped.
struct Booted {
    vm: Child,
    directory: String,
    /// To be kept: a program that nobody reads ends.
    errors: BufReader<ChildStderr>,
}

impl Booted {
    /// Of a mock that is to serve, with these words more for the kernel.
    fn start(append: &str, words: &str) -> Result<Booted> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vm"));
        command
            .args(["boot", "--append", &format!("mock_serves=1 {append}")])
            .args(words.split_whitespace())
            .current_dir(workspace::root());
        let mut vm = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("cannot run vm boot")?;
        let errors = BufReader::new(vm.stderr.take().context("no output")?);
        let mut booted = Booted { vm, directory: String::new(), errors };
        let mut said = String::new();
        while !said.contains(RUNS_ON) {
            let read = booted.errors.read_line(&mut said)?;
            ensure!(read > 0, "{said}");
        }
        let directory = said.lines().find_map(|line| line.rsplit_once("is in "));
        booted.directory = directory.context("no directory is named")?.1.to_string();
        Ok(booted)
    }

    /// What `vm task` prints.
    fn task(&self, words: &str) -> Result<String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vm"));
        command.arg("task").args(words.replace("DIRECTORY", &self.directory).split_whitespace());
        let output = command.output().context("cannot run vm task")?;
        let [said, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        ensure!(output.status.success(), "{words}: {errors}");
        Ok(said)
    }
}

impl Drop for Booted {
    /// As ctrl-c does.
    fn drop(&mut self) {
        // It may have ended with its machine.
        kill(Pid::from_raw(self.vm.id() as i32), Signal::SIGINT).ok();
        self.vm.wait().ok();
    }
}

#[test]
fn nerdboxs_bundle_is_made_and_run() -> Result<()> {
    let _guest = beside_others();
    let words = "--plan plans/nerdbox.plan --ready dial:1025 -- \
        -vsock-rpc-port=1025 -vsock-stream-port=1026 -vsock-cid=3";
    let booted = Booted::start("", words)?;
    let said = booted.task(NERDBOX)?;
    assert_eq!(said, "container exited 42\n");
    Ok(())
}

#[test]
fn katas_sandbox_is_made_and_run() -> Result<()> {
    let _guest = beside_others();
    let booted = Booted::start("", "--plan plans/kata.plan --ready listen:1024")?;
    let said = booted.task(KATA)?;
    assert!(said.starts_with("hello from a container on Linux "), "{said}");
    assert!(said.contains("memory limit 67108864, pids limit 32\n"), "{said}");
    assert!(said.ends_with("\ncontainer exited 42\n"), "{said}");
    Ok(())
}

/// Its bundle's directory has the root already: a drive in the real one's guest, here what the plan carries.
#[test]
fn firecracker_containerds_task_is_made_and_run() -> Result<()> {
    let ground = Ground::new()?;
    let plan = fs::read_to_string(workspace::root().join("plans/firecracker-containerd.plan"))?;
    let root = "bind /bundle/rootfs /container/demo/rootfs\nenv PATH";
    ground.plan(plan.replacen("env PATH", root, 1))?;
    let _guest = beside_others();
    let words = format!("--plan {} --ready listen:10789", ground.path("p").display());
    let booted = Booted::start("", &words)?;
    let said = booted.task(FIRECRACKER)?;
    assert_eq!(said, "container exited 42\n");
    Ok(())
}

/// containerd's own, with taskd.
#[test]
fn containerds_task_is_made_and_run() -> Result<()> {
    let taskd = build::guest("taskd", "taskd")?;
    let _guest = beside_others();
    let booted = Booted::start("", &format!("--agent {} --ready listen:1024 -- --listen 1024", taskd.display()))?;
    let said = booted.task("--style containerd --socket DIRECTORY/vsock --port 1024")?;
    assert_eq!(said, "container exited 42\n");
    let error = booted.task("--style containerd --socket DIRECTORY/vsock --port 9").expect_err("nobody listens there");
    assert!(
        format!("{error:#}").contains("the guest's vsock port 9") || format!("{error:#}").contains("CONNECT 9"),
        "{error:#}"
    );
    let error =
        booted.task("--style containerd --socket DIRECTORY/vsock --port 1024 --bundle /none").expect_err("no bundle");
    let message = "containerd.task.v3.Task Create: no bundle: /none/config.json";
    assert!(format!("{error:#}").contains(message), "{error:#}");
    Ok(())
}
