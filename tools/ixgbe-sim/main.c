/* ixgbe-sim: a model of Intel's 10 GbE controllers, as a PCI function for virtual machines. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tools/ixgbe-sim/options.h"
#include "tools/ixgbe-sim/port.h"

/*
 * How long to sleep while nothing comes. The model's timers (interrupts held back, the link) are
 * looked at in between: often while there is traffic, seldom after.
 */
#define AWAKE_NS    100000u
#define ASLEEP_NS   5000000u
#define AWAKE_TURNS 50u

/* What is watched: a kind in the lowest bits, above it the port's number. */
enum watched { WATCHED_LISTENER, WATCHED_MACHINE, WATCHED_TAP, WATCHED_CONTROL, WATCHED_KINDS };

static volatile sig_atomic_t ended;
static struct port port[PORTS_MAX];
static unsigned ports;
static int poller, control = -1;

static void on_signal(int number)
{
	ended = 1;
}

static bool watch(int fd, enum watched kind, unsigned number)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = number * WATCHED_KINDS + kind};

	return epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* ---- orders ---- */

static const char *obey(const char *order)
{
	char verb[8], state[8] = "";
	unsigned n;
	int words = sscanf(order, "%7s %u %7s", verb, &n, state);

	if (words < 2 || n >= ports)
		return "error: link PORT up | link PORT down | remove PORT";
	if (words == 2 && strcmp(verb, "remove") == 0)
		port_remove(&port[n]);
	else if (strcmp(verb, "link") == 0 && strcmp(state, "up") == 0)
		port_set_cable(&port[n], true);
	else if (strcmp(verb, "link") == 0 && strcmp(state, "down") == 0)
		port_set_cable(&port[n], false);
	else
		return "error: no such order";
	return "ok";
}

static void take_order(void)
{
	struct sockaddr_un from;
	socklen_t bytes = sizeof from;
	char order[64];
	ssize_t n = recvfrom(
		control, order, sizeof order - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &bytes);

	if (n < 0)
		return;
	order[n] = '\0';
	const char *reply = obey(order);

	if (bytes > sizeof from.sun_family)
		sendto(control, reply, strlen(reply), MSG_DONTWAIT, (struct sockaddr *)&from,
			bytes);
}

static bool open_control(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	unlink(path);
	control = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return control >= 0 && bind(control, (struct sockaddr *)&address, sizeof address) == 0 &&
	       watch(control, WATCHED_CONTROL, 0);
}

/* ---- the loop ---- */

static void attend(uint32_t what)
{
	struct port *p = &port[what / WATCHED_KINDS];

	switch ((enum watched)(what % WATCHED_KINDS)) {
	case WATCHED_LISTENER:
		/* A second machine waits at a listener that is not watched until the first has
		 * left. */
		if (server_accept(&p->server)) {
			watch(p->server.fd, WATCHED_MACHINE, p->number);
			epoll_ctl(poller, EPOLL_CTL_DEL, p->server.listener, NULL);
		}
		break;
	case WATCHED_MACHINE:
		if (!server_serve(&p->server))
			watch(p->server.listener, WATCHED_LISTENER, p->number);
		break;
	case WATCHED_TAP:
		port_receive(p);
		break;
	default:
		take_order();
		break;
	}
}

static void run(void)
{
	unsigned quiet = 0;

	while (!ended) {
		struct timespec nap = {0, quiet < AWAKE_TURNS ? AWAKE_NS : ASLEEP_NS};
		struct epoll_event e[4 * PORTS_MAX];
		int n = epoll_pwait2(poller, e, sizeof e / sizeof *e, &nap, NULL);
		bool did = n > 0;

		for (int i = 0; i < n; i++)
			attend(e[i].data.u32);
		for (unsigned i = 0; i < ports; i++)
			did |= port_poll(&port[i]);
		quiet = did ? 0 : quiet + (quiet < AWAKE_TURNS);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct options o;
	bool sound = true;

	options_read(&o, argc, argv);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	poller = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < o.ports; i++) {
		struct port *p = &port[ports];

		if (!port_open(p, &o.port[i], i) ||
			!watch(p->server.listener, WATCHED_LISTENER, i) ||
			(p->tap >= 0 && !watch(p->tap, WATCHED_TAP, i)))
			return 1;
		ports++;
	}
	if (o.control && !open_control(o.control)) {
		fprintf(stderr, "ixgbe-sim: %s: %s\n", o.control, strerror(errno));
		return 1;
	}
	printf("ready\n");
	run();
	for (unsigned i = 0; i < ports; i++) {
		sound &= port_close(&port[i]);
		unlink(o.port[i].socket);
	}
	if (o.control)
		unlink(o.control);
	return sound ? 0 : 1;
}
