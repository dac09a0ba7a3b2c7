//! This machine's package sources with another release's name in the place of its own, so that packages of that
//! release come from wherever this machine's own come from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A suite may be named by its place in Debian's cycle too: sources.list(5).
const CYCLE: [&str; 4] = ["oldoldstable", "oldstable", "stable", "testing"];

/// Releases that have no suites besides themselves.
const ROLLING: [&str; 2] = ["sid", "unstable"];

/// The name of this machine's release, from os-release(5).
pub fn own_release() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let name = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(name.context("/etc/os-release names no release: is this a Debian machine?")?.trim_matches('"').to_string())
}

/// Writes the sources of `release` into an empty directory, as apt's `Dir::Etc::sourceparts`; for a foreign architecture
/// those that are for this machine's alone, too.
pub fn write(release: &str, is_foreign: bool, directory: &Path) -> Result<()> {
    let own = own_release()?;
    let mut written = 0;
    for path in files()? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let text = if is_foreign { for_any_architecture(&text) } else { text };
        let is_list = path.extension().is_some_and(|extension| extension == "list");
        let text = if is_list { lines(&text, &own, release) } else { stanzas(&text, &own, release) };
        if !text.is_empty() {
            let name = path.file_name().context("a source has no file name")?;
            fs::write(directory.join(name), text)
                .with_context(|| format!("cannot write into {}", directory.display()))?;
            written += 1;
        }
    }
    ensure!(written > 0, "no source in /etc/apt names {own}, so there is none to name {release} in");
    Ok(())
}

/// sources.list and what lies in sources.list.d.
fn files() -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = vec!["/etc/apt/sources.list".into()];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        for entry in entries {
            files.push(entry.context("cannot read /etc/apt/sources.list.d")?.path());
        }
    }
    let is_source = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "list" || kind == "sources");
    files.retain(|path| is_source(path) && path.is_file());
    Ok(files)
}

/// Without the field, or the option, that names architectures.
fn for_any_architecture(text: &str) -> String {
    let line = |line: &str| match line.find("arch=") {
        _ if line.to_ascii_lowercase().starts_with("architectures:") => String::new(),
        Some(at) => {
            let rest = line[at..].find([' ', ']']).map_or("", |end| &line[at + end..]);
            format!("{}{}\n", &line[..at], rest.strip_prefix(' ').unwrap_or(rest))
        }
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// The suite of `release` that stands where this one of ours does: the release itself, or its security updates.
fn renamed(suite: &str, own: &str, release: &str) -> Option<String> {
    let rest = [own].iter().chain(&CYCLE).find_map(|name| suite.strip_prefix(name))?;
    match rest {
        "" => Some(release.to_string()),
        "-security" if !ROLLING.contains(&release) => Some(format!("{release}{rest}")),
        _ => None,
    }
}

/// The one-line format: `deb [OPTIONS] URI SUITE COMPONENT…`.
fn lines(text: &str, own: &str, release: &str) -> String {
    let line = |line: &str| {
        let (head, rest) = match line.trim().strip_prefix("deb ")?.trim().split_once("] ") {
            Some((options, rest)) => (format!("deb {options}] "), rest.trim()),
            None => ("deb ".to_string(), line.trim().strip_prefix("deb ")?.trim()),
        };
        let mut words = rest.split_whitespace();
        let (uri, suite) = (words.next()?, renamed(words.next()?, own, release)?);
        let components = words.map(|word| format!(" {word}")).collect::<String>();
        Some(format!("{head}{uri} {suite}{components}\n"))
    };
    text.lines().filter_map(line).collect()
}

/// deb822's format: stanzas of fields, which go on in lines that begin with a blank.
fn stanzas(text: &str, own: &str, release: &str) -> String {
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).map(str::trim_end).collect();
    let stanzas = text.split(|line| line.is_empty()).filter(|stanza| !stanza.is_empty());
    stanzas.filter_map(|stanza| renamed_stanza(stanza, own, release)).collect()
}

fn renamed_stanza(stanza: &[&str], own: &str, release: &str) -> Option<String> {
    let (mut suites, mut others, mut field) = (Vec::new(), String::new(), String::new());
    for line in stanza {
        let is_continued = line.starts_with([' ', '\t']);
        let (name, value) = if is_continued { (field.as_str(), *line) } else { line.split_once(':')? };
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "suites" => suites.extend(value.split_whitespace().filter_map(|suite| renamed(suite, own, release))),
            "types" if !value.split_whitespace().any(|kind| kind == "deb") => return None,
            "enabled" if ["no", "false", "0"].contains(&value) => return None,
            "types" | "enabled" => {}
            _ => others.extend([line, "\n"]),
        }
        field = name;
    }
    (!suites.is_empty()).then(|| format!("Types: deb\nSuites: {}\n{others}\n", suites.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_renamed() {
        let text = "# ours\ndeb [arch=amd64 signed-by=/k] http://m/debian bookworm main contrib\n\
                    deb-src http://m/debian bookworm main\ndeb http://m/debian bookworm-updates main\n\
                    deb http://s/debian bookworm-security main\ndeb http://o/ sdk-bookworm main\n";
        let first = "deb [arch=amd64 signed-by=/k] http://m/debian";
        let expected = format!("{first} trixie main contrib\ndeb http://s/debian trixie-security main\n");
        assert_eq!(lines(text, "bookworm", "trixie"), expected);
        assert_eq!(lines(text, "bookworm", "sid"), format!("{first} sid main contrib\n"));
        assert_eq!(lines("deb http://m/ stable main", "bookworm", "sid"), "deb http://m/ sid main\n");
    }

    #[test]
    fn architectures_are_left_out() {
        let text = "deb [arch=amd64 signed-by=/k] http://m/ x main\nArchitectures: amd64\nURIs: http://m/\n";
        assert_eq!(for_any_architecture(text), "deb [signed-by=/k] http://m/ x main\nURIs: http://m/\n");
    }

    #[test]
    fn stanzas_are_renamed() {
        let text = "Types: deb deb-src\nURIs: http://m/debian\n# why\nSuites: bookworm\n bookworm-updates\n\
                    Signed-By:\n key\n .\n\n\nTypes: deb\nEnabled: no\nURIs: http://x\nSuites: bookworm\n\n\
                    Types: deb-src\nSuites: bookworm\n\nTypes: deb\nSuites: bookworm-security\nURIs: http://s\n";
        let first = "URIs: http://m/debian\nSigned-By:\n key\n .\n\n";
        let security = "Types: deb\nSuites: trixie-security\nURIs: http://s\n\n";
        let expected = format!("Types: deb\nSuites: trixie\n{first}{security}");
        assert_eq!(stanzas(text, "bookworm", "trixie"), expected);
        assert_eq!(stanzas(text, "bookworm", "sid"), format!("Types: deb\nSuites: sid\n{first}"));
    }
}
