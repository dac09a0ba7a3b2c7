//! `pack`: a reproducible initramfs with moveroot as its init, refused where its plan would not boot it.

mod libraries;
mod machine;
mod planned;
mod progress;
mod table;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::compression::Compression;
use crate::cpio::Rights;
use crate::elf;
use crate::fit;
use crate::init::{Init, Sources};
use crate::initramfs::{Initramfs, normalized};
use crate::modules;
use crate::output;
use crate::plan::{Finding, Plan};
pub use libraries::bring;
use progress::Progress;
use table::Table;

/// Of this command, at the end of its help.
const EXIT_CODES: &str = "\
Exit codes:
  0  the initramfs is written
  1  it would not boot, or could not be made: a message says why
  2  the command line is wrong";

#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct Options {
    /// The boot plan, packed as /boot.plan [default: none, the built-in plan runs]
    #[arg(long, value_name = "PATH")]
    pub plan: Option<PathBuf>,
    /// A file or directory and where it goes; a dynamic program's interpreter and libraries come along
    #[arg(long = "file", value_name = "/GUEST=HOST", value_parser = placed)]
    pub files: Vec<(String, PathBuf)>,
    #[command(flatten)]
    pub kernel: modules::Wanted,
    /// A built init [default: the one for the processor of the files]
    #[arg(long, value_name = "PATH")]
    pub init: Option<PathBuf>,
    /// How to compress it
    #[arg(long, value_enum, default_value_t)]
    pub compress: Compression,
    /// The root of a system to take interpreters and libraries from, for programs of another processor [default: this machine's]
    #[arg(long, value_name = "DIR")]
    pub sysroot: Option<PathBuf>,
    /// Leave interpreters and libraries out
    #[arg(long, conflicts_with = "carry_libs")]
    pub no_libs: bool,
    /// Add to the plan the lines that carry interpreters and libraries
    #[arg(long)]
    pub carry_libs: bool,
    /// Print the table as one line of JSON instead
    #[arg(long)]
    pub json: bool,
    /// The initramfs to write
    #[arg(short, long, value_name = "PATH")]
    pub out: PathBuf,
}

/// The command.
pub fn run(options: &Options, sources: &Sources) -> Result<ExitCode> {
    output::ensure_writable(&options.out)?;
    ensure_out_is_elsewhere(options)?;
    let init = sources.init(options.init.as_deref(), || machine::of(&options.files))?;
    let mut tree = collect(&init, options.plan.as_deref(), &options.files)?;
    if let Some(root) = &options.sysroot {
        ensure!(root.is_dir(), "--sysroot {} is no directory", root.display());
        tree.libraries_from(Some(root));
    }
    let modules = options.kernel.modules(sources.modules)?;
    modules::pack(&modules, &mut tree);
    let decompressed = modules.iter().filter(|module| module.was_compressed).count();
    let mut brought = Vec::new();
    if !options.no_libs {
        let bring = libraries::bring(&mut tree, &options.files);
        brought = if options.sysroot.is_none() && fit::machine_of_init(&tree)? != elf::own_machine() {
            bring.context("a program of another processor: --sysroot names a system with its libraries")?
        } else {
            bring?
        };
    }
    refuse_init(&tree, &init)?;
    let planned = match plan_of(options)? {
        Some(plan) => Some(planned::pack(options, &mut tree, plan, &modules)?),
        None => {
            ensure!(modules.is_empty(), "--module needs a plan to add to, and --init may have any: give --plan");
            None
        }
    };
    let mut progress = Progress::new(&tree, options.compress)?;
    let archive = tree.archive_and_tell(|bytes| progress.add(bytes))?;
    let packed = options.compress.apply_and_tell(&archive, |bytes| progress.add(bytes))?;
    progress.finish();
    write(&options.out, &packed)?;
    let table = Table::of(options, &tree, &brought, [archive.len(), packed.len()], decompressed, planned)?;
    if options.json {
        println!("{}", table.json());
    } else {
        table.show();
    }
    Ok(ExitCode::SUCCESS)
}

/// The initramfs: /init, /boot.plan where there is a plan, the files.
pub fn collect(init: &Init, plan: Option<&Path>, files: &[(String, PathBuf)]) -> Result<Initramfs> {
    let mut tree = Initramfs::empty();
    init.pack(&mut tree)?;
    if let Some(plan) = plan {
        tree.place("/boot.plan", plan)?;
        tree.rights("/boot.plan", Rights::root(0o644))?;
    }
    for (guest, host) in files {
        tree.place(guest, host)?;
    }
    // Last: a container's exported root has an empty file there.
    tree.console();
    Ok(tree)
}

/// The plan that will run; none where an init was given that may have any built in.
fn plan_of(options: &Options) -> Result<Option<Plan>> {
    match &options.plan {
        Some(plan) => Plan::read(plan).map(Some),
        None if options.init.is_none() => Ok(Some(Plan::built_in())),
        None if options.carry_libs => {
            bail!("--carry-libs needs a plan to add to, and --init may have any: give --plan")
        }
        None => Ok(None),
    }
}

/// Refuses an init that the kernel could not start: that boot would die without a word of its own.
fn refuse_init(tree: &Initramfs, init: &Init) -> Result<()> {
    let obstacles = fit::obstacles_to_init(tree)?;
    let Some(first) = obstacles.first() else { return Ok(()) };
    bail!("the kernel could not start {} as /init: {first}; moveroot's own init is static", init)
}

/// Fails with the errors among the findings.
pub fn refuse<'f>(plan: &str, findings: impl IntoIterator<Item = &'f Finding>) -> Result<()> {
    let errors = findings.into_iter().filter(|finding| !finding.is_warning);
    let errors: Vec<String> = errors.map(|error| error.show(plan)).collect();
    ensure!(errors.is_empty(), "this would not boot:\n{}", errors.join("\n"));
    Ok(())
}

fn warn<'f>(plan: &str, findings: impl Iterator<Item = &'f Finding>) {
    for warning in findings.filter(|finding| finding.is_warning) {
        output::warn(&warning.show(plan));
    }
}

/// The next packing would pack it, and be another one.
fn ensure_out_is_elsewhere(options: &Options) -> Result<()> {
    let directory = output::directory_of(&options.out);
    let directory =
        directory.canonicalize().with_context(|| format!("cannot find the directory {}", directory.display()))?;
    for (_, host) in &options.files {
        let is_inside = host.is_dir() && host.canonicalize().is_ok_and(|host| directory.starts_with(host));
        ensure!(!is_inside, "{} would lie in {}, which is to be packed", options.out.display(), host.display());
    }
    Ok(())
}

/// All of it or nothing.
fn write(out: &Path, bytes: &[u8]) -> Result<()> {
    let context = || format!("cannot write {}", out.display());
    if out.exists() && !out.is_file() {
        return std::fs::write(out, bytes).with_context(context);
    }
    let directory = output::directory_of(out);
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(directory).with_context(context)?;
    file.write_all(bytes).with_context(context)?;
    file.persist(out).with_context(context)?;
    Ok(())
}

/// A word of `--file`.
pub fn placed(word: &str) -> Result<(String, PathBuf)> {
    let (guest, host) = word.split_once('=').context("not of the form /GUEST=HOST")?;
    ensure!(guest.starts_with('/'), "{guest} is no absolute path in the guest: did you mean {}?", normalized(guest));
    ensure!(!guest.split('/').any(|name| name == ".."), "{guest}: a path in the guest has no ..");
    ensure!(!host.is_empty(), "no file of this machine is named for {guest}");
    let is_named = !guest.ends_with('/') || Path::new(host).is_dir();
    ensure!(is_named, "{guest} ends with a slash, and {host} is no directory: name the file, too");
    Ok((normalized(guest), PathBuf::from(host)))
}
