//! What builds a program for a processor: this workspace's compiler where rustup has the target, else Debian's, from its
//! packages in the cache. Nothing is installed for it.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::apt::{Lists, Part};
use crate::arch::Arch;
use crate::{locale, workspace};

/// The Debian release whose compiler is new enough: it follows Rust's releases there, for browsers.
const RELEASE: &str = "bookworm";

/// The compiler, what it is linked with besides the C library of this machine, and the standard library's source.
const COMPILER: Part = ("rustc-web", "./usr/bin/rustc");
const HOST_LIBRARY: Part = ("libstd-rust-web-dev", "./usr/lib/rustlib/*");
const SOURCE: Part = ("rust-web-src", "./usr/lib/rustlib/* ./usr/src/*/library/*");

/// The version of GCC that `RELEASE` has, in the name of the package with what every program is linked with.
const GCC: u32 = 12;

/// What of the standard library a program needs.
#[derive(Clone, Copy)]
pub enum Needs {
    Core,
    /// And the C library, static.
    Std,
    /// And what runs tests.
    Tests,
}

/// Has cargo build for a processor.
pub fn target(cargo: &mut Command, arch: &Arch, needs: Needs) -> Result<()> {
    cargo.args(["--target", arch.target]);
    if arch.is_native() || has_target(arch)? {
        return Ok(());
    }
    // Its standard library for another processor is built too, as what it needs of it. That is not stable in Rust 1.96.
    cargo.env("RUSTC", debians(arch)?).env("RUSTC_BOOTSTRAP", "1");
    cargo.arg(match needs {
        Needs::Core => "-Zbuild-std=core",
        Needs::Std => "-Zbuild-std=std,panic_abort",
        Needs::Tests => "-Zbuild-std=std,panic_abort,panic_unwind,test",
    });
    Ok(())
}

/// rustc's arguments for a static program with the C library, of this machine or, for another processor, of Debian's packages for
/// cross compilers. The C compiler of this machine finds all it links there, and calls a linker that knows every processor.
pub fn static_program(arch: &Arch) -> Result<Vec<String>> {
    let mut arguments = ["-C", "target-feature=+crt-static"].map(String::from).to_vec();
    if !arch.is_native() {
        let (tree, triplet) = (c_library(arch)?.join("usr"), arch.triplet);
        let directories =
            [linkers()?, tree.join(format!("{triplet}/lib")), tree.join(format!("lib/gcc-cross/{triplet}/{GCC}"))];
        arguments.push("-Crelocation-model=static".to_string());
        arguments.push("-Clink-arg=-fuse-ld=lld".to_string());
        arguments.push(format!("-Clink-arg=-Wl,-m,{}", arch.emulation));
        arguments.extend(directories.map(|directory| format!("-Clink-arg=-B{}", directory.display())));
    }
    Ok(arguments)
}

/// The C library for another processor, of Debian's packages for cross compilers.
fn c_library(arch: &Arch) -> Result<PathBuf> {
    let [c, gcc] = [format!("libc6-dev-{}-cross", arch.debian), format!("libgcc-{GCC}-dev-{}-cross", arch.debian)];
    Lists::of(RELEASE)?.tree("cross", &[(&c, "./usr/*"), (&gcc, "./usr/*")])
}

/// What a static program has in it besides its crates.
pub struct Linked {
    pub name: &'static str,
    pub version: String,
    pub licence: &'static str,
    /// Debian's package and its version.
    pub package: Option<String>,
}

/// The standard library and the C library.
pub fn linked(arch: &Arch) -> Result<[Linked; 2]> {
    let compiler = if arch.is_native() || has_target(arch)? { "rustc".into() } else { debians(arch)? };
    let said = ask(Command::new(compiler).arg("--version").current_dir(workspace::root()))?;
    let version = said.split(' ').nth(1).context("rustc tells no version")?.to_string();
    let std = Linked { name: "rust-std", version, licence: "MIT OR Apache-2.0", package: None };
    let (package, version) = if arch.is_native() {
        let said = ask(locale::command("dpkg-query").args(["--show", "--showformat=${Version}", "libc6-dev"]))?;
        ("libc6-dev".to_string(), said)
    } else {
        // cross-PACKAGE_VERSION_all
        let name = c_library(arch)?.file_name().unwrap_or_default().display().to_string();
        let mut parts = name.trim_start_matches("cross-").split('_').map(String::from);
        (parts.next().unwrap_or_default(), parts.next().context("the C library has no version")?)
    };
    let package = Some(format!("{package}@{version}"));
    Ok([std, Linked { name: "glibc", version, licence: "LGPL-2.1-or-later", package }])
}

/// rustc's arguments for a program that names no directory of this machine: where messages of panics name a source, its path begins at
/// the tree, at cargo's packages or at the compiler's own sources.
pub fn without_paths(arch: &Arch) -> Result<Vec<String>> {
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let cargo = cargo.context("neither CARGO_HOME nor HOME is set")?;
    let mut directories = vec![(cargo.join("registry/src"), "/cargo"), (workspace::root().to_path_buf(), "/moveroot")];
    // The last that fits counts, and the cache may lie in the tree.
    if !arch.is_native() && !has_target(arch)? {
        directories.push((debians(arch)?.with_file_name("usr"), "/rust"));
    }
    Ok(directories.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect())
}

/// Has the build scripts of C libraries find Debian's cross compiler, from its packages in the cache.
pub fn c_compiler(cargo: &mut Command, arch: &Arch) -> Result<()> {
    if arch.is_native() {
        return Ok(());
    }
    let (debian, triplet) = (arch.debian, arch.triplet);
    let packages = [
        format!("gcc-{GCC}-{triplet}"),
        format!("cpp-{GCC}-{triplet}"),
        format!("binutils-{triplet}"),
        format!("libgcc-{GCC}-dev-{debian}-cross"),
        format!("libc6-dev-{debian}-cross"),
        format!("linux-libc-dev-{debian}-cross"),
    ];
    let parts: Vec<Part> = packages.iter().map(|package| (package.as_str(), "./usr/*")).collect();
    let tree = Lists::of(RELEASE)?.tree("c", &parts)?.join("usr");
    let target = arch.target.replace('-', "_");
    for (variable, program) in [("CC", format!("gcc-{GCC}")), ("AR", "ar".to_string())] {
        cargo.env(format!("{variable}_{target}"), tree.join(format!("bin/{triplet}-{program}")));
    }
    // Of the assembler.
    cargo.env("LD_LIBRARY_PATH", tree.join(format!("lib/{}-linux-gnu", env::consts::ARCH)));
    Ok(())
}

/// Whether this workspace's compiler has the standard library for it.
fn has_target(arch: &Arch) -> Result<bool> {
    let directory = rustc(&["--print", "target-libdir", "--target", arch.target])?;
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    Ok(entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-")))
}

/// Debian's compiler, as a script that lets it find its libraries.
fn debians(arch: &Arch) -> Result<PathBuf> {
    let lists = Lists::of(RELEASE)?;
    let all = lists.dependencies(HOST_LIBRARY.0)?;
    let libraries = all.iter().filter(|name| !["libc6", HOST_LIBRARY.0].contains(&name.as_str()));
    let parts: Vec<Part> =
        [COMPILER, HOST_LIBRARY, SOURCE].into_iter().chain(libraries.map(|name| (name.as_str(), "./*"))).collect();
    let tree = lists.tree("rust", &parts)?;
    let script = tree.join("rustc");
    if !script.is_file() {
        eprintln!(
            "vm: rustup has no {} here: Debian's {} builds for {}, from the cache",
            arch.target, COMPILER.0, arch.shown
        );
        complete(&tree).with_context(|| format!("cannot complete {}", tree.display()))?;
    }
    Ok(script)
}

/// The linker, which Debian packages apart, is this toolchain's.
fn complete(tree: &Path) -> Result<()> {
    let host = host_target()?;
    let linkers = tree.join("usr/lib/rustlib").join(host).join("bin");
    if linkers.symlink_metadata().is_err() {
        symlink(own_tools()?, &linkers)?;
    }
    // By its own place, so that a cache may be moved or copied.
    let text = format!(
        "#!/bin/sh\nhere=\"$(dirname \"$(readlink -f \"$0\")\")/usr\"\n\
         LD_LIBRARY_PATH=\"$here/lib/{}-linux-gnu\" exec \"$here/bin/rustc\" \"$@\"\n",
        env::consts::ARCH
    );
    let made = tree.join("rustc.new");
    fs::write(&made, text)?;
    fs::set_permissions(&made, fs::Permissions::from_mode(0o755))?;
    Ok(fs::rename(&made, tree.join("rustc"))?)
}

/// The directory with this toolchain's `ld.lld`.
fn linkers() -> Result<PathBuf> {
    Ok(own_tools()?.join("gcc-ld"))
}

fn own_tools() -> Result<PathBuf> {
    Ok(Path::new(&rustc(&["--print", "sysroot"])?).join("lib/rustlib").join(host_target()?).join("bin"))
}

fn host_target() -> Result<String> {
    rustc(&["--print", "host-tuple"])
}

fn rustc(arguments: &[&str]) -> Result<String> {
    ask(Command::new("rustc").args(arguments).current_dir(workspace::root()))
}

fn ask(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("cannot run {shown}"))?;
    ensure!(output.status.success(), "{shown}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}
