//! `pack`: a reproducible initramfs with moveroot as its init, refused where its plan would not boot it.

mod libraries;
mod progress;
mod table;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::compression::Compression;
use crate::cpio::Rights;
use crate::fit::{self, Fit};
use crate::init::{Init, Sources};
use crate::initramfs::{Initramfs, normalized};
use crate::modules::{self, Module};
use crate::output;
use crate::plan::{Finding, Plan};
use progress::Progress;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The boot plan, packed as /boot.plan [default: none, the built-in plan runs]
    #[arg(long, value_name = "PATH")]
    pub plan: Option<PathBuf>,
    /// A file or folder and where it goes; a dynamic program's interpreter and libraries come along
    #[arg(long = "file", value_name = "/GUEST=HOST", value_parser = placed)]
    pub files: Vec<(String, PathBuf)>,
    #[command(flatten)]
    pub kernel: modules::Wanted,
    /// A built init [default: build one]
    #[arg(long, value_name = "PATH")]
    pub init: Option<PathBuf>,
    /// How to compress it
    #[arg(long, value_enum, default_value_t)]
    pub compress: Compression,
    /// Leave interpreters and libraries out
    #[arg(long, conflicts_with = "carry_libs")]
    pub no_libs: bool,
    /// Add to the plan the lines that carry interpreters and libraries
    #[arg(long)]
    pub carry_libs: bool,
    /// The initramfs to write
    #[arg(short, long, value_name = "PATH")]
    pub out: PathBuf,
}

/// The command.
pub fn run(options: &Options, sources: &Sources) -> Result<ExitCode> {
    output::ensure_writable(&options.out)?;
    ensure_out_is_elsewhere(options)?;
    let init = sources.init(options.init.as_deref())?;
    let mut tree = collect(&init, options.plan.as_deref(), &options.files)?;
    let modules = options.kernel.modules(sources.modules)?;
    modules::pack(&modules, &mut tree);
    let decompressed = modules.iter().filter(|module| module.was_compressed).count();
    if decompressed > 0 {
        println!("packed decompressed, for kernels that cannot do it themselves: {decompressed} modules");
    }
    let mut brought = Vec::new();
    if !options.no_libs {
        brought = libraries::bring(&mut tree, &options.files)?;
    }
    refuse_init(&tree, &init)?;
    let fit = match plan_of(options)? {
        Some(plan) => {
            let plan = with_modules(plan, &modules, &mut tree)?;
            Some(fitted(options, &mut tree, plan)?)
        }
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
    table::show(options, &tree, &brought, [archive.len(), packed.len()])?;
    if let Some(fit) = fit {
        table::show_memory(fit.memory, packed.len());
        fit.shares.iter().for_each(|share| println!("{share}"));
    }
    println!("\npacked {}", options.out.display());
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

/// The plan with the lines that load these modules, packed if any had to be added.
fn with_modules(plan: Plan, modules: &[Module], tree: &mut Initramfs) -> Result<Plan> {
    if modules.is_empty() {
        return Ok(plan);
    }
    refuse(&plan.name, &plan.findings())?;
    let text = String::from_utf8_lossy(plan.text()).into_owned();
    let longer = modules::planned(&text, modules).with_context(|| format!("{}: this would not boot", plan.name))?;
    let added: Vec<&str> = longer.lines().filter(|line| !text.lines().any(|old| old == *line)).collect();
    if added.is_empty() {
        return Ok(plan);
    }
    added.iter().for_each(|line| println!("added to the packed plan: {line}"));
    let longer = Plan::of(&format!("{} with the modules' lines", plan.name), longer);
    refuse(&longer.name, &longer.findings())?;
    tree.bytes("/boot.plan", 0o644, longer.text());
    Ok(longer)
}

/// Refuses what would not boot. The plan in the tree is the one with the libraries' lines, where these are asked for.
fn fitted(options: &Options, tree: &mut Initramfs, plan: Plan) -> Result<Fit> {
    let faults = plan.findings();
    refuse(&plan.name, &faults)?;
    let fit = fit::fit(&plan, tree)?;
    refuse(&plan.name, &fit.findings)?;
    if fit.needs.is_empty() {
        warn(&plan.name, faults.iter().chain(&fit.findings));
        return Ok(fit);
    }
    let lines = fit::lines(&fit.uncarried, tree, &plan);
    let (longer, line) = plan.with_lines(&lines);
    if !options.carry_libs {
        let is_error = fit.needs.iter().any(|need| !need.is_warning);
        let advice = format!("add before line {line}, or let --carry-libs do it:\n    {}", lines.join("\n    "));
        let needs: Vec<String> = fit.needs.iter().map(|need| need.show(&plan.name)).collect();
        ensure!(!is_error, "this would not boot:\n{}\n{advice}", needs.join("\n"));
        warn(&plan.name, faults.iter().chain(&fit.findings).chain(&fit.needs));
        return Ok(fit);
    }
    refuse(&format!("{} with the libraries' lines", plan.name), &longer.findings())?;
    tree.bytes("/boot.plan", 0o644, longer.text());
    let fit = fit::fit(&longer, tree)?;
    refuse(&format!("{} with the libraries' lines", plan.name), fit.findings.iter().chain(&fit.needs))?;
    warn(&plan.name, faults.iter().chain(&fit.findings));
    println!("added to the packed plan, before line {line} of {}:\n    {}\n", plan.name, lines.join("\n    "));
    Ok(fit)
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
        eprintln!("vm: {}", warning.show(plan));
    }
}

/// The next packing would pack it, and be another one.
fn ensure_out_is_elsewhere(options: &Options) -> Result<()> {
    let folder = output::folder_of(&options.out);
    let folder = folder.canonicalize().with_context(|| format!("cannot find the folder {}", folder.display()))?;
    for (_, host) in &options.files {
        let is_inside = host.is_dir() && host.canonicalize().is_ok_and(|host| folder.starts_with(host));
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
    let folder = output::folder_of(out);
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(folder).with_context(context)?;
    file.write_all(bytes).with_context(context)?;
    file.persist(out).with_context(context)?;
    Ok(())
}

fn placed(word: &str) -> Result<(String, PathBuf)> {
    let (guest, host) = word.split_once('=').context("not of the form /GUEST=HOST")?;
    ensure!(guest.starts_with('/'), "{guest} is no absolute path in the guest: did you mean {}?", normalized(guest));
    ensure!(!guest.split('/').any(|name| name == ".."), "{guest}: a path in the guest has no ..");
    ensure!(!host.is_empty(), "no file of this machine is named for {guest}");
    let is_named = !guest.ends_with('/') || Path::new(host).is_dir();
    ensure!(is_named, "{guest} ends with a slash, and {host} is no folder: name the file, too");
    Ok((normalized(guest), PathBuf::from(host)))
}
