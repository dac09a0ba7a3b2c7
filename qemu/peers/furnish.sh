#!/bin/sh
# The built-in plan's job up to the carry: how the scripts of busybox and klibc begin. The harness fills in the next two
# lines, and puts the rest behind it.
CARRY=@CARRY@
CONTROLLERS="@CONTROLLERS@"
set -e
quiet=nosuid,nodev,noexec
mkdir -p /newroot
mount -t tmpfs -o size=128m,mode=0755 tmpfs /newroot
mkdir /newroot/proc /newroot/sys /newroot/dev /newroot/run /newroot/etc /newroot/sbin
mount -t proc -o $quiet proc /newroot/proc
mount -t sysfs -o $quiet sysfs /newroot/sys
mount -t cgroup2 -o $quiet cgroup2 /newroot/sys/fs/cgroup
mount -t devtmpfs -o nosuid,noexec devtmpfs /newroot/dev
mount -t tmpfs -o $quiet,size=64m,mode=0755 tmpfs /newroot/run
[ -L /newroot/dev/fd ] || ln -s /proc/self/fd /newroot/dev/fd
[ -z "$CONTROLLERS" ] || echo "$CONTROLLERS" >/newroot/sys/fs/cgroup/cgroup.subtree_control
