/*
 * The hosted console: standard input and output, a pseudo-terminal, or a UNIX socket.
 *
 * The socket serves one connection at a time, others wait. What is said while
 * there is none is lost to it; but all of it goes to standard output too, for a log.
 */
#include "kernel/hosted/hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

#define WRITE_WAIT_MS 1000 /* a reader of a full queue that takes nothing for so long loses it */
#define QUEUE         (2u * PLATFORM_CONSOLE_ROOM)

static int in = STDIN_FILENO, out = STDOUT_FILENO; /* of a socket: the connection, or -1 */
static int listener = -1;
static char queue[QUEUE];
static size_t queued, sent; /* bytes ever */
static bool raw, gone;
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
	platform_console_flush();
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
	sent = queued;
	gone = true;
}

int platform_console_getc(void)
{
	uint8_t c;

	if (gone) {
		gone = false;
		return PLATFORM_CONSOLE_GONE;
	}
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

/* ---- output: a queue, because a reader may stand still for a while ---- */

/* Writes what the reader takes now, at most n. -1: it has gone. */
static ssize_t write_some(int fd, const char *s, size_t n)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	ssize_t w;

	if (poll(&p, 1, 0) <= 0)
		return 0;
	w = write(fd, s, n < PIPE_BUF ? n : PIPE_BUF); /* so much never waits then */
	return w < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : w;
}

void platform_console_poll(void)
{
	while (queued != sent) {
		size_t at = sent % QUEUE, n = QUEUE - at;
		ssize_t w = write_some(out, queue + at, n < queued - sent ? n : queued - sent);

		if (w == 0)
			return;
		if (w < 0 && listener >= 0)
			hang_up();
		if (w < 0)
			sent = queued;
		else
			sent += (size_t)w;
	}
}

size_t platform_console_room(void)
{
	return QUEUE - (queued - sent);
}

/* Waits until there is room for a byte, or all has gone; the reader may take a while for each. */
static void wait_for_reader(bool all)
{
	struct pollfd p = {.fd = out, .events = POLLOUT};

	do {
		platform_console_poll();
		if (queued == sent || (!all && platform_console_room()))
			return;
	} while (poll(&p, 1, WRITE_WAIT_MS) > 0);
	sent = queued; /* it takes nothing: what it did not take is lost */
}

void platform_console_flush(void)
{
	wait_for_reader(true);
}

void platform_console_booted(void)
{
}

/* The log of a console on a socket. */
static void write_log(const char *s, size_t n)
{
	ssize_t w;

	for (; n && (w = write(STDOUT_FILENO, s, n)) > 0; s += w)
		n -= (size_t)w;
}

void platform_console_write(const char *s, size_t n)
{
	if (listener >= 0)
		write_log(s, n);
	for (; n && out >= 0; n--) {
		if (platform_console_room() == 0)
			wait_for_reader(false);
		queue[queued++ % QUEUE] = *s++;
	}
	if (out >= 0)
		platform_console_poll();
}
