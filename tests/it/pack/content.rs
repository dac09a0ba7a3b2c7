//! What is packed: the same bytes whatever the directory, listed by other programs without complaint.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Context, Result};
use vm::compression::Compression;
use vm::initramfs::{Content, Initramfs};
use vm::{apt, locale};

use super::Ground;

const STATIC: &str = "--file /sbin/agent=agent --file /data=tree";
/// Takes zstd its time.
const DYNAMIC: &str = "--file /sbin/agent=agent --file /data=tree --file /sbin/ls=/bin/ls --carry-libs";

/// Directories, symlinks, odd names and modes, a FIFO's place left out.
fn ground() -> Result<Ground> {
    let ground = Ground::new()?;
    ground.plan("root\n-bind /sbin/ls\nbind /data\nbind /sbin/agent\nexec /sbin/agent --report\n")?;
    ground.file("tree/a b", "blank", 0o640)?.file("tree/deep/er/x", vec![7; 70_000], 0o755)?;
    symlink("deep/er", ground.path("tree/link"))?;
    symlink("nowhere", ground.path("tree/broken"))?;
    fs::create_dir(ground.path("tree/empty"))?;
    Ok(ground)
}

#[test]
fn is_the_same_from_every_directory() -> Result<()> {
    let [one, other] = [ground()?, ground()?];
    for compression in Compression::ALL {
        let packed = [&one, &other].map(|ground| -> Result<_> {
            let files = if compression == Compression::None { DYNAMIC } else { STATIC };
            ground.pack(&format!("{files} --compress {compression}"))?;
            Ok(agent::sha256(&fs::read(ground.path("out"))?))
        });
        let [one, other] = packed;
        assert_eq!(one?, other?, "{compression}");
    }
    Ok(())
}

/// Programs that list an archive, and what they unpack for themselves.
const LISTERS: [(&[&str], &[Compression]); 3] = [
    (&["cpio", "-t", "--quiet"], &[Compression::None]),
    (&["bsdcpio", "-t", "--quiet"], &[Compression::None, Compression::Gzip, Compression::Zstd]),
    (&["lsinitramfs", "out"], &Compression::ALL),
];

/// What lsinitramfs of Debian 12, initramfs-tools 0.142, says of any image that isn't compressed, cpio's own too, when it
/// has listed it: its script has a cpio list what is left after the archives, be that nothing. That of Debian 13 doesn't.
const LEFT: &str = "cpio: premature end of archive\n";

#[test]
fn is_listed_by_other_programs() -> Result<()> {
    apt::ensure_programs(&["cpio", "bsdcpio", "lsinitramfs", "lz4", "zstd"])?;
    let ground = ground()?;
    for compression in Compression::ALL {
        ground.pack(&format!("{STATIC} --compress {compression}"))?;
        let tree = Initramfs::of_image(&ground.path("out"))?;
        let mut packed: Vec<String> = tree.entries().map(|(path, ..)| path[1..].to_string()).collect();
        packed.sort();
        assert!(packed.len() > 12, "{packed:?}");
        for (words, reads) in LISTERS {
            if !reads.contains(&compression) {
                continue;
            }
            let program = apt::program(words[0]).context("it was installed")?;
            let mut command = locale::command(program);
            command.args(&words[1..]).current_dir(ground.path("")).stdin(fs::File::open(ground.path("out"))?);
            let output = command.output()?;
            let said = String::from_utf8(output.stderr)?;
            let is_known = words[0] == "lsinitramfs" && compression == Compression::None && said == LEFT;
            let is_good = output.status.success() && said.is_empty();
            assert!(is_good || is_known, "{words:?}, {compression}: {said}");
            let mut listed: Vec<String> = String::from_utf8(output.stdout)?.lines().map(String::from).collect();
            listed.sort();
            assert_eq!(listed, packed, "{words:?}, {compression}");
        }
    }
    Ok(())
}

#[test]
fn is_what_was_asked_for() -> Result<()> {
    let ground = ground()?;
    let said = ground.pack(DYNAMIC)?;
    let tree = Initramfs::of_image(&ground.path("out"))?;
    assert_eq!(tree.at("/data/link"), Some(&Content::Symlink("deep/er".into())));
    assert_eq!(tree.at("/data/empty"), Some(&Content::Directory));
    assert_eq!(tree.at("/data/a b"), Some(&Content::Bytes(b"blank".into())));
    assert_eq!(tree.rights_at("/data/a b").map(|rights| (rights.mode, rights.uid, rights.gid)), Some((0o640, 0, 0)));
    let plan = tree.at("/boot.plan").context("no plan")?.read()?.into_owned();
    let plan = String::from_utf8(plan)?;
    assert!(plan.starts_with("root\n-bind /sbin/ls\nbind /data\nbind /sbin/agent\nbind /lib"), "{plan}");
    assert!(plan.ends_with("\nexec /sbin/agent --report\n"), "{plan}");
    // The table: what it is, its bytes, where it comes from.
    let agent = fs::metadata(ground.path("agent"))?.len();
    let line = said.lines().find(|line| line.starts_with("/sbin/agent ")).context("no line for the agent")?;
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["/sbin/agent", &agent.to_string(), "agent"]);
    assert!(said.contains("70005  tree, 2 files"), "{said}");
    let image = fs::metadata(ground.path("out"))?.len();
    assert!(said.contains(&format!("{image}  compression: none, 100 %")), "{said}");
    Ok(())
}

/// The guest's memory: nothing grows, `copy` moves, and while it does there are two.
#[test]
fn has_its_memory_told() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("root\nbind /sbin/agent\ncopy /big\nexec /sbin/agent\n")?.file("big", vec![1; 40_961], 0o644)?;
    let said = ground.pack("--file /sbin/agent=agent --file /big=big")?;
    let row = |name: &str| -> Result<Vec<u64>> {
        let line =
            said.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}: {said}"))?;
        Ok(line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?)
    };
    let [unpacked, _, before] = row("before the carry")?[..] else { panic!("{said}") };
    assert_eq!(unpacked, before);
    assert_eq!(row("during the largest copy, at most")?, [unpacked, 44, unpacked + 44]);
    assert_eq!(row("after the carry")?, [unpacked - 44, 44, unpacked]);
    Ok(())
}

/// The plans for the agents that people run, with programs that aren't static: docs/agents.
#[test]
fn has_the_libraries_of_any_agent() -> Result<()> {
    let ground = Ground::new()?;
    for (plan, files) in [
        ("nerdbox", "--file /sbin/vminitd=agent --file /sbin/crun=/bin/ls"),
        ("kata", "--file /usr/bin/kata-agent=/bin/ls"),
        ("firecracker-containerd", "--file /usr/local/bin/agent=agent --file /usr/local/bin/runc=/bin/ls"),
    ] {
        ground.plan(fs::read(vm::workspace::root().join(format!("plans/{plan}.plan")))?)?;
        assert!(ground.refusal(files)?.contains("needs what no step carries: /lib"), "{plan}");
        let said = ground.pack(&format!("{files} --carry-libs"))?;
        assert!(said.contains("  bind /lib"), "{plan}: {said}");
        let packed = Initramfs::of_image(&ground.path("out"))?;
        ground.plan(packed.at("/boot.plan").context("no plan")?.read()?)?;
        let output = ground.vm("check p --initramfs out")?;
        let said = String::from_utf8(output.stdout)?;
        assert_eq!((output.status.code(), said.as_str()), (Some(0), "p: no problems found\n"), "{plan}");
        fs::remove_file(ground.path("out"))?;
    }
    Ok(())
}

/// A root of another distribution with the links of a merged /usr: its own libraries are taken.
#[test]
fn has_the_libraries_that_are_packed_already() -> Result<()> {
    let ground = Ground::new()?;
    let needed = String::from_utf8(locale::command("ldd").arg("/bin/ls").output()?.stdout)?;
    for path in needed.split_whitespace().filter(|word| word.starts_with("/lib")) {
        ground.file(&format!("tree/usr{path}"), fs::read(path)?, 0o755)?;
    }
    for directory in ["lib", "lib64"] {
        symlink(format!("usr/{directory}"), ground.path("tree").join(directory))?;
    }
    fs::copy("/bin/ls", ground.path("ls"))?;
    ground.plan("root\nbind /sbin/ls\nexec /sbin/ls\n")?;
    let said = ground.pack("--file /sbin/ls=ls --file /=tree --carry-libs")?;
    assert!(!said.contains("a program needs it"), "{said}");
    let tree = Initramfs::of_image(&ground.path("out"))?;
    assert_eq!(tree.at("/lib"), Some(&Content::Symlink("usr/lib".into())));
    // It runs with them.
    let output = ground.vm("try --init init --initramfs out --run -- /lib64")?;
    let said = String::from_utf8(output.stdout)?;
    assert!(output.status.success() && said.contains("the service runs:\nld-linux"), "{said}");
    Ok(())
}

/// A static program needs nothing, and the built-in plan runs where there is none.
#[test]
fn may_have_the_built_in_plan() -> Result<()> {
    let ground = Ground::new()?;
    let output = ground.vm("pack -o out --file /sbin/agent=agent --file /sbin/crun=agent")?;
    assert!(output.status.success(), "{}", String::from_utf8(output.stderr)?);
    assert!(!Initramfs::of_image(&ground.path("out"))?.contains("/boot.plan"));
    let output = ground.vm("pack -o other --file /sbin/agent=agent")?;
    let said = String::from_utf8(output.stderr)?;
    assert!(said.contains("default.plan:10:6: copy /sbin/crun: not in the initramfs"), "{said}");
    Ok(())
}
