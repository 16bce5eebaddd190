/* The hosted console: standard input and output, or a pseudo-terminal. */
#include "kernel/hosted/hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "kernel/platform.h"

#define WRITE_WAIT_MS 100 /* a reader that takes nothing for so long loses output */

static int in = STDIN_FILENO, out = STDOUT_FILENO;
static bool raw;
static struct termios saved;

static bool open_pty(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0)
		return false;
	unlink(hosted.pty);
	if (symlink(ptsname(fd), hosted.pty) < 0)
		return false;
	in = out = fd;
	return true;
}

static void set_raw(void)
{
	struct termios t;

	if (!isatty(in) || tcgetattr(in, &saved) < 0)
		return;
	t = saved;
	cfmakeraw(&t);
	raw = tcsetattr(in, TCSANOW, &t) == 0;
}

bool hosted_console_open(void)
{
	if (hosted.pty && !open_pty())
		return false;
	if (!hosted.pty) {
		set_raw();
		atexit(hosted_console_close);
	}
	return true;
}

void hosted_console_close(void)
{
	if (raw)
		tcsetattr(in, TCSANOW, &saved);
	if (hosted.pty)
		unlink(hosted.pty);
	raw = false;
}

int platform_console_getc(void)
{
	struct pollfd p = {.fd = in, .events = POLLIN};
	uint8_t c;

	if (poll(&p, 1, 0) <= 0)
		return -1;
	ssize_t n = read(in, &c, 1);

	if (n == 1)
		return c;
	/* A pseudo-terminal whose other end nobody has open may be opened again. */
	if (hosted.pty || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return -1;
	return PLATFORM_CONSOLE_END;
}

void platform_console_write(const char *s, size_t n)
{
	while (n) {
		struct pollfd p = {.fd = out, .events = POLLOUT};
		ssize_t w;

		if (poll(&p, 1, WRITE_WAIT_MS) <= 0)
			return;
		w = write(out, s, n);
		if (w < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (w > 0) {
			s += w;
			n -= (size_t)w;
		}
	}
}

/* The kernel below has queues of its own. */
size_t platform_console_room(void)
{
	return SIZE_MAX;
}

void platform_console_poll(void)
{
}

void platform_console_flush(void)
{
}
