// The built-in plan's job as a team would write it in Go: a new root at /newroot, furnished, moved over the old one.
// -X main.bind=yes binds crun instead of copying it; -X main.controllers="+cpu +memory" enables controllers.
package main

import (
	"io"
	"log"
	"os"
	"runtime"
	"syscall"
)

var bind, controllers string

const quiet = syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC

var mounts = []struct {
	kind, path, options string
	flags               uintptr
}{
	{"tmpfs", "/newroot", "size=128m,mode=0755", 0},
	{"proc", "/newroot/proc", "", quiet},
	{"sysfs", "/newroot/sys", "", quiet},
	{"cgroup2", "/newroot/sys/fs/cgroup", "", quiet},
	{"devtmpfs", "/newroot/dev", "", syscall.MS_NOSUID | syscall.MS_NOEXEC},
	{"tmpfs", "/newroot/run", "size=64m,mode=0755", quiet},
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func bindFile(from, to string) {
	file, err := os.Create(to)
	must(err)
	file.Close()
	must(syscall.Mount(from, to, "", syscall.MS_BIND, ""))
}

func moveFile(from, to string) {
	in, err := os.Open(from)
	must(err)
	status, err := in.Stat()
	must(err)
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, status.Mode())
	must(err)
	_, err = io.Copy(out, in)
	must(err)
	in.Close()
	must(out.Close())
	must(os.Remove(from))
}

func main() {
	runtime.LockOSThread()
	for _, m := range mounts {
		must(os.MkdirAll(m.path, 0755))
		must(syscall.Mount(m.kind, m.path, m.kind, m.flags, m.options))
	}
	if err := os.Symlink("/proc/self/fd", "/newroot/dev/fd"); !os.IsExist(err) {
		must(err)
	}
	must(os.Mkdir("/newroot/etc", 0755))
	must(os.Mkdir("/newroot/sbin", 0755))
	if controllers != "" {
		must(os.WriteFile("/newroot/sys/fs/cgroup/cgroup.subtree_control", []byte(controllers), 0))
	}
	if bind != "" {
		bindFile("/sbin/crun", "/newroot/sbin/crun")
	} else {
		moveFile("/sbin/crun", "/newroot/sbin/crun")
	}
	bindFile("/sbin/agent", "/newroot/sbin/agent")
	must(os.Chdir("/newroot"))
	must(syscall.Mount(".", "/", "", syscall.MS_MOVE, ""))
	must(syscall.Chroot("."))
	must(os.Chdir("/"))
	words := append([]string{"/sbin/agent"}, os.Args[1:]...)
	must(syscall.Exec(words[0], words, os.Environ()))
}
