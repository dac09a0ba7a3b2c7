//! `copy` and `bind`: content, mode, owner; the original gone, or the very same file.

use std::os::unix::fs::MetadataExt;

use anyhow::Result;

use super::mountinfo::{mount, sorted};
use super::{FIRST_LINE, boot, content, initramfs, run};

/// Mode, owner, group, length.
const FILES: [(u32, u32, u32, usize); 9] = [
    (0o755, 0, 0, 300_001),
    (0o4755, 0, 0, 4096),
    (0o4755, 1000, 1000, 4097),
    (0o2755, 0, 50, 1),
    (0o1777, 0, 0, 4095),
    (0o600, 0, 0, 0),
    (0o777, 65534, 65534, 70_000),
    (0o444, 7, 0, 100),
    (0, 0, 0, 100),
];

fn path(number: usize) -> String {
    format!("/files/{number}")
}

#[test]
fn copy_keeps_content_mode_and_owner() -> Result<()> {
    let mut sandbox = initramfs()?;
    let mut steps = String::new();
    for (number, (mode, uid, gid, length)) in FILES.into_iter().enumerate() {
        let path = path(number);
        sandbox = sandbox.file(&path, content(length), mode)?.owner(&path, uid, gid)?;
        steps += &format!("copy {path}\n");
    }
    let (outcome, report) = boot(sandbox, &steps)?;
    for (number, (mode, uid, gid, length)) in FILES.into_iter().enumerate() {
        let copy = report.file(&path(number)).expect("it is in the new root");
        assert_eq!((copy.mode, copy.uid, copy.gid), (mode, uid, gid), "{number}: {:o}", copy.mode);
        assert_eq!(copy.size, length as u64);
        assert_eq!(copy.sha256, Some(agent::sha256(&content(length))), "{number}");
        assert!(!outcome.path(&path(number)).exists(), "original {number} is still there");
    }
    Ok(())
}

#[test]
fn copy_to_a_target_makes_its_parents() -> Result<()> {
    let sandbox = initramfs()?.file("/from", content(5000), 0o640)?;
    let (outcome, report) = boot(sandbox, "copy /from /very/deep/down")?;
    let copy = report.file("/very/deep/down").expect("it is in the new root");
    assert_eq!((copy.mode, &copy.sha256), (0o640, &Some(agent::sha256(&content(5000)))));
    for parent in ["/very", "/very/deep"] {
        let parent = report.file(parent).expect("the parent is there");
        assert_eq!((parent.kind.as_str(), parent.mode), ("directory", 0o755));
    }
    assert!(report.file("/from").is_none() && !outcome.path("/from").exists());
    assert!(!outcome.path("/very").exists(), "made in the initramfs");
    Ok(())
}

#[test]
fn bind_is_the_same_file() -> Result<()> {
    let sandbox = initramfs()?.file("/data/file", content(5000), 0o4711)?;
    let steps = "mount proc /proc proc\nbind /data/file\nbind /data/file /other/place\nbind /data /directory/of/data";
    let (outcome, report) = boot(sandbox.args(["--files", "/directory/of/data/file"]), steps)?;
    let original = outcome.path("/data/file").metadata()?;
    for path in ["/data/file", "/other/place", "/directory/of/data/file"] {
        let bound = report.file(path).expect("it is in the new root");
        assert_eq!((bound.device, bound.inode), (original.dev(), original.ino()), "{path}");
        assert_eq!(bound.mode, 0o4711, "{path}");
    }
    for (target, root) in [("/other/place", "/data/file"), ("/directory/of/data", "/data")] {
        let mount = mount(&report, target)?;
        assert_eq!((mount.fstype.as_str(), mount.root.as_str()), ("tmpfs", root));
        assert_eq!(mount.options, sorted("rw,relatime"));
    }
    Ok(())
}

#[test]
fn bind_covers_what_is_there() -> Result<()> {
    let sandbox = initramfs()?.file("/one", "1", 0o644)?.file("/two", "2", 0o644)?.file("/d/in", "3", 0o644)?;
    let steps = "copy /one\nbind /two /one\ndir /d 0700\nbind /d";
    let (_, report) = boot(sandbox.args(["--files", "/d/in"]), steps)?;
    for (path, content) in [("/one", "2"), ("/d/in", "3")] {
        let found = report.file(path).expect("it is there").sha256.clone();
        assert_eq!(found, Some(agent::sha256(content.as_bytes())), "{path}");
    }
    Ok(())
}

/// A link in the initramfs leads where its maker meant it to: into the initramfs.
#[test]
fn sources_are_looked_up_in_the_initramfs() -> Result<()> {
    let store = initramfs()?.file("/store/deep/tool", content(9000), 0o755)?.symlink("/store", "/absolute")?;
    let store = store.symlink("store/deep/tool", "/relative")?.symlink("/store/deep/tool", "/sbin/tool")?;
    let steps = "bind /absolute/deep/tool /a\nbind /relative /b\nbind /sbin/tool\ncopy /absolute/deep/tool /d";
    let (_, report) = boot(store, steps)?;
    for path in ["/a", "/b", "/sbin/tool", "/d"] {
        let found = report.file(path).expect("it is in the new root");
        assert_eq!(found.kind, "file", "{path}");
        assert_eq!(found.sha256, Some(agent::sha256(&content(9000))), "{path}");
    }
    Ok(())
}

/// Even when the new root has the same link, a target stays inside it.
#[test]
fn targets_are_looked_up_in_the_new_root() -> Result<()> {
    let sandbox = initramfs()?.file("/file", "content", 0o644)?.dir("/run", 0o755)?;
    let steps = "dir /run\nlink /run /var/run\ndir /var/run/made\ncopy /file /var/run/copied\n\
                 mount tmpfs /var/run/mounted tmpfs\nlink target /var/run/linked";
    let (outcome, report) = boot(sandbox, steps)?;
    for (name, kind) in [("made", "directory"), ("copied", "file"), ("mounted", "directory"), ("linked", "symlink")] {
        let found = report.file(&format!("/run/{name}")).expect("it is in the new root");
        assert_eq!(found.kind, kind);
        assert!(outcome.path(&format!("/run/{name}")).symlink_metadata().is_err(), "{name} is in the initramfs");
    }
    Ok(())
}

/// A whole copy or none: the root is full in the middle of it.
#[test]
fn a_failed_copy_leaves_the_original_and_no_half() -> Result<()> {
    for (mark, code) in [("", FIRST_LINE - 1), ("-", 0)] {
        let sandbox = initramfs()?.file("/big", content(200_000), 0o755)?;
        let steps = format!("root size=64k\nbind /sbin/agent\n{mark}copy /big\nexec /sbin/agent --report\n");
        let outcome = sandbox.plan(steps)?.run()?;
        assert_eq!(outcome.code, Some(code), "{outcome:#?}");
        assert_eq!(outcome.stderr, "moveroot: boot.plan:3: copy /big: ENOSPC (28)\n");
        assert_eq!(std::fs::read(outcome.path("/big"))?, content(200_000));
        if code == 0 {
            let report = outcome.report()?;
            assert!(report.file("/big").is_none(), "half a file is there");
            assert!(report.root.bytes_free >= 60_000, "its memory is still taken: {:?}", report.root);
        }
    }
    Ok(())
}

/// Not only when the service runs: another step may need it.
#[test]
fn a_failed_copy_gives_its_room_back_at_once() -> Result<()> {
    let sandbox = initramfs()?.file("/big", content(200_000), 0o755)?.file("/small", content(50_000), 0o644)?;
    let plan = "root size=64k\nbind /sbin/agent\n-copy /big\ncopy /small\nexec /sbin/agent --report\n";
    let outcome = sandbox.plan(plan)?.run()?;
    assert_eq!(outcome.stderr, "moveroot: boot.plan:3: copy /big: ENOSPC (28)\n");
    let kept = outcome.report()?.file("/small").and_then(|file| file.sha256.clone());
    assert_eq!(kept, Some(agent::sha256(&content(50_000))));
    Ok(())
}

#[test]
fn copy_replaces_nothing() -> Result<()> {
    let sandbox = initramfs()?.file("/one", "1", 0o644)?.file("/two", "2", 0o644)?;
    let steps = "copy /one\n-copy /two /one\nexec /sbin/agent --report";
    let outcome = run(sandbox, steps)?;
    assert_eq!(outcome.stderr, "moveroot: boot.plan:5: copy /two to /one: EEXIST (17)\n");
    let kept = outcome.report()?.file("/one").and_then(|file| file.sha256.clone());
    assert_eq!(kept, Some(agent::sha256(b"1")));
    assert_eq!(std::fs::read(outcome.path("/two"))?, b"2");
    Ok(())
}
