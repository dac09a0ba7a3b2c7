//! The plan language once more, as README tells it: plain, with a copy of everything, and shared with nothing that boots.

/// A step, its words as they are in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    pub line: u16,
    pub may_fail: bool,
    pub verb: String,
    /// The verb first, without its `-`; none of a `root` that the plan doesn't have.
    pub words: Vec<Vec<u8>>,
    /// Of `dir`, if it says one.
    pub mode: Option<u32>,
    /// Of `root` and `mount`.
    pub options: Options,
}

/// Mount options: the bits of sys/mount.h that flag words set and clear, those of propagation apart, and what is left for
/// the filesystem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub set: u32,
    pub cleared: u32,
    pub propagation: u32,
    pub rest: Vec<u8>,
}

/// Line 0 stands for the plan as a whole; what is wrong is one of the names in language's `fault`.
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

/// Each verb, its fewest and its most words, which of them are absolute paths, and which one reaches to the line's end (0:
/// none). The most words in a line are 32.
const VERBS: [(&str, usize, usize, &[usize], usize); 17] = [
    ("root", 0, 1, &[], 0),
    ("dir", 1, 2, &[1], 0),
    ("link", 2, 2, &[2], 0),
    ("mount", 3, 4, &[2], 0),
    ("write", 2, 2, &[1], 2),
    ("controllers", 0, 31, &[], 0),
    ("wait", 1, 2, &[1], 0),
    ("limit", 2, 3, &[], 0),
    ("copy", 1, 2, &[1, 2], 0),
    ("bind", 1, 2, &[1, 2], 0),
    ("drop", 1, 1, &[1], 0),
    ("env", 1, 1, &[], 1),
    ("module", 1, 2, &[1], 2),
    ("run", 1, 31, &[1], 0),
    ("on-exit", 1, 1, &[], 0),
    ("spawn", 1, 31, &[1], 0),
    ("exec", 1, 31, &[1], 0),
];

/// limits.conf(5)'s names for what setrlimit(2) limits.
const LIMITS: &str =
    "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack";

/// Verbs that run the service.
const LAST: [&str; 2] = ["exec", "spawn"];

/// mount(8)'s words, the bits of sys/mount.h that they set, and those that they clear.
const FLAGS: [(&str, u32, u32); 33] = [
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
    ("symfollow", 0, 256),
    ("noatime", 1024, 0),
    ("atime", 0, 1024),
    ("nodiratime", 2048, 0),
    ("diratime", 0, 2048),
    ("bind", 4096, 0),
    ("rbind", 4096 | 16384, 0),
    ("move", 8192, 0),
    ("unbindable", 1 << 17, 0),
    ("runbindable", 1 << 17 | 16384, 0),
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

/// Words of these kinds are no options of `root`: they change a mount that is there.
const PROPAGATIONS: u32 = 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20;
const REMOUNT_BIND_MOVE: u32 = 32 | 4096 | 8192;

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
    if !last.is_some_and(|verb| LAST.contains(&verb)) {
        judgement.faults.push(fault(0, "NoExec"));
    }
    // A root is made by itself, in the line of the first step.
    if let Some(first) = judgement.steps.first().filter(|first| first.verb != "root") {
        judgement.steps.insert(0, Step { line: first.line, verb: "root".to_string(), ..Step::default() });
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
    let (verb, least, most, paths, text) = *row.ok_or("UnknownVerb")?;
    let before = last.replace(verb);
    let is_late_root = verb == "root" && (before.is_some() || may_fail);
    if is_late_root || before.is_some_and(|before| LAST.contains(&before)) && !LAST.contains(&verb) {
        return Err("OutOfOrder");
    }
    if text > 0 && words.len() > text {
        let end = words[words.len() - 1].as_ptr_range().end as usize - line.as_ptr() as usize;
        let start = words[text].as_ptr() as usize - line.as_ptr() as usize;
        words.splice(text.., [&line[start..end]]);
    }
    let mut step = Step { may_fail, verb: verb.to_string(), words: vec![name.to_vec()], ..Step::default() };
    for (place, word) in words.iter().enumerate().skip(1) {
        if place > most {
            return Err("TooManyWords");
        }
        if paths.contains(&place) && word[0] != b'/' {
            return Err("NotAbsolute");
        }
        take(&mut step, place, word)?;
    }
    if step.words.len() <= least {
        return Err("TooFewWords");
    }
    Ok(Some(step))
}

/// A blank is any byte up to the space.
fn words(line: &[u8]) -> Vec<&[u8]> {
    line.split(|byte| *byte <= b' ').filter(|word| !word.is_empty()).collect()
}

/// Adds a word, and what it means.
fn take(step: &mut Step, place: usize, word: &[u8]) -> Result<(), &'static str> {
    match (step.verb.as_str(), place) {
        ("dir", 2) => {
            let is_mode = word.iter().all(|digit| (b'0'..=b'7').contains(digit));
            let text = std::str::from_utf8(word).ok().filter(|_| is_mode);
            let mode = text.and_then(|text| u32::from_str_radix(text, 8).ok()).filter(|mode| *mode <= 0o7777);
            step.mode = Some(mode.ok_or("NotOctal")?);
        }
        ("env", _) => {
            let name = word.split(|byte| *byte == b'=').next().unwrap_or_default();
            if name.len() == word.len() || name.is_empty() || name.iter().any(|byte| *byte <= b' ') {
                return Err("NotAnAssignment");
            }
        }
        ("wait", 2) | ("limit", 2 | 3) => {
            let is_number = word.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(word).ok().filter(|_| is_number).and_then(|text| text.parse::<u64>().ok());
            if number.is_none() && word != b"unlimited" {
                return Err("NotANumber");
            }
        }
        ("limit", 1) if !LIMITS.split(' ').any(|limit| limit.as_bytes() == word) => return Err("UnknownLimit"),
        ("on-exit", _) if ![&b"poweroff"[..], b"reboot", b"halt", b"panic"].contains(&word) => {
            return Err("UnknownAction");
        }
        ("root", 1) => {
            step.options = options(word);
            if step.options.propagation != 0 || step.options.set & REMOUNT_BIND_MOVE != 0 {
                return Err("NotForANewMount");
            }
        }
        ("mount", 4) => step.options = options(word),
        _ => {}
    }
    step.words.push(word.to_vec());
    Ok(())
}

/// The later of two words for a bit holds; what is no flag goes to the filesystem.
fn options(word: &[u8]) -> Options {
    let mut options = Options::default();
    for option in word.split(|byte| *byte == b',') {
        let rest = &mut options.rest;
        match FLAGS.iter().find(|(name, ..)| name.as_bytes() == option) {
            Some((_, bits, _)) if bits & PROPAGATIONS != 0 => options.propagation |= bits,
            Some((_, set, clear)) => {
                options.set = (options.set | set) & !clear;
                options.cleared = (options.cleared | clear) & !set;
            }
            None if rest.is_empty() => *rest = option.to_vec(),
            None => *rest = [rest, b",".as_slice(), option].concat(),
        }
    }
    options
}
