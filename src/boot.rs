//! The boot, as a story: read the plan, run each step, hand over to the service.
//!
//! Holds on entry: the kernel has just started this program; the working directory is the root of the initramfs.
//! Holds on exit: there is none. The service runs in our place, or a report ends the process.

use crate::fault::Fault;
use crate::line::add;
use crate::plan::{MAX_LEN, Pass, Step, Text, blank_out};
use crate::report::{self, Boot, Exit, Reason};
use crate::service;
use crate::sys::{self, Errno, Frame, List, Name, Row, RowTable, Tail, rows};
use crate::texts;
use crate::verb::Verb;
use crate::{carry, mounts, root};
use core::ffi::CStr;
use linux_raw_sys::errno::{EINTR, ENOENT};

/// The file's name of the plan that runs where the initramfs has none.
const BUILT_IN_NAME: &CStr = match CStr::from_bytes_with_nul(concat!(env!("MOVEROOT_PLAN_NAME"), "\0").as_bytes()) {
    Ok(name) => name,
    Err(_) => panic!("a file's name has no NUL"),
};

const INTERRUPTED: Errno = Errno::of(EINTR);

/// Boots, with the arguments and the environment that the kernel passed: reads the plan that `moveroot_plan=` names, else
/// `/boot.plan`, else takes the one that was built in; checks it, runs it.
#[inline(always)]
pub fn run(arguments: Tail, environment: List<'static>) -> ! {
    if sys::process_id() != 1 {
        report::usage();
    }
    #[cfg(feature = "marks")]
    sys::begin_marks();
    if service::open_descriptors().is_err() {
        // A service without them would take the first file it opens for its standard input.
        sys::exit(Exit::OTHER);
    }
    let mut text = Text::new();
    let mut frame = Frame::EMPTY;
    let mut named = Name::NONE;
    for (place, variable) in frame.environment.iter_mut().zip(environment) {
        *place = variable;
        if let Some(path) = variable.strip_prefix(b"moveroot_plan=") {
            named = path;
        }
    }
    let path = if named.is_none() { Name::literal(c"/boot.plan") } else { named };
    let outcome = read_plan(path, &mut text, named.is_none());
    let is_built_in = outcome == Ok(Pass::Run);
    let plan = if is_built_in { Name::literal(BUILT_IN_NAME) } else { path.without(b'/') };
    let boot = Boot { plan, arguments };
    let mut step = Step::before(frame, &mut text);
    let first = step.rest;
    let mut pass = outcome.unwrap_or_else(|reason| {
        boot.tell(&mut step, reason);
        Pass::Check
    });
    loop {
        match step.read(pass) {
            Ok(()) if pass == Pass::Check => {}
            Ok(()) => run_step(&mut step, &boot),
            Err(Fault::NoExec) if pass == Pass::Check && step.verb == Verb::EXEC => {
                (pass, step.verb, step.line, step.rest) = (Pass::Run, Verb::NONE, 0, first);
            }
            Err(fault) => boot.tell(&mut step, fault.into()),
        }
    }
}

/// Reads the plan, or takes the one that was built in, which the build script has checked; says what is to be done with it
/// first, or is wrong with it as a whole.
fn read_plan(path: Name, text: &mut Text, may_be_missing: bool) -> Result<Pass, Reason> {
    let file = sys::open_now(path);
    if may_be_missing && file == Err(Errno::of(ENOENT)) {
        add(text, texts::PLAN);
        return Ok(Pass::Run);
    }
    file.and_then(|file| sys::read(file, text))?;
    blank_out(text);
    if text.len() > MAX_LEN { Err(Fault::TooLong.into()) } else { Ok(Pass::Check) }
}

#[inline(always)]
fn run_step(step: &mut Step, boot: &Boot) {
    #[cfg(feature = "marks")]
    sys::mark(step.line);
    let result = loop {
        // A signal has come between: errno EINTR, signal(7). What a step has done by then it finds done.
        match run_once(step, boot) {
            Err(INTERRUPTED) => {}
            other => break other,
        }
    };
    if let Err(errno) = result {
        // `exec` is the last answer then, not `fchdir`: without a way back no other service can be tried, whatever the plan says.
        step.may_fail &= step.verb != Verb::EXEC || step.frame.get(sys::ANSWER) == 0;
        boot.tell(step, errno.into());
        // After a report, if not after the step, `/` is the initramfs.
        if let Err(errno) = step.frame.run(rows!(sys::enter(sys::NEW_ROOT))) {
            step.may_fail = false;
            boot.tell(step, errno.into());
        }
    }
}

#[inline(never)]
fn run_once(step: &mut Step, boot: &Boot) -> Result<(), Errno> {
    let frame = &mut step.frame;
    frame.clear(step.number as usize);
    if step.verb == Verb::MODULE {
        carry::describe(frame);
    }
    if step.verb == Verb::EXEC {
        service::pass(frame, step.count, &boot.arguments)?;
    }
    match step.verb {
        Verb::ROOT => root::build(frame),
        Verb::CONTROLLERS => mounts::controllers(step),
        Verb::ENV => service::set(frame),
        verb => frame.run(ROWS.of(verb.0)),
    }
}

/// What each verb asks of the kernel, in the order of their numbers; nothing for those that do it for themselves.
const STEPS: [&[Row]; 11] = [
    &[],
    mounts::MOUNT,
    mounts::DIR,
    mounts::LINK,
    mounts::WRITE,
    &[],
    carry::COPY_STEP,
    carry::BIND,
    &[],
    carry::MODULE,
    service::EXEC,
];
static ROWS: RowTable<{ sys::size_of_all(&STEPS) }, 11> = RowTable::new(&STEPS);
