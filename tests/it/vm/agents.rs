//! The clients of `cargo vm task`, each against the mock of the agent it speaks to, under that agent's plan.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use vm::{build, workspace};

use super::alone;
use crate::pack::Ground;

/// What a guest says on its console once it is to be ended.
const RUNS_ON: &str = "vm: the machine runs on";

/// A boot with `--ready` that goes on until this is dropped.
struct Booted {
    vm: Child,
    directory: String,
}

impl Booted {
    fn start(words: &str) -> Result<Booted> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vm"));
        command.arg("boot").args(words.split_whitespace()).current_dir(workspace::root());
        let vm = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("cannot run vm boot")?;
        let mut booted = Booted { vm, directory: String::new() };
        let mut said = Vec::new();
        for line in BufReader::new(booted.vm.stderr.take().context("no output")?).lines() {
            said.push(line?);
            if said.last().is_some_and(|line| line.starts_with(RUNS_ON)) {
                break;
            }
        }
        let directory = said.iter().find_map(|line| Some(line.rsplit_once("is in ")?.1.to_string()));
        ensure!(said.last().is_some_and(|line| line.starts_with(RUNS_ON)), "{}", said.join("\n"));
        booted.directory = directory.context("no directory is named")?;
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
    let _alone = alone();
    let words = "--plan plans/nerdbox.plan --append mock_serves=1 --ready dial:1025 -- \
        -vsock-rpc-port=1025 -vsock-stream-port=1026 -vsock-cid=3";
    let booted = Booted::start(words)?;
    let said = booted.task("--style nerdbox --socket DIRECTORY/called_1025")?;
    assert_eq!(said, "container exited 42\n");
    Ok(())
}

#[test]
fn katas_sandbox_is_made_and_run() -> Result<()> {
    let _alone = alone();
    let booted = Booted::start("--plan plans/kata.plan --append mock_serves=1 --ready listen:1024")?;
    let task = "--style kata --socket DIRECTORY/vsock --port 1024";
    let said = booted.task(task)?;
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
    let _alone = alone();
    let words = format!("--plan {} --append mock_serves=1 --ready listen:10789", ground.path("p").display());
    let booted = Booted::start(&words)?;
    let said = booted.task("--style firecracker-containerd --socket DIRECTORY/vsock --port 10789")?;
    assert_eq!(said, "container exited 42\n");
    Ok(())
}

/// containerd's own, with taskd.
#[test]
fn containerds_task_is_made_and_run() -> Result<()> {
    let taskd = build::guest("taskd", "taskd")?;
    let _alone = alone();
    let booted = Booted::start(&format!("--agent {} --ready listen:1024 -- --listen 1024", taskd.display()))?;
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
