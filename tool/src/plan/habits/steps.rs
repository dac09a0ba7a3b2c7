//! The arguments of a step, made of those of a command that does the same elsewhere.

use super::QUOTES;
use crate::plan::words::Spot;

/// What follows a step's verb.
pub type Arguments = Vec<Spot>;

fn is_option(word: &Spot) -> bool {
    word.text.starts_with('-')
}

/// The arguments as they are, without options: cp(1), ln(1), insmod(8).
pub fn plain(words: &[Spot]) -> Vec<Arguments> {
    vec![words.iter().filter(|word| !is_option(word)).cloned().collect()]
}

/// rm(1): a step for each path.
pub fn each(words: &[Spot]) -> Vec<Arguments> {
    words.iter().filter(|word| !is_option(word)).map(|word| vec![word.clone()]).collect()
}

/// modprobe(8), which finds the file by itself: plans have modules in /modules.
pub fn modules(words: &[Spot]) -> Vec<Arguments> {
    let mut arguments = plain(words);
    if let Some(module) = arguments[0].first_mut().filter(|module| !module.text.contains('/')) {
        module.text = format!("/modules/{}.ko", module.text);
    }
    arguments
}

/// mkdir(1): a step for each directory.
pub fn directories(words: &[Spot]) -> Vec<Arguments> {
    let (mut paths, mut mode) = (Vec::new(), None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "-m" | "--mode" => mode = words.next().cloned(),
            text if let Some(value) = text.strip_prefix("--mode=") => mode = Some(Spot { text: value.into(), ..*word }),
            text if text.starts_with('-') => {}
            _ => paths.push(word.clone()),
        }
    }
    paths.into_iter().map(|path| std::iter::once(path).chain(mode.clone()).collect()).collect()
}

/// `echo TEXT > PATH`.
pub fn redirected(words: &[Spot]) -> Vec<Arguments> {
    let Some(at) = words.iter().position(|word| word.text.starts_with('>')) else { return Vec::new() };
    let bare = words[at].text.trim_start_matches('>');
    let path = if bare.is_empty() { words.get(at + 1).cloned() } else { Some(Spot { text: bare.into(), ..words[at] }) };
    let mut text: Arguments = words[..at].iter().skip_while(|word| is_option(word)).cloned().collect();
    join(&mut text, 0);
    unquote(&mut text);
    vec![path.into_iter().chain(text).collect()]
}

/// `sysctl -w kernel.hostname=a`: proc_sys(5) has each as a file.
pub fn sysctls(words: &[Spot]) -> Vec<Arguments> {
    let settings = words.iter().filter_map(|word| Some((word, word.text.split_once('=')?)));
    let spot = |word: &Spot, text: String| Spot { text, ..*word };
    let arguments = settings.map(|(word, (name, value))| {
        vec![spot(word, format!("/proc/sys/{}", name.replace('.', "/"))), spot(word, value.to_string())]
    });
    arguments.collect()
}

/// hostname(1).
pub fn hostname(words: &[Spot]) -> Vec<Arguments> {
    let name = words.iter().find(|word| !is_option(word));
    let path = |name: &Spot| Spot { text: "/proc/sys/kernel/hostname".into(), ..*name };
    name.map(|name| vec![path(name), name.clone()]).into_iter().collect()
}

/// `export A=B C=D`, `setenv A B`.
pub fn assignments(words: &[Spot]) -> Vec<Arguments> {
    let words: Arguments = words.iter().filter(|word| !is_option(word)).cloned().collect();
    if let [name, value @ ..] = &words[..]
        && !name.text.contains('=')
        && !value.is_empty()
    {
        let value: Vec<&str> = value.iter().map(|word| word.text.as_str()).collect();
        return vec![vec![Spot { text: format!("{}={}", name.text, value.join(" ")), ..*name }]];
    }
    let mut all: Vec<Arguments> = Vec::new();
    for word in words {
        match all.last_mut() {
            Some(last) if !word.text.contains('=') => last.push(word),
            _ => all.push(vec![word]),
        }
    }
    all.retain(|words| words[0].text.contains('='));
    all.iter_mut().for_each(|words| join(words, 0));
    all
}

/// A program and its arguments, also as a Dockerfile's array.
pub fn program(words: &[Spot]) -> Vec<Arguments> {
    let mut text = words.to_vec();
    join(&mut text, 0);
    let array = text.first().and_then(|text| serde_json::from_str::<Vec<String>>(&text.text).ok());
    match array {
        Some(array) => vec![array.into_iter().map(|argument| Spot { text: argument, ..words[0] }).collect()],
        None => vec![words.to_vec()],
    }
}

/// Makes one word of those from `first` on.
pub fn join(words: &mut Arguments, first: usize) {
    if let [text, _, ..] = words.get(first..).unwrap_or_default() {
        let all: Vec<&str> = words[first..].iter().map(|word| word.text.as_str()).collect();
        let text = Spot { text: all.join(" "), ..*text };
        words.truncate(first);
        words.push(text);
    }
}

/// Takes the quotes away that a shell would.
fn unquote(words: &mut Arguments) {
    for word in words {
        let bare = QUOTES.iter().find_map(|quote| word.text.strip_prefix(*quote)?.strip_suffix(*quote));
        if let Some(bare) = bare.map(String::from) {
            word.text = bare;
        }
    }
}
