//! In what a boot may find itself: the rows of the matrix.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use language::Verb;

use super::guest::{Expected, Guest, NULL, Subject};
use super::truncated::{self, End};
use machine::bundle::Bundle;
use machine::demo::{Parts, STRAIGHT, demo_plan};
use sources::arch::Arch;
use tool::compression::Compression;
use tool::initramfs::Initramfs;
use tool::plan::Plan;

/// A row.
pub struct Scenario {
    pub name: &'static str,
    /// The kernel's option without which it cannot be.
    needs: Option<&'static str>,
    make: fn(&Subject, &Images) -> Result<Guest>,
}

const fn row(name: &'static str, make: fn(&Subject, &Images) -> Result<Guest>) -> Scenario {
    Scenario { name, needs: None, make }
}

pub const SCENARIOS: [Scenario; 19] = [
    row("512 MB, 1 CPU", |_, images| Ok(Guest::new(&images.demo))),
    row("least memory", |subject, images| {
        Ok(Guest { memory_mb: subject.least_memory(images)?, ..Guest::new(&images.demo) })
    }),
    row("2 CPUs", |_, images| Ok(Guest { cpus: 2, ..Guest::new(&images.demo) })),
    row("rootfs is ramfs", |_, images| Ok(Guest { append: "root=LABEL=nothing".into(), ..Guest::new(&images.demo) })),
    row("/dev/console does not open", |_, images| Ok(silent(images, Guest::new(&images.no_console)))),
    row("console= names no device", |_, images| {
        Ok(silent(images, Guest { console: Some("hvc0"), ..Guest::new(&images.demo) }))
    }),
    Scenario {
        needs: Some("CONFIG_RD_GZIP"),
        ..row("gzip", |_, images| Ok(Guest::new(&Compression::Gzip.apply(&images.demo)?)))
    },
    Scenario {
        needs: Some("CONFIG_RD_LZ4"),
        ..row("lz4", |_, images| Ok(Guest::new(&Compression::Lz4.apply(&images.demo)?)))
    },
    Scenario { needs: Some("CONFIG_RD_ZSTD"), ..row("zstd", |_, images| Ok(Guest::new(images.zstd()?))) },
    row("moveroot_plan=", |_, images| {
        Ok(Guest { append: "moveroot_plan=/etc/other.plan".into(), ..Guest::new(&images.other_plan) })
    }),
    row("arguments after --", |_, images| {
        let words = ["--vsock-port=1024", "-x", "word"].map(String::from).to_vec();
        Ok(Guest { words, ..Guest::new(&images.demo) })
    }),
    row("truncated in crun", |_, images| {
        let message = format!("boot.plan:{}: copy /sbin/crun: EIO (5)", images.crun_line);
        cut(&images.demo, "sbin/crun", End::Within, message, images.crun_line)
    }),
    row("truncated before crun", |_, images| {
        let message = format!("boot.plan:{}: copy /sbin/crun: ENOENT (2)", images.crun_line);
        cut(&images.demo, "sbin/crun", End::Before, message, images.crun_line)
    }),
    Scenario {
        needs: Some("CONFIG_RD_GZIP"),
        ..row("truncated in crun, gzip", |_, images| {
            let message = format!("boot.plan:{}: copy /sbin/crun: EIO (5)", images.crun_line);
            let whole = cut(&images.demo, "sbin/crun", End::Within, message, images.crun_line)?;
            // What was compressed up to there, and no more: no checksum, no end.
            let packed = Compression::Gzip.apply(&whole.archive)?;
            Ok(Guest { archive: packed[..packed.len() - 64].to_vec(), ..whole })
        })
    },
    row("truncated in the agent", |_, images| {
        cut(&images.small, "sbin/agent", End::Within, "boot.plan:3: exec /sbin/agent: ETXTBSY (26)".into(), 3)
    }),
    row("truncated before the agent", |_, images| {
        cut(&images.small, "sbin/agent", End::Before, "boot.plan:2: bind /sbin/agent: ENOENT (2)".into(), 2)
    }),
    row("truncated before the plan", |_, images| {
        let append = "moveroot_plan=/sbin/boot.plan".to_string();
        let guest = cut(&images.late_plan, "sbin/boot.plan", End::Before, "sbin/boot.plan: ENOENT (2)".into(), 200)?;
        Ok(Guest { append, ..guest })
    }),
    row("truncated behind /init", |_, images| {
        cut(&images.late_plan, "sbin", End::Before, "default.plan:10: copy /sbin/crun: ENOENT (2)".into(), 10)
    }),
    row("without moveroot", |_, images| {
        Ok(Guest { append: STRAIGHT.into(), expected: Expected::Straight, ..Guest::new(&images.straight) })
    }),
];

/// Where no console shows a word the agent's report goes to the serial port itself.
fn silent(images: &Images, guest: Guest) -> Guest {
    let words = vec!["--output".to_string(), format!("/dev/{}", images.parts.arch.qemu.console)];
    Guest { words, expected: Expected::Container { device: NULL }, ..guest }
}

fn cut(archive: &[u8], name: &str, end: End, message: String, code: u8) -> Result<Guest> {
    let archive = truncated::at(archive, name, end)?;
    Ok(Guest { expected: Expected::Refused { message, code }, ..Guest::new(&archive) })
}

/// What the guests are given, made once.
pub struct Images {
    pub parts: Parts,
    /// Of the init that is in them; the file may be another one by the time they have been booted.
    pub init_bytes: u64,
    pub demo: Vec<u8>,
    /// The demo, packed when it is first asked for: that takes long.
    zstd: OnceLock<Vec<u8>>,
    pub no_console: Vec<u8>,
    pub other_plan: Vec<u8>,
    /// The agent as /init.
    pub straight: Vec<u8>,
    /// An init, its plan and an agent, which comes last.
    pub small: Vec<u8>,
    /// The plan comes last.
    pub late_plan: Vec<u8>,
    /// Of the demo's plan, where crun is carried.
    crun_line: u8,
}

impl Images {
    pub fn gather(arch: &'static Arch) -> Result<Images> {
        let parts = Parts::gather_for(arch, None, None, None)?;
        let plan = Plan::read(&demo_plan())?;
        let whole = || parts.initramfs(Some(&demo_plan()), &Bundle::default());
        let mut small = Initramfs::with_console();
        small.file("/init", &parts.init)?;
        let late_plan = small.bytes("/sbin/boot.plan", 0o644, plan.text()).archive()?;
        small.remove("/sbin/boot.plan").file("/sbin/agent", &parts.agent)?;
        small.bytes("/boot.plan", 0o644, "root\nbind /sbin/agent\nexec /sbin/agent --report\n");
        let steps = plan.steps();
        let crun = steps.iter().find(|step| step.verb == Verb::Copy && step.word(1) == "/sbin/crun");
        let crun_line = crun.context("the demo carries no crun")?.line;
        Ok(Images {
            demo: whole()?.archive()?,
            zstd: OnceLock::new(),
            no_console: whole()?.remove("/dev/console").dir("/dev/console", 0o755).archive()?,
            other_plan: whole()?
                .bytes("/boot.plan", 0o644, "bogus\n")
                .bytes("/etc/other.plan", 0o644, plan.text())
                .archive()?,
            straight: parts.straight(&Bundle::default())?.archive()?,
            small: small.archive()?,
            late_plan,
            crun_line: u8::try_from(crun_line)?,
            init_bytes: fs::metadata(&parts.init)?.len(),
            parts,
        })
    }

    fn zstd(&self) -> Result<&[u8]> {
        if let Some(packed) = self.zstd.get() {
            return Ok(packed);
        }
        let packed = Compression::Zstd.apply(&self.demo)?;
        Ok(self.zstd.get_or_init(|| packed))
    }
}

/// What came of a cell.
pub enum Tried {
    /// How it ended, and after how long.
    Right(String, Duration),
    /// What is wrong, with all there is to see.
    Wrong(String),
    /// The kernel was built without this option.
    Cannot(&'static str),
}

impl Scenario {
    /// Boots the kernel in this scenario.
    pub fn try_on(&self, subject: &Subject, images: &Images) -> Tried {
        if let Some(option) = self.needs.filter(|option| !subject.has(option)) {
            return Tried::Cannot(option);
        }
        let started = Instant::now();
        let boot = || -> Result<String> {
            let guest = (self.make)(subject, images)?;
            let outcome = guest.run(subject)?;
            guest.judge(subject, &outcome).with_context(|| outcome.evidence())
        };
        match boot() {
            Ok(how) => Tried::Right(how, started.elapsed()),
            Err(error) => Tried::Wrong(format!("{error}\nwrong: {}", error.root_cause())),
        }
    }
}
