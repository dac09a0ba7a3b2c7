//! Who serves a guest's vsock is found out by trying; the bridge of the kernel's to a directory, over Unix sockets.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use vm::arch::X86_64;
use vm::vsock::{FIRST_CID, Vsock, vhost_words};
use vm::{apt, build};

/// What is not the kernel's vsock, and what is said of it.
#[test]
fn a_file_that_serves_nothing_leaves_vhost_user() -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    for (vhost, why) in [
        (Path::new("/dev/none"), "cannot open /dev/none: No such file or directory"),
        (Path::new("/dev/null"), "/dev/null takes no CID: Inappropriate ioctl for device"),
        (file.path(), "takes no CID: Inappropriate ioctl for device"),
        (Path::new("/dev"), "cannot open /dev: Is a directory"),
    ] {
        let vsock = Vsock::start_by(vhost, FIRST_CID)?;
        let said = vsock.to_string();
        assert!(said.starts_with("vhost-user (") && said.contains(why), "{}: {said}", vhost.display());
        let words = vsock.words(300);
        assert!(words.contains(&"vhost-user-vsock-device,chardev=vsock".to_string()), "{words:?}");
        assert!(words.iter().any(|word| word.ends_with(",share=on,size=300M")), "{words:?}");
        // Both ends of the directory are there.
        drop(vsock.listen(1024)?);
        let directory = vsock.directory().to_path_buf();
        assert!(directory.join("vsock").exists() && directory.join("vsock_1024").exists());
        drop(vsock);
        assert!(!directory.exists(), "{} is left behind", directory.display());
    }
    Ok(())
}

/// Debian's QEMU has the device, and it takes a CID by that name.
#[test]
fn qemu_knows_the_words_for_vhost() -> Result<()> {
    apt::ensure_programs(&[X86_64.qemu.program])?;
    let words = vhost_words(7);
    assert_eq!(words, ["-device", "vhost-vsock-device,guest-cid=7"]);
    let output =
        Command::new(X86_64.qemu.program).args(["-M", "microvm", "-device", "vhost-vsock-device,help"]).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success() && said.contains("guest-cid=<uint64>"), "{said}");
    Ok(())
}

/// The same checks run over AF_VSOCK in a guest: vm/vsock.rs.
#[test]
fn the_bridge_joins_both_ways() -> Result<()> {
    let output = Command::new(build::guest("vsock-bridge", "vsock-check")?).arg("unix").output();
    let output = output.context("cannot run vsock-check")?;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said == "vsock-check unix: all is well\n", "{}: {said}", output.status);
    Ok(())
}
