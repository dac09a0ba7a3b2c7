//! Images that distributions' generators and the kernel's own tool make, and what is put together with them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use vm::apt::{self, Lists};
use vm::compression::Compression;
use vm::initramfs::Initramfs;
use vm::test::long;
use vm::workspace;

use super::made::shell;
use super::{GOOD, PLAN, agree, gzip, padded};
use crate::pack::Ground;

/// Debian's, with no module. It asks the configuration of the kernel in /boot what that can unpack.
const MKINITRAMFS: &str = "mkdir -p boot conf/conf.d conf/hooks conf/scripts && : > conf/modules && \
    printf 'MODULES=list\\nCOMPRESS=zstd\\n' > conf/initramfs.conf && echo CONFIG_RD_ZSTD=y > boot/config-6.1 && \
    unshare --map-root-user --mount sh -c 'mount --bind boot /boot && mkinitramfs -d $PWD/conf -o $PWD/image 6.1'";
/// Fedora's, with its base alone, from a package that is not installed: that would replace the first.
const DRACUT: &str = "mkdir conf && dracutbasedir=$package/usr/lib/dracut bash $package/usr/bin/dracut --force --no-kernel \
    --conf /dev/null --confdir conf --no-hostonly --modules base --tmpdir . --kver 6.1 --gzip image";
/// systemd's, with no distribution in it.
const MKOSI: &str = "mkdir -p base/etc base/usr/bin base/usr/lib && echo ID=custom > base/usr/lib/os-release && \
    PYTHONPATH=$package/usr/lib/python3/dist-packages python3 -m mkosi --distribution custom --format cpio \
    --compress-output zstd --bootable no --skeleton-tree base --extra-tree tree --output image --output-dir . build";
/// Where Intel's microcode lies, for the kernel to find before it unpacks anything.
const MICROCODE: &str = "mkdir -p kernel/x86/microcode && echo none > kernel/x86/microcode/GenuineIntel.bin && \
    find kernel | cpio --quiet -o -H newc > early";
/// The kernel's own, of its package of sources.
const GEN_INIT_CPIO: &str = "tar -xJOf $package/usr/src/linux-source-*.tar.xz --wildcards '*/usr/gen_init_cpio.c' | \
    gcc -O -x c - -o gen_init_cpio && ./gen_init_cpio list > image && ./gen_init_cpio -c list > sums";
const LIST: &str = "dir /dev 0755 0 0\nnod /dev/console 0600 0 0 c 5 1\ndir /etc 0711 1 2\n\
    file /init init 0755 0 0 /etc/init\ndir /sbin 0755 0 0\nfile /sbin/agent agent 0755 0 0 /sbin/other\n\
    slink /sbin/link agent 0777 3 4\npipe /etc/pipe 0620 0 5\nsock /etc/socket 0600 0 0\nfile /boot.plan plan 0644 0 0\n";

/// What a generator leaves as `image`, made once in a time of its package's.
fn generated(name: &str, command: &str) -> Result<Vec<u8>> {
    let kept = workspace::cache("initramfs")?.join(name);
    if !kept.is_file() {
        let ground = Ground::new()?;
        shell(&ground, command)?;
        let partial = kept.with_extension("partial");
        fs::copy(ground.path("image"), &partial)?;
        fs::rename(partial, &kept).with_context(|| format!("cannot rename {name}"))?;
    }
    Ok(fs::read(&kept)?)
}

/// A command that finds a package's files by `$package`.
fn with_package(package: &Path, command: &str) -> String {
    format!("package='{}' && {command}", package.display())
}

fn dracut() -> Result<Vec<u8>> {
    let package = apt::unpacked("dracut-core", "./usr/*")?;
    let name = package.file_name().unwrap_or_default().to_string_lossy();
    generated(&name, &with_package(&package, DRACUT))
}

/// A segment with init, agent and plan, as `pack` writes it.
fn packed() -> Result<Vec<u8>> {
    let ground = Ground::new()?;
    ground.plan(PLAN)?.pack("--file /sbin/agent=agent")?;
    Ok(fs::read(ground.path("out"))?)
}

#[test]
fn by_generators_with_init_behind() -> Result<()> {
    apt::ensure_programs(&["mkinitramfs", "unshare", "cpio", "zstd", "lz4"])?;
    let (debian, fedora, own) = (generated("mkinitramfs", MKINITRAMFS)?, dracut()?, packed()?);
    let ground = Ground::new()?;
    let early = {
        shell(&ground, MICROCODE)?;
        fs::read(ground.path("early"))?
    };
    agree("mkinitramfs, init by gzip", &[debian.as_slice(), &gzip(&own)?].concat(), GOOD, GOOD)?;
    agree("dracut, init", &padded(fedora.clone(), 4, &own), GOOD, GOOD)?;
    agree("microcode, dracut, init", &padded([early.as_slice(), &fedora].concat(), 512, &own), GOOD, GOOD)?;
    let whole = padded([early.as_slice(), &debian].concat(), 4, &Compression::Zstd.apply(&own)?);
    agree("microcode, mkinitramfs, init by zstd", &whole, GOOD, GOOD)?;
    // Another plan behind all that, for a program that the image does not have.
    let mut wrong = Initramfs::empty();
    wrong.bytes("/boot.plan", 0o644, PLAN.replace("bind / /initramfs", "bind /usr/bin/crun"));
    let image = padded(padded(fedora, 4, &own), 4, &wrong.archive()?);
    let said = "boot.plan:4:6: bind /usr/bin/crun: not in the initramfs";
    agree("dracut, init, another plan", &image, said, "boot.plan:4: bind /usr/bin/crun: ENOENT (2)")?;
    ground.file("image", debian, 0o644)?;
    let lz4 = shell(&ground, "zstd -dcq image | lz4 -l -9 -c")?;
    let said = "compressed by lz4, and ";
    agree("mkinitramfs by lz4, init", &[lz4, own].concat(), said, "Initramfs unpacking failed: ")
}

#[test]
fn by_mkosi() -> Result<()> {
    apt::ensure_programs(&["python3", "cpio", "zstd"])?;
    let ground = Ground::new()?;
    let package = Lists::of("trixie")?.unpacked("mkosi", "./usr/*", "")?;
    for (name, file) in [("init", "tree/init"), ("agent", "tree/sbin/agent")] {
        ground.file(file, fs::read(ground.path(name))?, 0o755)?;
    }
    ground.file("tree/boot.plan", PLAN, 0o644)?;
    shell(&ground, &with_package(&package, MKOSI))?;
    agree("mkosi", &fs::read(ground.path("image.cpio.zst"))?, GOOD, GOOD)
}

/// Its package is of 140 MB.
#[test]
fn by_the_kernels_own_tool() -> Result<()> {
    if !long() {
        return Ok(());
    }
    apt::ensure_programs(&["gcc", "xz"])?;
    let ground = Ground::new()?;
    let lists = Lists::own()?;
    let package = lists.unpacked(&lists.dependency("linux-source", "linux-source-")?, "./usr/src/*.tar.xz", "")?;
    ground.file("list", LIST, 0o644)?.file("plan", PLAN, 0o644)?;
    shell(&ground, &with_package(&package, GEN_INIT_CPIO))?;
    agree("gen_init_cpio", &fs::read(ground.path("image"))?, GOOD, GOOD)?;
    agree("gen_init_cpio -c", &fs::read(ground.path("sums"))?, GOOD, GOOD)
}
