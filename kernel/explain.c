/* explain: a lane that leads nowhere, the live run on it, and the steps before it. */
#include "kernel/explain.h"

#include <string.h>

#include "kernel/explain_track.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "net/path/filter.h"
#include "net/path/flow.h"
#include "net/path/member.h"
#include "net/path/spread.h"
#include "net/path/tag.h"
#include "net/path/urpf.h"

#define PUNTS 8u /* a power of two */

/* All that a frame can touch on its way. */
static struct room {
	struct lane lane;
	struct tables tables;
	struct buffers buffers; /* one pool, of which one buffer is used */
	struct pool *pool;
	uint8_t *owner;
	struct counters *counters;
	struct crosspoint *cross; /* of all TX queues: the buffer's owner says which */
	struct ring punt;
	uint64_t punts[PUNTS];
	struct filter_hits *hits; /* by slot; 0 between the steps */
	struct filter_log *log;
	uint64_t word[BATCH_MAX];
	struct explain told;
} room;

bool explain_init(struct router *r)
{
	struct buffers *b = &room.buffers;
	void *memory = platform_alloc(r->buffers.stride, CACHE_LINE);

	room.pool = platform_alloc(sizeof *room.pool, CACHE_LINE);
	room.owner = platform_alloc(BATCH_MAX, CACHE_LINE);
	room.counters = platform_alloc(sizeof *room.counters, CACHE_LINE);
	room.cross = platform_alloc(sizeof *room.cross, CACHE_LINE);
	room.hits = platform_alloc(r->filters.slots * sizeof *room.hits, CACHE_LINE);
	room.log = platform_alloc(sizeof *room.log, CACHE_LINE);
	if (!memory || !room.pool || !room.owner || !room.counters || !room.cross || !room.hits ||
		!room.log)
		return false;
	*b = (struct buffers){.pools = 1, .actors = 1, .owner = room.owner};
	b->stride = r->buffers.stride;
	b->room = r->buffers.room;
	b->mtu = r->buffers.mtu;
	pool_place(b, 0, memory, 0);
	b->pool[0] = room.pool;
	room.pool->actor = ACTOR_CONTROL;
	return explain_track_init(r);
}

uint32_t explain_max(const struct router *r)
{
	return r->buffers.room;
}

/* ---- the lane ---- */

/* The frame as a device would have put it into the buffer. */
static uint64_t load_frame(
	const struct router *r, unsigned iface, const uint8_t *frame, uint32_t len)
{
	uint8_t *to = buffer_data(&room.buffers, 0);

	memset(to - PACKET_HEADROOM, 0, room.buffers.stride);
	memcpy(to, frame, len);
	room.owner[0] = OWNER_HOME;
	if (iface < r->ports)
		return packet_word(0, len, 0);
	memmove(to + ETH_TYPE + PACKET_TAG, to + ETH_TYPE, len - ETH_TYPE);
	store_be16(to + ETH_TYPE, ETH_TYPE_VLAN);
	store_be16(to + ETH_HEADER, r->iface[iface].vid);
	return packet_word(0, len + PACKET_TAG, 0);
}

/* Of those that can process what the port's first queue receives, the lane that the frame goes to;
 * NULL: to none, as e->end says. */
static const struct lane *choose_lane(const struct router *r, struct explain *e, uint64_t word)
{
	const struct rxq *q = &r->rxq[r->first_rxq[e->port]];
	const uint8_t *f = buffer_data(&room.buffers, 0);
	uint64_t hash = spread_hash(f, packet_len(word));

	e->queue = q->queue;
	e->worker = q->worker;
	e->policed = r->lane[q->lane[0]].meter != NULL;
	if (r->lane[q->lane[0]].track)
		return explain_track_steer(r, &r->lane[q->lane[0]], f, packet_len(word), e);
	return &r->lane[q->lane[q->spread > 1 ? hash * q->spread >> 32 : 0]];
}

/*
 * A lane that decides as `live` does. Field by field: what is new to a lane must be thought about
 * here before a frame may go that way.
 */
static void copy_lane(const struct router *r, const struct lane *live)
{
	struct lane *lane = &room.lane;

	room.tables = r->tables;
	room.tables.pool_port[0] = (uint8_t)live->port;
	memset(room.counters, 0, sizeof *room.counters);
	memset(room.hits, 0, r->filters.slots * sizeof *room.hits);
	voq_init(room.cross);
	memset(room.log, 0, sizeof *room.log);
	ring_init(&room.punt, room.punts, PUNTS);
	*lane = (struct lane){
		.buffers = &room.buffers,
		.tables = &room.tables,
		.counters = room.counters,
		.punt = &room.punt,
		.classes = live->classes,
		.actor = ACTOR_CONTROL,
		.port = live->port,
		.max_frame = live->max_frame,
		.disabled = live->disabled,
		.one_class = live->one_class,
		.urpf = live->urpf,
		.filter = live->filter,
		.martians = live->martians,
		.hits = room.hits,
		.filter_log = room.log,
	};
	memcpy(lane->mac, live->mac, sizeof lane->mac);
	memcpy(lane->txq, live->txq, sizeof lane->txq);
	for (unsigned t = 0; t < r->txqs; t++)
		lane->cross[t] = room.cross;
	room.pool->top = VOQ_SLOTS;
	if (live->track)
		explain_track_copy(r, lane, live);
}

/* ---- the steps ---- */

/* The rule of an interface's list that the steps since then have met, by its counter. */
static void find_rule(struct explain_acl *acl, const struct filter *f, unsigned iface, bool out)
{
	uint16_t number = out ? f->out[iface] : f->in[iface];

	if (!number)
		return;
	const struct filter_list *list = &f->list[number - 1];

	for (uint32_t i = 0; i <= list->rules; i++) {
		const struct filter_rule *rule = &f->rule[list->first + i];
		struct filter_hits *hits = &room.hits[rule->slot];

		if (!hits->packets)
			continue;
		hits->packets--; /* both may be the same list */
		*acl = (struct explain_acl){.asked = true,
			.permit = rule->flags & FILTER_PERMIT,
			.list = (uint16_t)(number - 1),
			.rule = list->first + i,
			.iface = iface};
		return;
	}
}

static bool is_routed(const struct batch *b)
{
	return b->verdict[0] == VERDICT_ROUTE || b->verdict[0] == VERDICT_ROUTE6;
}

/* What the packet says, once the parser has believed its lengths. */
static void tell_packet(struct explain *e, const struct batch *b)
{
	const uint8_t *f = b->data[0];

	e->input = tag_is_off(b->word[0]) && tag_note(f).vlan
			   ? room.tables.ports + tag_note(f).vlan - 1
			   : e->port;
	if (b->verdict[0] & VERDICT_DROP)
		return;
	switch (load_be16(f + ETH_TYPE)) {
	case ETH_TYPE_IPV4:
		e->family = 4;
		e->src = (struct ip6){0, load_be32(f + IPV4_SOURCE)};
		e->dst = (struct ip6){0, load_be32(f + IPV4_DEST)};
		e->protocol = f[IPV4_PROTOCOL];
		e->hops = f[IPV4_TTL];
		return;
	case ETH_TYPE_IPV6:
		e->family = 6;
		e->src = ip6_load(f + IPV6_SOURCE);
		e->dst = ip6_load(f + IPV6_DEST);
		e->protocol = f[IPV6_NEXT];
		e->hops = f[IPV6_HOPS];
		return;
	default:
		return;
	}
}

/* The protocol behind extension headers, and the ports, as access lists see them. */
static void tell_ports(struct explain *e, const struct batch *b)
{
	struct filter_key key = e->family == 4 ? filter_key4(b->data[0]) : filter_key6(b->data[0]);

	if (key.unknown)
		return;
	e->protocol = (uint8_t)(key.kind >> 1);
	e->ported = !(key.kind & 1);
	e->src_port = (uint16_t)(key.ports >> 16);
	e->dst_port = (uint16_t)key.ports;
}

static void look_up(struct batch *b)
{
	struct ip6 dst = ip6_load(b->data[0] + IPV6_DEST);

	if (b->verdict[0] == VERDICT_ROUTE6)
		fib6_lookup(room.tables.fib6, &dst, b->nh, 1);
	else
		fib4_lookup(room.tables.fib4, b->dst, b->nh, 1);
}

/* The next hop of this flow. */
static void tell_member(struct explain *e, const struct batch *b)
{
	uint32_t out = load_acquire(&room.tables.adjacency[b->nh[0]].out);

	e->member = member_or_self(&room.tables, b, 0, b->nh[0], out);
}

/* ---- the flow cache ---- */

/* Of a packet that is to be routed. */
static void tell_flow(
	struct explain *e, const struct lane *live, const struct batch *b, struct flow_seen *seen)
{
	static const enum explain_flow found[] = {[FLOW_NO_KEY] = EXPLAIN_FLOW_NO_KEY,
		[FLOW_UNKNOWN] = EXPLAIN_FLOW_MISS,
		[FLOW_KNOWN] = EXPLAIN_FLOW_HIT};

	if (live->track || !live->flow) {
		e->flow = live->track ? EXPLAIN_FLOW_TRACKED : EXPLAIN_FLOW_OFF;
		return;
	}
	e->flow = found[flow_peek(live->flow, b->data[0], b->verdict[0] == VERDICT_ROUTE6, e->input,
		room.tables.generation, platform_tsc(), seen)];
	if (e->flow != EXPLAIN_FLOW_HIT)
		return;
	e->flow_nh = seen->nh;
	e->flow_denied = seen->denied;
}

/* Where a rule that was met is counted. */
static uint16_t slot_of(const struct explain_acl *acl)
{
	return acl->asked ? (uint16_t)room.tables.filter->rule[acl->rule].slot : FILTER_NO_SLOT;
}

/* A hit against what the steps have found: rules, what they say, and the next hop of what they let
 * pass; of several that may be kept as the one of the flow or as all. */
static bool flow_differs(const struct explain *e, const struct flow_seen *seen)
{
	uint8_t denied = (e->in.asked && !e->in.permit ? FLOW_DENIED_IN : 0) |
			 (e->out.asked && !e->out.permit ? FLOW_DENIED_OUT : 0);

	if (seen->denied != denied || seen->slot_in != slot_of(&e->in) ||
		seen->slot_out != slot_of(&e->out))
		return true;
	return !denied && seen->nh != e->nh && seen->nh != e->member;
}

/* Each stage by itself, in the order of path_forward. */
static void tell_steps(struct explain *e, const struct lane *live, uint64_t word)
{
	const struct filter *f = room.tables.filter;
	struct lane *lane = &room.lane;
	struct flow_seen seen = {0};
	struct batch b;

	b.ask = NULL;
	b.track = NULL;
	room.word[0] = word;
	parse_batch(lane, &b, room.word, 1);
	e->verdict = b.verdict[0];
	tell_packet(e, &b);
	if (e->family)
		tell_ports(e, &b);
	e->step = EXPLAIN_PARSED;
	if (is_routed(&b)) {
		e->step = EXPLAIN_CHECKED;
		e->urpf = room.tables.urpf[e->input];
		if (lane->urpf)
			urpf_check(lane, &b);
	}
	if (is_routed(&b)) {
		e->step = EXPLAIN_ROUTED;
		tell_flow(e, live, &b, &seen);
		look_up(&b);
		e->nh = b.nh[0];
		tell_member(e, &b);
	} else {
		b.nh[0] = NEXTHOP_NONE;
	}
	if (is_routed(&b))
		explain_track_find(
			b.data[0], packet_len(b.word[0]), b.verdict[0] == VERDICT_ROUTE6);
	else
		explain_track_find(NULL, 0, false);
	if (lane->track)
		return;
	if (lane->filter & FILTER_IN && f) {
		filter_in(lane, &b);
		find_rule(&e->in, f, e->input, false);
	}
	if (lane->filter & FILTER_OUT && f && is_routed(&b)) {
		filter_out(lane, &b);
		unsigned iface = room.tables.leads[e->member];

		if (iface < IFACE_MAX)
			find_rule(&e->out, f, iface, true);
	}
	if (e->flow == EXPLAIN_FLOW_HIT)
		e->flow_differs = flow_differs(e, &seen);
}

/* ---- the live run ---- */

/* The class whose VOQ has got the packet; VOQ_CLASSES: none has. */
static unsigned class_queued(const uint32_t *before)
{
	unsigned class = 0;

	while (class < VOQ_CLASSES && room.cross->in.pending[class] == before[class])
		class ++;
	return class;
}

static enum drop_reason drop_counted(void)
{
	for (unsigned port = 0; port < PORT_COUNT; port++)
		for (unsigned reason = 0; reason < DROP_COUNT; reason++)
			if (room.counters->port[port].dropped[reason])
				return reason;
	return DROP_COUNT;
}

/* Sends the frame through path_forward, and looks where it is. */
static void run(struct explain *e, uint64_t word)
{
	uint32_t before[VOQ_CLASSES];
	uint64_t end;

	memcpy(before, room.cross->in.pending, sizeof before);
	room.word[0] = word;
	path_forward(&room.lane, room.word, 1);
	unsigned class = class_queued(before);

	if (class < VOQ_CLASSES) {
		e->end = EXPLAIN_SENT;
		e->txq = room.owner[0] - OWNER_OUTPUT(0);
		e->class = class;
		end = room.cross->word[class][before[class] & (VOQ_SLOTS - 1)];
	} else if (ring_pop(&room.punt, &end, 1)) {
		e->end = EXPLAIN_HANDED;
		e->punt = packet_flags(end) & PACKET_FLAG_PUNT;
	} else {
		e->end = EXPLAIN_DROPPED;
		e->drop = drop_counted();
		return;
	}
	e->frame = packet_frame(&room.buffers, end);
	e->frame_len = packet_len(end);
}

/* What the run on a tracking lane has left: session, rules, and the way on. */
static void tell_tracked(struct explain *e, const struct router *r)
{
	const struct filter *f = room.tables.filter;
	struct ip6 dst;
	uint32_t dst4;

	explain_track_tell(r, &room.lane, e);
	if (f)
		find_rule(&e->in, f, e->input, false);
	if (e->step < EXPLAIN_ROUTED)
		return;
	dst = e->rewrites ? e->to_dst : e->dst;
	dst4 = (uint32_t)dst.lo;
	if (e->family == 6)
		fib6_lookup(room.tables.fib6, &dst, &e->nh, 1);
	else
		fib4_lookup(room.tables.fib4, &dst4, &e->nh, 1);
	if (e->session != EXPLAIN_SESSION_NONE)
		e->member = e->session_nh;
	unsigned iface = room.tables.leads[e->member];

	if (f && iface < IFACE_MAX)
		find_rule(&e->out, f, iface, true);
}

/* The VOQ that the frame goes to, as it is now. */
static void tell_queue(struct explain *e, const struct router *r, const struct lane *live)
{
	const struct buffers *b = &r->buffers;
	uint32_t free = load_once(&b->pool[live->pool]->top) + pool_returning(b, live->pool);

	e->queued = true;
	e->depth = voq_depth(live->cross[e->txq], e->class);
	e->limit = free < VOQ_SLOTS ? free : VOQ_SLOTS;
}

/* Once more, with the VOQ as full as that one. */
static void run_queued(
	struct explain *e, const struct router *r, const struct lane *live, uint64_t word)
{
	copy_lane(r, live);
	room.pool->top = e->limit;
	for (unsigned class = 0; class < VOQ_CLASSES; class ++)
		room.cross->in.pending[class] = room.cross->tail[class] = e->depth;
	run(e, word);
}

/* What waits for a port without link is thrown away by the worker that drives it. */
static bool is_dead(const struct router *r, unsigned txq)
{
	const struct netdev *dev = r->dev[r->txq[txq].port];

	return !load_once(&dev->link) || load_once(&dev->failed);
}

const struct explain *explain_frame(
	struct router *r, unsigned iface, const uint8_t *frame, uint32_t len)
{
	struct explain *e = &room.told;
	uint64_t word = load_frame(r, iface, frame, len);

	*e = (struct explain){
		.port = r->iface[iface].parent, .input = iface, .len = packet_len(word)};
	const struct lane *live = choose_lane(r, e, word);

	if (!live) {
		e->unparsed = true;
		return e;
	}
	e->worker = live->actor - 1;
	copy_lane(r, live);
	tell_steps(e, live, word);
	copy_lane(r, live);
	run(e, load_frame(r, iface, frame, len));
	if (live->track)
		tell_tracked(e, r);
	if (e->end != EXPLAIN_SENT)
		return e;
	tell_queue(e, r, live);
	run_queued(e, r, live, load_frame(r, iface, frame, len));
	if (e->end == EXPLAIN_SENT && is_dead(r, e->txq)) {
		e->end = EXPLAIN_DROPPED;
		e->drop = DROP_LINK_DOWN;
	}
	return e;
}
