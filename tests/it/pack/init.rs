//! An init of one's own: one that the kernel could not start is refused, with what is missing.

use std::fs;

use anyhow::Result;

use super::Ground;

const LOADER: &str = "--file /lib64/ld-linux-x86-64.so.2=/lib64/ld-linux-x86-64.so.2";

/// What is given as init, what is packed with it, what is said of it.
const REFUSED: [(&str, &str, &str); 6] = [
    ("dynamic", "", "/init needs what is not in the initramfs: /lib64/ld-linux-x86-64.so.2, libc.so.6"),
    ("dynamic", LOADER, "/init needs what is not in the initramfs: libc.so.6"),
    ("script", "", "/init is a script whose interpreter /bin/sh is missing: put it there; "),
    (
        "script",
        "--no-libs --file /bin/sh=dynamic",
        "/bin/sh needs what is not in the initramfs: /lib64/ld-linux-x86-64",
    ),
    ("text", "", "/init is no executable: it is neither ELF nor a script: a script begins with #!/; "),
    ("empty", "", "/init is no executable: it is empty: build it again; "),
];

fn ground() -> Result<Ground> {
    let ground = Ground::new()?;
    ground.file("script", "#!/bin/sh -e\nexit\n", 0o755)?.file("text", "text", 0o755)?.file("empty", "", 0o755)?;
    fs::copy("/bin/true", ground.path("dynamic"))?;
    Ok(ground)
}

#[test]
fn that_could_not_start_is_refused() -> Result<()> {
    let ground = ground()?;
    for (init, files, reason) in REFUSED {
        let output = ground.vm(&format!("pack --init {init} -o out {files}"))?;
        let said = String::from_utf8(output.stderr)?;
        let expected = format!("vm: the kernel could not start {init} as /init: {reason}");
        assert!(
            said.starts_with(&expected) && said.lines().count() == 1,
            "{init} {files}: {said:?} is not {expected:?}"
        );
        assert!(output.status.code() == Some(1) && !ground.path("out").exists(), "{init} {files}: {said}");
    }
    Ok(())
}

/// With all it needs it is packed; and an image whose init could not start is reported.
#[test]
fn that_has_what_it_needs_is_packed() -> Result<()> {
    let ground = ground()?;
    let output = ground.vm("pack --init script -o out --file /bin/sh=/bin/sh")?;
    assert!(output.status.success(), "{}", String::from_utf8(output.stderr)?);
    ground.plan("root\nbind /sbin/agent\nexec /sbin/agent\n")?;
    ground.file("tree/init", "#!/bin/sh\n", 0o755)?.file("tree/sbin/agent", fs::read(ground.path("agent"))?, 0o755)?;
    let output = ground.vm("check p --root tree")?;
    let expected =
        "tree: the kernel could not start it: /init is a script whose interpreter /bin/sh is missing: put it there\n";
    assert_eq!((output.status.code(), String::from_utf8(output.stdout)?.as_str()), (Some(1), expected));
    Ok(())
}
