//! The kernel's own vsock, for want of a machine that serves it: a guest's kernel has /dev/vhost-vsock by its module, and
//! AF_VSOCK's loopback. There a program asks for CIDs, and runs the bridge that hosts run.

use anyhow::Result;
use vm::initramfs::Initramfs;
use vm::modules::{self, Modules};
use vm::qemu::Vm;
use vm::test::long;
use vm::{accel, build, kernel};

use super::{LIMIT, beside_others, parts};

const MODULES: [&str; 2] = ["vsock_loopback", "vhost_vsock"];

const PLAN: &str = "root
mount devtmpfs /dev devtmpfs nosuid,noexec
dir /tmp
bind /sbin/agent
exec /sbin/agent kernel
";

fn check(release: Option<&str>) -> Result<()> {
    let kernel = release.map_or_else(|| Ok(parts().kernel.clone()), kernel::of)?;
    let modules = Modules::of(&kernel::modules(release)?)?.needed(&MODULES.map(String::from))?;
    let mut tree = Initramfs::with_console();
    tree.file("/init", &parts().init)?.file("/sbin/agent", &build::guest("vsock-bridge", "vsock-check")?)?;
    tree.bytes("/boot.plan", 0o644, modules::planned(PLAN, &modules)?);
    modules::pack(&modules, &mut tree);
    let image = tempfile::Builder::new().suffix(".cpio").tempfile()?;
    tree.write(image.path())?;
    let _guest = beside_others();
    let vm = Vm { accel: accel::best(&kernel)?, timeout: LIMIT, ..Vm::new(&kernel, image.path()) };
    let outcome = vm.run()?;
    let evidence = outcome.evidence();
    assert!(outcome.transcript.lines().any(|line| line == "vsock-check kernel: all is well"), "{evidence}");
    assert_eq!(outcome.panic_code, Some(0), "{evidence}");
    Ok(())
}

#[test]
fn is_asked_for_cids_and_bridged() -> Result<()> {
    check(None)?;
    if !long() {
        eprintln!("only this release's kernel: the others take --long");
        return Ok(());
    }
    check(Some("trixie"))?;
    check(Some("sid"))
}
