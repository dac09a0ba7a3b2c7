//! A run's figures: printed as tables, kept as JSON.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::statistics::Spread;
use super::{Part, counted, native, whole};
use crate::records;

#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    pub date: String,
    /// This machine's kernel, its processor and how many.
    pub machine: String,
    pub toolchain: String,
    /// The kernel that guests ran.
    pub guest_kernel: String,
    /// Who runs the guests' instructions.
    pub accel: String,
    pub init_bytes: u64,
    /// Whoever could not take part, and why.
    pub left_out: Vec<String>,
    pub native: Vec<native::Line>,
    pub icount: Vec<counted::Line>,
    pub icount_steps: Vec<counted::Step>,
    pub vm: Vec<whole::Line>,
}

impl Record {
    /// All tables, in Markdown.
    pub fn tables(&self) -> String {
        let mut text = format!("{}, {}, {}\n", self.date, self.machine, self.toolchain);
        for reason in &self.left_out {
            text += &format!("left out: {reason}\n");
        }
        text + &self.native_table() + &self.icount_table() + &self.vm_table()
    }

    fn native_table(&self) -> String {
        if self.native.is_empty() {
            return String::new();
        }
        let mut text = heading(
            "Native: first instruction of init to first instruction of the service, µs",
            "init | carried MB | median | p10 | p90 | to moveroot copy | program bytes",
        );
        let mut lines: Vec<&native::Line> = self.native.iter().collect();
        lines.sort_by(|a, b| a.carried_mb.total_cmp(&b.carried_mb));
        for line in &lines {
            let Spread { median, p10, p90, .. } = line.microseconds;
            let (who, mb, ratio, bytes) = (&line.who, line.carried_mb, line.ratio, line.program_bytes);
            text += &format!("| {who} | {mb} | {median:.0} | {p10:.0} | {p90:.0} | {ratio:.3} | {bytes} |\n");
        }
        text += &heading(
            "The same from execve(2) of init, µs: warm, and after another process has taken the caches",
            "init | carried MB | warm | p10 | p90 | cold | p10 | p90 | the kernel's exec of init, warm",
        );
        for line in lines {
            if let (Some(warm), Some(cold)) = (line.from_execve, line.cold_from_execve) {
                let exec = warm.median - line.microseconds.median;
                text += &format!("| {} | {} |", line.who, line.carried_mb);
                for Spread { median, p10, p90, .. } in [warm, cold] {
                    text += &format!(" {median:.0} | {p10:.0} | {p90:.0} |");
                }
                text += &format!(" {exec:.0} |\n");
            }
        }
        text
    }

    fn icount_table(&self) -> String {
        if self.icount.is_empty() {
            return String::new();
        }
        let mut text = heading(
            "VM that counts instructions: init to service, thousands",
            "init | median | p10 | p90 | to moveroot copy",
        );
        for line in &self.icount {
            let Spread { median, p10, p90, .. } = line.kilo_instructions;
            let (what, ratio) = (&line.what, line.ratio);
            text += &format!("| {what} | {median:.1} | {p10:.1} | {p90:.1} | {ratio:.3} |\n");
        }
        text += &heading("The same by step of the built-in plan, thousands of instructions", "step | adds");
        for step in &self.icount_steps {
            text += &format!("| `{}` | {:.1} |\n", step.step, step.kilo_instructions);
        }
        text
    }

    fn vm_table(&self) -> String {
        if self.vm.is_empty() {
            return String::new();
        }
        let mut text = heading(
            &format!("Whole boot in a VM ({}, {}): medians in ms, memory in KiB", self.guest_kernel, self.accel),
            "init | initramfs | bytes | QEMU to service | kernel to init | init to service | MemFree | MemAvailable \
             | Shmem | pages of a 1-byte file",
        );
        for line in &self.vm {
            let (start, kernel, init) =
                (line.start_to_service_ms.median, line.kernel_to_init_ms.median, line.init_to_service_ms.median);
            let memory = line.memory_kib;
            let _ = writeln!(
                text,
                "| {} | {} | {} | {start:.0} | {kernel:.0} | {init:.2} | {} | {} | {} | {} |",
                line.who,
                line.compression,
                line.initramfs_bytes,
                memory.free,
                memory.available,
                memory.shmem,
                line.byte_pages,
            );
        }
        text
    }

    /// The newest record in the tree that has this part.
    pub fn newest(part: Part) -> Result<Record> {
        let files = records::of("bench")?;
        for path in files.iter().rev() {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            let record: Record =
                serde_json::from_str(&text).with_context(|| format!("{} is no benchmark's record", path.display()))?;
            if record.has(part) {
                return Ok(record);
            }
        }
        bail!("no record of qemu/records has {part:?}")
    }

    fn has(&self, part: Part) -> bool {
        match part {
            Part::Native => !self.native.is_empty(),
            Part::Icount => !self.icount.is_empty(),
            Part::Vm => !self.vm.is_empty(),
        }
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
    }
}

pub fn heading(title: &str, columns: &str) -> String {
    let rule: Vec<&str> = columns.split(" | ").map(|_| "---").collect();
    format!("\n{title}\n\n| {columns} |\n|{}|\n", rule.join("|"))
}
