//! `cargo vm boot --shell`: a shell on the console of an image, moveroot's or not.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::fs::{OFlags, fcntl_setfl};
use vm::initramfs::Initramfs;

use super::beside_others;
use crate::pack::Ground;

const PROMPT: &str = "# ";

/// For a boot, and for each answer.
const PATIENCE: Duration = Duration::from_secs(100);

const PAUSE: Duration = Duration::from_millis(50);

/// A shell's console.
struct Console {
    vm: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    said: String,
}

impl Console {
    fn of(image: &Path) -> Result<Console> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vm"));
        command.args(["boot", "--shell", "--initramfs"]).arg(image);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut vm = command.spawn().context("cannot run vm boot")?;
        let (keys, screen) = (vm.stdin.take().context("no input")?, vm.stdout.take().context("no output")?);
        fcntl_setfl(&screen, OFlags::NONBLOCK)?;
        Ok(Console { vm, keys, screen, said: String::new() })
    }

    /// Reads on up to this text.
    fn wait_for(&mut self, text: &str, patience: Duration) -> Result<()> {
        let since = Instant::now();
        loop {
            let mut bytes = [0; 4096];
            match self.screen.read(&mut bytes) {
                Ok(length) => self.said += &String::from_utf8_lossy(&bytes[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                Err(error) => return Err(error.into()),
            }
            if self.said.contains(text) {
                return Ok(());
            }
            ensure!(since.elapsed() < patience, "no {text:?} came: {}", self.said);
        }
    }

    /// Presses Enter until a prompt comes of it: what is typed while the shell sets the terminal up is lost.
    fn wait_for_prompt(&mut self) -> Result<()> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            self.keys.write_all(b"\n")?;
            if self.wait_for(PROMPT, Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
        }
        self.wait_for(PROMPT, PAUSE)
    }

    /// What is typed is echoed, so command and answer must differ.
    fn ask(&mut self, command: &str, answer: &str) -> Result<()> {
        self.said.clear();
        self.keys.write_all(format!("{command}\n").as_bytes())?;
        self.wait_for(answer, PATIENCE)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // ctrl-a x, for QEMU; it may have ended.
        self.keys.write_all(b"\x01x").ok();
        self.vm.wait().ok();
    }
}

/// With the plan's own mounts, and process 1 is init still.
#[test]
fn is_the_service_of_a_plan() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("root size=12m\nmount proc /proc proc\nbind /etc/words\nexec /etc/words\n")?;
    ground.pack("--file /etc/words=agent")?;
    let _guest = beside_others();
    let mut console = Console::of(&ground.path("out"))?;
    console.wait_for_prompt()?;
    console.ask("head -n1 /proc/mounts", "tmpfs / tmpfs rw,relatime,size=12288k")?;
    console.ask("ls /etc | sed s/w/W/", "Words")?;
    console.ask("echo $(($$ > 1)) is more", "1 is more")?;
    console.ask("exit", "reboot: Power down")?;
    ensure!(console.vm.wait()?.success(), "{}", console.said);
    Ok(())
}

/// An image with an init of its own kind, which does not run then.
#[test]
fn is_process_1_of_another_image() -> Result<()> {
    let ground = Ground::new()?;
    let mut tree = Initramfs::empty();
    tree.bytes("/init", 0o755, "#!/bin/none\n").bytes("/etc/words", 0o644, "some words");
    tree.write(&ground.path("image"))?;
    let _guest = beside_others();
    let mut console = Console::of(&ground.path("image"))?;
    console.wait_for_prompt()?;
    console.ask("sed s/some/many/ /etc/words", "many words")?;
    console.ask("cat /proc/mounts | sed s/devtmpfs/DEV/g", "DEV /dev DEV")?;
    console.ask("exit", "reboot: Power down")?;
    ensure!(console.vm.wait()?.success(), "{}", console.said);
    Ok(())
}
