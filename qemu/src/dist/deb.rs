//! The Debian package of the program: deb(5), and the places that Debian's policy names.

use anyhow::Result;
use ar::{Builder, Header};

use super::files::{DOCUMENTS, File, LICENCES, MAN, PLANS, ZSH};
use super::{VERSION, archive, date};
use sources::arch::Arch;
use tool::compression::Compression;

/// Of the package, in the place of an address: there is none yet.
const MAINTAINER: &str = "The moveroot developers <maintainers@moveroot.invalid>";

/// Its first field names the format, by an address that is split so that no host stands in the tree.
const FORMAT: &str = concat!("Format: https://www.debian", ".org/doc/packaging-manuals/copyright-format/1.0/\n");
const COPYRIGHT: &str = include_str!("deb/copyright");

/// What lintian should not complain of, each with the reason.
const OVERRIDES: &str = include_str!("deb/overrides");

const DESCRIPTION: &str = "\
checks boot plans, tries and packs initramfs images for microVMs
 moveroot is the /init of a microVM's initramfs. By a plan of a few lines it
 mounts a tmpfs as the new root and the pseudo-filesystems into it, carries the
 container runtime over, and becomes the agent.
 .
 This package has the program moveroot, which finds the errors of a plan, runs
 init on a tree or an image without a VM, and packs a reproducible initramfs;
 and the inits for x86-64, AArch64 and RISC-V (64 bit).";

/// Debian's version: the first package of this one.
fn version() -> String {
    format!("{VERSION}-1")
}

pub fn name(arch: &Arch) -> String {
    format!("moveroot_{}_{}.deb", version(), arch.debian)
}

/// The package of these files.
pub fn package(arch: &Arch, files: &[File], time: u64) -> Result<Vec<u8>> {
    let mut placed = files.iter().filter_map(|file| placed(file).transpose()).collect::<Result<Vec<_>>>()?;
    let changes = format!(
        "moveroot ({}) unstable; urgency=medium\n\n  * Version {VERSION}: changelog.gz has what is new.\n\n -- {MAINTAINER}  {}\n",
        version(),
        date(time, "--rfc-email")?
    );
    placed.extend([
        text(format!("{DOCUMENTS}/changelog.Debian.gz"), Compression::Gzip.apply(changes.as_bytes())?),
        text(format!("{DOCUMENTS}/copyright"), (FORMAT.to_string() + COPYRIGHT).into_bytes()),
        text("share/lintian/overrides/moveroot".into(), OVERRIDES.into()),
    ]);
    let control = text("control".into(), control(arch, &placed).into_bytes());
    let mut package = Builder::new(Vec::new());
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", Compression::Gzip.apply(&archive::tar(".", &[control], time)?)?),
        ("data.tar.gz", Compression::Gzip.apply(&archive::tar("./usr", &placed, time)?)?),
    ];
    for (name, content) in members {
        let mut header = Header::new(name.into(), content.len() as u64);
        header.set_mode(0o100644);
        header.set_mtime(time);
        package.append(&header, &*content)?;
    }
    Ok(package.into_inner()?)
}

/// Where Debian has it, and compressed if it is there.
fn placed(file: &File) -> Result<Option<File>> {
    let File { path, mode, content } = file;
    let compressed = |path: String| Ok(Some(text(path, Compression::Gzip.apply(content)?)));
    let moved = |from: &str, to: &str| Some(format!("{to}{}", path.strip_prefix(from)?));
    if path.starts_with(MAN) {
        return compressed(format!("{path}.gz"));
    }
    match path.strip_prefix(DOCUMENTS) {
        Some("/CHANGELOG.md") => return compressed(format!("{DOCUMENTS}/changelog.gz")),
        // Debian compresses what is long.
        Some(name) if name[1..] == *LICENCES => return compressed(format!("{path}.gz")),
        // In the file copyright.
        Some("/LICENSE-MIT" | "/LICENSE-APACHE") => return Ok(None),
        _ => {}
    }
    let path = moved(PLANS, &format!("{DOCUMENTS}/examples")).or_else(|| moved(ZSH, "share/zsh/vendor-completions"));
    Ok(Some(File { path: path.unwrap_or(file.path.clone()), mode: *mode, content: content.clone() }))
}

fn text(path: String, content: Vec<u8>) -> File {
    File { path, mode: 0o644, content }
}

/// The program is static, so it depends on nothing.
fn control(arch: &Arch, files: &[File]) -> String {
    let size: usize = files.iter().map(|file| file.content.len().div_ceil(1024)).sum();
    format!(
        "Package: moveroot\nVersion: {}\nArchitecture: {}\nMaintainer: {MAINTAINER}\nInstalled-Size: {size}\n\
         Suggests: bash-completion, qemu-user-binfmt\nSection: admin\nPriority: optional\nDescription: {DESCRIPTION}\n",
        version(),
        arch.debian
    )
}
