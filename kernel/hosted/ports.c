/* The ports of the hosted platform: what --port says, and the device behind each. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/mem/memdev.h"
#include "drivers/virtio/virtio_net.h"
#include "kernel/hosted/hosted.h"
#include "kernel/hosted/memory.h"
#include "kernel/hosted/vfio.h"
#include "kernel/hosted/vhost_user.h"
#include "kernel/hosted/xdp.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "lib/text.h"

#define MEM_PORT_SLOTS 512u
#define VHOST_WAIT_MS  2000u /* for a back end that is started beside us */

/* ---- what --port says ---- */

static bool parse_number(const char *s, unsigned min, unsigned max, unsigned *value)
{
	char *end;
	unsigned long v;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoul(s, &end, 10);
	*value = (unsigned)v;
	return !errno && !*end && v >= min && v <= max;
}

/* One word after a comma. */
static bool parse_word(struct hosted_port *p, const char *word)
{
	if (strcmp(word, "server") == 0)
		return p->server = true;
	if (strcmp(word, "packed") == 0)
		return p->packed = true;
	if (strncmp(word, "queues=", 7) == 0)
		return parse_number(word + 7, 1, RXQ_MAX, &p->pairs);
	if (strncmp(word, "mac=", 4) == 0)
		return p->has_mac = text_parse_mac(word + 4, p->mac);
	return false;
}

/* NAME[,WORD...] */
static bool parse_vhost(struct hosted_port *p, const char *text)
{
	char copy[256], *rest = copy, *word;

	if (strlen(text) >= sizeof copy)
		return false;
	strcpy(copy, text);
	word = strsep(&rest, ",");
	if (!*word || strlen(word) >= sizeof p->name)
		return false;
	*p = (struct hosted_port){.kind = HOSTED_PORT_VHOST, .pairs = 1};
	strcpy(p->name, word);
	while (rest)
		if (!parse_word(p, strsep(&rest, ",")))
			return false;
	return true;
}

/* IFACE[:QUEUE] */
static bool parse_xdp(struct hosted_port *p, const char *text)
{
	size_t n = strcspn(text, ":");

	if (n == 0 || n >= IFNAMSIZ)
		return false;
	*p = (struct hosted_port){.kind = HOSTED_PORT_XDP, .queue = XDP_ANY_QUEUE};
	memcpy(p->name, text, n);
	return !text[n] || parse_number(text + n + 1, 0, 255, &p->queue);
}

/* A place on the PCI bus. */
static bool parse_ixgbe(struct hosted_port *p, const char *text)
{
	*p = (struct hosted_port){.kind = HOSTED_PORT_IXGBE};
	snprintf(p->name, sizeof p->name, "%s", text);
	return vfio_is_location(text);
}

bool hosted_port_parse(const char *text)
{
	unsigned n = 1, left = PORT_MAX - hosted.ports;
	struct hosted_port p = {.kind = HOSTED_PORT_MEM};
	bool good = false;

	if (strncmp(text, "mem:", 4) == 0)
		good = parse_number(text + 4, 1, PORT_MAX, &n);
	else if (strncmp(text, "vhost-user:", 11) == 0)
		good = parse_vhost(&p, text + 11);
	else if (strncmp(text, "xdp:", 4) == 0)
		good = parse_xdp(&p, text + 4);
	else if (strncmp(text, "ixgbe:", 6) == 0)
		good = parse_ixgbe(&p, text + 6);
	if (!good || n > left)
		return false;
	while (n--)
		hosted.port[hosted.ports++] = p;
	return true;
}

/* ---- the devices ---- */

static struct netdev *open_vhost(
	const struct hosted_port *p, const struct netdev_request *want, const struct io_env *env)
{
	struct vhost_options options = {
		.path = p->name,
		.server = p->server,
		.has_mac = p->has_mac,
		.wait_ms = VHOST_WAIT_MS,
		.pairs = p->pairs,
		.packed = p->packed,
	};
	struct virtio_transport *t;

	memcpy(options.mac, p->mac, sizeof options.mac);
	t = vhost_user_open(&options, hosted_memory(), env);
	return t ? virtio_net_create(t, want, env) : NULL;
}

#ifdef HAVE_XDP
static struct netdev *open_xdp(
	const struct hosted_port *p, const struct netdev_request *want, const struct io_env *env)
{
	return xdp_port_open(p->name, p->queue, hosted_memory(), want, env);
}
#else
static struct netdev *open_xdp(
	const struct hosted_port *p, const struct netdev_request *want, const struct io_env *env)
{
	env->log(env->ctx, "xdp %s: refused: built without libxdp-dev (tools/setup --test)",
		p->name);
	return NULL;
}
#endif

static void log_memory(void)
{
	struct platform_memory m;

	platform_memory(&m);
	log_text("memory: %u MiB, pages of %s", (unsigned)(m.arena_bytes >> 20), m.pages);
}

/* A port that is refused has said so; one that finds no memory is the user's to mend. */
unsigned platform_probe_ports(const struct io_env *env, const struct netdev_request *want,
	struct netdev **dev, unsigned max)
{
	struct netdev_request each = *want;
	unsigned n = 0, mems = 0;

	log_memory();
	each.queue_pairs = netdev_queue_share(want, hosted.ports);
	for (unsigned i = 0; i < hosted.ports && n < max; i++) {
		const struct hosted_port *p = &hosted.port[i];

		switch (p->kind) {
		case HOSTED_PORT_VHOST:
			dev[n] = open_vhost(p, &each, env);
			break;
		case HOSTED_PORT_XDP:
			dev[n] = open_xdp(p, &each, env);
			break;
		case HOSTED_PORT_IXGBE:
			dev[n] = vfio_port_open(p->name, hosted_memory(), &each, env);
			break;
		case HOSTED_PORT_MEM:
			dev[n] = memdev_create(env, mems, each.queue_pairs, MEM_PORT_SLOTS);
			if (!dev[n])
				platform_panic("not enough memory for port mem:%u (--mem)", mems);
			mems++;
			break;
		}
		n += dev[n] != NULL;
	}
	return n;
}
