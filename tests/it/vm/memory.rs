//! How much memory a guest needs while its kernel unpacks: what `cargo vm pack` says, held against boots.

use anyhow::{Context, Result};
use vm::accel;
use vm::qemu::{Outcome, Vm};

use super::{LIMIT, NO_PROBLEMS, alone, parts, report};
use crate::pack::Ground;

/// Of which the memory needed is told, in whole MiB.
const BALLAST: usize = 64 << 20;
/// More than Debian's kernel takes for itself, and less: MB.
const KERNEL: u32 = 64;
const TOO_LITTLE: u32 = 40;

fn boot(ground: &Ground, memory_mb: u32, append: &str) -> Result<Outcome> {
    let _alone = alone();
    let vm = Vm {
        append: append.to_string(),
        accel: accel::best(&parts().kernel)?,
        memory_mb,
        timeout: LIMIT,
        ..Vm::new(&parts().kernel, &ground.path("out"))
    };
    vm.run()
}

#[test]
fn is_at_least_what_pack_says() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("root\nmount devtmpfs /dev devtmpfs\nbind /sbin/agent\nexec /sbin/agent --report\n")?;
    ground.file("ballast", vec![0; BALLAST], 0o644)?;
    let said = ground.pack("--file /sbin/agent=agent --file /ballast=ballast")?;
    let (_, least) = said.split_once("The guest needs at least ").context(said.clone())?;
    let least: u32 = least.split(' ').next().unwrap_or_default().parse()?;
    // What is unpacked twice over, and the image, which is not compressed.
    assert!((193..203).contains(&least), "{least}");
    let too_small = boot(&ground, least + TOO_LITTLE, "")?;
    assert!(too_small.transcript.contains("Initramfs unpacking failed: write error"), "{}", too_small.evidence());
    assert_eq!(report(&boot(&ground, least + KERNEL, "")?)?.problems, NO_PROBLEMS);
    // A ramfs has no limit, and with it the same memory is enough.
    assert_eq!(report(&boot(&ground, least + TOO_LITTLE, "root=/dev/none")?)?.problems, NO_PROBLEMS);
    Ok(())
}
