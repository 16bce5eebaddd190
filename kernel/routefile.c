/* Reads tables of routes given at boot. */
#include "kernel/routefile.h"

#include <string.h>

#include "kernel/log.h"
#include "kernel/router.h"
#include "lib/text.h"
#include "net/table/resolve.h"
#include "net/table/route_load.h"
#include "net/table/route_text.h"

#define TOLD_MAX 8u /* of each kind of trouble; the rest are only counted */

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strcspn(name, " "), k = strlen(suffix); /* a loader may add arguments */

	return n >= k && !memcmp(name + n - k, suffix, k);
}

bool routefile_is(const char *name, const char *text, size_t n)
{
	if (has_suffix(name, ".routes"))
		return true;
	struct route_text reader = {.at = text, .end = text + n};
	struct route_line first;

	return route_text_next(&reader, &first);
}

struct teller {
	const char *name;
	unsigned told;
};

static void tell_wrong(void *ctx, uint32_t line, const char *why)
{
	struct teller *t = ctx;

	if (t->told++ < TOLD_MAX)
		log_text("routes %s: line %u: %s", t->name, (unsigned)line, why);
}

struct routefile_result routefile_load(
	struct router *r, const char *name, const char *text, size_t n)
{
	struct teller teller = {name, 0};
	struct route_load load = {
		.rib4 = &r->rib,
		.rib6 = &r->rib6,
		.nexthops = &r->nexthops,
		.ports = r->ports,
		.wrong = tell_wrong,
		.ctx = &teller,
	};

	route_load_text(&load, text, n);
	if (teller.told > TOLD_MAX)
		log_text("routes %s: %u more lines are wrong", name, teller.told - TOLD_MAX);
	resolve_refresh(&r->rib.rib, &r->nexthops);
	resolve_refresh(&r->rib6.rib, &r->nexthops);
	return (struct routefile_result){load.routes4, load.routes6, load.wrong_lines};
}

/* ---- what becomes of them ---- */

static bool has_network_of(const struct iface *i, uint32_t address)
{
	for (unsigned k = 0; k < i->addrs; k++)
		if (((i->addr[k].address ^ address) & rib4_mask(i->addr[k].length)) == 0)
			return true;
	return false;
}

/* Gateways that are bound to an interface where they cannot be, as it is configured. */
void routefile_report(const struct router *r)
{
	unsigned told = 0;

	for (uint32_t i = 1; i < r->nexthops.used; i++) {
		const struct nexthop *n = &r->nexthops.nexthop[i];
		char gateway[TEXT_IPV4_MAX];

		if (!n->refs || n->action != NEXTHOP_RECURSIVE || n->port == NEXTHOP_ANY_PORT ||
			!ip6_is_zero(n->gateway6))
			continue;
		if ((n->port < r->ports && has_network_of(&r->iface[n->port], n->gateway)) ||
			told++ >= TOLD_MAX)
			continue;
		text_print_ipv4(gateway, n->gateway);
		log_text("routes via %s dev eth%u are unreachable: it is on no network of eth%u",
			gateway, n->port, n->port);
	}
	if (told > TOLD_MAX)
		log_text("routes via %u more gateways likewise", told - TOLD_MAX);
}
