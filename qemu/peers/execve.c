/* Executes /init as a kernel does: from a process that has next to no memory, which the kernel would have to free first.
   Descriptor 0 is a socket: with an argument, it asks there for the caches to be taken before; there it says when it executes init. */
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments)
{
	char *words[] = {"/init", NULL}, *variables[] = {"HOME=/", "TERM=linux", NULL}, answer;
	struct timespec now;

	(void)arguments;
	if (count > 1 && (write(0, "!", 1) != 1 || read(0, &answer, 1) != 1))
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (write(0, &now, sizeof now) == sizeof now && dup2(1, 0) == 0)
		execve(words[0], words, variables);
	return 1;
}
