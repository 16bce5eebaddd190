/* uRPF: the sources of a batch looked up together, and judged by where their next hops lead. */
#include "net/path/urpf.h"

#include "lib/byteorder.h"
#include "net/path/parse.h"
#include "net/path/tag.h"

#define ANYWHERE 0x10000u /* no interface has this number */

/* The packets of one family that are checked: which, and where their sources must be. */
struct asked {
	unsigned n;
	uint8_t place[BATCH_MAX];
	uint32_t want[BATCH_MAX]; /* an interface, or ANYWHERE */
	uint32_t nh[BATCH_MAX];   /* what leads to the source */
};

/* The number of the interface a packet came in by. */
static unsigned input(const struct lane *lane, const struct batch *b, unsigned i)
{
	unsigned vlan = tag_is_off(b->word[i]) ? tag_note(b->data[i]).vlan : 0;

	return vlan ? lane->tables->ports + vlan - 1 : lane->port;
}

/* false: its interface does not ask for it. */
static bool ask(const struct lane *lane, const struct batch *b, unsigned i, struct asked *a)
{
	unsigned iface = input(lane, b, i);
	enum urpf mode = load_once(&lane->tables->urpf[iface]);

	if (mode == URPF_OFF)
		return false;
	a->place[a->n] = (uint8_t)i;
	a->want[a->n++] = mode == URPF_STRICT ? iface : ANYWHERE;
	return true;
}

static bool is_there(uint32_t leads, uint32_t want)
{
	return leads < IFACE_MAX && (want == ANYWHERE || want == leads);
}

/* Packets by this next hop would leave where they must; of several: some of them. */
static bool leads_back(const struct tables *t, uint32_t nh, uint32_t want)
{
	const struct adjacency *a = &t->adjacency[nh];
	uint32_t leads = load_once(&t->leads[nh]), before = NEXTHOP_NONE;

	if (leads != NEXTHOP_BY_PLACES)
		return is_there(leads, want);
	uint32_t out = load_acquire(&a->out);

	if (adjacency_target(out) == NEXTHOP_ONE)
		return is_there(load_once(&t->leads[adjacency_one(out)]), want);
	if (!adjacency_leads_on(out))
		return false;
	uint32_t mask = load_once(&a->mask);

	for (uint32_t p = 0; p <= mask; p++) {
		uint32_t member = load_acquire(&t->place[a->place + p]);

		/* A member's places stand side by side. */
		if (member != before && is_there(load_once(&t->leads[member]), want))
			return true;
		before = member;
	}
	return false;
}

static void judge(const struct lane *lane, struct batch *b, const struct asked *a)
{
	for (unsigned k = 0; k < a->n; k++) {
		unsigned i = a->place[k];

		if (leads_back(lane->tables, a->nh[k], a->want[k]))
			continue;
		b->ended += b->verdict[i] == VERDICT_ROUTE;
		b->plain &= ~(UINT64_C(1) << i);
		b->verdict[i] = verdict_drop(DROP_URPF);
	}
}

static void check4(const struct lane *lane, struct batch *b)
{
	struct asked a = {.n = 0};
	uint32_t src[BATCH_MAX];

	for (unsigned i = 0; i < b->n; i++)
		if (b->verdict[i] == VERDICT_ROUTE && ask(lane, b, i, &a))
			src[a.n - 1] = load_be32(b->data[i] + IPV4_SOURCE);
	if (a.n)
		fib4_lookup(load_acquire(&lane->tables->fib4), src, a.nh, a.n);
	judge(lane, b, &a);
}

static void check6(const struct lane *lane, struct batch *b)
{
	struct asked a = {.n = 0};
	struct ip6 src[BATCH_MAX];

	for (unsigned k = 0; k < b->sixes; k++) {
		unsigned i = b->six[k];
		struct ip6 address = ip6_load(b->data[i] + IPV6_SOURCE);

		if (!ip6_is_link_local(address) && ask(lane, b, i, &a))
			src[a.n - 1] = address;
	}
	if (a.n)
		fib6_lookup(load_acquire(&lane->tables->fib6), src, a.nh, a.n);
	judge(lane, b, &a);
}

void urpf_check(const struct lane *lane, struct batch *b)
{
	if (b->ended < b->n)
		check4(lane, b);
	if (b->sixes)
		check6(lane, b);
}
