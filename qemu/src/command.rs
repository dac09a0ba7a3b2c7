//! The command line of `cargo vm`: its commands, each with its own options.

use breakage::{fuzz, matrix};
use clap::Parser;
use measure::{bench, profile, size};
use tool::{check, pack, trial};

use crate::{boot, client, containerd, dist, docs, test};

/// Packs, boots and tests moveroot.
#[derive(Parser)]
#[command(bin_name = "cargo vm", version)]
pub enum Command {
    /// Boot a real kernel with moveroot as its init and run a container there.
    Boot(boot::Options),
    /// Run a container by a real containerd, in a VM that moveroot boots.
    Containerd(containerd::Options),
    /// Run a container through an agent that runs already, as its own shim does.
    Task(client::Options),
    /// Run everything CI runs.
    Test(test::Options),
    /// Make a reproducible initramfs.
    Pack(pack::Options),
    /// Name the errors of a boot plan, by itself or against a tree or an image.
    Check(check::Options),
    /// Run init on a tree or an image here, without a VM, and show what its service finds.
    Try(trial::Options),
    /// Measure time, size and memory against peers.
    Bench(bench::Options),
    /// Show where init's bytes go.
    Size(size::Options),
    /// Look for a text that the plan parser is wrong with.
    Fuzz(fuzz::Options),
    /// See where a boot goes: perf in a guest, a timeline, instructions by step.
    Profile(profile::Options),
    /// Boot on each kernel in use, in each scenario that kernels make a difference in.
    Matrix(matrix::Options),
    /// Make what a release has: tarballs, Debian packages, their sums, a bill of materials.
    Dist(dist::Options),
    /// Make docs/ a site that opens without a server or a network.
    Docs(docs::Options),
}
