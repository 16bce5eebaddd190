/* Semantic checks of a configuration; each fault names its line. */
#include "kernel/shell/config_check.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/shell/shell.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/path/frame.h"
#include "net/table/rib.h"

/* Blocks of RFC 6890 whose addresses belong to no host. */
static const struct {
	uint32_t prefix;
	unsigned length;
	const char *what;
} reserved[] = {
	{0x00000000, 8, "is in 0.0.0.0/8"},
	{0x7f000000, 8, "is a loopback address"},
	{0xe0000000, 4, "is a multicast address"},
	{0xf0000000, 4, "is in 240.0.0.0/4"},
};

bool config_check_host(struct config_fault *fault, const struct line *line, uint32_t address)
{
	char text[TEXT_IPV4_MAX];

	for (unsigned i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		if ((address & rib4_mask(reserved[i].length)) != reserved[i].prefix)
			continue;
		text_print_ipv4(text, address);
		return config_fault_at(fault, line, "%s %s", text, reserved[i].what);
	}
	return true;
}

bool config_check_host6(struct config_fault *fault, const struct line *line, struct ip6 address)
{
	const char *what = NULL;
	char text[TEXT_IPV6_MAX];

	if (address.hi == 0 && address.lo <= 1)
		what = address.lo ? "is the loopback address" : "is the unspecified address";
	else if (address.hi >> 56 == 0xff)
		what = "is a multicast address";
	if (!what)
		return true;
	text_print_ipv6(text, address.hi, address.lo);
	return config_fault_at(fault, line, "%s %s", text, what);
}

bool config_check_own_address(
	struct config_fault *fault, const struct line *line, const struct iface_addr *addr)
{
	uint32_t host = ~rib4_mask(addr->length);

	if (!config_check_host(fault, line, addr->address))
		return false;
	if (addr->length > 30)
		return true; /* RFC 3021: both addresses of a /31 are hosts */
	if ((addr->address & host) == 0)
		return config_fault_at(fault, line, "is the network address");
	if ((addr->address & host) == host)
		return config_fault_at(fault, line, "is the broadcast address");
	return true;
}

bool config_check_own_address6(
	struct config_fault *fault, const struct line *line, const struct iface_addr6 *addr)
{
	if (!config_check_host6(fault, line, addr->address))
		return false;
	if (addr->length < 127 && ip6_equal(ip6_first(addr->address, addr->length), addr->address))
		return config_fault_at(fault, line, "is the subnet-router anycast address");
	if (ip6_is_link_local(addr->address) && addr->length != 64)
		return config_fault_at(fault, line, "a link-local address is of a /64");
	return true;
}

bool config_check_martian(struct config_fault *fault, const struct line *line, unsigned *permitted)
{
	static const struct {
		const char *prefix;
		unsigned bit;
	} ranges[] = {{"0.0.0.0/8", MARTIAN_ZERO}, {"127.0.0.0/8", MARTIAN_LOOPBACK},
		{"240.0.0.0/4", MARTIAN_CLASS_E}};

	for (unsigned i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		if (strcmp(line->text[2], ranges[i].prefix) != 0)
			continue;
		*permitted |= ranges[i].bit;
		return true;
	}
	return config_fault_at(fault, line, "is none of 0.0.0.0/8, 127.0.0.0/8 and 240.0.0.0/4");
}

bool config_check_mac(struct config_fault *fault, const struct line *line, const uint8_t mac[6])
{
	static const uint8_t none[6];

	if (mac[0] & 1)
		return config_fault_at(fault, line, "is a multicast MAC address");
	if (!memcmp(mac, none, 6))
		return config_fault_at(fault, line, "is no station's MAC address");
	return true;
}

bool config_check_class(struct config_fault *fault, const struct line *line,
	const struct config_class *k, const struct config_class *before, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct config_class *b = &before[i];

		if (strcmp(b->iface, k->iface) != 0)
			continue;
		if (k->pcp == b->pcp && k->first <= b->last && b->first <= k->last)
			return config_fault_at(fault, line, "%s %u is in another line of %s",
				k->pcp ? "priority" : "DSCP",
				k->first > b->first ? k->first : b->first, k->iface);
		if (b->class == k->class && (b->strict != k->strict || b->weight != k->weight))
			return config_fault_at(fault, line, "class %u shares in two ways on %s",
				k->class, k->iface);
	}
	return true;
}

static uint32_t network(const struct config_address *a)
{
	return a->addr.address & rib4_mask(a->addr.length);
}

static int order_network(const void *x, const void *y)
{
	const struct config_address *a = x, *b = y;

	if (network(a) != network(b))
		return network(a) < network(b) ? -1 : 1;
	if (a->addr.length != b->addr.length)
		return a->addr.length < b->addr.length ? -1 : 1;
	return a->line->words && line_order(a->line, b->line, LINE_WORDS) < 0 ? -1 : 1;
}

static int order_address(const void *x, const void *y)
{
	const struct config_address *a = x, *b = y;

	if (a->addr.address != b->addr.address)
		return a->addr.address < b->addr.address ? -1 : 1;
	return line_order(a->line, b->line, LINE_WORDS) < 0 ? -1 : 1;
}

/*
 * Two prefixes are disjoint, or one holds the other. So in order of network and
 * length, all that overlap the widest seen last follow it directly.
 */
static bool check_networks(
	const struct config *c, struct config_origin *o, struct config_fault *fault)
{
	const struct config_address *widest = NULL;

	qsort(o->address, o->addresses, sizeof *o->address, order_network);
	for (unsigned i = 0; i < o->addresses; i++) {
		const struct config_address *a = &o->address[i];

		if (!widest ||
			(a->addr.address & rib4_mask(widest->addr.length)) != network(widest)) {
			widest = a;
		} else if (a->iface != widest->iface) {
			/* The later line is the one to name. */
			bool later = line_order(a->line, widest->line, LINE_WORDS) > 0;
			const struct config_address *named = later ? a : widest,
						    *other = later ? widest : a;

			return config_fault_at(fault, named->line, "overlaps %s on %s",
				other->line->text[other->line->words - 1],
				c->iface[other->iface].name);
		}
	}
	return true;
}

static const struct config_address *find_own(const struct config_origin *o, uint32_t address)
{
	unsigned low = 0, high = o->addresses;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (o->address[middle].addr.address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < o->addresses && o->address[low].addr.address == address ? &o->address[low]
									     : NULL;
}

/* Sorted by address: the same twice, and gateways and neighbours that are the router itself. */
static bool check_addresses(
	const struct config *c, struct config_origin *o, struct config_fault *fault)
{
	qsort(o->address, o->addresses, sizeof *o->address, order_address);
	for (unsigned i = 1; i < o->addresses; i++)
		if (o->address[i - 1].addr.address == o->address[i].addr.address)
			return config_fault_at(fault, o->address[i].line, "is configured twice");
	for (unsigned i = 0; i < c->routes; i++) {
		shell_yield();
		if (c->route[i].route.kind == STATIC_VIA &&
			find_own(o, (uint32_t)(c->route[i].route.gateway.hi >> 32)))
			return config_fault_at(
				fault, o->route[i], "the next hop is an address of this router");
	}
	for (unsigned i = 0; i < c->neighbors; i++)
		if (!c->neighbor[i].six && find_own(o, c->neighbor[i].address))
			return config_fault_at(fault, o->neighbor[i],
				"the neighbour is an address of this router");
	return true;
}

static int order_binding(const void *x, const void *y)
{
	const struct config_binding *a = x, *b = y;
	int order = memcmp(a->mac, b->mac, 6);

	return order ? order : line_order(a->line, b->line, LINE_WORDS);
}

/* A NIC has one name. */
static bool check_bindings(struct config_origin *o, struct config_fault *fault)
{
	qsort(o->binding, o->bindings, sizeof *o->binding, order_binding);
	for (unsigned i = 1; i < o->bindings; i++)
		if (!memcmp(o->binding[i - 1].mac, o->binding[i].mac, 6))
			return config_fault_at(fault, o->binding[i].line, "%s is bound to this NIC",
				o->binding[i - 1].line->text[1]);
	return true;
}

bool config_check(const struct config *c, struct config_origin *origin, struct config_fault *fault)
{
	return check_bindings(origin, fault) && check_networks(c, origin, fault) &&
	       check_addresses(c, origin, fault) && config_check6(c, origin, fault) &&
	       config_check_bound(c, origin, fault);
}
