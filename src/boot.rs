//! The boot, as a story: read the plan, run each step, hand over to the service.
//!
//! Holds on entry: the kernel has just started this program; the working directory is the root of the initramfs.
//! Holds on exit: there is none. The service runs in our place, or a report ends the process.

use crate::fault::Fault;
use crate::line::add_text;
use crate::plan::{MAX_LEN, Pass, Step, Text, blank_out};
use crate::report::{self, Boot, Exit, Reason};
use crate::service;
use crate::sys::{self, Errno, List, Name, Row, RowTable, Tail, rows};
use crate::texts;
use crate::verb::{VERB_COUNT, Verb};
use crate::{carry, mounts, root};
use core::ffi::CStr;
use linux_raw_sys::errno::ENOENT;

/// The file's name of the plan that runs where the initramfs has none.
const BUILT_IN_NAME: &CStr = match CStr::from_bytes_with_nul(concat!(env!("MOVEROOT_PLAN_NAME"), "\0").as_bytes()) {
    Ok(name) => name,
    Err(_) => panic!("a file's name has no NUL"),
};

/// Boots, with the arguments and the environment that the kernel passed: reads the plan that `moveroot_plan=` names, else
/// `/boot.plan`, else takes the one that was built in; checks it, runs it. `text` is empty, and of `step` all is zero but the line
/// and the last word.
#[inline(always)]
pub fn run(
    arguments: Tail,
    environment: List<'static>,
    text: &'static mut Text,
    step: &'static mut Step<'static>,
) -> ! {
    if sys::process_id() != 1 {
        report::usage();
    }
    #[cfg(feature = "marks")]
    if sys::begin_marks().is_err() {
        // Where the kernel denies the right to send them, this init has no use.
        sys::exit(Exit::OTHER);
    }
    if service::open_descriptors().is_err() {
        // A service without them would take the first file it opens for its standard input.
        sys::exit(Exit::OTHER);
    }
    let named = take_environment(step, environment);
    let path = if named.is_none() { Name::literal(c"/boot.plan") } else { named };
    let mut boot = Boot { plan: path.without(b'/'), arguments };
    let mut reason = read_plan(path, named.is_none(), &mut boot, step, text);
    step.begin(text);
    let first = step.rest;
    loop {
        while reason != Reason::NONE {
            boot.tell(step, reason);
            // After a report `/` is the initramfs.
            step.may_fail = false;
            reason = step.frame.run(rows!(sys::enter(sys::NEW_ROOT))).into();
        }
        match (step.read(), step.pass) {
            (Ok(()), Pass::Check) => {}
            (Ok(()), Pass::Run) => reason = run_step(step, &boot).into(),
            (Err(Fault::NoExec), Pass::Check) if step.verb == Verb::EXEC => {
                step.begin_again(first);
            }
            (Err(fault), _) => reason = fault.into(),
        }
    }
}

/// Gives the service the kernel's variables; the path of `moveroot_plan=`, if that is one of them.
#[inline(always)]
fn take_environment(step: &mut Step<'static>, environment: List<'static>) -> Name<'static> {
    let mut named = Name::NONE;
    for (place, variable) in step.frame.environment.iter_mut().zip(environment) {
        *place = variable;
        let path = variable.value_of(Name::literal(c"moveroot_plan="));
        if !path.is_none() {
            named = path;
        }
    }
    named
}

/// Reads the plan, or takes the one that was built in; what is wrong with it as a whole.
#[inline(always)]
fn read_plan(path: Name, may_be_missing: bool, boot: &mut Boot, step: &mut Step, text: &mut Text) -> Reason {
    let file = sys::open_now(path);
    if may_be_missing && file == Err(Errno::of(ENOENT)) {
        // The build script has checked it.
        boot.plan = Name::literal(BUILT_IN_NAME);
        step.pass = Pass::Run;
        add_text(text, texts::PLAN);
        return Reason::NONE;
    }
    let read = file.and_then(|file| sys::read(file, text));
    blank_out(text);
    if text.len() > MAX_LEN { Fault::TooLong.into() } else { read.into() }
}

#[inline(always)]
fn run_step(step: &mut Step, boot: &Boot) -> Result<(), Errno> {
    #[cfg(feature = "marks")]
    sys::mark(step.line as u16);
    let result = run_verb(step, boot);
    // ANSWER is 0 unless execve failed and so did the way back: without that no other service can be tried, whatever the plan says.
    step.may_fail &= step.verb != Verb::EXEC || step.frame.get(sys::ANSWER) == 0;
    result
}

#[inline(always)]
fn run_verb(step: &mut Step, boot: &Boot) -> Result<(), Errno> {
    let frame = &mut step.frame;
    frame.clear(step.number as usize);
    if step.verb == Verb::MODULE {
        carry::describe(frame);
    }
    if step.verb == Verb::EXEC {
        service::pass(frame, step.count.into(), &boot.arguments)?;
    }
    frame.run(ROWS.of(step.verb.place()))?;
    match step.verb {
        Verb::ROOT => root::build(frame),
        Verb::CONTROLLERS => mounts::enable(frame, 1, step.count.into()),
        Verb::ENV => service::set(frame),
        _ => Ok(()),
    }
}

/// What each verb asks of the kernel, in the order of their numbers; nothing for those that do it all for themselves.
const STEPS: [&[Row]; VERB_COUNT + 1] = [
    &[],
    &[],
    mounts::MOUNT,
    mounts::DIR,
    mounts::LINK,
    mounts::WRITE,
    mounts::CONTROLLERS_STEP,
    carry::COPY_STEP,
    carry::BIND,
    &[],
    carry::MODULE,
    service::EXEC,
];
static ROWS: RowTable<{ sys::size_of_all(&STEPS) }> = RowTable::new(&STEPS);
