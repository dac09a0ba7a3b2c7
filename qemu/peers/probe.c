/* The service that every candidate becomes: reads the clock with its first instructions, then tells what it found.
   One line a fact, "probe: NAME VALUE"; the harness judges. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* The kernel's entry: clock_gettime(CLOCK_MONOTONIC, &entered), then the C library's own entry. */
__attribute__((used, visibility("hidden"))) struct timespec entered;
__asm__(".globl enter\n"
        "enter: mov $228, %eax\n"
        "mov $1, %edi\n"
        "lea entered(%rip), %rsi\n"
        "syscall\n"
        "xor %edx, %edx\n"
        "jmp _start\n");

static char text[1 << 20];

static char *content(const char *path)
{
	int file = open(path, O_RDONLY);
	ssize_t length = 0, part;

	while (file >= 0 && (part = read(file, text + length, sizeof text - 1 - length)) > 0)
		length += part;
	close(file);
	text[length] = 0;
	return text;
}

/* The lines of what was read, each with a name of ours before it. */
static void tell(const char *name, char *lines)
{
	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"))
		printf("probe: %s %s\n", name, line);
}

/* FNV-1a, 64 bits. */
static void tell_file(const char *path)
{
	unsigned long long hash = 0xcbf29ce484222325, size = 0;
	struct stat status;
	ssize_t length;
	int file = open(path, O_RDONLY);

	if (file < 0 || fstat(file, &status)) {
		printf("probe: crun missing\n");
		return;
	}
	while ((length = read(file, text, sizeof text)) > 0)
		for (ssize_t at = 0; at < length; at++, size++)
			hash = (hash ^ (unsigned char)text[at]) * 0x100000001b3;
	close(file);
	printf("probe: crun %llu %o %u:%u %016llx\n", size, status.st_mode & 07777, status.st_uid, status.st_gid, hash);
}

/* Pages that a file of one byte takes of the root. */
static void tell_one_byte(void)
{
	struct statfs before, after;
	int file;

	statfs("/", &before);
	file = open("/one", O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (file < 0 || write(file, "1", 1) != 1)
		return;
	statfs("/", &after);
	printf("probe: byte %ld\n", (long)(before.f_bfree - after.f_bfree));
	close(file);
	unlink("/one");
}

/* When the kernel says it ran init: microseconds in its log. */
static void tell_init(void)
{
	static char record[8192];
	unsigned long long microseconds;
	ssize_t length;
	int log;

	mknod("/kmsg", S_IFCHR | 0600, makedev(1, 11));
	log = open("/kmsg", O_RDONLY | O_NONBLOCK);
	unlink("/kmsg");
	while ((length = read(log, record, sizeof record - 1)) > 0 || (length < 0 && errno == EPIPE)) {
		record[length > 0 ? length : 0] = 0;
		if (strstr(record, ";Run /") && sscanf(record, "%*u,%*u,%llu", &microseconds) == 1)
			printf("probe: init %llu\n", microseconds * 1000);
	}
	close(log);
}

int main(void)
{
	struct stat root, proc;
	int in_vm = getenv("agent_exit") != NULL;
	char *memory;

	/* A plan that was cut short has mounted no proc. */
	if (stat("/", &root) || stat("/proc", &proc) || root.st_dev == proc.st_dev) {
		mkdir("/proc", 0755);
		mount("proc", "/proc", "proc", 0, NULL);
	}
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	memory = content("/proc/meminfo");
	printf("probe: service %lld\n", entered.tv_sec * 1000000000ll + entered.tv_nsec);
	fflush(stdout);
	tell("memory", memory);
	printf("probe: pid %d\n", getpid());
	tell("mount", content("/proc/self/mountinfo"));
	tell("controllers", content("/sys/fs/cgroup/cgroup.subtree_control"));
	tell_file("/sbin/crun");
	tell_one_byte();
	if (in_vm)
		tell_init();
	printf("probe: end\n");
	fflush(stdout);
	if (in_vm && ioperm(0xf4, 1, 1) == 0) {
		outb(0, 0xf4);
		reboot(RB_POWER_OFF);
	}
	return 0;
}
