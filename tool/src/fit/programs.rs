//! Programs in the new root: for the right machine, executable, with their interpreter and libraries.

use std::collections::BTreeSet;

use anyhow::Result;

use super::new_root::Found;
use super::{Fitting, Running};
use crate::elf::{self, Loader, Program};
use crate::initramfs::normalized;
use crate::plan::Step;

/// As many as execve(2) follows.
const MAX_INTERPRETERS: usize = 5;

/// How what is mistaken for a program begins.
const OTHERS: [(&[u8], &str); 7] = [
    (b"\x1f\x8b", "it is compressed by gzip: decompress it"),
    (b"\x28\xb5\x2f\xfd", "it is compressed by zstd: decompress it"),
    (b"\xfd7zXZ", "it is compressed by xz: decompress it"),
    (b"PK\x03\x04", "it is a zip archive: unpack it"),
    (b"<", "it is HTML or XML: download it again"),
    (b"MZ", "it is a program for Windows: build it for Linux"),
    (b"\xcf\xfa\xed\xfe", "it is a program for macOS: build it for Linux"),
];

impl Fitting<'_> {
    /// Looks at every program, when all steps are done.
    pub fn judge_programs(&mut self) -> Result<()> {
        for running in std::mem::take(&mut self.programs) {
            self.judge_one(&running)?;
        }
        Ok(())
    }

    /// Looks at a program as things are now.
    pub fn judge_one(&mut self, running: &Running) -> Result<()> {
        self.judge(running, MAX_INTERPRETERS)
    }

    fn judge(&mut self, running: &Running, interpreters_left: usize) -> Result<()> {
        let Running { step, path, name, is_program } = running;
        let Some(content) = self.tree.at(name) else { return Ok(()) };
        let mode = self.tree.rights_at(name).map_or(0, |rights| rights.mode);
        let bytes = content.read()?;
        let text = if *is_program && mode & 0o111 == 0 {
            format!("{path} is no executable: its mode is {mode:04o}: say `chmod 0755`")
        } else if elf::is_elf(&bytes) {
            return self.judge_elf(running, &bytes);
        } else if let Some(line) = bytes.strip_prefix(b"#!") {
            return self.judge_script(running, line, interpreters_left);
        } else if *is_program {
            let other = OTHERS.iter().find(|(beginning, _)| bytes.starts_with(beginning)).map(|(_, what)| *what);
            let what = other.unwrap_or(if bytes.is_empty() {
                "it is empty: build it again"
            } else {
                "it is neither ELF nor a script: a script begins with #!/"
            });
            format!("{path} is no executable: {what}")
        } else {
            return Ok(());
        };
        self.tell(step, 1, text);
        Ok(())
    }

    fn judge_script(&mut self, running: &Running, line: &[u8], interpreters_left: usize) -> Result<()> {
        let Running { step, path, .. } = running;
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        // A carriage return is a part of the name: load_script in fs/binfmt_script.c.
        let interpreter = line.split([' ', '\t']).find(|word| !word.is_empty()).unwrap_or_default();
        match self.root.made_by_steps(interpreter) {
            Found::Unknown => {}
            Found::File { path, name } if interpreters_left > 0 => {
                let next = Running { step: step.clone(), path, name, is_program: true };
                return self.judge(&next, interpreters_left - 1);
            }
            _ if self.is_in_tree(interpreter) => {
                let text =
                    format!("{path} is a script whose interpreter {interpreter} is not in the new root: carry it");
                self.tell_lacking(step, format!("{text} by `bind {interpreter}`"));
            }
            _ => {
                let hint = match interpreter.strip_suffix('\r') {
                    Some(_) => "its lines end with \\r\\n: let them end with \\n".to_string(),
                    // The kernel starts /init itself.
                    None if step.words.is_empty() => "put it there".to_string(),
                    None => format!("put it there, and carry it by `bind {interpreter}`"),
                };
                let interpreter = interpreter.escape_debug();
                let text = format!("{path} is a script whose interpreter {interpreter} is missing: {hint}");
                self.tell_lacking(step, text);
            }
        }
        Ok(())
    }

    fn judge_elf(&mut self, running: &Running, bytes: &[u8]) -> Result<()> {
        let Running { step, path, .. } = running;
        let program = match Program::parse(bytes) {
            Ok(program) if program.is_executable => program,
            Ok(_) => {
                self.tell(step, 1, format!("{path} is no executable: it is an object file or a core dump: link it"));
                return Ok(());
            }
            Err(error) => {
                self.tell(step, 1, format!("{path} is no executable: {error:#}"));
                return Ok(());
            }
        };
        if program.machine != self.machine {
            let [its, ours] = [program.machine, self.machine].map(elf::machine_name);
            self.tell(
                step,
                1,
                format!(
                    "{path} is for another architecture: {its}, and init for {ours}: pack what is built for {ours}"
                ),
            );
            return Ok(());
        }
        let Some(interpreter) = program.interpreter.clone() else { return Ok(()) };
        let mut needs = Needs::default();
        self.need(&interpreter, &mut needs);
        self.need_libraries(path, &program, program.loader().unwrap_or(Loader::Glibc), &mut needs)?;
        self.tell_needs(step, path, &needs);
        self.fit.uncarried.extend(needs.uncarried);
        Ok(())
    }

    /// Looks for a file in the new root at its very path.
    fn need(&self, path: &str, needs: &mut Needs) {
        match self.root.made_by_steps(path) {
            Found::File { .. } | Found::Unknown => {}
            _ if self.is_in_tree(path) => drop(needs.uncarried.insert(path.to_string())),
            _ => drop(needs.missing.insert(path.to_string())),
        }
    }

    fn need_libraries(&self, path: &str, program: &Program, loader: Loader, needs: &mut Needs) -> Result<()> {
        // glibc's own list of libraries may name any directory.
        if self.root.made_by_steps("/etc/ld.so.cache") != Found::Missing {
            return Ok(());
        }
        let origin = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut directories = self.library_path.clone();
        directories.extend(program.own_directories(origin));
        directories.extend(program.system_directories(loader));
        for name in program.wanted(loader) {
            let places = || directories.iter().map(|directory| normalized(&format!("{directory}/{name}")));
            let in_root =
                places().map(|place| self.root.made_by_steps(&place)).find(|found| self.fits(found, program.machine));
            let library = match in_root {
                Some(Found::File { path, name }) => Some((path, name)),
                Some(_) => None,
                None => {
                    let packed = places().filter(|place| self.is_in_tree(place));
                    let packed = packed.into_iter().find_map(|place| Some((place.clone(), self.tree.resolve(&place)?)));
                    match &packed {
                        Some((place, _)) => needs.uncarried.insert(place.clone()),
                        None => needs.missing.insert(name.to_string()),
                    };
                    packed
                }
            };
            if let Some((path, name)) = library.filter(|(path, _)| needs.seen.insert(path.clone())) {
                let content = self.tree.at(&name).map(|content| content.read()).transpose()?.unwrap_or_default();
                if let Ok(library) = Program::parse(&content) {
                    self.need_libraries(&path, &library, loader, needs)?;
                }
            }
        }
        Ok(())
    }

    /// Whether it may be a library for this machine.
    fn fits(&self, found: &Found, machine: u16) -> bool {
        match found {
            Found::File { name, .. } => {
                let content = self.tree.at(name).and_then(|content| content.read().ok());
                content.is_some_and(|bytes| elf::machine_of(&bytes) == Some(machine))
            }
            Found::Unknown => true,
            Found::Missing | Found::Directory(_) => false,
        }
    }

    fn tell_needs(&mut self, step: &Step, path: &str, needs: &Needs) {
        let list = |files: &BTreeSet<String>| files.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        if !needs.missing.is_empty() {
            let missing = list(&needs.missing);
            let text =
                format!("{path} needs what is not in the initramfs: {missing}: put it there, or link statically");
            self.tell_lacking(step, text);
        }
        if !needs.uncarried.is_empty() {
            let text = format!("{path} needs what no step carries: {}", list(&needs.uncarried));
            self.fit.needs.push(step.finding(1, text));
        }
    }

    /// What is missing, if nothing that was run before has made it.
    fn tell_lacking(&mut self, step: &Step, text: String) {
        if self.root.ran.is_some() { self.warn(step, 1, text) } else { self.tell(step, 1, text) }
    }
}

/// Interpreters and libraries that a program does not find.
#[derive(Default)]
struct Needs {
    missing: BTreeSet<String>,
    uncarried: BTreeSet<String>,
    seen: BTreeSet<String>,
}
