//! The integration tests, one binary.
//!
//! | module | runs | needs |
//! |---|---|---|
//! | `plan` | the plan language's own code | nothing |
//! | `pack`, `modules`, `check`, `trial`, `boot` | the commands themselves | cpio, bsdcpio, lsinitramfs, user namespaces, root |
//! | `tool` | the program `moveroot`, outside of the tree | bash, mandoc, user namespaces |
//! | `early` | commands that cannot work | nothing |
//! | `elf`, `reproducible`, `tidy` | the build and the tree | cargo |
//! | `dist` | the packages of a release | dpkg-deb, strip; for its long form what QEMU tests need, too |
//! | `docs` | what docs/ says against the tables and the runs it speaks of | mandoc, root |
//! | `bad_plans` | the plan language's code and the real init on texts that nobody would write | root |
//! | `namespaces` | the real init as PID 1 of new namespaces | root |
//! | `vsock` | who serves a guest's vsock, and the bridge over Unix sockets | QEMU |
//! | `vm` | the real init under a real kernel | QEMU, root for `vm::containerd` |

mod bad_plans;
mod boot;
mod check;
mod dist;
mod docs;
mod early;
mod elf;
mod modules;
mod namespaces;
mod pack;
mod plan;
mod reproducible;
mod tidy;
mod tool;
mod trial;
mod vm;
mod vsock;
