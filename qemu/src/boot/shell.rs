//! A shell on the console of any image: busybox, beside what the image has.
//!
//! The kernel unpacks archives that lie one behind the other, so the image stays as it is and one more archive comes
//! after it. Where a plan runs, the shell is the plan's service; any other init is left out, and the shell is process 1.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use language::Verb;
use tempfile::NamedTempFile;

use machine::cleanup::Cleanup;
use machine::qemu::Vm;
use sources::workspace;
use tool::initramfs::Initramfs;
use tool::plan::Plan;

const PLACE: &str = "/.shell";
const BUSYBOX: &str = "/.shell/busybox";
const SCRIPT: &str = "/.shell/run";
const PLAN: &str = "/.shell/plan";

/// A text that moveroot's init has in it.
const MOVEROOTS: &[u8] = b"moveroot_plan=";

/// As a plan's service it has a terminal, and what the plan mounts.
const TEXT: &str = "#!/.shell/busybox sh
b=/.shell/busybox
$b --install -s /.shell
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/.shell
if [ $$ != 1 ]; then exec $b sh; fi
$b mkdir -p /proc /sys /dev
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
$b setsid -c $b sh
$b poweroff -f
";

/// The steps that say what the service is, and what is different with a shell.
const SERVICES: [Verb; 3] = [Verb::Exec, Verb::Spawn, Verb::OnExit];

/// An image with a shell, and what the kernel has to be told for it.
pub struct Shell {
    image: NamedTempFile,
    words: String,
    _cleanup: Cleanup,
}

impl Shell {
    pub fn of(image: &Path, busybox: &Path) -> Result<Self> {
        let tree = Initramfs::of_image(image)?;
        let mut added = Initramfs::with_console();
        added.dir(PLACE, 0o755).file(BUSYBOX, busybox)?.bytes(SCRIPT, 0o755, TEXT);
        let init = tree.resolve("/init").and_then(|path| tree.at(&path)).map(|init| init.read()).transpose()?;
        let words = if init.is_some_and(|init| init.windows(MOVEROOTS.len()).any(|part| part == MOVEROOTS)) {
            added.bytes(PLAN, 0o644, with_shell(&Plan::of_tree(&tree)?));
            format!("moveroot_plan={PLAN}")
        } else {
            format!("rdinit={SCRIPT}")
        };
        let mut out = tempfile::Builder::new().suffix(".cpio").tempfile_in(workspace::cache("images")?)?;
        let cleanup = Cleanup::of_path(out.path());
        let mut bytes = fs::read(image).with_context(|| format!("cannot read {}", image.display()))?;
        // An archive that is not compressed begins at a multiple of four: unpack_to_rootfs in init/initramfs.c.
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(added.archive()?);
        out.write_all(&bytes).context("cannot write the image with a shell")?;
        Ok(Shell { image: out, words, _cleanup: cleanup })
    }

    /// The console is this program's own until the machine ends.
    pub fn run(&self, vm: Vm) -> Result<ExitCode> {
        let append = format!("{} {}", vm.append, self.words).trim().to_string();
        let vm = Vm { initramfs: Some(self.image.path().to_path_buf()), append, ..vm };
        eprintln!("vm: a shell on the console: `exit` powers the machine off, ctrl-a x ends it");
        let status = vm.attend()?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The plan with the shell in the place of its service.
fn with_shell(plan: &Plan) -> String {
    let is_service = |number: usize| {
        let line = plan.lines().iter().find(|line| line.number == number);
        line.and_then(|line| line.verb()).is_some_and(|verb| SERVICES.contains(&verb))
    };
    let text = String::from_utf8_lossy(plan.text());
    let kept = text.lines().enumerate().filter(|(at, _)| !is_service(at + 1)).map(|(_, line)| line);
    let steps = [format!("bind {PLACE}"), format!("spawn {SCRIPT}")];
    kept.map(String::from).chain(steps).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_is_the_service() {
        let plan = Plan::of("p", "# exec\nroot\non-exit reboot\n-exec /a\nspawn /b c\n");
        assert_eq!(with_shell(&plan), "# exec\nroot\nbind /.shell\nspawn /.shell/run\n");
    }
}
