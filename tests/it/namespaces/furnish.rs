//! `root`, `dir`, `link`, `mount` and `write`: what the new root is furnished with.

use anyhow::Result;

use super::mountinfo::{mount, sorted};
use super::{NO_PROBLEMS, boot, initramfs};

/// The plan's options, then the mount's and some of the filesystem's as mountinfo has them.
const ROOTS: [(&str, &str, &str); 5] = [
    ("", "rw,relatime", "rw,size=131072k,mode=755"),
    (" size=1m", "rw,relatime", "rw,size=1024k"),
    (" size=2m,mode=0750,nosuid", "rw,nosuid,relatime", "rw,size=2048k,mode=750"),
    (" nodev,noatime", "rw,nodev,noatime", "rw"),
    (" nr_inodes=100,strictatime,size=3m", "rw", "rw,size=3072k,nr_inodes=100"),
];

#[test]
fn root_has_its_options() -> Result<()> {
    for (options, expected, among) in ROOTS {
        let steps = "bind /sbin/agent\nmount proc /proc proc\nexec /sbin/agent --report";
        let outcome = initramfs()?.plan(format!("root{options}\n{steps}"))?.run()?;
        let report = outcome.report()?;
        let root = mount(&report, "/")?;
        assert_eq!((root.fstype.as_str(), &root.options), ("tmpfs", &sorted(expected)), "root{options}");
        for option in sorted(among) {
            assert!(root.super_options.contains(&option), "root{options}: no {option} in {root:?}");
        }
        assert_eq!(report.problems, NO_PROBLEMS, "root{options}");
    }
    Ok(())
}

/// The plan's options, then the mount's and some of the filesystem's as mountinfo has them.
const MOUNTS: [(&str, &str, &str); 14] = [
    ("", "rw,relatime", "rw"),
    ("defaults", "rw,relatime", "rw"),
    ("ro", "ro,relatime", "ro"),
    ("rw", "rw,relatime", "rw"),
    ("nosuid,nodev,noexec", "rw,nosuid,nodev,noexec,relatime", "rw"),
    ("nosuid,suid", "rw,relatime", "rw"),
    ("noatime", "rw,noatime", "rw"),
    ("noatime,nodiratime", "rw,noatime,nodiratime", "rw"),
    ("relatime", "rw,relatime", "rw"),
    ("strictatime", "rw", "rw"),
    ("sync,dirsync", "rw,relatime", "rw,sync,dirsync"),
    ("size=4k,mode=0700", "rw,relatime", "rw,size=4k,mode=700"),
    ("ro,size=8k,nosuid,mode=0711,noexec", "ro,nosuid,noexec,relatime", "ro,size=8k,mode=711"),
    ("uid=3,nodev,gid=4", "rw,nodev,relatime", "rw,uid=3,gid=4"),
];

#[test]
fn mount_options_are_flags_or_data() -> Result<()> {
    let mut steps = String::from("mount proc /proc proc\n");
    for (number, (options, ..)) in MOUNTS.iter().enumerate() {
        steps += &format!("mount source-{number} /mnt/{number}/point tmpfs {options}\n");
    }
    let (_, report) = boot(initramfs()?, &steps)?;
    for (number, (options, expected, among)) in MOUNTS.into_iter().enumerate() {
        let mount = mount(&report, &format!("/mnt/{number}/point"))?;
        assert_eq!((mount.fstype.as_str(), mount.source), ("tmpfs", format!("source-{number}")));
        assert_eq!(mount.options, sorted(expected), "{options}");
        for option in sorted(among) {
            assert!(mount.super_options.contains(&option), "{options}: no {option} in {:?}", mount.super_options);
        }
    }
    Ok(())
}

/// Mode words and the modes that they make, whatever the umask.
const MODES: [(&str, u32); 7] =
    [("", 0o755), ("0755", 0o755), ("700", 0o700), ("0777", 0o777), ("1777", 0o1777), ("2770", 0o2770), ("0", 0)];

#[test]
fn dir_has_its_mode() -> Result<()> {
    let mut steps = String::new();
    for (number, (word, _)) in MODES.into_iter().enumerate() {
        steps += &format!("dir /made/{number} {word}\n");
    }
    let (outcome, report) = boot(initramfs()?, &steps)?;
    for (number, (word, mode)) in MODES.into_iter().enumerate() {
        let directory = report.file(&format!("/made/{number}")).expect("it was made");
        assert_eq!((directory.kind.as_str(), directory.mode), ("directory", mode), "dir … {word}");
    }
    assert!(!outcome.path("/made").exists(), "made in the initramfs");
    Ok(())
}

#[test]
fn dir_leaves_one_that_is_there_as_it_is() -> Result<()> {
    let (_, report) = boot(initramfs()?, "dir /here 0711\ndir /here 0755\ndir /here\ndir /here/")?;
    assert_eq!(report.file("/here").map(|file| file.mode), Some(0o711));
    Ok(())
}

#[test]
fn of_the_parents_some_may_be_there() -> Result<()> {
    let (_, report) = boot(initramfs()?, "dir /a 0711\ndir /a/b/c\nlink t /a/b/d/e/f")?;
    let kinds = ["/a", "/a/b/c", "/a/b/d/e/f"]
        .map(|path| report.file(path).map(|file| (file.kind.clone(), file.mode & 0o7777)));
    let of = |kind: &str, mode| Some((kind.to_string(), mode));
    assert_eq!(kinds, [of("directory", 0o711), of("directory", 0o755), of("symlink", 0o777)]);
    Ok(())
}

#[test]
fn link_is_made_once() -> Result<()> {
    let steps = "link /proc/self/fd /dev/deep/fd\nlink /proc/self/fd /dev/deep/fd\nlink relative /a";
    let (_, report) = boot(initramfs()?, steps)?;
    for (path, target) in [("/dev/deep/fd", "/proc/self/fd"), ("/a", "relative")] {
        let link = report.file(path).expect("it was made");
        assert_eq!((link.kind.as_str(), link.target.as_deref()), ("symlink", Some(target)));
    }
    Ok(())
}

#[test]
fn write_writes_the_rest_of_the_line() -> Result<()> {
    let sandbox = initramfs()?.file("/old", "", 0o644)?.file("/longer", "0123456789 0123456789", 0o644)?;
    let steps = "copy /old\ncopy /longer\nwrite /old one  two\tthree  \nwrite /longer abc";
    let (_, report) = boot(sandbox, steps)?;
    for (path, content) in [("/old", "one  two\tthree"), ("/longer", "abc")] {
        let written = report.file(path).and_then(|file| file.sha256.clone());
        assert_eq!(written, Some(agent::sha256(content.as_bytes())), "{path}");
    }
    Ok(())
}
