//! A boot as phases, one after the other without a gap, from QEMU's start, or from the machine's reset, to the end of
//! the container.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

pub mod marks;
mod picture;
mod text;
mod watch;

pub use picture::draw;
pub use watch::{APPEND, Watch};

use marks::Marks;
use tool::plan::Plan;

/// Whose work a phase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    Machine,
    Kernel,
    Init,
    Service,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    pub name: String,
    pub part: Part,
    /// Microseconds, or instructions.
    pub start: f64,
    pub length: f64,
}

/// A boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    pub phases: Vec<Phase>,
    /// From the first phase's start to the last mark's arrival, by this machine's clock alone; under `-icount` by the last
    /// mark.
    pub whole: f64,
    pub counted: bool,
    /// The kernel's log, by the same clock.
    #[serde(skip)]
    pub log: Vec<(f64, String)>,
}

/// A message of the kernel's log, and what begins with it. One that a kernel doesn't write leaves its time to the phase
/// before.
const KERNEL: [(&str, &str); 4] = [
    ("devtmpfs: initialized", "kernel: subsystems"),
    ("Trying to unpack rootfs", "kernel: drivers; initramfs"),
    ("Freeing unused kernel image (initmem)", "kernel: frees and protects memory"),
    (EXECUTES, "kernel: executes init"),
];
const EXECUTES: &str = "Run /";
/// What begins then, where init marks nothing of its own.
const WHOLE_INIT: &str = "init: is executed, runs the plan";
const BEGINNING: &str = "kernel: memory, CPUs, timers";

/// Beginnings of phases, in order.
struct Beginnings(Vec<(String, Part, f64)>);

impl Beginnings {
    fn add(&mut self, name: &str, part: Part, at: Option<f64>) {
        self.0.extend(at.map(|at| (name.to_string(), part, at)));
    }

    /// From the clock of the kernel's log, of which `time` makes ours, to init.
    fn add_kernel(&mut self, marks: &Marks, start: Option<f64>, time: impl Fn(u64) -> f64) {
        self.add(BEGINNING, Part::Kernel, start);
        for (message, name) in KERNEL {
            let at = marks.log.iter().find(|(_, text)| text.starts_with(message)).map(|(when, _)| time(*when));
            match message {
                EXECUTES if marks.entry.is_none() => self.add(WHOLE_INIT, Part::Init, at),
                _ => self.add(name, Part::Kernel, at),
            }
        }
    }

    fn add_userspace(&mut self, marks: &Marks, plan: &str, time: impl Fn(u64) -> f64) -> Result<()> {
        self.add("init: starts, reads the plan", Part::Init, marks.entry.map(&time));
        let steps = Plan::of("plan", plan).steps();
        // After an `exec` that is followed by others, those are not met.
        let is_plans = marks.steps.iter().zip(&steps).all(|((line, _), step)| usize::from(*line) == step.line);
        ensure!(is_plans, "marks of lines {:?} where the plan has steps {steps:?}", marks.steps);
        for ((_, at), step) in marks.steps.iter().zip(&steps) {
            self.add(&step.text(), Part::Init, Some(time(*at)));
        }
        self.add("service: looks around", Part::Service, marks.service.map(&time));
        self.add("container", Part::Service, marks.container.map(&time));
        Ok(())
    }

    fn phases(self, end: f64) -> Result<Vec<Phase>> {
        let ends: Vec<f64> = self.0.iter().skip(1).map(|(_, _, at)| *at).chain([end]).collect();
        let phase = |((name, part, start), end): ((String, Part, f64), f64)| {
            ensure!(end >= start, "{name} ends before it begins, {start:.0} and {end:.0}");
            Ok(Phase { name, part, start, length: end - start })
        };
        self.0.into_iter().zip(ends).map(phase).collect()
    }
}

impl Timeline {
    /// In microseconds from QEMU's start. `firmware` is when it first and last asked for something; `offset` what is to be
    /// added to the guest's counter.
    pub fn in_time(
        marks: &Marks,
        plan: &str,
        firmware: Option<(f64, f64)>,
        khz: f64,
        offset: f64,
        whole: f64,
    ) -> Result<Timeline> {
        let time = |ticks: f64| offset + ticks * 1000.0 / khz;
        let log_start = marks.log_start(khz).map(time);
        let mut found = Beginnings(Vec::new());
        found.add("QEMU starts", Part::Machine, Some(0.0));
        found.add("firmware loads the kernel", Part::Machine, firmware.map(|(first, _)| first));
        found.add("kernel unpacks itself", Part::Kernel, firmware.map(|(_, last)| last));
        let log_time = |when: u64| log_start.unwrap_or_default() + when as f64;
        found.add_kernel(marks, log_start, log_time);
        found.add_userspace(marks, plan, |ticks| time(ticks as f64))?;
        let last = marks.ends.last().context("the guest made no mark")?.1;
        let log = marks.log.iter().map(|(when, text)| (log_time(*when), text.clone())).collect();
        Ok(Timeline { phases: found.phases(time(last as f64))?, whole, counted: false, log })
    }

    /// In instructions from the machine's reset: the guest's clock counts them, one a nanosecond.
    pub fn in_instructions(marks: &Marks, plan: &str) -> Result<Timeline> {
        let log_start = marks.log_start(1e6);
        let mut found = Beginnings(Vec::new());
        found.add("firmware loads, kernel unpacks itself", Part::Machine, Some(0.0));
        let log_time = |when: u64| log_start.unwrap_or_default() + when as f64 * 1000.0;
        found.add_kernel(marks, log_start, log_time);
        found.add_userspace(marks, plan, |ticks| ticks as f64)?;
        let last = marks.ends.last().context("the guest made no mark")?.1 as f64;
        let log = marks.log.iter().map(|(when, text)| (log_time(*when), text.clone())).collect();
        Ok(Timeline { phases: found.phases(last)?, whole: last, counted: true, log })
    }

    /// All phases together.
    pub fn sum(&self) -> f64 {
        self.phases.iter().map(|phase| phase.length).sum()
    }
}

#[cfg(test)]
mod tests {
    use agent::port::BOTH_CLOCKS;

    use super::*;

    /// The clock of the log began at 1000 ticks; a tick is a nanosecond.
    fn marks(lines: &[u16]) -> Marks {
        let log =
            [(1, "devtmpfs: initialized"), (5, "Run /init as init process"), (50, &format!("{BOTH_CLOCKS}51000"))];
        Marks {
            entry: Some(7000),
            steps: lines.iter().map(|line| (*line, 7000 + u64::from(*line) * 1000)).collect(),
            service: Some(20_000),
            container: Some(30_000),
            container_end: Some(40_000),
            log: log.map(|(when, text)| (when, text.to_string())).into(),
            ends: vec![(12, 7000), (48, 40_000)],
        }
    }

    const PLAN: &str = "root\n\n# comment\n  exec  /sbin/agent\n";

    #[test]
    fn phases_follow_each_other() {
        let boot = Timeline::in_time(&marks(&[1, 4]), PLAN, Some((2.0, 3.0)), 1e6, 4.0, 44.5).unwrap();
        let found: Vec<(&str, f64, f64)> = boot.phases.iter().map(|p| (p.name.as_str(), p.start, p.length)).collect();
        let expected = [
            ("QEMU starts", 0.0, 2.0),
            ("firmware loads the kernel", 2.0, 1.0),
            ("kernel unpacks itself", 3.0, 2.0),
            (BEGINNING, 5.0, 1.0),
            ("kernel: subsystems", 6.0, 4.0),
            ("kernel: executes init", 10.0, 1.0),
            ("init: starts, reads the plan", 11.0, 1.0),
            ("root", 12.0, 3.0),
            ("exec /sbin/agent", 15.0, 9.0),
            ("service: looks around", 24.0, 10.0),
            ("container", 34.0, 10.0),
        ];
        assert_eq!(found, expected);
        assert_eq!(boot.sum(), 44.0);
    }

    #[test]
    fn an_init_without_marks_is_one_phase() {
        let unmarked = Marks { entry: None, ..marks(&[]) };
        let boot = Timeline::in_time(&unmarked, PLAN, None, 1e6, 4.0, 44.5).unwrap();
        let init: Vec<&Phase> = boot.phases.iter().filter(|phase| phase.part == Part::Init).collect();
        assert_eq!(init, [&Phase { name: WHOLE_INIT.into(), part: Part::Init, start: 10.0, length: 14.0 }]);
        assert_eq!(boot.sum(), 44.0);
    }

    #[test]
    fn instructions_are_counted_from_reset() {
        let boot = Timeline::in_instructions(&marks(&[1, 4]), PLAN).unwrap();
        assert_eq!((boot.phases[0].length, boot.phases[1].start, boot.whole), (1000.0, 1000.0, 40_000.0));
        assert_eq!(boot.sum(), boot.whole);
    }

    #[test]
    fn marks_of_another_plan_are_refused() {
        assert!(Timeline::in_instructions(&marks(&[1, 2]), PLAN).is_err());
    }
}
