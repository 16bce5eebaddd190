/* The path of a batch: parse, look up, rewrite, hand over to the VOQs; all of it that is not plain.
 */
#include "net/path/forward.h"

#include "lib/byteorder.h"
#include "lib/form.h"
#include "lib/words.h"
#include "net/path/capture.h"
#include "net/path/count.h"
#include "net/path/filter.h"
#include "net/path/flow_line.h"
#include "net/path/member.h"
#include "net/path/rewrite.h"
#include "net/path/tag.h"
#include "net/path/track.h"
#include "net/path/track_simple.h"
#include "net/path/urpf.h"

void path_drop(struct lane *lane, unsigned port, uint64_t word, enum drop_reason reason)
{
	struct capture *capture = load_acquire(&lane->capture);

	if (__builtin_expect(capture != NULL, 0))
		capture_dropped(capture, lane->buffers, port, word, reason);
	counter_add(&lane->counters->port[port].dropped[reason], 1);
	buffers_free(lane->buffers, lane->actor, &word, 1);
}

/* What a packet counts as that is not handed up, for `otherwise`. */
static enum drop_reason punt_refused(enum punt_reason reason, enum drop_reason otherwise)
{
	switch (reason) {
	case PUNT_TTL:
		return DROP_TTL_EXCEEDED;
	case PUNT_NO_ROUTE:
		return DROP_NO_ROUTE;
	case PUNT_UNREACHABLE:
		return DROP_UNREACHABLE;
	case PUNT_PROHIBIT:
		return DROP_PROHIBIT;
	default: /* it would have been delivered, forwarded or examined */
		return otherwise;
	}
}

/* flags: PACKET_FLAGS_TRACKED, PACKET_FLAG_FINAL. */
static void path_punt(struct lane *lane, uint64_t word, enum punt_reason reason, uint32_t flags)
{
	uint64_t w = packet_retake(word, packet_len(word), reason | flags);
	const uint8_t *frame = packet_frame(lane->buffers, word);
	enum police_kind kind = police_kind(reason, frame, packet_len(word));

	if (!police_take(&lane->police, kind, lane->received)) {
		counter_add(&lane->counters->policed[kind], 1);
		path_drop(lane, lane->port, word, punt_refused(reason, DROP_POLICED));
		return;
	}
	buffer_move(lane->buffers, lane->actor, packet_index(word), OWNER_HOME, OWNER_CONTROL);
	if (ring_push(lane->punt, &w, 1) == 0)
		path_drop(lane, lane->port, word, punt_refused(reason, DROP_CONTROL_QUEUE_FULL));
	else
		counter_add(&lane->counters->handed[kind], 1);
}

/* A routed packet that cannot simply be sent: its verdict. */
static uint16_t forward_exception(const struct batch *b, unsigned i, uint32_t out)
{
	switch (adjacency_target(out)) {
	case NEXTHOP_LOCAL:
		return verdict_punt(PUNT_LOCAL);
	case NEXTHOP_BROADCAST:
		return verdict_drop(DROP_BROADCAST);
	case NEXTHOP_BLACKHOLE:
		return verdict_drop(DROP_BLACKHOLE);
	default:
		break;
	}
	/* In transit. Options first: the control core repeats all that follows. */
	if (packet_flags(b->word[i]) & PACKET_FLAG_OPTIONS)
		return verdict_punt(PUNT_OPTIONS);

	switch (adjacency_target(out)) {
	case NEXTHOP_NO_ROUTE:
		return verdict_punt(PUNT_NO_ROUTE);
	case NEXTHOP_UNREACHABLE:
		return verdict_punt(PUNT_UNREACHABLE);
	case NEXTHOP_PROHIBIT:
		return verdict_punt(PUNT_PROHIBIT);
	default: /* there is a way on; RFC 1812 5.2.1.2: only then TTL counts */
		break;
	}
	if (b->data[i][b->verdict[i] == VERDICT_ROUTE6 ? IPV6_HOPS : IPV4_TTL] <= 1)
		return verdict_punt(PUNT_TTL);
	/* No MAC yet; or a TX queue, and the packet is too long for it. */
	return verdict_punt(adjacency_target(out) == NEXTHOP_RESOLVE ? PUNT_RESOLVE : PUNT_MTU);
}

/* What the control core is to know of packet i that tracking found out. */
static uint32_t forward_told(
	const struct lane *lane, const struct batch *b, unsigned i, uint16_t verdict)
{
	uint32_t flags = (b->known >> i & 1 ? PACKET_FLAG_KNOWN : 0) |
			 (b->changed >> i & 1 ? PACKET_FLAG_CHANGED : 0);

	if (!(b->final >> i & 1))
		return flags;
	if ((verdict & 0xff) == PUNT_MTU)
		punt_note_mtu(b->data[i],
			adjacency_mtu(load_once(&lane->tables->adjacency[b->nh[i]].out)));
	return flags | PACKET_FLAG_FINAL;
}

static void forward_end(struct lane *lane, const struct batch *b, unsigned i, uint16_t verdict)
{
	if (verdict & VERDICT_DROP)
		path_drop(lane, lane->port, b->word[i], verdict & 0xff);
	else
		path_punt(lane, b->word[i], verdict & 0xff, forward_told(lane, b, i, verdict));
}

/* How many packets a VOQ of the lane may hold now: see voq.h. */
static uint32_t forward_limit(struct lane *lane)
{
	return pool_free(lane->buffers, lane->pool, lane->actor, VOQ_SLOTS);
}

/* Puts word into the VOQ of its class towards an egress port. The TX queue's bit; 0: dropped. */
static inline uint64_t forward_queue(struct lane *lane, unsigned port, unsigned class,
	uint64_t word, unsigned owner, uint32_t limit)
{
	unsigned t = load_once(&lane->txq[port]);

	buffer_move(lane->buffers, lane->actor, packet_index(word), owner, OWNER_OUTPUT(t));
	if (__builtin_expect(!voq_put(lane->cross[t], class, word, limit), 0)) {
		path_drop(lane, lane->tables->pool_port[packet_pool(word)], word, DROP_VOQ_FULL);
		return 0;
	}
	return UINT64_C(1) << t;
}

/* The same towards a port or a VLAN, of a frame whose tag may have been taken off; with the tag of
 * the VLAN. Apart from the loop of plain packets, whose registers it would take. */
static __attribute__((noinline)) uint64_t forward_tagged(struct lane *lane, uint32_t target,
	uint8_t tos, uint64_t word, unsigned owner, uint32_t limit)
{
	uint8_t *f = packet_frame(lane->buffers, word);
	bool tagged = target >= NEXTHOP_VLAN;
	unsigned number = tagged ? target - NEXTHOP_VLAN : 0;
	const struct vlan *vlan = &lane->tables->vlans->vlan[number];
	unsigned port = tagged ? vlan->port : target;
	unsigned class = tag_class(&lane->classes[port], word, f, tos);

	if (tagged) {
		tag_push(f, (uint16_t)(class << TAG_PCP_SHIFT | vlan->vid));
		word = packet_push(word);
	}
	uint64_t queue = forward_queue(lane, port, class, word, owner, limit);

	if (queue && tagged) {
		counter_add(&lane->counters->vlan[number].tx_packets, 1);
		counter_add(&lane->counters->vlan[number].tx_bytes, packet_len(word));
	}
	return queue;
}

static inline void forward_publish(struct lane *lane, uint64_t touched)
{
	for (; touched; touched &= touched - 1)
		voq_publish(lane->cross[__builtin_ctzll(touched)], lane->received);
}

_Static_assert(TXQ_MAX <= 64, "`touched` has a bit per TX queue");

/* IPv6 packet i can go out by a next hop whose adjacency says `out`, as it is. */
static inline bool forward_can_send6(const struct batch *b, unsigned i, uint32_t out)
{
	return (adjacency_target(out) < NEXTHOP_VLAN) & (b->data[i][IPV6_HOPS] > 1) &
	       (packet_len(b->word[i]) <= ETH_HEADER + adjacency_mtu(out)) &
	       (packet_flags(b->word[i]) == 0);
}

/*
 * Packet i cannot go out as it is: it has come with a tag or goes by a VLAN, and is
 * rewritten and queued; or it is ended. As forward_queue.
 */
static uint64_t forward_rest(struct lane *lane, const struct batch *b, unsigned i,
	const struct adjacency *a, uint32_t out, uint32_t limit)
{
	bool six = b->verdict[i] == VERDICT_ROUTE6;
	uint8_t *f = b->data[i];

	if (adjacency_target(out) >= NEXTHOP_ACTION || f[six ? IPV6_HOPS : IPV4_TTL] <= 1 ||
		packet_len(b->word[i]) > ETH_HEADER + adjacency_mtu(out) ||
		(packet_flags(b->word[i]) & PACKET_FLAG_OPTIONS)) {
		forward_end(lane, b, i, forward_exception(b, i, out));
		return 0;
	}
	if (six)
		rewrite_frame6(f, a);
	else
		rewrite_frame(f, a);
	return forward_tagged(lane, adjacency_target(out), six ? ipv6_class(f) : f[IPV4_TOS],
		b->word[i], OWNER_HOME, limit);
}

/* The next hops of the IPv6 packets of a batch. */
static void forward_lookup6(const struct lane *lane, struct batch *b)
{
	struct ip6 dst[BATCH_MAX];
	uint32_t nh[BATCH_MAX];

	for (unsigned k = 0; k < b->sixes; k++)
		dst[k] = ip6_load(b->data[b->six[k]] + IPV6_DEST);
	fib6_lookup(load_acquire(&lane->tables->fib6), dst, nh, b->sixes);
	for (unsigned k = 0; k < b->sixes; k++)
		b->nh[b->six[k]] = nh[k];
}

/* Packet i of a batch, which is IPv6 to be routed: rewrites and queues it, or ends it. As
 * forward_queue. */
static uint64_t forward_six(struct lane *lane, const struct batch *b, unsigned i,
	const struct adjacency *a, uint32_t out, uint32_t limit)
{
	if (__builtin_expect(!forward_can_send6(b, i, out), 0))
		return forward_rest(lane, b, i, a, out, limit);
	uint32_t port = adjacency_target(out);

	rewrite_frame6(b->data[i], a);
	return forward_queue(lane, port, class_of(&lane->classes[port], ipv6_class(b->data[i])),
		b->word[i], OWNER_HOME, limit);
}

/* The same of any packet that is not plain, or cannot be sent as it is. */
static __attribute__((noinline)) uint64_t forward_other(
	struct lane *lane, const struct batch *b, unsigned i, uint32_t limit)
{
	if (b->verdict[i] != VERDICT_ROUTE && b->verdict[i] != VERDICT_ROUTE6) {
		forward_end(lane, b, i, b->verdict[i]);
		return 0;
	}
	const struct adjacency *a = &lane->tables->adjacency[b->nh[i]];
	uint32_t out = load_acquire(&a->out); /* before its MAC: see nexthop.h */

	if (adjacency_leads_on(out)) {
		a = &lane->tables->adjacency[member_or_self(lane->tables, b, i, b->nh[i], out)];
		out = load_acquire(&a->out);
	}
	if (b->verdict[i] == VERDICT_ROUTE6)
		return forward_six(lane, b, i, a, out, limit);
	return forward_rest(lane, b, i, a, out, limit);
}

static forward_plain_fn *forward_plain = forward_plain_plain;

void path_select(const char *isa)
{
	parse_select(isa);
	flow_select(isa);
	track_select(isa);
	forward_plain = FORM(forward_plain, isa);
}

void forward_members(const struct lane *lane, struct batch *b, uint64_t mask)
{
	const struct tables *t = lane->tables;

	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		b->nh[i] = member_of(t, b, i, &t->adjacency[b->nh[i]]);
	}
}

void forward_refused(struct lane *lane, uint64_t word)
{
	path_drop(lane, lane->tables->pool_port[packet_pool(word)], word, DROP_VOQ_FULL);
}

uint64_t forward_put_each(struct lane *lane, const struct batch *b, uint64_t mask, uint32_t limit)
{
	uint64_t touched = 0;

	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);
		uint32_t queue = b->queue[i];
		struct crosspoint *x = lane->cross[queue / VOQ_CLASSES];

		touched |= UINT64_C(1) << queue / VOQ_CLASSES;
		if (__builtin_expect(!voq_put(x, queue % VOQ_CLASSES, b->word[i], limit), 0))
			forward_refused(lane, b->word[i]);
	}
	return touched;
}

/* Rewrites and queues what can be sent; ends the rest. */
static inline __attribute__((always_inline)) void forward_batch(struct lane *lane, struct batch *b)
{
	uint32_t limit = forward_limit(lane);
	uint64_t touched = 0, sent = 0;

	if (b->plain)
		sent = forward_plain(lane, b, limit, &touched);
	uint64_t rest = ~sent & batch_all(b);

	for (; __builtin_expect(rest != 0, 0); rest &= rest - 1)
		touched |= forward_other(lane, b, (unsigned)__builtin_ctzll(rest), limit);
	forward_publish(lane, touched);
}

/* What few lanes do with a batch between looking up and sending. */
static __attribute__((noinline)) void forward_extras(const struct lane *lane, struct batch *b)
{
	unsigned filter = load_once(&lane->filter);

	if (filter & FILTER_IN)
		filter_in(lane, b);
	if (load_once(&lane->count))
		count_batch(lane, b);
	if (filter & FILTER_OUT)
		filter_out(lane, b);
}

/* Next hops and verdicts of a batch whose packets are decided each for itself. */
static inline void forward_look_up(const struct lane *lane, struct batch *b)
{
	if (b->ended < b->n)
		fib4_lookup(load_acquire(&lane->tables->fib4), b->dst, b->nh, b->n);
	if (__builtin_expect(b->sixes != 0, 0))
		forward_lookup6(lane, b);
	if (__builtin_expect((load_once(&lane->count) != NULL) | load_once(&lane->filter), 0))
		forward_extras(lane, b);
}

/* What every batch begins with. */
static inline void forward_begin(
	struct lane *lane, struct batch *b, const uint64_t *word, unsigned n)
{
	struct port_counters *counters = &lane->counters->port[lane->port];

	parse_batch(lane, b, word, n);
	counter_add(&counters->rx_packets, n);
	counter_add(&counters->rx_bytes, b->bytes);
	if (__builtin_expect(load_once(&lane->urpf), 0))
		urpf_check(lane, b);
	b->known = b->changed = b->final = 0;
}

/* A batch that asks the flow cache; false: it is not to. */
static __attribute__((noinline)) bool forward_flows(
	struct lane *lane, const uint64_t *word, unsigned n)
{
	struct flow_ask ask;
	struct batch b;

	if (!flow_begin(lane, &ask))
		return false;
	b.ask = &ask;
	b.track = NULL;
	forward_begin(lane, &b, word, n);
	flow_batch(lane, &b);
	forward_batch(lane, &b);
	return true;
}

/* A batch whose packets have sessions. */
static __attribute__((noinline)) void forward_sessions(
	struct lane *lane, const uint64_t *word, unsigned n)
{
	struct track_ask ask;
	struct batch b;

	ask.sessions = lane->sessions;
	ask.tcp = ask.udp = 0;
	b.ask = NULL;
	b.track = &ask;
	forward_begin(lane, &b, word, n);
	/* A packet that is dropped gets none, and whole vectors of them are looked up. */
	memset(b.nh, NEXTHOP_NONE, sizeof b.nh);
	track_batch(lane, &b);
	if (load_once(&lane->count))
		count_batch(lane, &b);
	forward_batch(lane, &b);
}

void path_forward(struct lane *lane, const uint64_t *word, unsigned n)
{
	/* A worker that owns none may have a burst in its hands when lanes begin to track. */
	bool track = __builtin_expect(load_once(&lane->track), 0) && lane->sessions;
	struct batch b;

	if (__builtin_expect(load_once(&lane->flow) != NULL, 0) && !track &&
		forward_flows(lane, word, n))
		return;
	if (__builtin_expect(track, 0)) {
		forward_sessions(lane, word, n);
		return;
	}
	b.ask = NULL;
	b.track = NULL;
	forward_begin(lane, &b, word, n);
	forward_look_up(lane, &b);
	forward_batch(lane, &b);
}

/* ARP is to the link what routing protocols are to the network. */
static uint8_t forward_tos(const uint8_t *f)
{
	switch (load_be16(f + ETH_TYPE)) {
	case ETH_TYPE_IPV4:
		return f[IPV4_TOS];
	case ETH_TYPE_IPV6:
		return ipv6_class(f);
	default:
		return DSCP_CS6 << 2;
	}
}

void path_enqueue(struct lane *lane, uint32_t target, const uint64_t *word, unsigned n)
{
	uint32_t limit = forward_limit(lane);
	uint64_t touched = 0;

	for (unsigned i = 0; i < n; i++) {
		uint8_t tos = forward_tos(packet_frame(lane->buffers, word[i]));

		if (target < PORT_MAX && !tag_is_off(word[i]))
			touched |=
				forward_queue(lane, target, class_of(&lane->classes[target], tos),
					word[i], OWNER_CONTROL, limit);
		else
			touched |= forward_tagged(lane, target, tos, word[i], OWNER_CONTROL, limit);
	}
	forward_publish(lane, touched);
}
