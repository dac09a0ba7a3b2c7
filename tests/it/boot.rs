//! `cargo vm boot` with files of one's own: what cannot be booted is refused in a line, before anything is fetched.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::Result;
use vm::{image, kernel};

use crate::pack::Ground;

/// What is given, and what is said of it.
const REFUSED: [(&str, &str); 19] = [
    (
        "--task --timeline a.svg",
        "--timeline draws what init and the demo agent mark; a boot with --task prints a table of its own",
    ),
    ("--kernel none", "cannot find --kernel none: No such file or directory (os error 2)"),
    ("--kernel directory", "--kernel directory is no file"),
    ("--kernel text", "--kernel text is neither a bzImage nor an ELF file: it begins with \"plain\""),
    ("--kernel packed", "--kernel packed is neither a bzImage nor an ELF file: it is compressed by gzip"),
    ("--kernel Image", "--kernel Image is for another architecture: aarch64, and the guest is x86-64"),
    ("--kernel foreign", "--kernel foreign is for another architecture: aarch64, and the guest is x86-64"),
    ("--kernel agent", "--kernel agent is an ELF file, and no kernel that QEMU starts: it has no entry of CONFIG_PVH"),
    ("--agent none", "cannot find --agent none: No such file or directory (os error 2)"),
    ("--agent directory", "--agent directory is no file"),
    ("--agent text", "--agent text is no executable: it is neither ELF nor a script: a script begins with #!/"),
    ("--agent closed", "--agent closed is no executable: its mode is 0644: say `chmod 0755`"),
    ("--agent script", "--agent script is a script whose interpreter /bin/sh is missing: put it there"),
    ("--crun foreign", "--crun foreign is for another architecture: aarch64, and the guest is x86-64"),
    ("--arch aarch64 --kernel text", "--kernel text is no Image: it begins with \"plain\""),
    ("--arch riscv64 --kernel Image", "--kernel Image is for another architecture: aarch64, and the guest is riscv64"),
    ("--arch aarch64 --agent agent", "--agent agent is for another architecture: x86-64, and the guest is aarch64"),
    ("--arch aarch64 --crun none", "cannot find --crun none: No such file or directory (os error 2)"),
    ("--crun packed", "--crun packed is no executable: it is compressed by gzip: decompress it"),
];

fn ground() -> Result<Ground> {
    let ground = Ground::new()?;
    let mut foreign = fs::read(ground.path("agent"))?;
    // e_machine: 183 is EM_AARCH64.
    foreign[18..20].copy_from_slice(&183_u16.to_le_bytes());
    ground.file("foreign", foreign, 0o755)?.file("closed", fs::read(ground.path("agent"))?, 0o644)?;
    ground.file("text", "plain", 0o755)?.file("script", "#!/bin/sh\n", 0o755)?;
    ground.file("packed", b"\x1f\x8b\x08packed", 0o755)?;
    ground.file("Image", [&[0; 56], b"ARM\x64".as_slice()].concat(), 0o644)?;
    fs::create_dir(ground.path("directory"))?;
    Ok(ground)
}

#[test]
fn refuses_files_of_the_wrong_kind() -> Result<()> {
    let ground = ground()?;
    for (words, message) in REFUSED {
        let output = ground.vm(&format!("boot {words}"))?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!((output.status.code(), said), (Some(1), format!("vm: {message}\n")), "{words}");
    }
    Ok(())
}

/// What follows is looked at after the kernel: so both forms of a real one are taken.
#[test]
fn takes_a_kernel_in_both_its_forms() -> Result<()> {
    let ground = ground()?;
    let kernel = kernel::newest()?;
    for (name, kernel) in [("vmlinux", image::unpacked(&kernel)?), ("vmlinuz", kernel)] {
        symlink(&kernel, ground.path(name))?;
        let output = ground.vm(&format!("boot --kernel {name} --crun closed"))?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(
            said,
            "vm: --crun closed is no executable: its mode is 0644: say `chmod 0755`\n",
            "{}",
            kernel.display()
        );
    }
    Ok(())
}

/// Scripts go by these.
#[test]
fn tells_its_exit_codes() -> Result<()> {
    let ground = Ground::new()?;
    for command in ["boot", "pack", "try"] {
        let said = String::from_utf8(ground.vm(&format!("{command} --help"))?.stdout)?;
        assert!(said.contains("\nExit codes:\n  0 "), "{command}: {said}");
    }
    Ok(())
}
