//! Checks the plan that is built in and makes its steps, and passes the linker script to the program `init`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

use language::{Lines, MAX_LEN, Plan, Refusal, Text};

/// Each argument of the linker's, for the program alone, and why it is there.
const LINK: &[&str] = &[
    "-fuse-ld=lld",          // the toolchain's own links for each processor, and writes binaries
    "-nostartfiles",         // _start is ours
    "-nostdlib",             // there is no C library
    "-static",               // no interpreter
    "-no-pie",               // one fixed address: no relocation, no dynamic section
    "-Wl,--build-id=none",   // 36 bytes that nobody reads
    "-Wl,--no-eh-frame-hdr", // no unwinding, no index for it
    "-Wl,--oformat=binary",  // the script writes the ELF header: no section table, 270 bytes less
    "-Wl,-z,norelro",        // nothing is written, so there is nothing to protect after a relocation
];

/// By Rust's name: e_machine and e_flags as elf.h has them, what the linker calls it.
const PROCESSORS: &[(&str, u16, u32, &str)] = &[
    ("x86_64", 62, 0, "elf_x86_64"),
    ("aarch64", 183, 0, "aarch64linux"),
    ("riscv64", 243, 5, "elf64lriscv"), // EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE
];

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let script = root.join("linker/init.ld");
    println!("cargo:rerun-if-changed={}", script.display());
    println!("cargo:rustc-link-arg-bin=init=-Wl,-T,{}", script.display());
    let name = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets CARGO_CFG_TARGET_ARCH");
    let Some((_, machine, flags, emulation)) = PROCESSORS.iter().find(|(known, ..)| *known == name) else {
        refuse(&format!("src/start.rs has no entry for {name}"))
    };
    println!("cargo:rustc-link-arg-bin=init=-Wl,--defsym=machine={machine},--defsym=flags={flags},-m,{emulation}");
    println!("cargo:rustc-link-arg-bin=init=-B{}", linkers().display());
    for argument in LINK {
        println!("cargo:rustc-link-arg-bin=init={argument}");
    }
    // Three pages and a half with the plan that is built in by default; another may be longer.
    let limit = (3 * 4096 + 2048).max(3 * 4096 + 1536 + build_in_plan(&root));
    println!("cargo:rustc-link-arg-bin=init=-Wl,--defsym=limit={limit}");
}

/// The directory where the C compiler, which rustc calls to link, finds the toolchain's `ld.lld`.
fn linkers() -> PathBuf {
    let [rustc, host] = ["RUSTC", "HOST"].map(|name| env::var_os(name).expect("cargo sets RUSTC and HOST"));
    let output = Command::new(rustc).args(["--print", "sysroot"]).output();
    let output = output.unwrap_or_else(|error| refuse(&format!("cannot run rustc: {error}")));
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_string();
    Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/gcc-ld")
}

/// The plan that `MOVEROOT_PLAN` names, else src/default.plan; how many bytes it takes.
fn build_in_plan(root: &Path) -> usize {
    println!("cargo:rerun-if-env-changed=MOVEROOT_PLAN");
    let named = env::var_os("MOVEROOT_PLAN").filter(|file| !file.is_empty());
    let file = root.join(named.unwrap_or_else(|| "src/default.plan".into()));
    println!("cargo:rerun-if-changed={}", file.display());
    let bytes = fs::read(&file).unwrap_or_else(|error| refuse(&format!("{}: {error}", file.display())));
    if bytes.contains(&0) {
        refuse(&format!("{}: there is a NUL in it", file.display()));
    }
    // One byte more than fits shows that it is too long.
    let mut text: Text = bytes.iter().copied().take(MAX_LEN + 1).collect();
    let mut lines = Lines::new();
    Plan::read(&mut text, &mut lines).unwrap_or_else(|Refusal { step, fault }| {
        let line = step.map_or(String::new(), |step| format!(":{}", step.line()));
        refuse(&format!("{}{line}: {}", file.display(), fault.text()))
    });
    let name = file.file_name().expect("a file that was read has a name");
    println!("cargo:rustc-env=BUILT_IN_PLAN={}", file.display());
    println!("cargo:rustc-env=BUILT_IN_NAME={}", name.display());
    bytes.len()
}

fn refuse(message: &str) -> ! {
    println!("cargo:error={message}");
    process::exit(1)
}
