//! Steps that the harness adds to a person's plan. The number of a line is the exit code of a boot that fails there, so
//! what is added takes the places of comments and blank lines, and the person's own lines keep their numbers. Where there
//! are too few of these, lines move, and [`Numbers`] says which.

mod numbers;

use language::Verb;

use crate::plan::{Line, Plan, runs_program};
pub use numbers::Numbers;

/// Filesystems that no module brings, and that need none: mounting one may come before modules are loaded.
const BUILT_IN: [&str; 9] = ["proc", "sysfs", "tmpfs", "devtmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "ramfs"];

/// A line of a plan; with no step it is a comment or blank.
struct Row {
    text: String,
    step: Option<Line>,
}

impl Row {
    fn verb(&self) -> Option<Verb> {
        self.step.as_ref().and_then(Line::verb)
    }

    fn word(&self, place: usize) -> &str {
        self.step.as_ref().map_or("", |step| step.word(place))
    }

    /// What it makes in the new root.
    fn target(&self) -> Option<&str> {
        let named = if self.word(2).is_empty() { self.word(1) } else { self.word(2) };
        match self.verb()? {
            Verb::Dir => Some(self.word(1)),
            Verb::Link | Verb::Mount => Some(self.word(2)),
            Verb::Copy | Verb::Bind => Some(named),
            _ => None,
        }
    }

    /// Whether it may need a module.
    fn may_need_module(&self) -> bool {
        match self.verb() {
            None => self.step.is_some(),
            Some(Verb::Root | Verb::Dir | Verb::Link | Verb::Env | Verb::Bind | Verb::Limit | Verb::OnExit) => false,
            Some(Verb::Mount) => !BUILT_IN.contains(&self.word(3)),
            Some(_) => true,
        }
    }
}

/// The lines of a plan, to be added to.
pub struct Rows {
    rows: Vec<Row>,
    /// How many lines there are more than were.
    pub inserted: usize,
}

impl Rows {
    /// With the step `root`, where the plan begins with one, as many lines earlier: those before it are comments or blank.
    pub fn of(plan: &Plan, raised: usize) -> Rows {
        let mut steps = plan.lines().iter().cloned().peekable();
        let text = String::from_utf8_lossy(plan.text()).into_owned();
        let row = |(number, line): (usize, &str)| Row {
            text: line.to_string(),
            step: steps.next_if(|step| step.number == number),
        };
        let mut rows: Vec<Row> = (1..).zip(text.lines()).map(row).collect();
        if raised > 0
            && let Some(place) = rows.iter().position(|row| row.step.is_some())
        {
            rows.swap(place - raised, place);
        }
        Rows { rows, inserted: 0 }
    }

    /// Where steps may begin: after `root`.
    pub fn start(&self) -> usize {
        self.rows.iter().position(|row| row.verb() == Some(Verb::Root)).map_or(0, |root| root + 1)
    }

    /// Where a module is loaded.
    pub fn module(&self, path: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.verb() == Some(Verb::Module) && row.word(1) == path)
    }

    /// The first step from a place on that may need a module.
    pub fn first_need(&self, from: usize) -> usize {
        let found = self.rows.iter().skip(from).position(Row::may_need_module);
        found.map_or(self.rows.len(), |place| from + place)
    }

    /// The first step from a place on that runs a program.
    fn first_run(&self, from: usize) -> usize {
        let runs = |row: &Row| row.verb().is_some_and(runs_program);
        self.rows.iter().skip(from).position(runs).map_or(self.rows.len(), |place| from + place)
    }

    /// After the last step before `to` that makes what one of these paths lies in.
    fn after_what_holds(&self, paths: &[&str], to: usize) -> usize {
        let holds = |row: &Row| row.target().is_some_and(|target| paths.iter().any(|path| is_in(path, target)));
        self.rows[..to].iter().rposition(holds).map_or(0, |place| place + 1)
    }

    /// Puts a step into the first free line from `from` up to `to`, or makes a line for it at `else_at`. Where it is now.
    pub fn put(&mut self, step: &str, from: usize, to: usize, else_at: usize) -> usize {
        let row = Row { text: step.to_string(), step: Plan::of("", step).lines().first().cloned() };
        let is_free = |place: &usize| self.rows[*place].step.is_none();
        if let Some(place) = (from..to).find(is_free) {
            self.rows[place] = row;
            return place;
        }
        self.inserted += 1;
        self.rows.insert(else_at, row);
        else_at
    }

    pub fn text(&self) -> String {
        self.rows.iter().flat_map(|row| [row.text.as_str(), "\n"]).collect()
    }
}

/// The plan that `fill` makes, with as few lines moved as can be: none, or `root` alone, or else what comes after.
pub fn fewest_moved<E>(plan: &Plan, fill: impl Fn(Rows) -> Result<Rows, E>) -> Result<String, E> {
    let filled = fill(Rows::of(plan, 0))?;
    let first = plan.lines().first();
    let free = first.filter(|first| first.verb() == Some(Verb::Root)).map_or(0, |first| first.number - 1);
    if filled.inserted > 0 && filled.inserted <= free {
        let raised = fill(Rows::of(plan, filled.inserted))?;
        if raised.inserted == 0 {
            return Ok(raised.text());
        }
    }
    Ok(filled.text())
}

/// The plan with steps that carry something, before the first step that runs a program: not before a step that makes what they
/// lie in.
pub fn carried(plan: &Plan, steps: &[String]) -> String {
    let targets = Plan::of("", steps.join("\n"));
    let targets: Vec<&str> = targets.lines().iter().map(|line| line.word(line.words.len() - 1)).collect();
    let fill = |mut rows: Rows| {
        for (step, own) in steps.iter().zip(&targets) {
            let first = rows.first_run(rows.start());
            let all = rows.after_what_holds(&targets, first).max(rows.start());
            let from = rows.after_what_holds(&[own], rows.rows.len()).max(all);
            let to = rows.first_run(from);
            rows.put(step, from, to, to);
        }
        Ok::<_, std::convert::Infallible>(rows)
    };
    let Ok(text) = fewest_moved(plan, fill);
    text
}

/// Whether a path lies in a directory, and is not that directory.
fn is_in(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(text: &str) -> String {
        carried(&Plan::of("p", text), &["bind /lib".into(), "bind /usr/lib".into()])
    }

    #[test]
    fn steps_take_the_places_of_comments() {
        assert_eq!(added("root\n# a\n\ndir /x\nexec /a\n"), "root\nbind /lib\nbind /usr/lib\ndir /x\nexec /a\n");
        // Of those before `root` it takes as many as needed, and moves up.
        assert_eq!(added("# a\n# b\n# c\nroot\nexec /a\n"), "# a\nroot\nbind /lib\nbind /usr/lib\nexec /a\n");
        assert_eq!(added("# a\n\nexec /a\n"), "bind /lib\nbind /usr/lib\nexec /a\n");
    }

    #[test]
    fn steps_stay_after_what_they_lie_in() {
        let plan = "root\n#\n#\nmount tmpfs /usr tmpfs\n#\n#\nexec /a\n";
        assert_eq!(added(plan), "root\n#\n#\nmount tmpfs /usr tmpfs\nbind /lib\nbind /usr/lib\nexec /a\n");
    }

    #[test]
    fn steps_come_before_what_runs_first() {
        assert_eq!(added("root\nrun /a\n# c\nspawn /b\n"), "root\nbind /lib\nbind /usr/lib\nrun /a\n# c\nspawn /b\n");
        // But after what they lie in.
        let plan = "root\nrun /a\nmount tmpfs /usr tmpfs\nspawn /b\n";
        assert_eq!(added(plan), "root\nbind /lib\nrun /a\nmount tmpfs /usr tmpfs\nbind /usr/lib\nspawn /b\n");
    }

    #[test]
    fn without_comments_the_exec_moves() {
        assert_eq!(
            added("root\ndir /x\n-exec /a\nexec /b"),
            "root\ndir /x\nbind /lib\nbind /usr/lib\n-exec /a\nexec /b\n"
        );
    }
}
