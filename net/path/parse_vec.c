/*
 * Plain frames among the received, a vector of them at a time; compiled once per form of x86-64
 * (lib/vec.h).
 *
 * A frame is plain if it is what nearly all are: IPv4 to this router's MAC, without options or
 * tag, everything valid, TTL above 1. All conditions come to one test: those on numbers as
 * differences of which none may be negative, those on equality as bits of which none may be set.
 */
#include "lib/vec_columns.h"
#include "lib/vec_frames.h"
#include "net/path/flow_ahead.h"
#include "net/path/parse.h"
#include "net/path/track_ahead.h"

_Static_assert(BATCH_MAX % VEC_LANES == 0, "a batch is whole vectors");
_Static_assert(VEC_LANES <= BATCH_PAD, "the last vector ends within the arrays");

/* Who is asked for each packet besides. */
enum asked { NOBODY, FLOWS, SESSIONS };

/* What every vector is compared with. */
struct wanted {
	vec_quad mac;   /* the port's address, as a frame begins */
	vec mac0, mac2; /* its bytes 0-1, 2-5 */
	vec max_frame;
	unsigned port;
};

/* The sum of the 16-bit halves of both. */
VEC_INLINE vec halves(vec a, vec b)
{
	return (a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16);
}

/* Negative where no host has an address with this first octet: 0, 127, 224 and above. */
VEC_INLINE vec not_unicast(vec octet)
{
	return (octet - 1) | (223 - octet) | ((octet ^ 127) - 1);
}

/*
 * Not 0 in the lanes of frames that are not to the port's MAC. They nearly always are: this comes
 * to one comparison for all.
 */
VEC_INLINE vec not_to_us(const struct wanted *want, uint8_t *const *data)
{
	const vec_quad address = {~0u, 0xffff, 0, 0};
	vec_quad differ = {0};

#pragma GCC unroll 16
	for (unsigned i = 0; i < VEC_LANES; i++)
		differ |= vec_load_quad(data[i]) ^ want->mac;
	differ &= address;
	if (__builtin_expect((differ[0] | differ[1]) == 0, 1))
		return vec_all(0);
	return (vec_column(data, 2) ^ want->mac2) | ((vec_column(data, 0) ^ want->mac0) & 0xffff);
}

/* VEC_LANES frames from i on; a bit for each that is plain. */
VEC_INLINE uint64_t parse_vector(const struct wanted *want, struct batch *b, const uint64_t *word,
	unsigned i, vec *received, enum asked asked)
{
	vec head[8]; /* from byte 10 on: source, type; IPv4 header; the next two words */
	vec_columns(b->data + i, 10, head);
	const vec *ip = head + 1;

	vec length = vec_upper32(word + i); /* and flags, which are 0 */
	vec total = (ip[0] >> 24) | (ip[0] >> 8 & 0xff00);
	vec sum = halves(ip[0], ip[1]) + halves(ip[2], ip[3]) + (ip[4] & 0xffff) + (ip[4] >> 16);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16); /* at most 9 carries: this was the last */

	vec negative = (want->max_frame - length) | (length - ETH_HEADER - total) |
		       (total - IPV4_HEADER) | ((ip[2] & 0xff) - 2) | not_unicast(ip[3] & 0xff) |
		       not_unicast(ip[4] & 0xff);
	vec different = not_to_us(want, b->data + i) | ((head[0] >> 16) ^ 0x0008) |
			((ip[0] & 0xff) ^ 0x45) | (sum ^ 0xffff);

	*received += length;

	vec good = ~vec_sign(negative) & (vec)(different == 0);

	/* Link-layer padding ends here: what leaves is the IPv4 packet. */
	vec_store64(
		b->word + i, vec_lower32(word + i), vec_select(good, total + ETH_HEADER, length));
	vec_store(b->total + i, total);
	vec_store(b->dst + i, vec_swap(ip[4]) & good);

	/* RFC 1624 eqn 3, as in rewrite.h. */
	vec check = (ip[2] >> 16) + 1;

	check -= (vec)(check >= 0xffff);
	vec_store(b->hop + i, ((ip[2] & 0xffff) - 1) | check << 16);
	if (asked == SESSIONS)
		track_ahead(b->track, i, ip, total);
	if (asked == FLOWS)
		b->ask->keyed |= flow_ahead(b->ask, i, ip, total, want->port);
	return (uint64_t)vec_signs(good) << i;
}

VEC_INLINE uint64_t parse_all(const struct lane *lane, struct batch *b, enum asked asked)
{
	uint64_t mac, plain = 0;
	vec received = vec_all(0);

	memcpy(&mac, lane->mac, sizeof mac);
	struct wanted want = {
		.mac = {(uint32_t)mac, (uint32_t)(mac >> 32), 0, 0},
		.mac0 = vec_all((uint32_t)mac & 0xffff),
		.mac2 = vec_all((uint32_t)(mac >> 16)),
		.max_frame = vec_all(load_once(&lane->disabled) ? 0 : load_once(&lane->max_frame)),
		.port = lane->port,
	};

	const uint64_t *word = b->from;
	unsigned n = b->n, end = (n + BATCH_PAD - 1) & -BATCH_PAD;

	vec_frames(lane->buffers, word, end, b->data);
	for (unsigned i = 0; i < n; i += VEC_LANES)
		plain |= parse_vector(&want, b, word, i, &received, asked);
	b->bytes = vec_total(received) - (-n % VEC_LANES) * packet_len(word[0]);
	return plain & batch_all(b);
}

uint64_t VEC_NAME(parse_plain)(const struct lane *lane, struct batch *b)
{
	if (__builtin_expect(b->ask != NULL, 0))
		return parse_all(lane, b, FLOWS);
	if (__builtin_expect(b->track != NULL, 0))
		return parse_all(lane, b, SESSIONS);
	return parse_all(lane, b, NOBODY);
}
