//! A microVM under QEMU: starts it, reads its console, ends it after a limit, and tells how it ended.
//! The verdict is the guest's own: a code that leaves by its processor's way, or the kernel's panic line.

mod driven;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::console::Said;
use sources::arch::{Arch, X86_64};

pub use driven::Machine;

/// One instruction a nanosecond.
const COUNTED_KHZ: u64 = 1_000_000;

/// Who runs the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accel {
    Kvm,
    Tcg,
}

impl fmt::Display for Accel {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(match self {
            Accel::Kvm => "kvm",
            Accel::Tcg => "tcg",
        })
    }
}

/// A machine that is yet to run.
#[derive(Clone, Debug)]
pub struct Vm {
    pub arch: &'static Arch,
    pub kernel: PathBuf,
    pub initramfs: Option<PathBuf>,
    /// The image of a virtio disk, `/dev/vda`.
    pub disk: Option<PathBuf>,
    /// Whether the guest may write to it.
    pub disk_is_writable: bool,
    /// What the kernel's console is: the serial port, if nothing else is said.
    pub console: String,
    /// Words for the kernel's command line, after the harness's own.
    pub append: String,
    /// Words for the init, after `--`.
    pub init_args: Vec<String>,
    pub memory_mb: u32,
    pub cpus: u32,
    pub accel: Accel,
    /// Under TCG: the guest's clock counts its instructions, one a nanosecond.
    pub counted: bool,
    /// Words for QEMU's own command line.
    pub extra: Vec<String>,
    pub timeout: Duration,
}

/// How a machine's run went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// All that came out of the serial console, then what QEMU itself had to say.
    pub transcript: String,
    /// The code by which the guest ended the machine.
    pub guest_code: Option<u8>,
    /// Init's exit code from the kernel's panic line, where init exited.
    pub panic_code: Option<u8>,
    pub timed_out: bool,
    pub status: ExitStatus,
    pub command_line: String,
    pub elapsed: Duration,
}

impl Vm {
    /// x86-64, one CPU, 512 MB, TCG, one minute.
    pub fn new(kernel: &Path, initramfs: &Path) -> Self {
        Vm { initramfs: Some(initramfs.to_path_buf()), ..Vm::bare(kernel) }
    }

    /// The same for a processor.
    pub fn for_arch(arch: &'static Arch, kernel: &Path, initramfs: &Path) -> Self {
        Vm { arch, console: arch.qemu.console.to_string(), ..Vm::new(kernel, initramfs) }
    }

    /// A kernel without an initramfs: it can only panic.
    pub fn bare(kernel: &Path) -> Self {
        Vm {
            arch: &X86_64,
            kernel: kernel.to_path_buf(),
            initramfs: None,
            disk: None,
            disk_is_writable: false,
            console: X86_64.qemu.console.to_string(),
            append: String::new(),
            init_args: Vec::new(),
            memory_mb: 512,
            cpus: 1,
            accel: Accel::Tcg,
            counted: false,
            extra: Vec::new(),
            timeout: Duration::from_secs(60),
        }
    }

    /// Runs the machine to its end or to the limit.
    pub fn run(&self) -> Result<Outcome> {
        self.watch(|_| ())
    }

    /// Runs the machine and shows each line of its console as it comes.
    pub fn watch(&self, line: impl FnMut(&str)) -> Result<Outcome> {
        let (outcome, nothing) = self.drive(line, |_| Ok(()))?;
        nothing.map(|()| outcome)
    }

    fn command(&self) -> Command {
        let mut qemu = Command::new(self.arch.qemu.program);
        qemu.args(self.arch.qemu.machine).args(["-nodefaults", "-no-user-config", "-no-reboot"]);
        qemu.args(["-accel", &self.accel.to_string(), "-m", &self.memory_mb.to_string()]);
        qemu.args(["-smp", &self.cpus.to_string(), "-display", "none"]);
        qemu.args(self.arch.qemu.exit);
        if self.counted {
            qemu.args(["-icount", "shift=0,sleep=off"]);
        }
        qemu.args(&self.extra).arg("-kernel").arg(&self.kernel);
        if let Some(initramfs) = &self.initramfs {
            qemu.arg("-initrd").arg(initramfs);
        }
        if let Some(disk) = &self.disk {
            // QEMU's option syntax doubles a comma that belongs to a value.
            let file = disk.to_string_lossy().replace(',', ",,");
            let access = if self.disk_is_writable { "off" } else { "on" };
            qemu.args(["-drive", &format!("id=disk,if=none,format=raw,readonly={access},file={file}")]);
            qemu.args(["-device", "virtio-blk-device,drive=disk"]);
        }
        qemu.args(["-append", &self.kernel_command_line()]);
        qemu.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        qemu
    }

    fn kernel_command_line(&self) -> String {
        let mut words = vec![format!("console={} {}", self.console, self.arch.qemu.command_line)];
        if self.arch.qemu.has_tsc && self.accel == Accel::Tcg {
            let khz = if self.counted { COUNTED_KHZ } else { clock::tsc_khz() };
            words.push(format!("tsc_early_khz={khz}"));
        }
        words.extend((!self.append.is_empty()).then(|| self.append.clone()));
        words.extend((!self.init_args.is_empty()).then(|| "--".to_string()));
        words.extend(self.init_args.iter().map(|word| quoted(word)));
        words.join(" ")
    }
}

impl Outcome {
    fn new(arch: &Arch, said: Said, status: ExitStatus, command_line: String, elapsed: Duration) -> Self {
        // QEMU exits with 1 by itself too, when it can't start the machine: then the console is empty.
        let code = status.code().filter(|_| !said.console.is_empty());
        let guest_code = code.and_then(|code| arch.qemu.code(code));
        let panic_code = panic_code(&said.console);
        let transcript = said.console + &said.errors;
        Outcome { transcript, guest_code, panic_code, timed_out: said.timed_out, status, command_line, elapsed }
    }

    /// How it ended, in words.
    pub fn ending(&self) -> String {
        match (self.guest_code, self.panic_code) {
            _ if self.timed_out => format!("ended after {:.0} s without a result", self.elapsed.as_secs_f64()),
            (Some(code), _) => format!("the agent ended the VM with code {code}"),
            (None, Some(code)) => format!("init exited with code {code} and the kernel panicked"),
            (None, None) if self.transcript.trim().is_empty() => {
                format!("QEMU ended, {}, and the guest said no word: has it enough memory?", self.status)
            }
            (None, None) => format!("QEMU ended, {}, and the guest gave no code", self.status),
        }
    }

    /// All one needs to see what went wrong and to run it again.
    pub fn evidence(&self) -> String {
        let line = "-".repeat(40);
        let transcript = self.transcript.trim_end();
        format!("{}\n{line} transcript\n{transcript}\n{line} QEMU\n{}", self.ending(), self.command_line)
    }
}

/// QEMU's words for memory that devices outside of QEMU work on: those of vhost-user.
pub fn shared_memory(memory_mb: u32) -> Vec<String> {
    let memory = format!("memory-backend-memfd,id=memory,share=on,size={memory_mb}M");
    ["-machine", "memory-backend=memory", "-object", &memory].map(String::from).to_vec()
}

/// From `Attempted to kill init! exitcode=0x00000700`, a wait status: 7. None where a signal killed init.
fn panic_code(console: &str) -> Option<u8> {
    let (_, rest) = console.split_once("exitcode=0x")?;
    let status = u32::from_str_radix(rest.get(..8)?, 16).ok()?;
    (status & 0x7f == 0).then_some((status >> 8) as u8)
}

/// A word for the kernel's command line, which takes what stands between double quotes as one: next_arg in lib/cmdline.c.
fn quoted(word: &str) -> String {
    if word.contains(char::is_whitespace) { format!("\"{word}\"") } else { word.to_string() }
}

/// The command as one can paste it into a shell.
fn shell_words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_=./,:+%".contains(c));
        if is_plain { word.into_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_inits_exit_code() {
        let panic = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x";
        assert_eq!(panic_code(&format!("{panic}00000700\n")), Some(7));
        assert_eq!(panic_code(&format!("{panic}0000c800\n")), Some(200));
        assert_eq!(panic_code(&format!("{panic}0000000b\n")), None, "a signal");
        assert_eq!(panic_code("no panic"), None);
    }
}
