//! The readers of bytes that somebody else made. Whatever those are, a reader gives an answer or refuses them: no panic, no more
//! than its limits of memory, no endless work.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use lzma_rust2::{CheckType, LzmaOptions, LzmaWriter, XzOptions, XzWriter};
use sources::{image, workspace};
use tool::compression::{self, Compression};
use tool::elf::{self, Loader, Program};
use tool::initramfs::Initramfs;
use tool::modules;

pub struct Reader {
    pub name: &'static str,
    /// Whatever it makes of them.
    pub read: fn(&[u8]),
    /// Sound files, made by what makes such files.
    pub sound: fn() -> Result<Vec<Vec<u8>>>,
}

pub const READERS: [Reader; 10] = [
    Reader { name: "cpio", read: cpio, sound: || Ok(vec![archive()?, segments()?]) },
    Reader { name: "gzip", read: |bytes| segment("gzip", bytes), sound: || applied(Compression::Gzip) },
    Reader { name: "lz4", read: |bytes| segment("lz4", bytes), sound: || applied(Compression::Lz4) },
    Reader { name: "zstd", read: |bytes| segment("zstd", bytes), sound: || applied(Compression::Zstd) },
    Reader { name: "xz", read: |bytes| segment("xz", bytes), sound: xz },
    Reader { name: "bzip2", read: |bytes| segment("bzip2", bytes), sound: bzip2 },
    Reader { name: "lzma", read: |bytes| segment("lzma", bytes), sound: lzma },
    Reader { name: "elf", read: elf, sound: || Ok(vec![program()?]) },
    Reader { name: "kernel", read: |bytes| drop(image::content(bytes)), sound: kernels },
    Reader { name: "module", read: |bytes| drop(modules::depends(bytes)), sound: || Ok(vec![module()?]) },
];

/// The most bytes that a segment is unpacked to, so that many are read in a second.
const MOST: u64 = 1 << 20;
/// A dynamic program.
const PROGRAM: &str = "/bin/true";

pub fn named(name: &str) -> Option<&'static Reader> {
    READERS.iter().find(|reader| reader.name == name)
}

impl Reader {
    /// The files of the corpus: sound ones, and what stands in the tree: a file in hexadecimal digits a line.
    pub fn corpus(&self) -> Result<Vec<Vec<u8>>> {
        let path = workspace::root().join("tests/corpus").join(self.name).with_extension("hex");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let files: Result<Vec<_>> = lines.map(from_hex).collect();
        Ok([(self.sound)()?, files.with_context(|| path.display().to_string())?].concat())
    }

    /// Writes the corpus for libFuzzer, a file each.
    pub fn write_corpus(&self, directory: &Path) -> Result<()> {
        for (number, file) in self.corpus()?.iter().enumerate() {
            let path = directory.join(format!("corpus-{number}"));
            std::fs::write(&path, file).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

fn from_hex(line: &str) -> Result<Vec<u8>> {
    ensure!(line.is_ascii() && line.len().is_multiple_of(2), "not two digits a byte: {line}");
    let pairs = (0..line.len()).step_by(2).map(|at| u8::from_str_radix(&line[at..at + 2], 16));
    pairs.collect::<Result<_, _>>().with_context(|| format!("not hexadecimal: {line}"))
}

/// An image that is not compressed as a whole; those that are have readers of their own.
fn cpio(image: &[u8]) {
    if compression::name_of(image).is_none()
        && let Ok(tree) = Initramfs::unpack(image)
    {
        let archive = tree.archive().expect("what was read can be packed");
        // Names of other bytes become longer ones.
        if !archive.windows(3).any(|bytes| bytes == "\u{fffd}".as_bytes()) {
            let again = Initramfs::unpack(&archive).expect("what was packed can be read");
            assert_eq!(again.left_out(), [""; 0]);
            assert!(again.archive().expect("and packed") == archive, "the archive of what was read holds the same");
        }
    }
}

fn segment(name: &str, bytes: &[u8]) {
    if compression::name_of(bytes) == Some(name)
        && let Ok((unpacked, taken)) = compression::unpack(bytes, MOST)
    {
        assert!(unpacked.len() as u64 <= MOST && taken <= bytes.len(), "{} of {taken} bytes", unpacked.len());
    }
}

fn elf(bytes: &[u8]) {
    let Ok(program) = Program::parse(bytes) else { return };
    assert_eq!(elf::machine_of(bytes), Some(program.machine), "one machine");
    for loader in [Loader::Glibc, Loader::Musl] {
        program.wanted(loader).for_each(drop);
        program.system_directories(loader);
    }
    program.own_directories("/lib");
    elf::machine_name(program.machine);
}

fn archive() -> Result<Vec<u8>> {
    let mut tree = Initramfs::with_console();
    tree.bytes("/a/b", 0o755, "content").symlink("a", "/c").dir("/d", 0o700).bytes("/c/e", 0o600, [7; 300]);
    tree.archive()
}

/// An archive behind a compressed one.
fn segments() -> Result<Vec<u8>> {
    let mut segments = Compression::Gzip.apply(&archive()?)?;
    segments.resize(segments.len().next_multiple_of(512), 0);
    Ok([archive()?, segments, archive()?].concat())
}

fn applied(compression: Compression) -> Result<Vec<Vec<u8>>> {
    Ok(vec![compression.apply(&archive()?)?])
}

fn xz() -> Result<Vec<Vec<u8>>> {
    let checks = [CheckType::None, CheckType::Crc32].map(|check| {
        let mut options = XzOptions::with_preset(1);
        options.set_check_sum_type(check);
        let mut writer = XzWriter::new(Vec::new(), options)?;
        writer.write_all(&archive()?)?;
        Ok(writer.finish()?)
    });
    checks.into_iter().collect()
}

fn bzip2() -> Result<Vec<Vec<u8>>> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    writer.write_all(&archive()?)?;
    Ok(vec![writer.finish()?])
}

fn lzma() -> Result<Vec<Vec<u8>>> {
    let mut writer = LzmaWriter::new_use_header(Vec::new(), &LzmaOptions::with_preset(1), None)?;
    writer.write_all(&archive()?)?;
    Ok(vec![writer.finish()?])
}

fn program() -> Result<Vec<u8>> {
    std::fs::read(PROGRAM).with_context(|| format!("cannot read {PROGRAM}"))
}

/// An object file with nothing in it but what modpost writes: elf(5).
fn module() -> Result<Vec<u8>> {
    const NAMES: &[u8] = b"\0.modinfo\0.shstrtab\0";
    const INFO: &[u8] = b"license=GPL\0depends=libcrc32c,crc32c-intel\0name=ext4\0";
    let (names_at, end) = (64 + INFO.len() as u64, (64 + INFO.len() + NAMES.len()) as u64);
    let section = |name: u32, kind: u32, at: u64, size: usize| {
        let mut header = [name.to_le_bytes(), kind.to_le_bytes()].concat();
        header.extend([0, 0, at, size as u64, 0, 1, 0].map(u64::to_le_bytes).concat());
        header
    };
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x3e\0\x01\0\0\0".to_vec();
    file.extend([0, 0, end].map(u64::to_le_bytes).concat());
    file.extend([0, 0, 64, 0, 0, 64, 3, 2].map(u16::to_le_bytes).concat());
    file.extend([INFO, NAMES].concat());
    file.extend([section(0, 0, 0, 0), section(1, 1, 64, INFO.len()), section(10, 3, names_at, NAMES.len())].concat());
    ensure!(!modules::depends(&file)?.is_empty(), "no module");
    Ok(file)
}

/// No kernels, but as bzImages say where theirs lies: Documentation/arch/x86/boot.rst.
fn kernels() -> Result<Vec<Vec<u8>>> {
    let kernel = |compression: Compression| -> Result<Vec<u8>> {
        let mut payload = compression.apply(&program()?[..4096])?;
        // The length that the kernel's build leaves behind it.
        payload.extend([0, 16, 0, 0]);
        let mut image = vec![0; 1024];
        image[0x1f1] = 1;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x24c..0x250].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        image.extend(payload);
        Ok(image)
    };
    [Compression::Gzip, Compression::Lz4, Compression::Zstd].map(kernel).into_iter().collect()
}
