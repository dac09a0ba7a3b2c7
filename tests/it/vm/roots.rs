//! The hand-over on real kernels: what the service sees of the initramfs.

use anyhow::Result;
use vm::arch::X86_64;
use vm::initramfs::Initramfs;
use vm::kernel;
use vm::matrix::guest::Subject;
use vm::qemu::Vm;
use vm::sandbox::fixed;
use vm::test::long;

use super::{LIMIT, beside_others, parts};

const PLAN: &str = "mount proc /proc proc\nbind /bin/busybox\nlink busybox /bin/cat\n\
                    exec /bin/cat /proc/self/mountinfo /left /.moveroot /../left /proc/1/cwd/left\n";

fn nothing_is_reached_on(subject: &Subject) -> Result<()> {
    let mut tree = Initramfs::with_console();
    tree.file("/init", &parts().init)?.dir("/bin", 0o755).file("/bin/busybox", &parts().busybox)?;
    tree.bytes("/left", 0o644, "what nobody carried");
    fixed::put(&mut tree, PLAN)?;
    let image = tempfile::Builder::new().suffix(".cpio").tempfile()?;
    tree.write(image.path())?;
    let _guest = beside_others();
    let vm = Vm { accel: vm::accel::best(&subject.kernel)?, timeout: LIMIT, ..Vm::new(&subject.kernel, image.path()) };
    let outcome = vm.run()?;
    let said = &outcome.transcript;
    for path in ["/left", "/.moveroot", "/../left", "/proc/1/cwd/left"] {
        assert!(said.contains(&format!("can't open '{path}'")), "{path}: {}", outcome.evidence());
    }
    assert!(
        said.contains(" / / rw,relatime - tmpfs tmpfs"),
        "the new root is not the one mount on /: {}",
        outcome.evidence()
    );
    assert!(!said.contains("what nobody carried"), "{}", outcome.evidence());
    Ok(())
}

#[test]
fn no_path_leads_to_the_initramfs() -> Result<()> {
    nothing_is_reached_on(&Subject::own(&X86_64, &parts().kernel)?)?;
    if long() {
        nothing_is_reached_on(&Subject::own(&X86_64, &kernel::of("sid")?)?)?;
    }
    Ok(())
}
