//! What a boot's figures come to for many guests: processor time of a million boots, and memory of each guest.

use anyhow::{Context, Result};

use measure::bench::candidate::{Candidate, Carry, Kind};
use measure::bench::native::{CRUN_MB, Line};
use measure::bench::record::heading;
use measure::bench::{Part, Record, whole};
use tool::compression::Compression;

const ROWS: [(Kind, &str); 6] = [
    (Kind::Moveroot, "moveroot"),
    (Kind::Fixed, "moveroot, this plan alone"),
    (Kind::C, "C, static musl"),
    (Kind::Go, "Go, static"),
    (Kind::Klibc, "klibc's sh and run-init"),
    (Kind::Busybox, "busybox's sh and switch_root"),
];
const PAGE: usize = 4096;
const KIB: u64 = 1024;

/// Both tables in Markdown, each from the newest record that has its figures.
pub fn tables() -> Result<String> {
    let (native, vm) = (Record::newest(Part::Native)?, Record::newest(Part::Vm)?);
    Ok(time(&native)? + &memory(&native, &vm)?)
}

fn time(record: &Record) -> Result<String> {
    let mut text = heading(
        &format!("CPU-seconds per million boots ({}, {})", record.machine, record.date),
        "init | `copy`, warm | `copy`, cold | `bind`, warm | `bind`, cold",
    );
    for (kind, name) in ROWS {
        text += &format!("| {name} |");
        for carry in Carry::BOTH {
            let line = native_line(record, Candidate { kind, carry })?;
            for spread in [line.from_execve, line.cold_from_execve] {
                // A microsecond a boot is a second a million boots.
                let seconds = spread.with_context(|| format!("no time from execve(2) on for {}", line.who))?.median;
                text += &format!(" {seconds:.0} |");
            }
        }
        text += "\n";
    }
    Ok(text)
}

fn memory(native: &Record, vm: &Record) -> Result<String> {
    let mut text = heading(
        &format!("Memory of a guest, KiB (Linux {} in QEMU, {})", vm.guest_kernel, vm.date),
        "init | image, unpacked | its programs | tmpfs when the service starts, `copy` | the same, `bind`",
    );
    for (kind, name) in ROWS {
        let [copy, bind] = [Carry::Copy, Carry::Bind].map(|carry| vm_line(vm, Candidate { kind, carry }));
        let [copy, bind] = [copy?, bind?];
        let bytes = native_line(native, copy.who)?.program_bytes;
        let (image, programs) = (copy.initramfs_bytes.div_ceil(KIB), bytes.div_ceil(PAGE) * PAGE / KIB as usize);
        text += &format!("| {name} | {image} | {programs} | {} | {} |\n", copy.memory_kib.shmem, bind.memory_kib.shmem);
    }
    Ok(text)
}

fn native_line(record: &Record, who: Candidate) -> Result<&Line> {
    let found = record.native.iter().find(|line| line.who == who && line.carried_mb == CRUN_MB);
    found.with_context(|| format!("the record of {} has no {who}", record.date))
}

fn vm_line(record: &Record, who: Candidate) -> Result<&whole::Line> {
    let packed = Compression::None.to_string();
    let found = record.vm.iter().find(|line| line.who == who && line.compression == packed);
    found.with_context(|| format!("the record of {} has no {who} in a VM", record.date))
}
