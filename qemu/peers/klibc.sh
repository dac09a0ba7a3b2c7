#!/bin/sh
# The built-in plan's job with klibc's programs. The harness fills in the next two lines.
# run-init wipes the old root, so nothing is removed here. klibc has no cp and no chmod: an archive of an empty crun
# brings the mode, and cat fills it.
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
if [ $CARRY = bind ]; then
	: >/newroot/sbin/crun
	mount -o bind /sbin/crun /newroot/sbin/crun
else
	cd /newroot
	cpio -i </crun.cpio
	cat /sbin/crun >sbin/crun
	cd /
fi
: >/newroot/sbin/agent
mount -o bind /sbin/agent /newroot/sbin/agent
# Keeps the output it has, where run-init would open /dev/console.
exec run-init -c /dev/fd/1 /newroot /sbin/agent "$@"
