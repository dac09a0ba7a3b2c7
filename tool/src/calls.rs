//! What the arguments of the init's system calls are: syscalls(2).

use crate::tracer::Registers;

/// What an argument is, by the call's man page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Number,
    Text,
    /// Bytes, as many as the argument after it says.
    Bytes,
    Answer,
}

use Sort::{Answer, Bytes, Number, Text};

/// The calls an init may make: name, number, arguments.
pub const CALLS: &[(&str, i64, &[Sort])] = &[
    ("read", libc::SYS_read, &[Number, Answer, Number]),
    ("write", libc::SYS_write, &[Number, Bytes, Number]),
    ("close", libc::SYS_close, &[Number]),
    ("fstat", libc::SYS_fstat, &[Number, Answer]),
    ("sendfile", libc::SYS_sendfile, &[Number, Number, Number, Number]),
    ("getpid", libc::SYS_getpid, &[]),
    ("fcntl", libc::SYS_fcntl, &[Number, Number, Number]),
    ("chdir", libc::SYS_chdir, &[Text]),
    ("fchdir", libc::SYS_fchdir, &[Number]),
    ("chroot", libc::SYS_chroot, &[Text]),
    ("pivot_root", libc::SYS_pivot_root, &[Text, Text]),
    ("statfs", libc::SYS_statfs, &[Text, Answer]),
    ("umount2", libc::SYS_umount2, &[Text, Number]),
    ("mount", libc::SYS_mount, &[Text, Text, Text, Number, Text]),
    ("openat", libc::SYS_openat, &[Number, Text, Number, Number]),
    ("mkdirat", libc::SYS_mkdirat, &[Number, Text, Number]),
    ("lseek", libc::SYS_lseek, &[Number, Number, Number]),
    ("mknodat", libc::SYS_mknodat, &[Number, Text, Number, Number]),
    ("fchmodat", libc::SYS_fchmodat, &[Number, Text, Number]),
    ("unlinkat", libc::SYS_unlinkat, &[Number, Text, Number]),
    ("symlinkat", libc::SYS_symlinkat, &[Text, Number, Text]),
    ("readlinkat", libc::SYS_readlinkat, &[Number, Text, Answer, Number]),
    ("open_tree", libc::SYS_open_tree, &[Number, Text, Number]),
    ("move_mount", libc::SYS_move_mount, &[Number, Text, Number, Text, Number]),
    ("finit_module", libc::SYS_finit_module, &[Number, Text, Number]),
    ("execve", libc::SYS_execve, &[Text]),
    ("faccessat", libc::SYS_faccessat, &[Number, Text, Number]),
    ("openat2", libc::SYS_openat2, &[Number, Text, Bytes, Number]),
    ("getdents64", libc::SYS_getdents64, &[Number, Answer, Number]),
];

/// The addresses among a call's arguments that texts or bytes lie at.
pub fn texts(call: &Registers) -> impl Iterator<Item = u64> {
    let known = CALLS.iter().find(|(_, number, _)| *number == call.number());
    let sorts = known.map_or(&[][..], |(_, _, sorts)| *sorts);
    let arguments = sorts.iter().zip(call.arguments());
    arguments.filter(|(sort, _)| matches!(sort, Text | Bytes)).map(|(_, value)| value)
}
