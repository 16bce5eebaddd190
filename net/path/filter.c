/* Packet filtering: the packets of a batch that ask the same list are decided together. */
#include "net/path/filter.h"

#include "lib/byteorder.h"
#include "net/path/count.h"
#include "net/path/member.h"
#include "net/path/parse.h"
#include "net/path/tag.h"

#define ND_FIRST 133u /* router solicitation, */
#define ND_LAST  137u /* and redirect */

/* The packets of a batch that lists are asked about, each its own. */
struct asking {
	const struct filter *filter;
	bool out;
	uint16_t *slot;     /* where each is to be counted, for who keeps decisions; or NULL */
	uint64_t four, six; /* which */
	uint16_t list[BATCH_MAX]; /* number */
};

/* Those that one list is asked about. */
struct asked {
	unsigned n;
	uint8_t place[BATCH_MAX];
	uint32_t ports[BATCH_MAX];
	uint16_t kind[BATCH_MAX];
	uint16_t rule[BATCH_MAX]; /* the answer */
};

/* ---- one packet ---- */

void filter_note(const struct lane *lane, const struct filter_event *event)
{
	struct filter_log *log = lane->filter_log;

	if (log->written - load_acquire(&log->taken) == FILTER_EVENTS) {
		counter_add(&log->lost, 1);
		return;
	}
	log->event[log->written % FILTER_EVENTS] = *event;
	store_release(&log->written, log->written + 1);
}

void filter_count(const struct lane *lane, unsigned slot, struct filter_hits hits)
{
	counter_add(&lane->hits[slot].packets, hits.packets);
	counter_add(&lane->hits[slot].bytes, hits.bytes);
}

/* By which rule of a list (ACL_NONE: the last of all, which denies) a packet of a frame goes. */
static const struct filter_rule *rule_of(
	const struct filter *filter, const struct filter_list *list, uint16_t rule)
{
	return &filter->rule[list->first + (rule == ACL_NONE ? list->rules : rule)];
}

/* The number of the interface a packet came in by. */
unsigned filter_input(const struct lane *lane, const struct batch *b, unsigned i)
{
	unsigned vlan = tag_is_off(b->word[i]) ? tag_note(b->data[i]).vlan : 0;

	return vlan ? lane->tables->ports + vlan - 1 : lane->port;
}

static struct filter_event event_of(const uint8_t *f, bool six)
{
	if (six)
		return (struct filter_event){.six = true,
			.src = ip6_load(f + IPV6_SOURCE),
			.dst = ip6_load(f + IPV6_DEST)};
	return (struct filter_event){
		.src = {0, load_be32(f + IPV4_SOURCE)}, .dst = {0, load_be32(f + IPV4_DEST)}};
}

/* ---- deciding ---- */

static void deny(struct batch *b, unsigned i)
{
	b->ended += b->verdict[i] == VERDICT_ROUTE;
	b->plain &= ~(UINT64_C(1) << i);
	b->verdict[i] = verdict_drop(DROP_ACL_DENIED);
}

/* Tells the control core of packet k of those asked about. */
static void tell(const struct lane *lane, const struct batch *b, const struct asking *a,
	const struct filter_list *list, const struct asked *q, unsigned k, bool six)
{
	unsigned i = q->place[k];
	struct filter_event event = event_of(b->data[i], six);

	event.list = list;
	event.rule = q->rule[k];
	event.ports = q->ports[k];
	event.kind = q->kind[k];
	event.out = a->out;
	event.iface = (uint16_t)(a->out ? load_once(&lane->tables->leads[b->nh[i]])
					: filter_input(lane, b, i));
	filter_note(lane, &event);
}

/* Does as the rules found say. Packets in a row that met the same are counted together. */
static void judge(const struct lane *lane, struct batch *b, const struct asking *a,
	const struct filter_list *list, const struct asked *q, bool six)
{
	struct filter_hits hits = {0, 0};
	unsigned slot = 0;

	for (unsigned k = 0; k < q->n; k++) {
		const struct filter_rule *rule = rule_of(a->filter, list, q->rule[k]);
		unsigned i = q->place[k];

		if (rule->slot != slot) {
			filter_count(lane, slot, hits);
			hits = (struct filter_hits){0, 0};
			slot = rule->slot;
		}
		if (a->slot)
			a->slot[i] = rule->flags & FILTER_LOG ? FILTER_NO_KEEP : rule->slot;
		hits.packets++;
		hits.bytes += packet_len(b->word[i]);
		if (rule->flags & FILTER_LOG)
			tell(lane, b, a, list, q, k, six);
		if (!(rule->flags & FILTER_PERMIT))
			deny(b, i);
	}
	filter_count(lane, slot, hits);
}

/* Packet i goes with the others; unless nothing can be asked about it: it is denied. */
static bool add(struct asked *q, unsigned i, struct filter_key key)
{
	if (key.unknown)
		return false;
	q->place[q->n] = (uint8_t)i;
	q->ports[q->n] = key.ports;
	q->kind[q->n++] = key.kind;
	return true;
}

static void refuse(const struct lane *lane, struct batch *b, const struct asking *a,
	const struct filter_list *list, unsigned i)
{
	filter_count(lane, rule_of(a->filter, list, ACL_NONE)->slot,
		(struct filter_hits){1, packet_len(b->word[i])});
	deny(b, i);
}

/* The packets of a mask, which all ask the same list. */
static void decide4(const struct lane *lane, struct batch *b, const struct asking *a,
	const struct filter_list *list, uint64_t mask)
{
	uint32_t src[BATCH_MAX], dst[BATCH_MAX];
	struct asked q = {.n = 0};

	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		src[q.n] = load_be32(b->data[i] + IPV4_SOURCE);
		dst[q.n] = b->dst[i];
		add(&q, i, filter_key4(b->data[i]));
	}
	acl_lookup4(list->four, src, dst, q.ports, q.kind, q.rule, q.n);
	judge(lane, b, a, list, &q, false);
}

static void decide6(const struct lane *lane, struct batch *b, const struct asking *a,
	const struct filter_list *list, uint64_t mask)
{
	struct ip6 src[BATCH_MAX], dst[BATCH_MAX];
	struct asked q = {.n = 0};

	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		src[q.n] = ip6_load(b->data[i] + IPV6_SOURCE);
		dst[q.n] = ip6_load(b->data[i] + IPV6_DEST);
		if (!add(&q, i, filter_key6(b->data[i])))
			refuse(lane, b, a, list, i);
	}
	if (!q.n)
		return;
	acl_lookup6(list->six, src, dst, q.ports, q.kind, q.rule, q.n);
	judge(lane, b, a, list, &q, true);
}

/* The packets of a mask that ask the same list as the first of them. */
static uint64_t same_list(const struct asking *a, uint64_t mask)
{
	uint16_t list = a->list[__builtin_ctzll(mask)];
	uint64_t same = 0;

	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		same |= (uint64_t)(a->list[i] == list) << i;
	}
	return same;
}

static void decide(const struct lane *lane, struct batch *b, struct asking *a)
{
	uint64_t same;

	for (; a->four; a->four &= ~same) {
		same = same_list(a, a->four);
		decide4(lane, b, a, &a->filter->list[a->list[__builtin_ctzll(same)]], same);
	}
	for (; a->six; a->six &= ~same) {
		same = same_list(a, a->six);
		decide6(lane, b, a, &a->filter->list[a->list[__builtin_ctzll(same)]], same);
	}
}

/* Packet i asks the list that an interface has, if it has one. */
static void ask(struct asking *a, unsigned i, uint16_t list, bool six)
{
	if (!list)
		return;
	a->list[i] = (uint16_t)(list - 1);
	if (six)
		a->six |= UINT64_C(1) << i;
	else
		a->four |= UINT64_C(1) << i;
}

/* ---- in ---- */

static bool is_to_us(const struct lane *lane, const struct batch *b, unsigned i)
{
	const struct adjacency *a = &lane->tables->adjacency[b->nh[i]];

	return b->verdict[i] != VERDICT_ROUTE6 ||
	       adjacency_target(load_acquire(&a->out)) == NEXTHOP_LOCAL;
}

/* From the link, as its hop limit shows (RFC 4861 7.1). */
bool filter_is_discovery(const uint8_t *f)
{
	uint32_t at = IPV6_OFF + IPV6_HEADER;

	return f[IPV6_NEXT] == IPV6_ICMP && f[IPV6_HOPS] == 255 && load_be16(f + IPV6_PAYLOAD) &&
	       f[at] >= ND_FIRST && f[at] <= ND_LAST;
}

void filter_in_some(const struct lane *lane, struct batch *b, uint64_t mask, uint16_t *slot)
{
	struct asking a = {.filter = load_acquire(&lane->tables->filter), .slot = slot};

	if (!a.filter)
		return;
	uint64_t plain = b->plain & mask, rest = mask & ~plain;
	uint16_t list = a.filter->in[lane->port];

	/* Plain packets are IPv4 and of the port itself. */
	if (list && plain)
		decide4(lane, b, &a, &a.filter->list[list - 1], plain);
	for (; rest; rest &= rest - 1) {
		unsigned i = (unsigned)__builtin_ctzll(rest);
		/* Only IPv6 is known to be for us already. */
		bool six = b->verdict[i] == VERDICT_ROUTE6 ||
			   b->verdict[i] == verdict_punt(PUNT_LOCAL);

		if (!six && b->verdict[i] != VERDICT_ROUTE)
			continue;
		if (six && filter_is_discovery(b->data[i]) && is_to_us(lane, b, i))
			continue;
		ask(&a, i, a.filter->in[filter_input(lane, b, i)], six);
	}
	decide(lane, b, &a);
}

void filter_in(const struct lane *lane, struct batch *b)
{
	filter_in_some(lane, b, batch_all(b), NULL);
}

/* ---- out ---- */

void filter_out_some(const struct lane *lane, struct batch *b, uint64_t mask, uint16_t *slot)
{
	struct asking a = {
		.filter = load_acquire(&lane->tables->filter), .out = true, .slot = slot};
	const struct tables *t = lane->tables;

	for (; a.filter && mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);
		bool six = b->verdict[i] == VERDICT_ROUTE6;

		if (!six && b->verdict[i] != VERDICT_ROUTE)
			continue;
		uint32_t out = load_acquire(&t->adjacency[b->nh[i]].out);

		/* It goes where it was allowed to, whatever becomes of the group. */
		if (adjacency_leads_on(out))
			b->nh[i] = member_or_self(t, b, i, b->nh[i], out);
		uint32_t iface = load_once(&t->leads[b->nh[i]]);

		if (iface < IFACE_MAX)
			ask(&a, i, a.filter->out[iface], six);
	}
	decide(lane, b, &a);
}

void filter_out(const struct lane *lane, struct batch *b)
{
	filter_out_some(lane, b, batch_all(b), NULL);
}
