//! How the lines of a plan are numbered after steps were added to it.

use crate::plan::{Line, Plan};

#[derive(Debug, Default)]
pub struct Numbers {
    /// The steps that were added, by their lines in the new plan.
    pub added: Vec<(usize, String)>,
    /// Lines of the person's plan, first and last, that have others in the new one, and by how many.
    pub moved: Vec<(usize, usize, isize)>,
}

impl Numbers {
    /// Of a person's plan and of the one that was made of it, by more lines and perhaps without some.
    pub fn of(own: &Plan, new: &Plan) -> Numbers {
        let mut numbers = Numbers::default();
        let mut rest = own.lines();
        for line in new.lines() {
            match rest.iter().position(|next| is_same(next, line)) {
                Some(place) => {
                    let number = rest[place].number;
                    numbers.count(number, line.number as isize - number as isize);
                    rest = &rest[place + 1..];
                }
                None => numbers.added.push((line.number, text(line))),
            }
        }
        numbers.moved.retain(|(.., by)| *by != 0);
        numbers
    }

    fn count(&mut self, line: usize, by: isize) {
        match self.moved.last_mut() {
            Some((_, last, same)) if *same == by => *last = line,
            _ => self.moved.push((line, line, by)),
        }
    }

    /// A line for each group of lines that have other numbers.
    pub fn show(&self, own: &str, new: &str) -> Vec<String> {
        let shown = self.moved.iter().map(|(first, last, by)| {
            let [new_first, new_last] = [first, last].map(|line| line.saturating_add_signed(*by));
            match first == last {
                true => format!("line {first} of {own} is line {new_first} of {new}"),
                false => format!("lines {first} to {last} of {own} are lines {new_first} to {new_last} of {new}"),
            }
        });
        shown.collect()
    }

    /// The person's line for one of the new plan; none for an added one.
    pub fn own_line(&self, line: usize) -> Option<usize> {
        if self.added.iter().any(|(added, _)| *added == line) {
            return None;
        }
        let by = self.moved.iter().find(|(first, last, by)| {
            (first.saturating_add_signed(*by)..=last.saturating_add_signed(*by)).contains(&line)
        });
        Some(line.saturating_add_signed(-by.map_or(0, |(.., by)| *by)))
    }
}

fn text(line: &Line) -> String {
    line.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn is_same(one: &Line, other: &Line) -> bool {
    one.words.iter().map(|word| &word.text).eq(other.words.iter().map(|word| &word.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_lines_are_told() {
        let [own, new] = ["# a\nroot\ndir /a\nexec /b\n", "root\nbind /x\ndir /a\nbind /y\nexec /b\n"]
            .map(|text| Plan::of("p", text));
        let numbers = Numbers::of(&own, &new);
        assert_eq!(numbers.added, [(2, "bind /x".to_string()), (4, "bind /y".to_string())]);
        let said = ["line 2 of p is line 1 of q", "line 4 of p is line 5 of q"];
        assert_eq!(numbers.show("p", "q"), said);
        assert_eq!([1, 2, 3, 4, 5].map(|line| numbers.own_line(line)), [Some(2), None, Some(3), None, Some(4)]);
        assert!(Numbers::of(&own, &own).moved.is_empty());
    }
}
