//! `cargo vm pack --module`: the modules of a kernel package, with all they need, and the plan's lines for them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use vm::kernel;

const PLAN: &str = "root\nbind /agent\nexec /agent\n";

/// Packs the plan with a module, in a directory with `plan`, `agent` and `init`; what came of it.
fn pack(directory: &Path, plan: &str, words: &[&str]) -> Result<Output> {
    fs::write(directory.join("plan"), plan)?;
    for program in ["init", "agent"] {
        fs::copy("/proc/self/exe", directory.join(program))?;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_vm"));
    command.current_dir(directory).args([
        "pack",
        "--init",
        "init",
        "--plan",
        "plan",
        "-o",
        "out",
        "--carry-libs",
        "--file",
        "/agent=agent",
    ]);
    command.args(words).output().context("cannot run vm pack")
}

/// What it added to the plan, by the last parts of the paths.
fn added(output: &Output) -> Result<Vec<String>> {
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let lines = said.lines().filter_map(|line| Some(line.split_once("  module ")?.1));
    Ok(lines.filter_map(|path| path.rsplit('/').next()).map(String::from).collect())
}

const VSOCK: [&str; 3] = ["vsock.ko", "vmw_vsock_virtio_transport_common.ko", "vmw_vsock_virtio_transport.ko"];

#[test]
fn come_from_a_directory_or_a_package() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let modules = kernel::modules(None)?;
    let words = ["--module", "vmw-vsock-virtio-transport", "--kernel-package", &modules.display().to_string()];
    let lines = added(&pack(directory.path(), PLAN, &words)?)?;
    let ours: Vec<&String> = lines.iter().filter(|name| name.contains("vsock")).collect();
    assert_eq!(ours, VSOCK, "{lines:?}");

    // A package of only these, one of them compressed.
    let version = modules.file_name().context("a version")?;
    let tree = directory.path().join("tree");
    let packed = tree.join("usr/lib/modules").join(version).join("kernel");
    fs::create_dir_all(&packed)?;
    for name in &lines {
        let found = find(&modules, name)?.with_context(|| name.clone())?;
        fs::copy(found, packed.join(name))?;
    }
    let status = Command::new("gzip").arg(packed.join("vsock.ko")).status()?;
    ensure!(status.success(), "gzip: {status}");
    fs::create_dir(tree.join("DEBIAN"))?;
    // dpkg-deb refuses what other umasks make of it.
    fs::set_permissions(tree.join("DEBIAN"), fs::Permissions::from_mode(0o755))?;
    fs::write(
        tree.join("DEBIAN/control"),
        "Package: k\nVersion: 1\nArchitecture: amd64\nMaintainer: n\nDescription: d\n",
    )?;
    let built = Command::new("dpkg-deb").args(["--build", "tree", "k.deb"]).current_dir(directory.path()).output()?;
    ensure!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let words = ["--module", "vmw_vsock_virtio_transport", "--kernel-package", "k.deb"];
    assert_eq!(added(&pack(directory.path(), PLAN, &words)?)?, lines);
    let image = fs::read(directory.path().join("out"))?;
    let entry = format!("lib/modules/{}/kernel/vsock.ko\0", version.to_string_lossy());
    assert!(image.windows(entry.len()).any(|window| window == entry.as_bytes()), "it is not packed decompressed");
    Ok(())
}

fn find(directory: &Path, name: &str) -> Result<Option<std::path::PathBuf>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = find(&path, name)? {
                return Ok(Some(found));
            }
        } else if path.file_name().is_some_and(|found| found.to_string_lossy().split_once('.') == name.split_once('.'))
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

#[test]
fn that_cannot_be_are_refused() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let modules = kernel::modules(None)?;
    let version = modules.file_name().context("a version")?.to_string_lossy().into_owned();
    let path = modules.display().to_string();
    let vsock = format!("/lib/modules/{version}/kernel/net/vmw_vsock");
    let early = format!(
        "root\nmodule {vsock}/vmw_vsock_virtio_transport.ko\nmodule {vsock}/vsock.ko\nbind /agent\nexec /agent\n"
    );
    let cases = [
        (PLAN, ["--module", "bogus", "--kernel-package", &path], format!("the kernel {version} has no module bogus")),
        (PLAN, ["--module", "vsock", "--kernel-package", "none"], "there is no kernel package none".to_string()),
        (PLAN, ["--module", "vsock", "--kernel-package", "plan"], "plan is no Debian package".to_string()),
        (PLAN, ["--module", "vsock", "--kernel-package", "."], "no lib/modules/VERSION/kernel in .".to_string()),
        (
            &early,
            ["--module", "vmw_vsock_virtio_transport", "--kernel-package", &path],
            format!("the plan loads {vsock}/vmw_vsock_virtio_transport.ko too early: it may need /lib/modules/"),
        ),
    ];
    for (plan, words, message) in cases {
        let output = pack(directory.path(), plan, &words)?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(&message), "{words:?}: {said}");
        assert!(!directory.path().join("out").exists(), "{words:?} has written something");
    }
    Ok(())
}

/// Debian 13's package has them compressed; what is packed are the modules themselves.
#[test]
fn that_are_compressed_are_packed_decompressed() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let modules = kernel::modules(Some("trixie"))?.display().to_string();
    let output = pack(directory.path(), PLAN, &["--module", "brd", "--kernel-package", &modules])?;
    assert_eq!(added(&output)?, ["brd.ko"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("packed decompressed, for kernels that cannot do it themselves: 1 modules\n"), "{said}");
    let image = fs::read(directory.path().join("out"))?;
    // With the version: the test itself, which stands for the agent, has no such words.
    let version = Path::new(&modules).file_name().context("a version")?.to_string_lossy().into_owned();
    let name = format!("{version}/kernel/drivers/block/brd.ko\0");
    let at = image.windows(name.len()).position(|window| window == name.as_bytes()).context("it is not packed")?;
    let content: Vec<u8> = image[at + name.len()..].iter().copied().skip_while(|byte| *byte == 0).take(4).collect();
    assert_eq!(content, b"\x7fELF");
    Ok(())
}

/// Init, and so the kernel, go by a file's name.
#[test]
fn named_otherwise_than_they_are_are_refused() -> Result<()> {
    let directory = tempfile::tempdir()?;
    fs::write(directory.path().join("plain"), "a module")?;
    let mut packed =
        flate2::write::GzEncoder::new(fs::File::create(directory.path().join("packed"))?, Default::default());
    packed.write_all(b"a module")?;
    packed.finish()?;
    for (name, file, is_refused, message) in [
        ("/a.ko", "plain", false, ""),
        (
            "/a.ko.gz",
            "packed",
            false,
            "warning: module /a.ko.gz: loads only where the kernel has CONFIG_MODULE_DECOMPRESS",
        ),
        ("/a.ko", "packed", true, "plan:2:8: module /a.ko: compressed by gzip, though its name does not say so"),
        ("/a.ko.xz", "plain", true, "plan:2:8: module /a.ko.xz: not compressed, though its name says so"),
    ] {
        let plan = format!("root\nmodule {name}\nbind /agent\nexec /agent\n");
        let output = pack(directory.path(), &plan, &["--file", &format!("{name}={file}")])?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), !is_refused, "{name} {file}: {said}");
        assert!(said.contains(message), "{name} {file}: {said}");
        assert_eq!(said.contains("module /a"), !message.is_empty(), "{name} {file}: {said}");
    }
    Ok(())
}
