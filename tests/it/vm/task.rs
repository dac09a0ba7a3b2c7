//! An agent that moveroot started serves containerd's Task API over vsock.

mod faults;
mod many;

use std::sync::OnceLock;

use anyhow::{Context, Result};
use serde_json::json;
use vm::bundle::{self, Bundle, EXIT_CODE};
use vm::demo::{Parts, demo_plan};
use vm::qemu::Outcome;
use vm::task::bundles::{self, Named};
use vm::task::client::Status;
use vm::task::host::Host;
use vm::task::{Style, TaskVm};
use vm::test::long;
use vm::{accel, build, kernel, vsock};

use super::{LIMIT, beside_others, parts};

const SIGKILL: u32 = 9;

/// The guest's parts with taskd for an agent.
fn taskd() -> &'static Parts {
    static TASKD: OnceLock<Parts> = OnceLock::new();
    TASKD.get_or_init(|| {
        let agent = build::guest("taskd", "taskd").expect("taskd can be built");
        Parts { agent, ..parts().clone() }
    })
}

/// Boots a guest of a release's kernel, or of this one's, drives its agent, and fails with all there is to see.
fn drive<T: Send>(
    release: Option<&str>,
    style: Style,
    bundles: &[Named],
    work: impl FnOnce(Host) -> Result<T> + Send,
) -> Result<(Outcome, T)> {
    let kernel = release.map_or_else(|| Ok(taskd().kernel.clone()), kernel::of)?;
    let parts = Parts { kernel, ..taskd().clone() };
    let modules = vsock::modules(Some(&kernel::modules(release)?))?;
    let mut guest = parts.guest(&demo_plan(), &Bundle::default(), release)?;
    guest.load(&modules)?;
    bundles::pack(bundles, &mut guest.initramfs)?;
    let mut vm = TaskVm::new(&parts.kernel, &guest.initramfs, style)?;
    vm.vm.accel = accel::best(&parts.kernel)?;
    vm.vm.timeout = LIMIT * 15;
    let _guest = beside_others();
    let (outcome, worked) = vm.run(|_| (), work)?;
    let worked = worked.with_context(|| outcome.evidence())?;
    Ok((outcome, worked))
}

/// The demo container, then the machine is shut down.
fn demo(release: Option<&str>, style: Style) -> Result<()> {
    let (outcome, ran) = drive(release, style, &[], |host| {
        let ran = host.run("demo", bundle::PATH)?;
        host.client.shutdown()?;
        Ok(ran)
    })?;
    let evidence = outcome.evidence();
    assert_eq!(ran.exit.status, u32::from(EXIT_CODE), "{evidence}");
    assert!(ran.output.contains("hello from a container") && ran.output.contains("pid 1"), "{}", ran.output);
    assert!(ran.marks.is_sorted(), "{:?}", ran.marks);
    assert!(!outcome.timed_out && outcome.panic_code.is_none(), "{evidence}");
    Ok(())
}

#[test]
fn a_container_from_create_to_delete() -> Result<()> {
    demo(None, Style::Dial)?;
    if !long() {
        eprintln!("only this release's kernel, only the agent's calling the host: the rest takes --long");
        return Ok(());
    }
    demo(None, Style::Listen)?;
    demo(Some("trixie"), Style::Dial)?;
    demo(Some("trixie"), Style::Listen)
}

/// A host that comes back finds the same agent with the same containers.
#[test]
fn a_second_connection() -> Result<()> {
    if !long() {
        eprintln!("left out: it takes --long");
        return Ok(());
    }
    for style in [Style::Dial, Style::Listen] {
        drive(None, style, &[], |host| {
            let pid = host.client.create("demo", bundle::PATH, "", "")?;
            let (machine, vsock, calls) = (host.machine, host.vsock, host.calls);
            drop(host);
            let host = Host::meet(machine, vsock, calls)?;
            assert_eq!(host.client.start("demo", "")?, pid);
            assert_eq!(host.client.wait("demo", "")?.status, u32::from(EXIT_CODE));
            host.client.shutdown()
        })?;
    }
    Ok(())
}

/// The other methods, on one container that sleeps.
#[test]
fn states_signals_and_further_processes() -> Result<()> {
    let sleeper = Named::shell("sleeper", "echo here; exec sleep 1000");
    let process = json!({ "args": ["/bin/sh", "-c", "echo there; exit 7"], "cwd": "/", "env": ["PATH=/bin"] });
    let (outcome, ()) = drive(None, Style::Listen, std::slice::from_ref(&sleeper), |host| {
        let client = &host.client;
        let pid = client.create("one", &sleeper.path(), "", "")?;
        assert_eq!(client.status("one", "")?, Status::CREATED);
        assert_eq!(client.start("one", "")?, pid);
        assert_eq!(client.status("one", "")?, Status::RUNNING);
        assert_eq!(client.pids("one")?, [pid]);

        let (uri, output) = host.stream()?;
        client.exec("one", "more", &process, &uri)?;
        client.start("one", "more")?;
        assert_eq!(client.wait("one", "more")?.status, 7);
        assert_eq!(client.delete("one", "more")?.status, 7);
        assert_eq!(output.text()?, "there\n");

        assert_fails(client.delete("one", ""), "delete one: task one still runs (FAILED_PRECONDITION)");
        client.kill("one", "", SIGKILL)?;
        assert_eq!(client.wait("one", "")?.status, 128 + SIGKILL);
        assert_eq!(client.status("one", "")?, Status::STOPPED);
        assert_eq!(client.delete("one", "")?.status, 128 + SIGKILL);
        assert_fails(client.status("one", ""), "state one: no task one (NOT_FOUND)");

        // One that is never started.
        client.create("two", &sleeper.path(), "", "")?;
        assert_fails(
            client.create("two", &sleeper.path(), "", ""),
            "create two: task two is there already (ALREADY_EXISTS)",
        );
        assert_eq!(client.delete("two", "")?.status, 128 + SIGKILL);
        client.shutdown()
    })?;
    assert!(!outcome.timed_out, "{}", outcome.evidence());
    Ok(())
}

/// The whole of a failure's message.
fn assert_fails<T: std::fmt::Debug>(answer: Result<T>, message: &str) {
    let error = answer.expect_err(message);
    assert_eq!(format!("{error:#}"), message);
}

/// A plan gets the lines for modules it lacks; what they need comes first, and is in the initramfs.
#[test]
fn modules_come_with_what_they_need() -> Result<()> {
    let modules = vsock::modules(Some(&kernel::modules(None)?))?;
    let mut guest = parts().guest(&demo_plan(), &Bundle::default(), None)?;
    guest.load(&modules)?;
    let names: Vec<&str> = modules.iter().filter_map(|module| module.path.rsplit('/').next()).collect();
    let place = |name| names.iter().position(|found| *found == name);
    for (first, then) in [
        ("virtio.ko", "virtio_mmio.ko"),
        ("virtio_ring.ko", "virtio_mmio.ko"),
        ("vsock.ko", "vmw_vsock_virtio_transport_common.ko"),
        ("vmw_vsock_virtio_transport_common.ko", "vmw_vsock_virtio_transport.ko"),
    ] {
        assert!(place(first).is_some() && place(first) < place(then), "{first}, {then}: {names:?}");
    }
    assert!(modules.iter().all(|module| guest.initramfs.contains(&module.path)), "{names:?}");
    Ok(())
}
