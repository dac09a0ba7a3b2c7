//! A plan's text as lines of words that know their columns, and words that are spelled nearly alike.

/// How each verb is written.
const USAGE: [&str; 11] = [
    "root [OPTIONS]",
    "dir PATH [MODE]",
    "link TARGET PATH",
    "mount SOURCE TARGET FSTYPE [OPTIONS]",
    "write PATH TEXT…",
    "controllers NAME…",
    "copy SOURCE [TARGET]",
    "bind SOURCE [TARGET]",
    "env NAME=VALUE",
    "module PATH [PARAM…]",
    "exec PATH [ARG…]",
];

/// A word and where it begins, counted in characters from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub column: usize,
    pub text: String,
}

/// A line that is no comment and not empty.
#[derive(Clone, Debug)]
pub struct Line {
    pub number: usize,
    pub words: Vec<Spot>,
    /// Behind the last word.
    pub end: usize,
}

impl Line {
    /// The verb, without its `-`.
    pub fn verb(&self) -> &str {
        self.words.first().map_or("", |word| word.text.strip_prefix('-').unwrap_or(&word.text))
    }

    /// How its verb is written.
    pub fn usage(&self) -> &'static str {
        USAGE.into_iter().find(|usage| usage.split(' ').next() == Some(self.verb())).unwrap_or_default()
    }
}

/// The verbs.
pub fn verbs() -> impl Iterator<Item = &'static str> {
    USAGE.iter().filter_map(|usage| usage.split(' ').next())
}

/// The lines of a text. As the parser sees it, a blank is every byte up to the space, and the rest of a line is
/// one word where the verb takes a text.
pub fn lines(text: &[u8]) -> Vec<Line> {
    let lines = text.split(|byte| *byte == b'\n').enumerate();
    lines.filter_map(|(number, line)| of_line(number + 1, line)).collect()
}

fn of_line(number: usize, line: &[u8]) -> Option<Line> {
    let line = String::from_utf8_lossy(line);
    let mut words: Vec<Spot> = Vec::new();
    let mut letters = line.chars().enumerate().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter <= ' ' {
            continue;
        }
        let is_text = words.len() == 2 && { matches!(words[0].text.trim_start_matches('-'), "write" | "module") };
        let mut text = String::from(letter);
        while let Some((_, letter)) = letters.next_if(|(_, letter)| *letter > ' ' || is_text) {
            text.push(letter);
        }
        words.push(Spot { column: at + 1, text: text.trim_end_matches(|letter| letter <= ' ').to_string() });
    }
    let last = words.last()?;
    let end = last.column + last.text.chars().count();
    (!words[0].text.starts_with('#')).then_some(Line { number, words, end })
}

/// The lines as a plan again: one after the other, without comments.
pub fn text(lines: &[Line]) -> Vec<u8> {
    let mut text = String::new();
    for line in lines {
        let words: Vec<&str> = line.words.iter().map(|word| word.text.as_str()).collect();
        text += &words.join(" ");
        text.push('\n');
    }
    text.into_bytes()
}

/// The one of `known` that was probably meant: no more than a third of its letters are wrong, and two at most.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&word.to_lowercase(), name);
    let near = known.into_iter().map(|name| (distance(name), name));
    let near = near.filter(|(distance, name)| *distance <= 2.min(name.len().div_ceil(3)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let lines = lines("\n# no\n\t-dir  /\u{e9}\u{e9} 0755 \n  write /a  b  c \r\nexec".as_bytes());
        let places = |line: &Line| line.words.iter().map(|word| (word.column, word.text.clone())).collect::<Vec<_>>();
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(places(&lines[0]), [(2, "-dir".into()), (8, "/\u{e9}\u{e9}".into()), (12, "0755".into())]);
        assert_eq!(places(&lines[1]), [(3, "write".into()), (9, "/a".into()), (13, "b  c".into())]);
        assert_eq!((lines[0].end, lines[2].end), (16, 5));
    }

    #[test]
    fn the_nearest_word_is_near() {
        let nearest = |word| nearest(word, verbs());
        for (word, meant) in [("moutn", "mount"), ("cp", "copy"), ("EXEC", "exec"), ("controler", "controllers")] {
            assert_eq!(nearest(word), Some(meant), "{word}");
        }
        for word in ["", "x", "insmod", "mkdir", "symlink"] {
            assert_eq!(nearest(word), None, "{word}");
        }
    }
}
