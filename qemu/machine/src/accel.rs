//! Chooses between KVM and TCG. `/dev/kvm` may open and yet be an emulation that can't boot a stock kernel, so KVM
//! is believed only after a guest got through its first second.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::qemu::{Accel, Vm};
use sources::workspace;

/// With real KVM the first second takes less than one; a minute of silence is what some emulations give.
const PROBE_LIMIT: Duration = Duration::from_secs(10);

/// What the user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    Kvm,
    Tcg,
    /// KVM where it really works, else TCG
    #[default]
    Auto,
}

/// The accelerator to use for guests of this kernel.
pub fn choose(choice: Choice, kernel: &Path) -> Result<Accel> {
    match choice {
        Choice::Kvm => Ok(Accel::Kvm),
        Choice::Tcg => Ok(Accel::Tcg),
        Choice::Auto => best(kernel),
    }
}

/// KVM where it really works, else TCG. The verdict is kept until this machine boots again.
pub fn best(kernel: &Path) -> Result<Accel> {
    if OpenOptions::new().read(true).write(true).open("/dev/kvm").is_err() {
        return Ok(Accel::Tcg);
    }
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let record = workspace::cache("")?.join("accel");
    let known = fs::read_to_string(&record).unwrap_or_default();
    for accel in [Accel::Kvm, Accel::Tcg] {
        if known == verdict(accel, &boot_id) {
            return Ok(accel);
        }
    }
    let accel = if survives_first_second(kernel)? { Accel::Kvm } else { Accel::Tcg };
    fs::write(&record, verdict(accel, &boot_id)).with_context(|| format!("cannot write {}", record.display()))?;
    Ok(accel)
}

fn verdict(accel: Accel, boot_id: &str) -> String {
    format!("{accel} {}\n", boot_id.trim())
}

/// Without an initramfs the kernel boots to the end and panics for want of a root: that panic is what we wait for.
fn survives_first_second(kernel: &Path) -> Result<bool> {
    let vm = Vm { accel: Accel::Kvm, timeout: PROBE_LIMIT, ..Vm::bare(kernel) };
    let outcome = vm.run()?;
    let survives = outcome.transcript.contains("Kernel panic") && !outcome.timed_out;
    if !survives {
        eprintln!("vm: /dev/kvm is here but cannot boot this kernel: using TCG");
    }
    Ok(survives)
}
