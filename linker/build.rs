//! Checks the plan to build in, writes its steps as Rust, and tells the linker how to make the program `init`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

use language::{
    CStrPtr, LARGE_PAGES, Line, Lines, MAX_LEN, MountFlags, Plan, ROOT_MODE, ROOT_OPTIONS, Refusal, Step, Text, Verb,
};

/// The linker's arguments for `init`, each with its reason.
const LINK: &[&str] = &[
    "-fuse-ld=lld",          // rustc's own: it links for each processor, and knows --oformat=binary
    "-nostartfiles",         // _start is ours
    "-nostdlib",             // there is no C library
    "-static",               // no interpreter
    "-no-pie",               // one fixed address: no relocation, no dynamic section
    "-Wl,--build-id=none",   // 36 bytes that nobody reads
    "-Wl,--no-eh-frame-hdr", // no unwinding, no index for it
    "-Wl,--oformat=binary",  // the script writes the ELF header: no section table, 270 bytes less
    "-Wl,-z,norelro",        // there are no relocations to protect afterwards
];

/// Rust's name of each processor, its e_machine and e_flags (elf.h), and the linker's name of it (-m).
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
    // Four pages; more only for a long built-in plan, beside which everything else may take 3.5 pages.
    let limit = (4 * 4096).max(3 * 4096 + 2048 + build_in(&plan_to_build_in(&root)));
    println!("cargo:rustc-link-arg-bin=init=-Wl,--defsym=limit={limit}");
}

/// The directory with rustc's `ld.lld`, for the C compiler, which rustc calls to link.
fn linkers() -> PathBuf {
    let [rustc, host] = ["RUSTC", "HOST"].map(|name| env::var_os(name).expect("cargo sets RUSTC and HOST"));
    let output = Command::new(rustc).args(["--print", "sysroot"]).output();
    let output = output.unwrap_or_else(|error| refuse(&format!("cannot run rustc: {error}")));
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_string();
    Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/gcc-ld")
}

/// The plan that `MOVEROOT_PLAN` names, else src/default.plan.
fn plan_to_build_in(root: &Path) -> PathBuf {
    println!("cargo:rerun-if-env-changed=MOVEROOT_PLAN");
    let named = env::var_os("MOVEROOT_PLAN").filter(|file| !file.is_empty());
    root.join(named.unwrap_or_else(|| "src/default.plan".into()))
}

/// Reads the plan and writes its steps as Rust, for src/built_in.rs; returns how many bytes they take in `init`.
fn build_in(file: &Path) -> usize {
    println!("cargo:rerun-if-changed={}", file.display());
    let bytes = fs::read(file).unwrap_or_else(|error| refuse(&format!("{}: {error}", file.display())));
    if bytes.contains(&0) {
        refuse(&format!("{}: there is a NUL in it", file.display()));
    }
    // One byte more than fits shows that it is too long.
    let mut text: Text = bytes.iter().copied().take(MAX_LEN + 1).collect();
    let mut lines = Lines::new();
    let plan = Plan::read(&mut text, &mut lines).unwrap_or_else(|Refusal { step, fault }| {
        let line = step.map_or(String::new(), |step| format!(":{}", step.line()));
        refuse(&format!("{}{line}: {}", file.display(), fault.text()))
    });
    let is_fixed = env::var_os("CARGO_FEATURE_FIXED_PLAN").is_some();
    let name = file.file_name().expect("a file that was read has a name").to_string_lossy();
    let mut code = format!("pub const NAME: CStrPtr = CStrPtr::new(c{name:?});\n");
    let mut size = 0;
    let mut lines = String::new();
    for step in plan.steps() {
        let words = words(&step, is_fixed);
        size += size_of::<Line>() + words.len();
        let (words, line, verb) = (words.escape_ascii(), step.line(), step.verb());
        lines += &format!("    Line::built_in(b\"{words}\", {line}, Verb::{verb:?}, {}),\n", step.may_fail);
    }
    code += &format!("pub const LINES: &[Line] = &[\n{lines}];\n");
    let verbs: BTreeSet<String> = plan.steps().map(|step| format!("Verb::{:?}", step.verb())).collect();
    let verbs: Vec<String> = verbs.into_iter().collect();
    code += &format!("const fn is_in_plan(verb: Verb) -> bool {{\n    matches!(verb, {})\n}}\n", verbs.join(" | "));
    if is_fixed {
        code += &precomputed(plan);
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("built_in.rs"), code)
        .unwrap_or_else(|error| refuse(&format!("cannot write built_in.rs: {error}")));
    size
}

/// The words of a step, each with a NUL at its end. In a fixed plan `mount` has only the filesystem's options: no message names options,
/// and the flags are in `FLAGS`.
fn words(step: &Step, is_fixed: bool) -> Vec<u8> {
    let mut words: Vec<Vec<u8>> = step.words().map(|word| word.to_bytes().to_vec()).collect();
    if is_fixed && step.verb() == Verb::Mount && words.len() > 4 {
        words.truncate(4);
        let [.., options] = step.arguments();
        // A step has no empty words.
        words.extend(Some(split_options(options).1).filter(|data| !data.is_empty()));
    }
    words.into_iter().flat_map(|word| [word, vec![0]].concat()).collect()
}

/// What src/plan/fixed.rs need not compute: the flags of each step, and the options of `root`.
fn precomputed(plan: Plan) -> String {
    let mut flags = Vec::new();
    let mut code = String::new();
    for step in plan.steps() {
        let [first, .., fourth] = step.arguments();
        flags.push(match step.verb() {
            Verb::Root => {
                let (flags, data) = split_options(if first.is_empty() { ROOT_OPTIONS } else { first });
                let data = [ROOT_MODE.to_bytes(), &data].concat();
                for (name, begin) in [("ROOT", &[][..]), ("ROOT_WITH_LARGE_PAGES", LARGE_PAGES.to_bytes())] {
                    let options = [begin, &data].concat();
                    code += &format!("pub const {name}: &core::ffi::CStr = c\"{}\";\n", options.escape_ascii());
                }
                flags
            }
            Verb::Mount => split_options(fourth).0,
            _ => MountFlags::default(),
        });
    }
    let all = flags.iter().fold(MountFlags::default(), |all, flags| all.and(*flags));
    code += &format!("pub const FLAGS: &[MountFlags] = &{flags:?};\npub const ALL_FLAGS: MountFlags = {all:?};\n");
    code
}

/// Splits mount options into flags and the filesystem's options.
fn split_options(options: CStrPtr) -> (MountFlags, Vec<u8>) {
    let mut data = Vec::new();
    (MountFlags::take(options, |byte| data.push(byte)), data)
}

/// Ends the build with an error.
fn refuse(message: &str) -> ! {
    println!("cargo:error={message}");
    process::exit(1)
}
