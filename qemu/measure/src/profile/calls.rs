//! What PID 1 asked of the kernel, from its init's entry to its service's: counts and times by call and by plan step.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::timeline::marks::Marks;

/// How far before its first system call the marked init may have read its clock, in microseconds.
const SLACK: u32 = 2000;

/// The kernel's function that ends a system call: include/linux/entry-common.h.
const RETURN: &str = " syscall_exit_to_user_mode";

/// What `perf script` calls a part that the ring had no room for.
const LOST: &str = "PERF_RECORD_LOST";

/// A system call of PID 1, times in microseconds of the kernel's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub name: String,
    pub enter: f64,
    pub exit: f64,
    /// What the kernel did between the call's end, as it is traced, and its return, by samples: the pages of an unlinked
    /// file are freed there, when it is closed for the last time (task_work_run).
    pub after: f64,
}

impl Call {
    fn time(&self) -> f64 {
        self.exit - self.enter + self.after
    }
}

/// What was recorded of an init.
#[derive(Debug, PartialEq)]
pub struct Calls {
    /// When the kernel had executed the init.
    pub entry: f64,
    /// The last is the execve(2) that the service came of.
    pub calls: Vec<Call>,
}

/// A step's, or the ones before the first step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepCalls {
    pub step: String,
    /// From the end of the call before the step's first to the end of its last.
    pub microseconds: f64,
    /// Call, how often, microseconds in all.
    pub calls: BTreeMap<String, (u32, f64)>,
}

impl Calls {
    /// Reads `perf script`'s lines for raw_syscalls:sys_enter and sys_exit, and the stacks of the clock's samples.
    pub fn read(script: &str) -> Result<Calls> {
        ensure!(!script.contains(LOST), "perf lost events: the recorder's ring has no room for this boot");
        let mut lines = script.lines();
        let entry =
            lines.by_ref().filter_map(event).find(Event::has_executed).context("perf saw no init executed")?.time;
        let mut calls: Vec<Call> = Vec::new();
        let mut open: Option<Event> = None;
        let mut is_sample = false;
        for line in lines {
            let Some(event) = event(line) else {
                // A stack follows its sample, the function that returns to the program near its end.
                is_sample = is_sample && !line.is_empty() || line.contains(" 1/1 ") && line.contains(" cpu-clock:");
                if let (true, None, Some(call)) = (is_sample && line.ends_with(RETURN), &open, calls.last_mut()) {
                    call.after += f64::from(recorder::PERIOD_NS) / 1000.0;
                }
                continue;
            };
            is_sample = false;
            match open.take() {
                None if event.enters => {
                    // A sample stands for its whole period, of which there may not have been as much.
                    if let Some(call) = calls.last_mut() {
                        call.after = call.after.min(event.time - call.exit);
                    }
                    open = Some(event);
                }
                Some(enter) if !event.enters => {
                    calls.push(Call { name: name(enter.call), enter: enter.time, exit: event.time, after: 0.0 });
                    if event.has_executed() {
                        return Ok(Calls { entry, calls });
                    }
                }
                _ => bail!("perf lost a system call of PID 1 at {:.6} s", event.time / 1e6),
            }
        }
        bail!("perf saw no service executed after {} system calls", calls.len())
    }

    /// From the entry to the service's.
    pub fn whole(&self) -> f64 {
        self.calls.last().map_or(0.0, |call| call.exit - self.entry)
    }

    /// In system calls.
    pub fn sum(&self) -> f64 {
        self.calls.iter().map(Call::time).sum()
    }

    /// How many calls there are before the first step, and in each: for an init that marks its steps and was recorded. The
    /// two clocks stand to each other as is right when each mark lies between two calls.
    pub fn counts(&self, marks: &Marks, khz: f64) -> Result<Vec<usize>> {
        let entry = marks.entry.context("the init made no mark")? as f64;
        let first = self.calls.first().context("the init made no system call")?;
        let ask = self.calls.iter().find(|call| call.name == "ioperm").unwrap_or(first);
        let since_entry: Vec<f64> = marks.steps.iter().map(|(_, at)| (*at as f64 - entry) * 1000.0 / khz).collect();
        let is_between = |at: f64| !self.calls.iter().any(|call| call.enter < at && at < call.exit);
        let fits = |slack: &f64| since_entry.iter().all(|at| is_between(ask.enter - slack + at));
        let slack = (0..SLACK).map(f64::from).find(fits).context("the marks lie inside of system calls")?;
        let starts: Vec<f64> = since_entry.iter().map(|at| ask.enter - slack + at).collect();
        let before = |at: f64| self.calls.iter().filter(|call| call.enter < at).count();
        let ends = starts.iter().map(|at| before(*at)).chain([self.calls.len()]);
        let mut counted = 0;
        let difference = |end: usize| end - std::mem::replace(&mut counted, end);
        Ok(ends.map(difference).collect())
    }

    /// The calls of an init without marks, by step: as many to each as the marked one made, without its ioperm(2).
    pub fn by_step(&self, marked: &Calls, counts: &[usize], steps: &[String]) -> Result<Vec<StepCalls>> {
        let names = |calls: &Calls| calls.calls.iter().map(|call| call.name.clone()).collect::<Vec<_>>();
        let with_right = names(marked);
        let without: Vec<String> = with_right.iter().filter(|name| *name != "ioperm").cloned().collect();
        ensure!(with_right.len() == without.len() + 1, "marks take more than one ioperm: {with_right:?}");
        ensure!(names(self) == without, "init calls {:?}, and marked {with_right:?}", names(self));
        let mut rest = self.calls.as_slice();
        let mut before = self.entry;
        let mut found = Vec::new();
        for (place, (step, count)) in steps.iter().zip(counts).enumerate() {
            let (calls, others) = rest.split_at(count - usize::from(place == 0));
            let end = calls.last().map_or(before, |call| call.exit);
            found.push(StepCalls { step: step.clone(), microseconds: end - before, calls: totals(calls) });
            (rest, before) = (others, end);
        }
        Ok(found)
    }
}

/// By name.
pub fn totals(calls: &[Call]) -> BTreeMap<String, (u32, f64)> {
    let mut totals = BTreeMap::new();
    for call in calls {
        let (count, time) = totals.entry(call.name.clone()).or_insert((0, 0.0));
        *count += 1;
        *time += call.time();
    }
    totals
}

struct Event {
    time: f64,
    enters: bool,
    call: i64,
    answer: i64,
}

impl Event {
    /// The end of an execve(2) that went well.
    fn has_executed(&self) -> bool {
        !self.enters && self.call == libc::SYS_execve && self.answer == 0
    }
}

/// `COMM PID/TID SECONDS: raw_syscalls:sys_enter: NR 165 (…)`, and `…sys_exit: NR 165 = 0`.
fn event(line: &str) -> Option<Event> {
    let (before, after) = line.split_once("raw_syscalls:sys_")?;
    let mut fields = before.split_whitespace().rev();
    let time = fields.next()?.trim_end_matches(':').parse::<f64>().ok()? * 1e6;
    fields.next()?.starts_with("1/").then_some(())?;
    let (kind, rest) = after.split_once(": NR ")?;
    let mut words = rest.split_whitespace();
    let call = words.next()?;
    let answer = if words.next()? == "=" { words.next()?.parse().ok()? } else { 0 };
    Some(Event { time, enters: kind == "enter", call: call.parse().ok()?, answer })
}

fn name(number: i64) -> String {
    let known = usize::try_from(number).ok().and_then(syscalls::Sysno::new);
    known.map_or_else(|| format!("system call {number}"), |call| call.name().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "\
        recorder     1/1  1.000000000:  raw_syscalls:sys_enter: NR 59 (7f84, 5555, 5555, 0, 8, 7f84)\n\
        init     1/1  1.000010000:  raw_syscalls:sys_exit: NR 59 = 0\n\
        init     1/1  1.000020000:  raw_syscalls:sys_enter: NR 39 (0, 0, 5, 0, 0, 0)\n\
        init     1/1  1.000021000:  raw_syscalls:sys_exit: NR 39 = 1\n\
        perf     9/9  1.000022000:  raw_syscalls:sys_enter: NR 1 (0, 0, 5, 0, 0, 0)\n\
        init     1/1  1.000023000:  cpu-clock: \n\
        \tffffffff8125797f shmem_undo_range\n\
        \tffffffff81a07189 syscall_exit_to_user_mode\n\n\
        init     1/1  1.000030000:  raw_syscalls:sys_enter: NR 165 (0, 0, 5, 0, 0, 0)\n\
        init     1/1  1.000050000:  raw_syscalls:sys_exit: NR 165 = -22 ffffffff8113753d syscall_exit\n\
        init     1/1  1.000060000:  raw_syscalls:sys_enter: NR 59 (7f84, 5555, 5555, 0, 8, 7f84)\n\
        agent     1/1  1.000110000:  raw_syscalls:sys_exit: NR 59 = 0\n\
        agent     1/1  1.000120000:  raw_syscalls:sys_enter: NR 12 (0, 0, 5, 0, 0, 0)\n";

    /// The same with the right to the port, and everything ten microseconds later.
    fn marked() -> Calls {
        let mut calls = Calls::read(SCRIPT).unwrap();
        for call in &mut calls.calls[1..] {
            (call.enter, call.exit) = (call.enter + 10.0, call.exit + 10.0);
        }
        let at = calls.entry + 12.0;
        calls.calls.insert(1, Call { name: "ioperm".to_string(), enter: at, exit: at + 1.0, after: 0.0 });
        calls
    }

    #[test]
    fn reach_from_the_init_to_the_service() {
        let calls = Calls::read(SCRIPT).unwrap();
        let names: Vec<&str> = calls.calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["getpid", "mount", "execve"]);
        assert_eq!((calls.whole().round(), calls.sum().round()), (100.0, 80.0));
        let cut = &SCRIPT[..SCRIPT.find("agent").unwrap()];
        assert!(Calls::read(cut).is_err(), "no service");
        let lost = format!("{SCRIPT} perf     9/9  1.000130000: PERF_RECORD_LOST lost 12\n");
        assert!(Calls::read(&lost).is_err(), "not all of it");
    }

    #[test]
    fn belong_to_steps_as_the_marks_tell() {
        // One tick a microsecond: the entry is marked 5 before ioperm, the steps where nothing else happens.
        let marks = Marks { entry: Some(1000), steps: vec![(1, 1030), (2, 1057)], ..Marks::default() };
        let counts = marked().counts(&marks, 1000.0).unwrap();
        assert_eq!(counts, [2, 1, 1]);
        let steps = ["start", "root", "exec"].map(String::from);
        let found = Calls::read(SCRIPT).unwrap().by_step(&marked(), &counts, &steps).unwrap();
        let named: Vec<Vec<&String>> = found.iter().map(|step| step.calls.keys().collect()).collect();
        assert_eq!(named, [["getpid"], ["mount"], ["execve"]]);
        assert_eq!(found.iter().map(|step| step.microseconds).sum::<f64>().round(), 100.0);
    }
}
