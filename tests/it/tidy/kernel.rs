//! Where the init may be unsafe and may enter the kernel, and how: unsafe code is in few places, and each block of it says
//! what it rests on and makes one system call at the most.

use std::path::Path;

use anyhow::Result;

use super::code::{code, line, places, unsafe_blocks};
use super::source::rust_files;

/// Files and directories that may have unsafe code, and at how many places at the most.
const UNSAFE: [(&str, usize); 6] = [
    ("src/sys", usize::MAX),
    ("src/start.rs", usize::MAX),
    ("src/start", usize::MAX),
    ("language/src/cursor.rs", usize::MAX),
    ("language/src/string.rs", usize::MAX),
    ("language/src/step.rs", 2),
];

/// The crates that become the init.
const INIT: [&str; 2] = ["src", "language/src"];

/// How a system call is made.
const CALLS: [&str; 2] = ["call!(", "syscalls::raw::"];

/// What is wrong with a file of the init.
fn complaints(path: &Path, text: &str) -> Vec<String> {
    let code = code(text);
    let at = |at: usize, what: &str| format!("{}:{}: {what}", path.display(), line(&code, at));
    let mut found = Vec::new();
    let allowed = UNSAFE.iter().find(|(place, _)| path.starts_with(place)).map_or(0, |(_, most)| *most);
    let used = places(&code, "unsafe").filter(|at| !code[..*at].ends_with("#["));
    found.extend(used.skip(allowed).map(|place| at(place, "unsafe code")));
    if !path.starts_with("src/sys") {
        let calls = CALLS.iter().flat_map(|call| code.match_indices(call));
        found.extend(calls.map(|(place, _)| at(place, "a system call")));
    }
    for block in unsafe_blocks(&code) {
        if CALLS.iter().map(|call| code[block.clone()].matches(call).count()).sum::<usize>() > 1 {
            found.push(at(block.start, "two system calls in one unsafe block"));
        }
        if !says_why(text, line(&code, block.start)) {
            found.push(at(block.start, "an unsafe block without // SAFETY:"));
        }
    }
    found
}

/// Whether right before the statement that this line belongs to there is a comment with a reason.
fn says_why(text: &str, number: usize) -> bool {
    let mut above = text.lines().take(number - 1).collect::<Vec<_>>().into_iter().rev().map(str::trim).peekable();
    while above
        .next_if(|line| !line.starts_with("//") && !line.is_empty() && !line.ends_with([';', '{', '}']))
        .is_some()
    {}
    above.take_while(|line| line.starts_with("//")).any(|line| line.starts_with("// SAFETY: "))
}

#[test]
fn is_entered_from_few_places() -> Result<()> {
    let (mut blocks, mut found) = (0, Vec::new());
    for (path, text) in rust_files()? {
        if INIT.iter().any(|init| path.starts_with(init)) {
            blocks += unsafe_blocks(&code(&text)).len();
            found.extend(complaints(&path, &text));
        }
    }
    assert!(blocks > 20, "{blocks} blocks: this test looks at the wrong files");
    assert_eq!(found, [""; 0]);
    Ok(())
}

#[test]
fn complaints_are_made() {
    let good =
        "// SAFETY: a fact,\n// in two lines.\nlet a =\n    unsafe { call!(a) };\n#[unsafe(no_mangle)]\nfn b() {}\n";
    let bad =
        "unsafe { call!(a) };\n// SAFETY: a fact.\nlet a = unsafe { call!(a).and(call!(b)) };\nlet b = unsafe { c() };";
    let found = |path: &str, text| complaints(Path::new(path), text);
    assert_eq!(found("src/sys/file.rs", good), [""; 0]);
    assert_eq!(found("src/boot.rs", good), ["src/boot.rs:4: unsafe code", "src/boot.rs:4: a system call"]);
    let expected = ["1: an unsafe block without // SAFETY:", "3: two system calls in one unsafe block"];
    let expected = expected.into_iter().chain(["4: an unsafe block without // SAFETY:"]);
    assert_eq!(
        found("src/sys/file.rs", bad),
        expected.map(|what| format!("src/sys/file.rs:{what}")).collect::<Vec<_>>()
    );
    let three = "// SAFETY: a fact.\n".to_string() + &"unsafe { a() } // SAFETY: \n// SAFETY: a fact.\n".repeat(3);
    assert_eq!(found("language/src/step.rs", &three), ["language/src/step.rs:6: unsafe code"]);
}
