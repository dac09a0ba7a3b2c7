//! Where a guest's kernel and the programs that only a guest runs come from.
//!
//! Debian's kernel for the cloud has its drivers for a VMM built in. Up to Debian 13 one package holds kernel,
//! configuration and modules; after it each is in a package of its own, which `linux-image-…` depends on.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use crate::apt::Lists;
use crate::arch::{Arch, X86_64};
use crate::workspace;

/// Debian, as guests of a processor see it: one of its releases, or the one that this machine has. A release may come with the name
/// of a flavour of its kernel: `trixie:16k` has pages of 16 KiB.
#[derive(Clone, Copy, Debug)]
pub struct Debian<'r> {
    pub arch: &'static Arch,
    pub release: Option<&'r str>,
}

impl Debian<'_> {
    /// Its newest kernel for guests, as QEMU takes it.
    pub fn kernel(&self) -> Result<PathBuf> {
        Part::KERNEL.fetch(&self.lists()?, &self.image()).with_context(|| format!("no kernel{self}"))
    }

    /// The configuration that this kernel was built with.
    pub fn config(&self) -> Result<PathBuf> {
        Part::CONFIG.fetch(&self.lists()?, &self.image()).with_context(|| format!("no kernel configuration{self}"))
    }

    /// The directory `…/lib/modules/VERSION` of this kernel. `modules.dep` is not in it: depmod(8) makes that.
    pub fn modules(&self) -> Result<PathBuf> {
        let kernel = Part::MODULES.fetch(&self.lists()?, &self.image()).with_context(|| format!("no modules{self}"))?;
        kernel.parent().map(Path::to_path_buf).context("the modules lie in no directory")
    }

    /// Its static busybox, for the container's root; this machine's own busybox is left alone.
    pub fn busybox(&self) -> Result<PathBuf> {
        let directory = self.lists()?.unpacked("busybox-static", "*bin/busybox", "")?;
        let places = ["bin/busybox", "usr/bin/busybox"].map(|place| directory.join(place));
        places.into_iter().find(|place| place.is_file()).context("no busybox in the package busybox-static")
    }

    /// The directory with its crun, and everything that needs.
    pub fn crun(&self) -> Result<PathBuf> {
        self.lists()?.root("crun")
    }

    fn lists(&self) -> Result<Lists> {
        Lists::of_arch(self.arch, self.release.map(|name| name.split(':').next().unwrap_or(name)))
    }

    /// The package that depends on the newest kernel.
    fn image(&self) -> String {
        let flavour = self.release.and_then(|name| name.split_once(':')).map(|(_, flavour)| flavour);
        flavour.map_or(self.arch.kernel.to_string(), |flavour| format!("linux-image-{}-{flavour}", self.arch.debian))
    }
}

impl fmt::Display for Debian<'_> {
    /// Behind what is missing there.
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        if let Some(release) = self.release {
            write!(out, " of {release}")?;
        }
        if self.arch.is_native() { Ok(()) } else { write!(out, " for {}", self.arch.shown) }
    }
}

/// The newest cloud kernel of this Debian release, as a bzImage.
pub fn newest() -> Result<PathBuf> {
    Debian { arch: &X86_64, release: None }.kernel()
}

/// The newest cloud kernel of a Debian release (`bullseye`, `trixie`, `sid` …), as a bzImage.
pub fn of(release: &str) -> Result<PathBuf> {
    Debian { arch: &X86_64, release: Some(release) }.kernel()
}

/// The configuration that a release's kernel was built with.
pub fn config(release: &str) -> Result<PathBuf> {
    Debian { arch: &X86_64, release: Some(release) }.config()
}

/// The modules of a release's kernel, or of this one's: [`Debian::modules`].
pub fn modules(release: Option<&str>) -> Result<PathBuf> {
    Debian { arch: &X86_64, release }.modules()
}

/// What a bzImage says it is: `6.1.0-56-cloud-amd64`. Its place is told at 0x20e, kernel_version in
/// Documentation/arch/x86/boot.rst.
pub fn version(kernel: &Path) -> Result<String> {
    let mut place = [0; 2];
    let mut text = [0; 128];
    let mut read = || {
        let file = File::open(kernel)?;
        file.read_exact_at(&mut place, 0x20e)?;
        file.read_exact_at(&mut text, 0x200 + u64::from(u16::from_le_bytes(place)))
    };
    read().with_context(|| format!("cannot read the version of {}", kernel.display()))?;
    let word: Vec<u8> = text.into_iter().take_while(|byte| byte.is_ascii_graphic()).collect();
    ensure!(word.first().is_some_and(u8::is_ascii_digit), "{} is no bzImage: it has no version", kernel.display());
    Ok(String::from_utf8_lossy(&word).into_owned())
}

/// How a kernel is called: by its version, or, where it doesn't tell that, by its file's name. Debian's has the version in it, or in
/// the directory's.
pub fn name(kernel: &Path) -> String {
    let name = |path: Option<&Path>| path.and_then(Path::file_name).unwrap_or_default().display().to_string();
    let file = name(Some(kernel));
    version(kernel).unwrap_or_else(|_| match file.strip_prefix("vmlinu").and_then(|rest| rest.get(1..)) {
        Some("") => name(kernel.parent()),
        Some(rest) => rest.trim_start_matches('-').to_string(),
        None => file,
    })
}

/// Debian's static busybox, for the container's root; this machine's own busybox is left alone.
pub fn busybox() -> Result<PathBuf> {
    workspace::given("busybox").map_or_else(|| Debian { arch: &X86_64, release: None }.busybox(), Ok)
}

/// QEMU's emulator of another processor's programs, static: of a release whose version has open_tree(2).
pub fn qemu_user(arch: &Arch) -> Result<PathBuf> {
    let name = format!("usr/bin/qemu-{arch}");
    let directory = Lists::of("trixie")?.unpacked("qemu-user", &format!("./{name}"), &format!("-{arch}"))?;
    Ok(directory.join(name))
}

/// One of the things a kernel comes with.
struct Part {
    /// Of the package that holds it, where it isn't the kernel's own.
    prefix: &'static str,
    /// What it is in the packages, by tar's wildcards, where it has one of its own and where it hasn't.
    patterns: [&'static str; 2],
    /// How the name of it begins.
    wanted: &'static str,
    /// Where of it the cache is.
    name: &'static str,
}

impl Part {
    const KERNEL: Part = Part {
        prefix: "linux-binary-",
        patterns: ["*/modules/*/vmlinu?", "./boot/vmlinu?-*"],
        wanted: "vmlinu",
        name: "",
    };
    const CONFIG: Part = Part {
        prefix: "linux-base-",
        patterns: ["*/modules/*/config", "./boot/config-*"],
        wanted: "config",
        name: "-config",
    };
    /// With the list of those that are built in, `modules.builtin`.
    const MODULES: Part =
        Part { prefix: "linux-modules-", patterns: ["*/modules/*/*"; 2], wanted: "kernel", name: "-all-modules" };

    /// Where the part lies in the cache.
    fn fetch(&self, lists: &Lists, newest: &str) -> Result<PathBuf> {
        let image = lists.dependency(newest, "linux-image-")?;
        let own = lists.find_dependency(&image, self.prefix)?;
        let pattern = self.patterns[usize::from(own.is_none())];
        let directory = lists.unpacked(&own.unwrap_or(image), pattern, self.name)?;
        let wanted = || format!("nothing named {}… in {}", self.wanted, directory.display());
        find(&directory, self.wanted)?.with_context(wanted)
    }
}

/// The first thing below a directory whose name begins so.
fn find(directory: &Path, prefix: &str) -> Result<Option<PathBuf>> {
    for entry in WalkDir::new(directory).min_depth(1).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read {}", directory.display()))?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            return Ok(Some(entry.into_path()));
        }
    }
    Ok(None)
}
