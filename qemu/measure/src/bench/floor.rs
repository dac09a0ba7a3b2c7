//! The floor: a program with exactly the init's system calls, written from what the init was seen to call. Both are
//! followed from call to call, and the benchmark ends where the two lists differ.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::launch::Held;
use super::peers;
use super::program::Program;
use tool::calls::CALLS;
use tool::calls::Sort::{Answer, Bytes, Number, Text};
use tool::tracer::{Memory, Registers, Stop};

/// An argument of a system call.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Argument {
    Number(i64),
    /// A NUL-terminated string, or bytes of a length given elsewhere.
    Text(Vec<u8>),
    /// Where the kernel writes an answer.
    Answer,
}

type Call = (&'static str, Vec<Argument>);

/// Builds the floor under `init`.
pub fn build(init: &Program, service: &Path, crun: &[u8], name: &str) -> Result<Program> {
    let calls = trace(init, service, crun).context("following the init")?;
    let floor = compile(&calls, name)?;
    let same = trace(&floor, service, crun).context("following the floor")?;
    let (theirs, ours) = (text_of(&calls), text_of(&same));
    ensure!(theirs == ours, "the floor's system calls are not the init's:\n{theirs}\nand the floor's:\n{ours}");
    Ok(floor)
}

/// The floor of a guest, whose devtmpfs is new: there the link in /dev can be made, and nobody asks where it leads.
pub fn build_for_guest(init: &Program, service: &Path, crun: &[u8], name: &str) -> Result<Program> {
    let mut calls = trace(init, service, crun).context("following the init")?;
    calls.retain(|(name, _)| *name != "readlinkat");
    compile(&calls, name)
}

fn compile(calls: &[Call], name: &str) -> Result<Program> {
    let directory = peers::directory()?.join(format!("floor-{name}"));
    fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    fs::write(directory.join("calls.h"), listing(calls)?).context("cannot write calls.h")?;
    let out = directory.join("floor");
    let mut gcc = Command::new("gcc");
    gcc.args([
        "-static",
        "-nostdlib",
        "-no-pie",
        "-Os",
        "-s",
        "-fno-stack-protector",
        "-fno-asynchronous-unwind-tables",
    ]);
    gcc.args(["-Wl,--build-id=none", "-I"]).arg(&directory).arg("-o").arg(&out).arg(peers::source("floor.c"));
    peers::run(gcc)?;
    Program::of(&out)
}

/// The system calls of an init, one a line.
fn text_of(calls: &[Call]) -> String {
    calls.iter().map(|call| format!("{call:?}\n")).collect()
}

/// Follows an init up to the execve that succeeds.
fn trace(program: &Program, service: &Path, crun: &[u8]) -> Result<Vec<Call>> {
    let mut held = Held::start(program, service, crun)?;
    let memory = Memory::of(held.tracer.pid)?;
    let mut calls = Vec::new();
    loop {
        match held.tracer.next_stop()? {
            Stop::Enters(registers) => calls.push(call_of(&registers, &memory)?),
            Stop::Leaves(_) => {}
            Stop::Executes => break,
            Stop::Ends(end) => bail!("init ended while it was followed: {end:?}"),
        }
    }
    held.finish()?;
    Ok(calls)
}

fn call_of(registers: &Registers, memory: &Memory) -> Result<Call> {
    let number = registers.number();
    let unreadable = "cannot read init's memory";
    let known = CALLS.iter().find(|(_, known, _)| *known == number);
    let (name, _, sorts) = known.with_context(|| format!("the floor does not know system call {number} yet"))?;
    let values = registers.arguments();
    let mut arguments = Vec::new();
    for (place, sort) in sorts.iter().enumerate() {
        let value = values[place];
        arguments.push(match sort {
            Number => Argument::Number(value as i64),
            Text | Bytes if value == 0 => Argument::Number(0),
            Text => Argument::Text(memory.text(value).context(unreadable)?),
            Bytes => Argument::Text(memory.bytes(value, values[place + 1] as usize).context(unreadable)?),
            Answer => Argument::Answer,
        });
    }
    // Numbers of 32 bits come with whatever stood in the upper half.
    for argument in &mut arguments {
        if let Argument::Number(value) = argument {
            *value = i64::from(*value as i32);
        }
    }
    Ok((name, arguments))
}

/// The calls as statements of C.
fn listing(calls: &[Call]) -> Result<String> {
    let mut listing = String::new();
    for (name, arguments) in calls {
        let mut words: Vec<String> = arguments.iter().map(word).collect();
        if *name == "execve" {
            writeln!(listing, "\twords[0] = {};", c_string(&arguments[0])?)?;
            words.extend(["(long)words".to_string(), "(long)environment".to_string()]);
        }
        words.resize(5, "0".to_string());
        writeln!(listing, "\tcall(SYS_{name}, {});", words.join(", "))?;
    }
    Ok(listing)
}

fn word(argument: &Argument) -> String {
    match argument {
        Argument::Number(value) => value.to_string(),
        Argument::Answer => "(long)buffer".to_string(),
        text => format!("(long){}", c_string(text).unwrap_or_default()),
    }
}

fn c_string(argument: &Argument) -> Result<String> {
    let Argument::Text(bytes) = argument else { bail!("not a text: {argument:?}") };
    let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
    Ok(format!("\"{octal}\""))
}
