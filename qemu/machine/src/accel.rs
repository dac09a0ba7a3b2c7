//! Chooses between KVM and TCG. `/dev/kvm` may open and yet be an emulation that can't boot a stock kernel, so KVM
//! is believed only after a guest got through its first second.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use nix::unistd::Group;

use crate::qemu::{Accel, Vm};
use sources::arch::{Arch, X86_64};
use sources::workspace;
use tool::output;

const KVM: &str = "/dev/kvm";

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

/// The same for guests of a processor: /dev/kvm runs those of this machine's own, and no machine but x86-64's gives a guest's code
/// under KVM.
pub fn choose_for(arch: &Arch, choice: Choice, kernel: &Path) -> Result<Accel> {
    if *arch == X86_64 && arch.is_native() {
        return choose(choice, kernel);
    }
    ensure!(
        choice != Choice::Kvm,
        "a guest with {} runs under TCG: its code leaves by semihosting, which KVM has not",
        arch.shown
    );
    Ok(Accel::Tcg)
}

/// KVM where it really works, else TCG. The verdict is kept until this machine boots again.
pub fn best(kernel: &Path) -> Result<Accel> {
    if let Err(error) = OpenOptions::new().read(true).write(true).open(KVM) {
        if error.kind() == ErrorKind::PermissionDenied {
            static TOLD: Once = Once::new();
            TOLD.call_once(|| eprintln!("{}", output::message(&format!("vm: {}", advice(&owner())))));
        }
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

/// The group that may open it, by its name.
fn owner() -> String {
    let about = fs::metadata(KVM).ok().filter(|about| about.mode() & 0o060 == 0o060);
    let group = about.and_then(|about| Group::from_gid(about.gid().into()).ok().flatten());
    group.map(|group| group.name).unwrap_or_default()
}

/// What to do where the user may not open it; by root's own group nobody else should.
fn advice(group: &str) -> String {
    let how = match group {
        "" | "root" => "have root give it to a group: `sudo chgrp kvm /dev/kvm`, `sudo chmod 660 /dev/kvm`".to_string(),
        _ => format!("join its group, `sudo usermod -aG {group} $USER`, and log in again"),
    };
    format!("/dev/kvm is here and you may not open it: using TCG, which is slower; {how}")
}

fn verdict(accel: Accel, boot_id: &str) -> String {
    format!("{accel} {}\n", boot_id.trim())
}

/// Without an initramfs the kernel boots to the end and panics for want of a root: that panic is what we wait for.
fn survives_first_second(kernel: &Path) -> Result<bool> {
    eprintln!("vm: trying KVM, for {} s at most, once until this machine boots again", PROBE_LIMIT.as_secs());
    let _waiting = output::waiting("trying KVM");
    let vm = Vm { accel: Accel::Kvm, timeout: PROBE_LIMIT, ..Vm::bare(kernel) };
    let outcome = vm.run()?;
    let survives = outcome.transcript.contains("Kernel panic") && !outcome.timed_out;
    if !survives {
        eprintln!("vm: /dev/kvm is here but cannot boot this kernel: using TCG");
    }
    Ok(survives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_open_it_is_told_what_to_do() {
        assert!(advice("kvm").contains("`sudo usermod -aG kvm $USER`"), "{}", advice("kvm"));
        assert!(advice("root").contains("chgrp kvm"), "{}", advice("root"));
    }
}
