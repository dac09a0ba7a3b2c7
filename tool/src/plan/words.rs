//! A plan's text as lines of words that know their columns, and words that are spelled nearly alike. What is a line and
//! what is a word the language's own code says.

use language::{Kind, Verb};

/// What is longer is not read to its end: it may have none. The language counts lines by 16 bits.
pub const MOST_BYTES: usize = u16::MAX as usize;

/// A word and where it begins, counted in characters from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub column: usize,
    pub text: String,
}

impl Spot {
    /// The column after it.
    pub fn end(&self) -> usize {
        self.column + self.text.chars().count()
    }
}

/// A line that is no comment and not empty.
#[derive(Clone, Debug)]
pub struct Line {
    pub number: usize,
    /// The verb first, as they are in the file.
    pub words: Vec<Spot>,
}

impl Line {
    /// The verb's name, without its `-`.
    pub fn name(&self) -> &str {
        let verb = self.word(0);
        verb.strip_prefix('-').unwrap_or(verb)
    }

    /// A `-` stands before the verb.
    pub fn may_fail(&self) -> bool {
        self.word(0).starts_with('-')
    }

    /// The verb, if there is one of that name.
    pub fn verb(&self) -> Option<Verb> {
        Verb::ALL.iter().copied().find(|verb| verb.name() == self.name())
    }

    /// How its verb is written.
    pub fn usage(&self) -> String {
        self.verb().into_iter().flat_map(Verb::usage).collect()
    }

    /// A word's text; empty where there is none.
    pub fn word(&self, place: usize) -> &str {
        self.words.get(place).map_or("", |word| &word.text)
    }
}

/// The names of the verbs.
pub fn verbs() -> impl Iterator<Item = &'static str> {
    Verb::ALL.iter().map(|verb| verb.name())
}

/// Which word of a step is of this kind.
pub fn place_of(verb: Verb, kind: Kind) -> Option<usize> {
    let shape = verb.shape();
    (1..shape.most).find(|place| shape.kind(*place) == kind).map(usize::from)
}

/// The lines of a text.
pub fn lines(text: &[u8]) -> Vec<Line> {
    let text = &text[..text.len().min(MOST_BYTES)];
    let mut cut = [text, &[0]].concat();
    let mut lines: Vec<Line> = Vec::new();
    // Where the last word begins.
    let mut last = 0;
    language::words(&mut cut, |number, range| {
        let number = usize::from(number);
        let between = |from| String::from_utf8_lossy(&text[from..range.start]).chars().count();
        let spot = |column| Spot { column, text: String::from_utf8_lossy(&text[range.clone()]).into_owned() };
        match lines.last_mut().filter(|line| line.number == number) {
            Some(line) => line.words.extend(line.words.last().map(|word| spot(word.column + between(last)))),
            None => {
                let begin = text[..range.start].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                lines.push(Line { number, words: vec![spot(1 + between(begin))] });
            }
        }
        last = range.start;
    });
    lines
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
        let text = "\n# no\n\t-dir  /\u{e9}\u{e9} 0755 \n  write /a  b  c \r\nenv A=b  c \nexec";
        let lines = lines(text.as_bytes());
        let places = |line: &Line| line.words.iter().map(|word| (word.column, word.text.clone())).collect::<Vec<_>>();
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert_eq!(places(&lines[0]), [(2, "-dir".into()), (8, "/\u{e9}\u{e9}".into()), (12, "0755".into())]);
        assert_eq!(places(&lines[1]), [(3, "write".into()), (9, "/a".into()), (13, "b  c".into())]);
        assert_eq!(places(&lines[2]), [(1, "env".into()), (5, "A=b  c".into())]);
        assert_eq!((lines[0].words[2].end(), lines[3].words[0].end()), (16, 5));
    }

    #[test]
    fn bytes_that_are_no_text_are_one_character() {
        let lines = lines(b"d\xffr /a\xff\xfe x\0\xff");
        let places: Vec<_> = lines[0].words.iter().map(|word| (word.column, word.text.as_str())).collect();
        assert_eq!(places, [(1, "d\u{fffd}r"), (5, "/a\u{fffd}\u{fffd}"), (10, "x"), (12, "\u{fffd}")]);
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
