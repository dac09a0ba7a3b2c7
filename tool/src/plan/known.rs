//! Words that the kernel knows, and the parser takes as any other.

const TMPFS: &str = "size= nr_blocks= nr_inodes= mode= uid= gid= huge= mpol= inode32 inode64 noswap quota usrquota \
    grpquota usrquota_block_hardlimit= usrquota_inode_hardlimit= grpquota_block_hardlimit= grpquota_inode_hardlimit= \
    casefold casefold= strict_encoding";

const CGROUP2: &str = "nsdelegate favordynmods nofavordynmods memory_localevents memory_recursiveprot \
    memory_hugetlb_accounting pids_localevents";

/// Filesystems whose options are few enough to be known: their fs_parameter_spec tables in Linux 6.18. One with `=`
/// needs a value.
const FILESYSTEMS: [(&str, &str); 12] = [
    ("tmpfs", TMPFS),
    ("devtmpfs", TMPFS),
    ("ramfs", "mode="),
    ("proc", "gid= hidepid= subset="),
    ("sysfs", ""),
    ("cgroup2", CGROUP2),
    ("devpts", "uid= gid= mode= ptmxmode= newinstance max="),
    ("mqueue", ""),
    ("securityfs", ""),
    ("debugfs", "uid= gid= mode= source="),
    ("tracefs", "uid= gid= mode="),
    ("configfs", ""),
];

/// Filesystems with more options than are known here.
const OTHERS: &str = "ext2 ext3 ext4 xfs btrfs f2fs erofs squashfs iso9660 udf vfat exfat ntfs3 overlay virtiofs 9p nfs \
    nfs4 fuse fuseblk cgroup bpf hugetlbfs efivarfs binfmt_misc none";

/// cgroup v2's: cgroup_subsys.h.
const CONTROLLERS: &str = "cpu cpuset io memory pids hugetlb rdma misc dmem perf_event freezer";

pub fn flags() -> impl Iterator<Item = &'static str> {
    language::names(&language::FLAGS)
}

pub fn controllers() -> impl Iterator<Item = &'static str> {
    CONTROLLERS.split(' ')
}

/// What a controller of v1 is called in v2.
pub fn of_v1(name: &str) -> Option<&'static str> {
    match name {
        "blkio" => Some("io"),
        "cpuacct" => Some("cpu"),
        _ => None,
    }
}

pub fn filesystems() -> impl Iterator<Item = &'static str> {
    FILESYSTEMS.iter().map(|(name, _)| *name).chain(OTHERS.split(' '))
}

/// A filesystem's own options, where they are known.
pub fn options(filesystem: &str) -> Option<&'static str> {
    FILESYSTEMS.iter().find(|(name, _)| *name == filesystem).map(|(_, own)| *own)
}
