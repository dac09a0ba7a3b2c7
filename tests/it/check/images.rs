//! Images that are none, or not all there: which file, what it is, where it ends, in one line.

use std::fs;

use anyhow::Result;
use vm::initramfs::{Content, Initramfs};

use crate::pack::Ground;

/// With an image in every compression, `none.img` and so on.
fn ground() -> Result<Ground> {
    let ground = Ground::new()?;
    ground.plan("root\nbind /sbin/agent\nexec /sbin/agent\n")?;
    for compression in vm::compression::Compression::ALL {
        ground.pack(&format!("--file /sbin/agent=agent --compress {compression}"))?;
        fs::rename(ground.path("out"), ground.path(&format!("{compression}.img")))?;
    }
    Ok(ground)
}

/// What is said of this, on one line.
fn refusal(ground: &Ground, words: &str) -> Result<String> {
    let output = ground.vm(&format!("check p {words}"))?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!((output.status.code(), output.stdout.len(), said.lines().count()), (Some(1), 0, 1), "{words}: {said}");
    Ok(said.trim_end().to_string())
}

#[test]
fn that_are_none_are_told_by_what_they_are() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("root\nexec /a\n")?.file("text", "no image", 0o644)?.file("x.lzo", b"\x89LZO\0\r\n\x1a\n", 0o644)?;
    ground
        .file("x.lz4", b"\x04\"M\x18frame", 0o644)?
        .file("nothing", "", 0o644)?
        .file("zeros", [0; 4096], 0o644)?
        .file("old", "070707000", 0o644)?;
    ground.file("packed", vm::compression::Compression::Gzip.apply(b"no archive")?, 0o644)?;
    let neither = "neither a newc cpio archive nor compressed";
    for (words, message) in [
        ("--root none", "cannot find none: No such file or directory (os error 2)".to_string()),
        ("--initramfs none", "cannot find none: No such file or directory (os error 2)".to_string()),
        ("--root p", "p is a file, and --root is for directories: say --initramfs".to_string()),
        ("--initramfs .", ". is a directory, and --initramfs is for images: say --root".to_string()),
        ("--initramfs nothing", "nothing, 0 bytes: no initramfs: there is nothing in it".to_string()),
        ("--initramfs zeros", "zeros, 4096 bytes: no initramfs: there is nothing in it".to_string()),
        ("--initramfs text", format!("text, 8 bytes: {neither}: it begins with \"no image\"")),
        (
            "--initramfs x.lzo",
            "x.lzo, 9 bytes: compressed by lzop, and only a part of that: more was to come behind the last byte"
                .to_string(),
        ),
        (
            "--initramfs x.lz4",
            "x.lz4, 9 bytes: compressed by lz4 in its newer frame, which the kernel does not know, which is not read \
             here: unpack it first, or say `lz4 -l`"
                .to_string(),
        ),
        (
            "--initramfs packed",
            "packed, 30 bytes: unpacked by gzip: at byte 0 no newc cpio archive: it begins with \"no archive\""
                .to_string(),
        ),
    ] {
        assert_eq!(refusal(&ground, words)?, format!("vm: {message}"), "{words}");
    }
    let said = refusal(&ground, "--initramfs agent")?;
    assert!(said.ends_with(&format!(" bytes: {neither}: it is an ELF file")), "{said}");
    let said = refusal(&ground, "--initramfs old")?;
    assert!(said.contains("it is a cpio archive in the old form odc: the kernel takes newc"), "{said}");
    Ok(())
}

/// However much is missing.
#[test]
fn that_are_cut_off_are_told_where_they_end() -> Result<()> {
    let ground = ground()?;
    let agent = fs::metadata(ground.path("agent"))?.len();
    let image = fs::read(ground.path("none.img"))?;
    let in_agent = fs::metadata(ground.path("init"))?.len() as usize + 2500;
    for (length, place) in [
        (60, "within what comes behind its beginning".to_string()),
        (in_agent, format!("within /sbin/agent: 372 of its {agent} bytes are there")),
        (image.len() - 50, "within what comes behind /sbin/agent".to_string()),
        (image.len() - 124, "behind /sbin/agent, with no trailer".to_string()),
    ] {
        ground.file("cut", &image[..length], 0o644)?;
        let expected =
            format!("vm: cut, {length} bytes: only a part of a newc cpio archive: it ends at byte {length}, {place}");
        let said = refusal(&ground, "--initramfs cut")?;
        // Where exactly depends on what comes before the agent.
        let same = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "");
        assert_eq!(same(&said), same(&expected));
        assert!(said.contains(&format!("ends at byte {length}, ")), "{said}");
    }
    for compression in ["gzip", "lz4", "zstd"] {
        let image = fs::read(ground.path(&format!("{compression}.img")))?;
        for length in [60, image.len() / 2, image.len() - 5] {
            ground.file("cut", &image[..length], 0o644)?;
            let expected = format!("vm: cut, {length} bytes: compressed by {compression}, and only a part of that");
            let said = refusal(&ground, "--initramfs cut")?;
            assert!(said.starts_with(&expected), "{said:?} is not {expected:?}");
        }
    }
    Ok(())
}

/// gen_init_cpio of the kernel's own tree ends a link's target with a zero, which is none of it: do_symlink in
/// init/initramfs.c.
#[test]
fn may_have_zeros_behind_links() -> Result<()> {
    let mut tree = Initramfs::empty();
    tree.symlink("lib\0", "/bin");
    let read = Initramfs::unpack(&tree.archive()?)?;
    assert_eq!(read.at("/bin"), Some(&Content::Symlink("lib".into())));
    Ok(())
}
