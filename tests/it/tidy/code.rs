//! Rust source without its comments and texts, and the blocks in it.

use std::ops::Range;

/// The source with comments, strings and characters blanked out, byte by byte, so that names and braces in it are code.
pub fn code(text: &str) -> String {
    let mut code: Vec<u8> = text.as_bytes().to_vec();
    let mut at = 0;
    while at < code.len() {
        let end = at + length_of_no_code(&text.as_bytes()[at..]);
        for byte in code[at..end].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// How long the comment, string or character is that begins here; 0 where none does.
fn length_of_no_code(text: &[u8]) -> usize {
    let until = |start: usize, end: &[u8]| {
        let found = text[start..].windows(end.len()).position(|window| window == end);
        found.map_or(text.len(), |at| start + at + end.len())
    };
    let escaped = |quote: u8| {
        let mut at = 1;
        while at < text.len() && text[at] != quote {
            at += if text[at] == b'\\' { 2 } else { 1 };
        }
        (at + 1).min(text.len())
    };
    match text {
        [b'/', b'/', ..] => until(2, b"\n") - 1,
        [b'/', b'*', ..] => until(2, b"*/"),
        [b'r', b'"' | b'#', ..] => {
            let hashes = text[1..].iter().take_while(|byte| **byte == b'#').count();
            let is_string = text.get(1 + hashes) == Some(&b'"');
            if is_string { until(2 + hashes, &[b"\"", &text[1..1 + hashes]].concat()) } else { 0 }
        }
        [b'"', ..] => escaped(b'"'),
        [b'\'', b'\\', ..] => escaped(b'\''),
        // Else it is a lifetime.
        [b'\'', letter, ..] => {
            let length = match letter {
                0..0x80 => 1,
                0x80..0xe0 => 2,
                0xe0..0xf0 => 3,
                _ => 4,
            };
            if text.get(1 + length) == Some(&b'\'') { 2 + length } else { 0 }
        }
        _ => 0,
    }
}

/// Where a word stands in code.
pub fn places<'c>(code: &'c str, word: &'c str) -> impl Iterator<Item = usize> + 'c {
    let is_of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !code[..*at].ends_with(is_of_name) && !code[at + word.len()..].starts_with(is_of_name))
}

/// From its opening brace to its closing one.
pub fn block(code: &str, open: usize) -> Range<usize> {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return open..at + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    open..code.len()
}

/// Each function that has a body: its name, and where it is, from its `fn` on.
pub fn functions(code: &str) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    for at in places(code, "fn") {
        let name: String =
            code[at + 2..].trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let mut depth = 0;
        let body = code.bytes().enumerate().skip(at).find(|(_, byte)| {
            depth += match byte {
                b'(' | b'[' => 1,
                b')' | b']' => -1,
                _ => 0,
            };
            depth == 0 && matches!(byte, b'{' | b';')
        });
        if let (false, Some((open, b'{'))) = (name.is_empty(), body) {
            found.push((name, at..block(code, open).end));
        }
    }
    found
}

/// The blocks that `unsafe` stands before.
pub fn unsafe_blocks(code: &str) -> Vec<Range<usize>> {
    let opens = places(code, "unsafe").filter_map(|at| {
        let after = at + "unsafe".len();
        let blanks = code[after..].len() - code[after..].trim_start().len();
        code[after + blanks..].starts_with('{').then_some((at, after + blanks))
    });
    opens.map(|(at, open)| at..block(code, open).end).collect()
}

/// The line that a byte is in, from 1.
pub fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

const SOURCE: &str = r##"//! unsafe { in a comment
fn one<'a>(words: &'a [u8; { 3 }]) -> char {
    /* } */ let text = b"\"}"; let raw = r#"unsafe {"#; let letter = '{'; let quote = '\'';
    match text { _ => 'é' }
}
trait A { fn no_body(&self); }
unsafe fn two() { unsafe { call!(a) } }
const POINTER: fn(u8) = three;
"##;

#[test]
fn code_has_no_text() {
    let code = code(SOURCE);
    assert_eq!((code.len(), code.lines().count()), (SOURCE.len(), SOURCE.lines().count()));
    assert!(!code.contains("comment") && !code.contains('é') && !code.contains('"'), "{code}");
    assert_eq!(places(&code, "unsafe").count(), 2, "{code}");
}

#[test]
fn functions_and_blocks_are_found() {
    let code = code(SOURCE);
    let functions: Vec<_> = functions(&code).into_iter().map(|(name, place)| (name, line(&code, place.end))).collect();
    assert_eq!(functions, [("one".to_string(), 5), ("two".to_string(), 7)]);
    let blocks: Vec<&str> = unsafe_blocks(&code).into_iter().map(|block| &SOURCE[block]).collect();
    assert_eq!(blocks, ["unsafe { call!(a) }"]);
}
