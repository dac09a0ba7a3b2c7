//! What lies where, step after step.

use super::*;

#[test]
fn the_last_step_lies_on_top() {
    let mut tree = Initramfs::empty();
    tree.bytes("/usr/bin/sh", 0o755, "").symlink("usr/bin", "/bin").symlink("/bin/sh", "/usr/bin/ash");
    let mut root = NewRoot::new(&tree);
    root.bind("/usr", "/usr");
    root.link("/bin", "usr/bin");
    root.mount("/proc", "proc", Some(2));
    root.mount("/run", "tmpfs", Some(3));
    root.file("/run/a/b", "/usr/bin/sh");
    root.directory("/etc");
    let file = |path: &str| Found::File { path: path.into(), name: "/usr/bin/sh".into() };
    for (path, expected) in [
        ("/", Found::Directory("/".into())),
        ("/bin/sh", file("/usr/bin/sh")),
        ("/bin/ash", file("/usr/bin/sh")),
        ("/bin/../bin", Found::Directory("/usr/bin".into())),
        ("/bin/../../bin/sh", file("/usr/bin/sh")),
        ("/bin/../etc", Found::Missing),
        ("/bin/sh/..", Found::Missing),
        ("/bin/sh/x", Found::Missing),
        ("/proc/self", Found::Unknown),
        ("/run/a/b", file("/run/a/b")),
        ("/run/a", Found::Directory("/run/a".into())),
        ("/run/c", Found::Missing),
        ("/etc", Found::Directory("/etc".into())),
        ("/etc/passwd", Found::Missing),
        ("/sbin", Found::Missing),
    ] {
        assert_eq!(root.resolve(path), expected, "{path}");
    }
    assert_eq!(root.mount_point("/bin"), "/usr/bin");
    root.mount("/usr", "tmpfs", None);
    assert_eq!(root.resolve("/bin/sh"), Found::Missing);
}

#[test]
fn the_last_mount_says_what_can_be_executed() {
    let tree = Initramfs::empty();
    let mut root = NewRoot::new(&tree);
    root.mount("/", "tmpfs", None);
    root.mount("/run", "tmpfs", Some(3));
    root.bind("/run/bin", "/bin");
    let found = |root: &NewRoot| ["/a", "/run/a", "/run/bin/a", "/running"].map(|path| root.noexec(path));
    assert_eq!(found(&root), [None, Some(3), None, None]);
    root.remount("/run", None);
    assert_eq!(found(&root), [None; 4]);
}

#[test]
fn what_was_run_may_have_made_anything() {
    let tree = Initramfs::empty();
    let mut root = NewRoot::new(&tree);
    root.directory("/etc");
    root.ran = Some(3);
    assert_eq!(root.resolve("/etc/hosts"), Found::Unknown);
    assert_eq!(root.made_by_steps("/etc/hosts"), Found::Missing);
    assert_eq!(root.resolve("/etc"), Found::Directory("/etc".into()));
}
