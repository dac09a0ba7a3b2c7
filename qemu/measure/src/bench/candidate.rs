//! Who takes part: moveroot, the floor under it, and what a team would write or take instead.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How crun comes into the new root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carry {
    Copy,
    Bind,
}

impl Carry {
    pub const BOTH: [Carry; 2] = [Carry::Copy, Carry::Bind];
}

impl fmt::Display for Carry {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(match self {
            Carry::Copy => "copy",
            Carry::Bind => "bind",
        })
    }
}

/// What the init is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Moveroot,
    /// moveroot with this plan alone in it: the feature `fixed-plan`.
    Fixed,
    /// moveroot as another checkout has it.
    Other,
    /// moveroot's system calls, and nothing else.
    Floor,
    /// C, static with musl.
    C,
    Go,
    /// A script with switch_root.
    Busybox,
    /// A script with run-init.
    Klibc,
}

impl Kind {
    pub const ALL: [Kind; 8] =
        [Kind::Moveroot, Kind::Fixed, Kind::Other, Kind::Floor, Kind::C, Kind::Go, Kind::Busybox, Kind::Klibc];
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(match self {
            Kind::Moveroot => "moveroot",
            Kind::Fixed => "fixed plan",
            Kind::Other => "moveroot of --against",
            Kind::Floor => "floor",
            Kind::C => "C, musl",
            Kind::Go => "Go",
            Kind::Busybox => "busybox",
            Kind::Klibc => "klibc",
        })
    }
}

/// An init and the way it carries; its name in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Candidate {
    pub kind: Kind,
    pub carry: Carry,
}

impl Candidate {
    pub const COPY: Candidate = Candidate { kind: Kind::Moveroot, carry: Carry::Copy };

    /// All of them.
    pub fn all() -> impl Iterator<Item = Candidate> {
        Carry::BOTH.into_iter().flat_map(|carry| Kind::ALL.map(|kind| Candidate { kind, carry }))
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}, {}", self.kind, self.carry)
    }
}

impl From<Candidate> for String {
    fn from(who: Candidate) -> String {
        who.to_string()
    }
}

impl TryFrom<String> for Candidate {
    type Error = String;

    fn try_from(name: String) -> Result<Candidate, String> {
        Candidate::all().find(|who| who.to_string() == name).ok_or(format!("no candidate is called {name}"))
    }
}
