//! The mistakes: what is planned, which command finds it, what it says.

const AGENT: &str = "pack --file /sbin/agent=agent";
const BOTH: &str = "pack --file /sbin/agent=agent --file /big=big";

/// The steps between `root size=256k` and `exec /sbin/agent` of the plan `p`; the command; what its line begins with. A
/// line that ends with three dots has a list in it, of this machine's libraries.
pub const MISTAKES: [(&str, &str, &str); 47] = [
    // Nothing there.
    (
        "copy /sbin/crun\nbind /sbin/agent",
        AGENT,
        "p:2:6: copy /sbin/crun: not in the initramfs: put it there, or leave the step out",
    ),
    (
        "copy /sbin/crun\nbind /sbin/agent",
        "pack --file /sbin/agent=agent --file /usr/bin/crun=agent",
        "p:2:6: copy /sbin/crun: not in the initramfs; there is /usr/bin/crun",
    ),
    (
        "bind /bundle\nbind /sbin/agent",
        AGENT,
        "p:2:6: bind /bundle: not in the initramfs: put it there, or leave the step out",
    ),
    (
        "bind /sbin/agent\nmodule /lib/virtio_blk.ko a=b c",
        AGENT,
        "p:3:8: module /lib/virtio_blk.ko: not in the initramfs: put it there, or leave the step out",
    ),
    (
        "dir /sbin",
        AGENT,
        "p:3:6: exec /sbin/agent: not in the new root: it is in the initramfs; carry it by `bind /sbin/agent`",
    ),
    (
        "dir /sbin",
        "pack",
        "p:3:6: exec /sbin/agent: not in the new root, nor in the initramfs: put it there, and carry it by `bind /sbin/agent`",
    ),
    (
        "dir /sbin/agent\nbind /usr",
        "check p --root linked",
        "p:4:6: exec /sbin/agent: a directory: name the program in it",
    ),
    (
        "bind /sbin",
        "check p --root linked",
        "p:3:6: exec /sbin/agent: not in the new root: a symlink to ../usr/bin/agent: carry that by `bind /usr/bin/agent`",
    ),
    (
        "bind /sbin/agent",
        "check p --root dangling",
        "p:2:6: bind /sbin/agent: not in the initramfs; there is a symlink to ../usr/bin/agnet: put that there",
    ),
    // Programs that are none, or not for this.
    (
        "bind /sbin/agent",
        "pack --file /sbin/agent=foreign",
        "p:3:6: /sbin/agent is for another architecture: aarch64, and init for x86-64: pack what is built for x86-64",
    ),
    (
        "bind /sbin\nbind /usr/bin/crun",
        "pack --file /sbin/agent=agent --file /usr/bin/crun=foreign",
        "p:3:6: /usr/bin/crun is for another architecture: aarch64, and init for x86-64: pack what is built for x86-64",
    ),
    (
        "bind /sbin/agent",
        "pack --file /sbin/agent=plain",
        "p:3:6: /sbin/agent is no executable: it is neither ELF nor a script: a script begins with #!/",
    ),
    (
        "bind /sbin/agent",
        "pack --file /sbin/agent=empty",
        "p:3:6: /sbin/agent is no executable: it is empty: build it again",
    ),
    (
        "bind /sbin/agent",
        "pack --file /sbin/agent=closed",
        "p:3:6: /sbin/agent is no executable: its mode is 0644: say `chmod 0755`",
    ),
    (
        "bind /sbin/agent\nbind /bin/crun",
        "pack --file /sbin/agent=agent --file /bin/crun=page",
        "p:3:6: /bin/crun is no executable: it is HTML or XML: download it again",
    ),
    (
        "bind /sbin/agent",
        "pack --file /sbin/agent=agent.gz",
        "p:3:6: /sbin/agent is no executable: it is compressed by gzip: decompress it",
    ),
    (
        "bind /sbin/agent",
        "pack --file /sbin/agent=agent.exe",
        "p:3:6: /sbin/agent is no executable: it is a program for Windows: build it for Linux",
    ),
    // Scripts and libraries.
    (
        "bind /sbin/agent",
        "pack --file /sbin/agent=script",
        "p:3:6: /sbin/agent is a script whose interpreter /bin/sh is missing: put it there, and carry it by `bind /bin/sh`",
    ),
    (
        "bind /sbin/agent",
        "pack --file /sbin/agent=script --file /bin/sh=agent",
        "p:3:6: /sbin/agent is a script whose interpreter /bin/sh is not in the new root: carry it by `bind /bin/sh`",
    ),
    (
        "bind /sbin/agent\nbind /bin/sh",
        "pack --file /sbin/agent=crlf --file /bin/sh=agent",
        "p:4:6: /sbin/agent is a script whose interpreter /bin/sh\\r is missing: its lines end with \\r\\n: let them end with \\n",
    ),
    (
        "bind /sbin/agent",
        "pack --no-libs --file /sbin/agent=dynamic",
        "p:3:6: /sbin/agent needs what is not in the initramfs: …: put it there, or link statically",
    ),
    ("bind /sbin/agent", "pack --file /sbin/agent=dynamic", "p:3:6: /sbin/agent needs what no step carries: /lib…"),
    ("bind /sbin/agent", "pack --file /sbin/agent=dynamic", "add before line 3, or let --carry-libs do it:"),
    // Mounts and their room.
    (
        "mount t /sbin tmpfs nosuid,noexec\ncopy /sbin/agent",
        AGENT,
        "p:4:6: exec /sbin/agent: line 2 mounts it noexec: leave noexec out there, or carry it elsewhere",
    ),
    (
        "bind /sbin/agent\nmount none /sbin/agent none remount,bind,noexec",
        AGENT,
        "p:4:6: exec /sbin/agent: line 3 mounts it noexec: leave noexec out there, or carry it elsewhere",
    ),
    (
        "mount /dev/vda /sbin ext4 ro,noexec",
        AGENT,
        "p:3:6: exec /sbin/agent: line 2 mounts it noexec: leave noexec out there, or carry it elsewhere",
    ),
    (
        "bind /sbin/agent\nmount t /sbin tmpfs",
        "check p",
        "p:4:6: exec /sbin/agent: not in the new root: a later step covers it: carry it after that one",
    ),
    (
        "bind /sbin/agent\ncopy /big",
        BOTH,
        "p:3:6: copy /big: with it 303104 bytes are carried into /, whose size= lets in 262144: write a larger one, or bind, which takes no room",
    ),
    (
        "bind /sbin/agent\nmount t /run tmpfs size=4k\ncopy /big /run/big",
        BOTH,
        "p:4:6: copy /big: with it 303104 bytes are carried into /run, whose size= lets in 4096: write a larger one, or bind, which takes no room",
    ),
    // Steps that do not fit what is there.
    (
        "bind /sbin/agent\ncopy /directory",
        "pack --file /sbin/agent=agent --file /directory=directory",
        "p:3:6: copy /directory: a directory, no file: bind takes directories, copy doesn't",
    ),
    (
        "bind /sbin/agent\ncopy /a /b\ncopy /a /c",
        "pack --file /sbin/agent=agent --file /a=plain",
        "p:4:6: copy /a: line 3 has taken it away: copy unlinks the original: write bind there",
    ),
    (
        "dir /etc/a\nbind /sbin/agent\nbind /a /etc/a",
        "pack --file /sbin/agent=agent --file /a=plain",
        "p:4:9: bind on /etc/a: a directory, and /a is none: name the file, too",
    ),
    (
        "bind /sbin/agent\nlink agent /sbin/agent",
        AGENT,
        "p:3:12: /sbin/agent: there is something else already: link another path",
    ),
    (
        "bind /sbin/agent\nwrite /etc/hostname guest",
        AGENT,
        "p:3:7: /etc/hostname: no step makes this file, and write makes none: carry one by copy, or mount what has it",
    ),
    (
        "bind /sbin/agent\ncontrollers memory",
        AGENT,
        "p:3:1: controllers: before it cgroup2 must be mounted: mount cgroup2 /sys/fs/cgroup cgroup2 nosuid,nodev,noexec",
    ),
    (
        "bind /sbin/agent\nmodule /a.ko.xz",
        "pack --file /sbin/agent=agent --file /a.ko.xz=plain",
        "p:3:8: module /a.ko.xz: not compressed, though its name says so: let it end with .ko",
    ),
    (
        "bind /sbin/agent\nmodule /a.ko",
        "pack --file /sbin/agent=agent --file /a.ko=agent.gz",
        "p:3:8: module /a.ko: compressed by gzip, though its name does not say so: decompress it",
    ),
    // What the kernel makes of an image, or not.
    (
        "bind /sbin/agent",
        "check p --initramfs late",
        "late: warning: the kernel leaves out /sbin/agent: its directory /sbin is not in the archive before it: list that first",
    ),
    (
        "bind /sbin/agent",
        "check p --initramfs late",
        "late: warning: there is no /init for the kernel to start: put moveroot's there, with mode 0755",
    ),
    (
        "bind /sbin/agent",
        "check p --initramfs odd",
        "vm: odd, … bytes: something begins at byte …, no multiple of 4: the kernel refuses it and all that follows, \"invalid magic at start of compressed archive\": pad what comes before it with zeros",
    ),
    (
        "bind /sbin/agent",
        "check p --initramfs crc64",
        "vm: crc64, 8 bytes: compressed by xz, with a check that the kernel does not have: say `xz --check=crc32`",
    ),
    (
        "bind /sbin/agent",
        "check p --initramfs frame",
        "vm: frame, 5 bytes: compressed by lz4 in its newer frame, which the kernel does not know, which is not read here: unpack it first, or say `lz4 -l`",
    ),
    (
        "bind /sbin/agent",
        "check p --initramfs comment",
        "vm: comment, 4 bytes: compressed by gzip, with more in its header than a name, which the kernel cannot skip: say `gzip -n`",
    ),
    (
        "bind /sbin/agent",
        "check p --initramfs odc",
        "vm: odc, 9 bytes: neither a newc cpio archive nor compressed: it is a cpio archive in the old form odc: the kernel takes newc, `cpio --format=newc`",
    ),
    (
        "bind /sbin/agent",
        "check p --initramfs linked",
        "vm: linked is a directory, and --initramfs is for images: say --root",
    ),
    (
        "bind /sbin/agent",
        "check p --root closed-init",
        "closed-init: the kernel could not start it: /init is no executable: its mode is 0644: say `chmod 0755`",
    ),
    (
        "bind /sbin/agent",
        "check p --root script-init",
        "script-init: the kernel could not start it: /init is a script whose interpreter /bin/sh is missing: put it there",
    ),
];
