/*
 * What can be sent as it is goes to the VOQs; compiled once per form of x86-64 (lib/vec.h).
 *
 * Of the plain packets of a batch, whose next hops are known: those whose next hop is a port's
 * and whose MTU lets them pass are rewritten and queued here. The others are left.
 */
#include "net/path/forward.h"

#include "lib/vec_words.h"
#include "net/path/parse.h"

_Static_assert(PORT_MAX == 16, "the TX queues by port are one vector of octets");

/* Of each packet of a batch, what is found before the first is written. */
struct places {
	uint32_t link[BATCH_MAX]; /* where its adjacency begins, bytes */
	uint8_t owner[BATCH_MAX]; /* who has it then, if all are of one class */
};

/*
 * VEC_LANES packets from i on; for each its VOQ or, unless one_class, port. Those that can be sent,
 * as bits.
 */
VEC_INLINE uint64_t ready_vector(
	const struct lane *lane, struct batch *b, struct places *places, unsigned i, bool one_class)
{
	const uint32_t *adjacency = (const uint32_t *)lane->tables->adjacency;
	vec nh = vec_load(b->nh + i), total = vec_load(b->total + i);
	/* Before the MAC: see nexthop.h. */
	vec out = vec_gather32(adjacency + offsetof(struct adjacency, out) / 4, nh * 4);
	vec one = (vec)((out & 0xffff) == NEXTHOP_ONE);

	if (vec_any(one)) {
		nh = vec_select(one, out >> 16, nh);
		vec_store(b->nh + i, nh);
		out = vec_gather32_where(
			one, adjacency + offsetof(struct adjacency, out) / 4, nh * 4, out);
	}
	vec target = out & 0xffff, beyond = (out >> 16) - total; /* the MTU, if negative */

	vec_store(places->link + i, nh * sizeof(struct adjacency));
	if (one_class) {
		vec txq = vec_octets16(lane->txq, target & (PORT_MAX - 1));

		vec_store_octets(places->owner + i, txq | OWNER_OUTPUT(0));
		vec_store(b->queue + i, txq * VOQ_CLASSES);
	} else {
		vec_store(b->queue + i, target);
	}
	return (uint64_t)vec_signs((target - NEXTHOP_VLAN) & ~beyond) << i;
}

VEC_INLINE uint64_t ready_batch(
	const struct lane *lane, struct batch *b, struct places *places, bool one_class)
{
	uint64_t ready = 0;
	unsigned n = b->n;

	for (unsigned i = 0; i < n; i += VEC_LANES)
		ready |= one_class ? ready_vector(lane, b, places, i, true)
				   : ready_vector(lane, b, places, i, false);
	return ready & b->plain;
}

/* Those of a mask that go by a group of next hops. */
VEC_INLINE uint64_t grouped(const struct lane *lane, const struct batch *b, uint64_t mask)
{
	uint64_t found = 0;

	for (uint64_t left = mask; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left);
		uint32_t out = load_once(&lane->tables->adjacency[b->nh[i]].out);

		found |= (uint64_t)(adjacency_target(out) == NEXTHOP_GROUP) << i;
	}
	return found;
}

/* The MAC addresses of a next hop in the first twelve bytes. */
VEC_INLINE vec_quad link_of(const struct adjacency *a)
{
	vec_quad link = {0};

#if defined(__SANITIZE_THREAD__) /* it cannot know that nobody looks at the rest */
	memcpy(&link, a->mac, sizeof a->mac);
#else
	memcpy(&link, a, sizeof link);
#endif
	return link;
}

/* The MAC addresses of the next hop, and what the hop changes (see rewrite.h). */
VEC_INLINE void rewrite_plain(uint8_t *f, const struct adjacency *a, uint32_t hop)
{
	vec_quad link = link_of(a);
	uint32_t type;

	/* Sixteen bytes in one store: the last four are the frame's own. */
	memcpy(&type, f + ETH_TYPE, sizeof type);
	link[3] = type;
	memcpy(f, &link, sizeof link);
	memcpy(f + IPV4_TTL, &hop, sizeof hop);
}

/* What the loop over packets needs of the lane, in registers. */
struct sending {
	const uint8_t *adjacency;
	const struct class_map *classes; /* NULL: all are of one class */
	const uint8_t *txq;
	uint8_t *owner;
};

/* Rewrites packet i and finds its VOQ; it belongs to its output now. */
VEC_INLINE void send_one(
	const struct sending *s, struct batch *b, const struct places *places, unsigned i)
{
	uint8_t *f = b->data[i];
	uint8_t owner = places->owner[i];

	if (s->classes) {
		uint32_t port = b->queue[i], t = load_once(&s->txq[port]);

		b->queue[i] = t * VOQ_CLASSES + class_of(&s->classes[port], f[IPV4_TOS]);
		owner = (uint8_t)OWNER_OUTPUT(t);
	}
	rewrite_plain(f, (const struct adjacency *)(s->adjacency + places->link[i]), b->hop[i]);
	s->owner[packet_index(b->word[i])] = owner;
}

VEC_INLINE void send_all(const struct lane *lane, struct batch *b, const struct places *places,
	uint64_t ready, bool one_class)
{
	const struct sending s = {
		.adjacency = (const uint8_t *)lane->tables->adjacency,
		.classes = one_class ? NULL : lane->classes,
		.txq = lane->txq,
		.owner = lane->buffers->owner,
	};

	unsigned n = b->n;

	buffers_check(lane->buffers, lane->actor, b->word, b->n, OWNER_HOME, "send");
	if (ready == batch_all(b))
#pragma GCC unroll 4
		for (unsigned i = 0; i < n; i++)
			send_one(&s, b, places, i);
	else
		for (; ready; ready &= ready - 1)
			send_one(&s, b, places, (unsigned)__builtin_ctzll(ready));
}

/* Puts the packets of a mask into their VOQs. The TX queues as bits. */
#if VEC_BYTES == 64
#	define DIRECT 4u /* VOQs of a batch whose words are compressed; one by one into others */

/* Packets of one VOQ. */
VEC_INLINE void queue_same(
	struct lane *lane, const struct batch *b, uint32_t queue, uint64_t same, uint32_t limit)
{
	struct crosspoint *x = lane->cross[queue / VOQ_CLASSES];
	uint64_t *to = voq_room(x, queue % VOQ_CLASSES, limit);

	if (__builtin_expect(!to, 0)) {
		forward_put_each(lane, b, same, limit);
		return;
	}
	unsigned n = b->n;

#	pragma GCC unroll 4
	for (unsigned i = 0; i < n; i += 8) {
		uint32_t mask = same >> i & 0xff;

		vec_pack64(to, b->word + i, mask);
		to += __builtin_popcount(mask);
	}
	voq_wrap(x, queue % VOQ_CLASSES, (uint32_t)__builtin_popcountll(same));
}

VEC_INLINE uint64_t queue_all(
	struct lane *lane, const struct batch *b, uint64_t sent, uint32_t limit)
{
	uint64_t touched = 0;

	for (unsigned i = 0; sent && i < DIRECT; i++) {
		uint32_t queue = b->queue[__builtin_ctzll(sent)];
		uint64_t same = sent & vec_equal64(b->queue, queue);

		queue_same(lane, b, queue, same, limit);
		touched |= UINT64_C(1) << queue / VOQ_CLASSES;
		sent &= ~same;
	}
	if (sent)
		touched |= forward_put_each(lane, b, sent, limit);
	return touched;
}
#else
VEC_INLINE uint64_t queue_all(
	struct lane *lane, const struct batch *b, uint64_t sent, uint32_t limit)
{
	return forward_put_each(lane, b, sent, limit);
}
#endif

/* As forward_plain. */
VEC_INLINE uint64_t send_batch(
	struct lane *lane, struct batch *b, uint32_t limit, uint64_t *touched, bool one_class)
{
	alignas(VEC_BYTES) struct places places;
	uint64_t ready = ready_batch(lane, b, &places, one_class);

	if (__builtin_expect(ready != b->plain, 0)) {
		uint64_t members = grouped(lane, b, b->plain & ~ready);

		if (members) {
			forward_members(lane, b, members);
			ready = ready_batch(lane, b, &places, one_class);
		}
	}
	send_all(lane, b, &places, ready, one_class);
	*touched |= queue_all(lane, b, ready, limit);
	return ready;
}

uint64_t VEC_NAME(forward_plain)(
	struct lane *lane, struct batch *b, uint32_t limit, uint64_t *touched)
{
	return load_once(&lane->one_class) ? send_batch(lane, b, limit, touched, true)
					   : send_batch(lane, b, limit, touched, false);
}
