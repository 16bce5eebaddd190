/* What the C library asks of a system, beyond memory (memory.c): there are no files and no
 * processes. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/platform.h"

static int no_file(void)
{
	errno = EBADF;
	return -1;
}

/* Standard output and error are the console. */
int write(int fd, const void *data, size_t n)
{
	if (fd != STDOUT_FILENO && fd != STDERR_FILENO)
		return no_file();
	platform_console_write(data, n);
	return (int)n;
}

int read(int fd, void *data, size_t n)
{
	return no_file();
}

int close(int fd)
{
	return no_file();
}

off_t lseek(int fd, off_t offset, int whence)
{
	return no_file();
}

int fstat(int fd, struct stat *s)
{
	return no_file();
}

int isatty(int fd)
{
	errno = ENOTTY;
	return 0;
}

pid_t getpid(void)
{
	return 1;
}

/* By abort and assert. */
int kill(pid_t pid, int signal)
{
	platform_panic("the C library raised signal %d", signal);
}

void _exit(int status)
{
	platform_panic("the C library called _exit(%d)", status);
}
