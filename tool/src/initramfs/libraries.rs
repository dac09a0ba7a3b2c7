//! The interpreter and the libraries of dynamic programs, taken from this machine, or from another root, where the initramfs has
//! none.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::{Content, Initramfs, host, normalized};
use crate::cpio::Rights;
use crate::elf::{self, Loader, Program};

impl Initramfs {
    /// Where missing libraries come from: the root of a system. None: this machine's.
    pub fn libraries_from(&mut self, sysroot: Option<&Path>) -> &mut Self {
        self.sysroot = sysroot.map(Path::to_path_buf);
        self
    }

    /// Where a path of that system is on this machine.
    fn outside(&self, path: &str) -> PathBuf {
        self.sysroot.as_ref().map_or_else(|| path.into(), |root| root.join(path.trim_start_matches('/')))
    }

    /// Brings along what the program at `path` needs, transitively; nothing for a static one and for what is no program.
    /// What is there already, where the guest's ld.so finds it, is taken as it is. The paths that have come.
    pub fn bring_libraries(&mut self, path: &str) -> Result<Vec<String>> {
        let mut brought = Vec::new();
        let Some((program, _)) = self.program(path)? else { return Ok(brought) };
        let loader = program.loader().unwrap_or(Loader::Glibc);
        if let Some(interpreter) = &program.interpreter
            && !self.contains(interpreter)
        {
            self.bring(interpreter, &self.outside(interpreter), path)?;
            brought.push(interpreter.clone());
        }
        let mut waiting = vec![path.to_string()];
        let mut seen = waiting.clone();
        while let Some(object) = waiting.pop() {
            let Some((program, host)) = self.program(&object)? else { continue };
            for name in program.wanted(loader) {
                let found = match self.packed_library(&program, loader, &object, name) {
                    Some(found) => found,
                    None => {
                        let (guest, file) = self.library(&program, loader, &object, host.as_deref(), name)?;
                        self.bring(&guest, &file, &object)?;
                        brought.push(guest.clone());
                        guest
                    }
                };
                if !seen.contains(&found) {
                    seen.push(found.clone());
                    waiting.push(found);
                }
            }
        }
        Ok(brought)
    }

    /// The program at a path, and where on this machine it comes from.
    fn program(&self, path: &str) -> Result<Option<(Program, Option<PathBuf>)>> {
        let content = self.resolve(path).and_then(|real| self.at(&real));
        let Some(content) = content.filter(|content| content.is_file()) else { return Ok(None) };
        let bytes = content.read()?;
        if !elf::is_elf(&bytes) {
            return Ok(None);
        }
        let host = if let Content::Host(host) = content { Some(host.clone()) } else { None };
        Ok(Some((Program::parse(&bytes).with_context(|| format!("{path} is no program"))?, host)))
    }

    fn packed_library(&self, program: &Program, loader: Loader, object: &str, name: &str) -> Option<String> {
        let directories =
            program.own_directories(directory_of(object)).into_iter().chain(program.system_directories(loader));
        directories.map(|directory| normalized(&format!("{directory}/{name}"))).find(|path| {
            let content = self.resolve(path).and_then(|real| self.at(&real)).filter(|content| content.is_file());
            content.and_then(|content| content.read().ok()).is_some_and(|bytes| {
                // ld.so passes over files made for another machine.
                elf::machine_of(&bytes) == Some(program.machine)
            })
        })
    }

    /// (path in the guest, file of this machine)
    fn library(
        &self,
        program: &Program,
        loader: Loader,
        object: &str,
        host: Option<&Path>,
        name: &str,
    ) -> Result<(String, PathBuf)> {
        let fits = |path: &Path| {
            let machine = std::fs::read(path).ok().and_then(|bytes| elf::machine_of(&bytes));
            machine == Some(program.machine)
        };
        let origin = host.and_then(|file| file.canonicalize().ok()).unwrap_or_else(|| PathBuf::from(object));
        let on_host = program.own_directories(directory_of(&origin.to_string_lossy())).into_iter().map(PathBuf::from);
        let own = on_host.zip(program.own_directories(directory_of(object)));
        let system = program.system_directories(loader);
        let there = system.iter().map(|directory| (self.outside(directory), directory.clone()));
        // Only this machine's configuration names the last ones; the guest has none, so their files go where its ld.so looks anyway.
        let configured = match self.sysroot {
            Some(_) => Vec::new(),
            None => program.configured_directories(loader),
        };
        let configured = configured.into_iter().map(|directory| (PathBuf::from(directory), system[0].clone()));
        for (here, there) in own.chain(there).chain(configured) {
            let file = here.join(name);
            if fits(&file) {
                return Ok((normalized(&format!("{there}/{name}")), file));
            }
        }
        let machine = elf::machine_name(program.machine);
        match &self.sysroot {
            None => bail!("{object} needs {name}, and this machine's library directories have none for {machine}"),
            Some(root) => bail!("{object} needs {name}, and {} has none for {machine}", root.display()),
        }
    }

    fn bring(&mut self, guest: &str, file: &Path, by: &str) -> Result<()> {
        let metadata = host::metadata(file).with_context(|| format!("{by} needs it"))?;
        ensure!(metadata.is_file(), "{by} needs {}, which is no file", file.display());
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
        self.put(guest, Rights::root(mode), Content::Host(file.to_path_buf()))
    }
}

fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}
