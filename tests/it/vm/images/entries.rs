//! Archives that no tool would write.

const FILE: u32 = 0o100_644;
const DIRECTORY: u32 = 0o040_755;
const SYMLINK: u32 = 0o120_777;
const PIPE: u32 = 0o010_644;

/// A newc archive, byte by byte.
#[derive(Clone, Default)]
pub struct Archive(Vec<u8>);

impl Archive {
    /// The numbers are those of the header: inode, mode, links, and the checksum with its own magic number.
    fn entry(&mut self, name: &str, [ino, mode, links]: [u32; 3], data: &[u8], sum: Option<u32>) -> &mut Self {
        let name_size = name.len() as u32 + 1;
        let fields = [ino, mode, 0, 0, links, 0, data.len() as u32, 0, 0, 0, 0, name_size, sum.unwrap_or(0)];
        self.0.extend(if sum.is_some() { b"070702" } else { b"070701" });
        fields.iter().for_each(|field| self.0.extend(format!("{field:08x}").bytes()));
        self.0.extend(name.bytes().chain([0]));
        self.pad();
        self.0.extend(data);
        self.pad();
        self
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn file(&mut self, name: &str) -> &mut Self {
        self.entry(name, [0, FILE, 1], b"content", None)
    }

    fn dir(&mut self, name: &str) -> &mut Self {
        self.entry(name, [0, DIRECTORY, 2], b"", None)
    }

    fn symlink(&mut self, name: &str, target: &str) -> &mut Self {
        self.entry(name, [0, SYMLINK, 1], target.as_bytes(), None)
    }

    fn linked(&mut self, ino: u32, name: &str, data: &[u8]) -> &mut Self {
        self.entry(name, [ino, FILE, 2], data, None)
    }

    /// With its checksum, and so much more.
    pub fn summed(&mut self, name: &str, data: &[u8], more: u32) {
        let sum: u32 = data.iter().map(|byte| u32::from(*byte)).sum();
        self.entry(name, [0, FILE, 1], data, Some(sum + more));
    }

    /// With a trailer.
    pub fn archive(&self) -> Vec<u8> {
        let mut whole = self.clone();
        whole.entry("TRAILER!!!", [0, 0, 1], b"", None);
        whole.0
    }
}

/// An archive, the paths to look for, those of them that the kernel does not make, and what is said of these.
pub struct Odd {
    pub archive: Vec<u8>,
    pub paths: Vec<&'static str>,
    pub missing: Vec<&'static str>,
    pub reasons: Vec<&'static str>,
}

/// Each way to lie, and whether the kernel makes a file of it.
const PATHS: [(&str, bool); 22] = [
    ("/none/file", false),
    ("/late/file", false),
    ("/late", true),
    ("/dev/given", true),
    ("/real/below", true),
    ("/loop/file", false),
    ("/nowhere/file", false),
    ("/file/below", false),
    ("/up", true),
    ("/links/first", true),
    ("/links/second", true),
    ("/links/orphan", false),
    ("/was-empty", true),
    ("/was-full/inside", true),
    ("/became/inside", true),
    ("/no-link/inside", true),
    ("/empty-link", true),
    ("/pipe-with-bytes", false),
    ("/behind-long", true),
    ("/no-kind", false),
    ("/lost", false),
    ("/end", true),
];

pub fn odd() -> Odd {
    let mut made = Archive::default();
    made.file("none/file").file("late/file").dir("late").file("dev/given");
    made.dir("real").symlink("link", "real").file("link/below").symlink("loop", "loop").file("loop/file");
    made.symlink("nowhere", "gone").file("nowhere/file").file("file").file("file/below").file("real/../../up");
    made.dir("links").linked(7, "links/first", b"").linked(7, "links/second", b"content");
    made.linked(8, "none/first", b"content").linked(8, "links/orphan", b"");
    made.dir("was-empty").file("was-empty").dir("was-full").file("was-full/inside").file("was-full");
    made.file("became").dir("became").file("became/inside");
    made.symlink("no-link", "real").dir("no-link").file("no-link/inside");
    made.symlink("empty-link", "").entry("pipe-with-bytes", [0, PIPE, 1], b"content", None);
    made.file(&"a/".repeat(2100)).file(&"b".repeat(256)).file("behind-long");
    made.file("lost").entry("lost", [0, 0, 1], b"", None).entry("no-kind", [0, 0, 1], b"", None).file("end");
    Odd {
        archive: made.archive(),
        paths: PATHS.iter().map(|(path, _)| *path).collect(),
        missing: PATHS.iter().filter(|(_, is_made)| !is_made).map(|(path, _)| *path).collect(),
        reasons: vec![
            "the kernel leaves out /none/file: its directory /none is not in the archive before it",
            "the kernel leaves out /late/file: its directory /late is not in the archive before it",
            "the kernel leaves out /loop/file: too many symlinks lead to it",
            "the kernel leaves out /file/below: /file is no directory",
            "the kernel leaves out /links/orphan: a hard link to /none/first, which cannot be made",
            "the kernel leaves out /was-full: a directory that is not empty has this name",
        ],
    }
}
