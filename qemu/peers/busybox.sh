# What follows furnish.sh where busybox's programs run.
if [ $CARRY = bind ]; then
	: >/newroot/sbin/crun
	mount -o bind /sbin/crun /newroot/sbin/crun
else
	cp -p /sbin/crun /newroot/sbin/crun
	rm /sbin/crun
fi
: >/newroot/sbin/agent
mount -o bind /sbin/agent /newroot/sbin/agent
exec switch_root /newroot /sbin/agent "$@"
