//! The plan language once more, as README tells it: plain, with a copy of everything, and shared with nothing that boots.

/// A step, its words as the step gets them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub line: u16,
    pub may_fail: bool,
    pub verb: String,
    /// Without the verb; with the target that was left out.
    pub words: Vec<Vec<u8>>,
    /// The mode of `dir`, the flags of `root` and `mount`.
    pub number: u32,
}

/// Line 0 stands for the plan as a whole; what is wrong is one of the names in moveroot's `fault`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub line: u16,
    pub what: String,
}

/// All that can be said of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    pub faults: Vec<Fault>,
    /// Those without a fault.
    pub steps: Vec<Step>,
}

/// Each verb, its fewest and its most words, and which of them are absolute paths. The most words in a line are 32.
const VERBS: [(&str, usize, usize, &[usize]); 11] = [
    ("root", 0, 1, &[]),
    ("dir", 1, 2, &[1]),
    ("link", 2, 2, &[2]),
    ("mount", 3, 4, &[2]),
    ("write", 2, 2, &[1]),
    ("controllers", 1, 31, &[]),
    ("copy", 1, 2, &[1, 2]),
    ("bind", 1, 2, &[1, 2]),
    ("env", 1, 1, &[]),
    ("module", 1, 2, &[1]),
    ("exec", 1, 31, &[1]),
];

/// mount(8)'s words, the bits of sys/mount.h that they set, and those that they clear.
const FLAGS: [(&str, u32, u32); 29] = [
    ("ro", 1, 0),
    ("rw", 0, 1),
    ("nosuid", 2, 0),
    ("suid", 0, 2),
    ("nodev", 4, 0),
    ("dev", 0, 4),
    ("noexec", 8, 0),
    ("exec", 0, 8),
    ("sync", 16, 0),
    ("async", 0, 16),
    ("remount", 32, 0),
    ("dirsync", 128, 0),
    ("nosymfollow", 256, 0),
    ("noatime", 1024, 0),
    ("atime", 0, 1024),
    ("nodiratime", 2048, 0),
    ("diratime", 0, 2048),
    ("bind", 4096, 0),
    ("rbind", 4096 | 16384, 0),
    ("private", 1 << 18, 0),
    ("rprivate", 1 << 18 | 16384, 0),
    ("slave", 1 << 19, 0),
    ("rslave", 1 << 19 | 16384, 0),
    ("shared", 1 << 20, 0),
    ("rshared", 1 << 20 | 16384, 0),
    ("relatime", 1 << 21, 0),
    ("strictatime", 1 << 24, 0),
    ("lazytime", 1 << 25, 0),
    ("defaults", 0, 1 << 31),
];

/// Judges a text of any bytes.
pub fn judge(bytes: &[u8]) -> Judgement {
    let mut judgement = Judgement::default();
    let fault = |line: usize, what: &str| Fault { line: line as u16, what: what.to_string() };
    if bytes.len() > 4096 {
        judgement.faults.push(fault(0, "TooLong"));
        return judgement;
    }
    // A NUL could not be passed to the kernel: it counts as a space, in a text too.
    let bytes: Vec<u8> = bytes.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect();
    let mut last = None;
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        match judge_line(line, &mut last) {
            Ok(Some(step)) => judgement.steps.push(Step { line: number as u16 + 1, ..step }),
            Ok(None) => {}
            Err(what) => judgement.faults.push(fault(number + 1, what)),
        }
    }
    if last != Some("exec") {
        judgement.faults.push(fault(0, "NoExec"));
    }
    judgement
}

/// A line's step or fault, none of an empty line or a comment; `last` is the verb of the line before.
fn judge_line(line: &[u8], last: &mut Option<&'static str>) -> Result<Option<Step>, &'static str> {
    let mut words = words(line);
    let Some(first) = words.first().filter(|word| word[0] != b'#') else { return Ok(None) };
    let (may_fail, name) = match first.strip_prefix(b"-") {
        Some(name) => (true, name),
        None => (false, *first),
    };
    let row = VERBS.iter().find(|row| row.0.as_bytes() == name);
    let (verb, least, most, paths) = *row.ok_or("UnknownVerb")?;
    let before = last.replace(verb);
    let is_root = verb == "root";
    if is_root != before.is_none() || is_root && may_fail || before == Some("exec") && verb != "exec" {
        return Err("OutOfOrder");
    }
    words.remove(0);
    if ["write", "module"].contains(&verb) && words.len() > 2 {
        let end = words[words.len() - 1].as_ptr_range().end as usize - line.as_ptr() as usize;
        let start = words[1].as_ptr() as usize - line.as_ptr() as usize;
        words.splice(1.., [&line[start..end]]);
    }
    let mut step = Step { line: 0, may_fail, verb: verb.to_string(), words: Vec::new(), number: 0 };
    step.number = if verb == "dir" { 0o755 } else { 0 };
    for (place, word) in words.iter().enumerate().map(|(at, word)| (at + 1, *word)) {
        if place > most {
            return Err("TooManyWords");
        }
        if paths.contains(&place) && word[0] != b'/' {
            return Err("NotAbsolute");
        }
        step.words.push(taken(&mut step.number, verb, place, word)?);
    }
    if step.words.len() < least {
        return Err("TooFewWords");
    }
    if ["copy", "bind"].contains(&verb) && step.words.len() == 1 {
        step.words.push(step.words[0].clone());
    }
    Ok(Some(step))
}

/// A blank is any byte up to the space.
fn words(line: &[u8]) -> Vec<&[u8]> {
    line.split(|byte| *byte <= b' ').filter(|word| !word.is_empty()).collect()
}

/// What the step gets of a word.
fn taken(number: &mut u32, verb: &str, place: usize, word: &[u8]) -> Result<Vec<u8>, &'static str> {
    match (verb, place) {
        ("dir", 2) => {
            let is_mode = word.iter().all(|digit| (b'0'..=b'7').contains(digit));
            let text = std::str::from_utf8(word).ok().filter(|_| is_mode);
            let mode = text.and_then(|text| u32::from_str_radix(text, 8).ok());
            *number = mode.filter(|mode| *mode <= 0o7777).ok_or("NotOctal")?;
        }
        ("env", _) if !word[1..].contains(&b'=') => return Err("NotAnAssignment"),
        ("root", 1) | ("mount", 4) => return Ok(options(number, word)),
        _ => {}
    }
    Ok(word.to_vec())
}

/// Flags go into the number, all else to the filesystem.
fn options(flags: &mut u32, word: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    for option in word.split(|byte| *byte == b',') {
        match FLAGS.iter().find(|(name, ..)| name.as_bytes() == option) {
            Some((_, set, clear)) => *flags = (*flags | set) & !clear,
            None if rest.is_empty() => rest = option.to_vec(),
            None => rest = [&rest, b",".as_slice(), option].concat(),
        }
    }
    rest
}
