//! Many containers in one guest, one after the other and at once: nothing is left of them.

use std::thread;

use anyhow::{Context, Result, ensure};
use vm::task::Style;
use vm::task::bundles::Named;
use vm::task::host::Host;
use vm::test::long;

use super::drive;

const ONE_AFTER_THE_OTHER: usize = 100;
const AT_ONCE: usize = 10;

/// Looks at the guest from inside, at the agent's own processes: memory, zombies, processes that are no kernel threads.
const LOOK: &str = r#"
sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo
zombies=0
processes=0
for stat in /proc/[0-9]*/stat; do
    read -r line < $stat || continue
    set -- ${line##*) }
    case $1 in Z) zombies=$((zombies + 1)) ;; esac
    case $2 in 0 | 2) ;; *) processes=$((processes + 1)) ;; esac
done
echo $zombies $processes
"#;

#[derive(Debug)]
struct Guest {
    available_kb: u64,
    zombies: u64,
    processes: u64,
}

fn look(host: &Host, id: &str, bundle: &str) -> Result<Guest> {
    let output = host.run(id, bundle)?.output;
    let mut numbers = output.split_whitespace().map(str::parse);
    let mut next = || numbers.next().context("a figure is missing")?.with_context(|| output.clone());
    Ok(Guest { available_kb: next()?, zombies: next()?, processes: next()? })
}

/// A container that says its number and ends with it.
fn numbered(number: usize) -> Named {
    Named::shell(&format!("n{number}"), &format!("echo {number}; exit {number}"))
}

fn run_numbered(host: &Host, number: usize) -> Result<()> {
    let bundle = numbered(number);
    let ran = host.run(&bundle.name, &bundle.path())?;
    ensure!(ran.exit.status == number as u32, "container {number} ended with {:?}", ran.exit);
    ensure!(ran.output == format!("{number}\n"), "container {number} said {:?}", ran.output);
    Ok(())
}

fn run_all(release: Option<&str>, style: Style, count: usize) -> Result<()> {
    let mut bundles: Vec<Named> = (0..count.max(AT_ONCE)).map(numbered).collect();
    bundles.push(Named::shell("look", LOOK).with_guests_processes());
    let look_at = bundles[bundles.len() - 1].path();
    let (_, (before, after)) = drive(release, style, &bundles, |host| {
        let before = look(&host, "before", &look_at)?;
        (0..count).try_for_each(|number| run_numbered(&host, number))?;
        let host = &host;
        thread::scope(|scope| {
            let runs: Vec<_> = (0..AT_ONCE).map(|number| scope.spawn(move || run_numbered(host, number))).collect();
            runs.into_iter().try_for_each(|run| run.join().expect("no panic"))
        })?;
        let after = look(host, "after", &look_at)?;
        host.client.shutdown()?;
        Ok((before, after))
    })?;
    println!("{count} containers, then {AT_ONCE} at once: before {before:?}, after {after:?}");
    assert_eq!((after.zombies, after.processes), (0, before.processes), "{before:?} {after:?}");
    assert!(after.available_kb * 100 >= before.available_kb * 98, "{before:?} {after:?}");
    Ok(())
}

#[test]
fn leave_nothing_behind() -> Result<()> {
    if !long() {
        eprintln!("2 containers, then {AT_ONCE} at once: {ONE_AFTER_THE_OTHER} take --long");
        return run_all(None, Style::Dial, 2);
    }
    run_all(None, Style::Dial, ONE_AFTER_THE_OTHER)
}

#[test]
fn leave_nothing_behind_on_linux_6_12() -> Result<()> {
    if !long() {
        eprintln!("left out: it takes --long");
        return Ok(());
    }
    run_all(Some("trixie"), Style::Listen, ONE_AFTER_THE_OTHER)
}
