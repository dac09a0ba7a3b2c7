//! Passes the linker script to the binary `init`, and checks the plan that is built in with the init's own parser.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

#[path = "../src/check.rs"]
mod check;
#[path = "../src/fault.rs"]
mod fault;
#[allow(dead_code)]
#[path = "../src/sys/frame.rs"]
mod frame;
#[path = "../src/options.rs"]
mod options;
mod pack;
#[allow(dead_code)]
#[path = "../src/plan.rs"]
mod plan;
mod sys {
    pub use super::frame::{Frame, MAX_WORDS};
    pub use super::text::{MAX_LEN, Place, Span, Text};
    pub use super::word::Word;
}
#[path = "../src/table.rs"]
mod table;
#[allow(dead_code)]
#[path = "../src/sys/text.rs"]
mod text;
#[allow(dead_code)]
#[path = "../src/texts.rs"]
mod texts;
#[allow(dead_code)]
#[path = "../src/verb.rs"]
mod verb;
#[allow(dead_code)]
#[path = "../src/sys/word.rs"]
mod word;
use text::{Place, Text};
use word::{Name, Word};

/// Each argument of the linker's, for the bin alone, and why it is there.
const LINK: &[&str] = &[
    "-nostartfiles",         // _start is ours
    "-nostdlib",             // there is no C library
    "-static",               // no interpreter
    "-no-pie",               // one fixed address: no relocation, no dynamic section
    "-Wl,--build-id=none",   // 36 bytes that tell nothing
    "-Wl,--no-eh-frame-hdr", // no unwinding, no index for it
    "-Wl,--oformat=binary",  // the script writes the ELF header: no section table, 270 bytes less
    "-Wl,-z,norelro",        // nothing is written, so there is nothing to protect after a relocation
];

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let script = root.join("linker/init.ld");
    println!("cargo:rerun-if-changed={}", script.display());
    println!("cargo:rerun-if-changed={}", root.join("linker/rustc").display());
    warn_of_other_compiler();
    println!("cargo:rustc-link-arg-bin=init=-Wl,-T,{}", script.display());
    let machine = match env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("x86_64") => 62, // EM_X86_64 of elf.h
        other => refuse(&format!("src/start.rs has no entry for {other:?}")),
    };
    println!("cargo:rustc-link-arg-bin=init=-Wl,--defsym=machine={machine}");
    // Marks are for measurements, and may have a page of their own.
    let limit = if env::var_os("CARGO_FEATURE_MARKS").is_some() { 3 * 4096 } else { 2 * 4096 };
    println!("cargo:rustc-link-arg-bin=init=-Wl,--defsym=limit={limit}");
    for argument in LINK {
        println!("cargo:rustc-link-arg-bin=init={argument}");
    }
    build_in_plan(&root);
}

/// Names the plan's file to the crate: `MOVEROOT_PLAN`, else src/default.plan.
fn build_in_plan(root: &Path) {
    println!("cargo:rerun-if-env-changed=MOVEROOT_PLAN");
    let named = env::var_os("MOVEROOT_PLAN").filter(|file| !file.is_empty());
    let file = root.join(named.unwrap_or_else(|| "src/default.plan".into()));
    println!("cargo:rerun-if-changed={}", file.display());
    let bytes = fs::read(&file).unwrap_or_else(|error| refuse(&format!("{}: {error}", file.display())));
    if bytes.contains(&0) {
        refuse(&format!("{}: there is a NUL in it", file.display()));
    }
    let mut text: plan::Text = bytes.iter().copied().take(plan::MAX_LEN + 1).collect();
    check::faults(&mut text, |step, fault| {
        let line = step.map_or(String::new(), |step| format!(":{}", step.line));
        refuse(&format!("{}{line}: {}", file.display(), fault.text()));
    });
    let name = file.file_name().expect("a file that was read has a name");
    let mut texts = texts::TEXTS.map(|text| text.as_bytes().to_vec());
    texts[texts::PLAN.0 as usize] = bytes;
    let packed = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("packed.rs");
    fs::write(&packed, pack::source(&texts)).unwrap_or_else(|error| refuse(&format!("{}: {error}", packed.display())));
    println!("cargo:rustc-env=MOVEROOT_PLAN_NAME={}", name.display());
}

/// Whoever has another program in the place of linker/rustc gets an init that does the same and takes more.
fn warn_of_other_compiler() {
    println!("cargo:rerun-if-env-changed=RUSTC_WRAPPER");
    let reason = match env::var_os("RUSTC_WRAPPER") {
        Some(wrapper) if Path::new(&wrapper).ends_with("linker/rustc") => return,
        Some(wrapper) => format!("RUSTC_WRAPPER is {}", wrapper.display()),
        None => "cargo was started elsewhere, where it does not read .cargo/config.toml".to_string(),
    };
    println!("cargo:warning=init will be some 500 bytes larger, because linker/rustc does not compile it: {reason}");
}

fn refuse(message: &str) -> ! {
    println!("cargo:error={message}");
    process::exit(1)
}
