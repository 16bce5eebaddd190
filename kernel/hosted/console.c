/*
 * The hosted console: standard input and output, a pseudo-terminal, or a UNIX socket.
 *
 * The socket serves one connection at a time, others wait. What is said while
 * there is none is lost to it; but all of it goes to standard output too, for a log.
 */
#include "kernel/hosted/hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "kernel/platform.h"

#define WRITE_WAIT_MS 100 /* a reader that takes nothing for so long loses output */

static int in = STDIN_FILENO, out = STDOUT_FILENO; /* of a socket: the connection, or -1 */
static int listener = -1;
static bool raw;
static struct termios saved;

/* ---- opening ---- */

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

static bool open_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat left;

	if (strlen(hosted.console_path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(address.sun_path, hosted.console_path);
	if (stat(hosted.console_path, &left) == 0 && S_ISSOCK(left.st_mode))
		unlink(hosted.console_path); /* what an earlier run left */
	in = out = -1;
	signal(SIGPIPE, SIG_IGN); /* a reader that goes is found out by the next read */
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 &&
	       listen(listener, 4) == 0;
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
	if (hosted.console_path)
		return open_socket();
	if (hosted.pty)
		return open_pty();
	set_raw();
	atexit(hosted_console_close);
	return true;
}

void hosted_console_close(void)
{
	if (raw)
		tcsetattr(in, TCSANOW, &saved);
	if (hosted.pty)
		unlink(hosted.pty);
	if (listener >= 0)
		unlink(hosted.console_path);
	raw = false;
}

/* ---- use ---- */

/* The connection has ended: the next one may come. */
static void hang_up(void)
{
	close(in);
	in = out = -1;
}

int platform_console_getc(void)
{
	uint8_t c;

	if (in < 0)
		in = out = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct pollfd p = {.fd = in, .events = POLLIN};

	if (in < 0 || poll(&p, 1, 0) <= 0)
		return -1;
	ssize_t n = read(in, &c, 1);

	if (n == 1)
		return c;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return -1;
	if (listener >= 0)
		hang_up();
	/* A pseudo-terminal whose other end nobody has open may be opened again. */
	return hosted.pty || listener >= 0 ? -1 : PLATFORM_CONSOLE_END;
}

/* false: the reader has gone. */
static bool write_all(int fd, const char *s, size_t n)
{
	while (n) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		ssize_t w;

		if (poll(&p, 1, WRITE_WAIT_MS) <= 0)
			return true;
		w = write(fd, s, n);
		if (w < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		if (w > 0) {
			s += w;
			n -= (size_t)w;
		}
	}
	return true;
}

void platform_console_write(const char *s, size_t n)
{
	if (listener >= 0)
		(void)write_all(STDOUT_FILENO, s, n);
	if (out >= 0 && !write_all(out, s, n) && listener >= 0)
		hang_up();
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
