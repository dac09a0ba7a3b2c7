//! The demo agent, standing for any containerd agent that moveroot starts.
//!
//! It looks at what it was given, checks moveroot's promises from inside, runs the bundle's container
//! and says all of it: lines for people start with `agent: `, one line for programs is a [`Report`].
//!
//! | word | does |
//! |---|---|
//! | `--report` | says what was found and ends with 0 |
//! | `--files P…` | describes these files too |
//! | `--below D…` | describes all files below these directories too |
//! | `--output P` | writes the report to that file, where standard output leads nowhere |
//! | `--straight` | is `/init` itself: mounts what a container needs, checks nothing, runs the bundle |
//!
//! The C library's `main` is ours: Rust's own would open descriptors and ignore SIGPIPE before we look.
#![no_main]

mod straight;

use agent::{Report, container, contract, ending, facts, files};
use anyhow::Result;

/// Where the plans of this workspace put it.
const RUNTIME: &str = "/sbin/crun";

/// What the words on the command line ask for.
struct Request {
    report_only: bool,
    straight: bool,
    output: Option<String>,
    files: Vec<String>,
    below: Vec<String>,
}

/// The program, entered by the C library before Rust's runtime sets anything up.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let report = facts::collect();
    let request = Request::parse(&report);
    let code = run(report, &request).unwrap_or_else(|error| {
        println!("agent: {error:#}");
        2
    });
    ending::end(code)
}

impl Request {
    fn parse(report: &Report) -> Request {
        let words = &report.argv[report.argv.len().min(1)..];
        let after = |name: &str| -> Vec<String> {
            let words = words.iter().skip_while(|word| *word != name).skip(1);
            words.take_while(|word| !word.starts_with("--")).cloned().collect()
        };
        let straight_by_environment = report.environment.iter().any(|e| e == "agent_straight=1");
        Request {
            report_only: words.iter().any(|word| word == "--report"),
            straight: straight_by_environment || words.iter().any(|word| word == "--straight"),
            output: after("--output").into_iter().next(),
            files: after("--files"),
            below: after("--below"),
        }
    }
}

fn run(mut report: Report, request: &Request) -> Result<i32> {
    if request.straight {
        straight::mount_all()?;
    } else {
        report.problems = contract::problems(&report);
    }
    if !request.report_only {
        container::run_bundle(&mut report, RUNTIME)?;
    }
    report.tree = files::tree("/");
    report.files = request.files.iter().map(|path| files::describe(path)).collect();
    report.files.extend(request.below.iter().flat_map(|directory| files::tree(directory)));
    report.say(request.output.as_deref())?;
    Ok(if request.report_only { 0 } else { report.verdict() })
}
