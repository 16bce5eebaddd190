/* Plain IPv4 packets of a burst and whose they are, a vector of them at a time; compiled once per
 * form of x86-64 (lib/vec.h). */
#include "lib/vec_columns.h"
#include "lib/vec_frames.h"
#include "net/path/steer.h"
#include "net/path/steer_columns.h"
#include "net/path/steer_hash.h"

_Static_assert(BATCH_MAX % VEC_LANES == 0, "a batch is whole vectors");
_Static_assert(VEC_LANES <= BATCH_PAD, "the last vector ends within the words");

STEER_HASH(vec, hash_of)

#define PORTS_OFF (IPV4_OFF + IPV4_HEADER)
#define PORTS     4u /* bytes of both */

/* VEC_LANES frames from i on; a bit for each that is plain. */
VEC_INLINE uint64_t steer_vector(
	const uint64_t *word, unsigned i, uint32_t owners, struct steer_columns *c)
{
	vec head[8]; /* from byte 2 on: addresses; type; IPv4 from its first word on */
	vec_columns(c->data + i, 2, head);
	const vec *ip = head + 3;
	vec length = vec_upper32(word + i), ports = vec_swap(vec_column(c->data + i, PORTS_OFF));
	vec total = (ip[0] >> 24) | (ip[0] >> 8 & 0xff00);
	vec protocol = ip[2] >> 8 & 0xff, src = vec_swap(ip[3]), dst = vec_swap(ip[4]);
	vec negative = (length - ETH_HEADER - total) | (total - IPV4_HEADER - PORTS);
	vec different = ((head[2] >> 16) ^ 0x0008) | ((ip[0] & 0xff) ^ 0x45) |
			(ip[1] >> 16 & 0xff3f) /* more fragments, offset */;

	vec other = (vec)(protocol != IPV4_TCP) & (vec)(protocol != IPV4_UDP);

	other |= (vec)(dst >> 28 == 14); /* a group */
	vec good = ~vec_sign(negative) & (vec)((different | other) == 0);

	vec_store(c->src + i, src);
	vec_store(c->dst + i, dst);
	vec_store(c->ports + i, ports);
	vec_store(c->protocol + i, protocol);
	vec_store(c->owner + i, STEER_SHARE(hash_of(src, dst, ports), owners));
	return (uint64_t)vec_signs(good) << i;
}

uint64_t VEC_NAME(steer_columns)(const struct buffers *buffers, const uint64_t *word, unsigned n,
	unsigned owners, struct steer_columns *c)
{
	uint64_t plain = 0;

	vec_frames(buffers, word, (n + BATCH_PAD - 1) & -BATCH_PAD, c->data);
	for (unsigned i = 0; i < n; i += VEC_LANES)
		plain |= steer_vector(word, i, owners, c);
	return n < BATCH_MAX ? plain & ((UINT64_C(1) << n) - 1) : plain;
}

/* Sixteen bytes from the type on hold all that tells fragments. */
VEC_INLINE vec_quad differs(const uint8_t *frame)
{
	const vec_quad plain = {0x0008, 0, 0, 0}, asked = {0xffff, 0, 0xff3f, 0};

	return (vec_load_quad(frame + ETH_TYPE) ^ plain) & asked;
}

bool VEC_NAME(steer_no_parts)(const struct buffers *buffers, const uint64_t *word, unsigned n)
{
	uint64_t origin = buffers->origin[packet_pool(word[0])];
	uint32_t stride = buffers->stride;
	unsigned i = 0;
	vec_quad differ = {0};

	for (; i + VEC_WORDS <= n; i += VEC_WORDS) {
		vec_words at = vec_words_product32(vec_words_load(word + i), stride) + origin;

#pragma GCC unroll 8
		for (unsigned k = 0; k < VEC_WORDS; k++)
			differ |= differs((const uint8_t *)(uintptr_t)at[k]);
	}
	for (; i < n; i++)
		differ |= differs(buffer_data(buffers, packet_index(word[i])));
	return (differ[0] | differ[2]) == 0;
}

/* ---- by rules of NAT: as steer_owner ---- */

#define RANGES_MAX 8u /* of a set that is compared with, one after the other */

/* All ones where an address is in a set. */
VEC_INLINE vec in_set(const struct nat_set *set, vec address)
{
	vec in = vec_all(0);

	for (unsigned i = 0; i < set->ranges; i++) {
		const struct nat_range *r = &set->range[i];

		in |= (vec)(address - r->first <= vec_all(r->last - r->first));
	}
	return in;
}

/* All ones where one of a block's rules, of some interface, may be about a packet. */
VEC_INLINE vec in_block(const struct nat_block *block, uint32_t rules, vec dst, vec port)
{
	vec in = vec_all(0);

	for (unsigned k = 0; k < rules; k++)
		in |= (vec)(((dst ^ block->dst[k]) & block->dst_mask[k]) == 0) &
		      (vec)(port - block->port[k] <= vec_all(block->port_span[k]));
	return in;
}

/* VEC_LANES packets; a bit for each that a rule of destination NAT may be about. */
VEC_INLINE uint64_t nat_vector(const struct nat_rules *rules, uint32_t owners, uint32_t inverse,
	unsigned i, struct steer_columns *c)
{
	vec src = vec_load(c->src + i), dst = vec_load(c->dst + i), ports = vec_load(c->ports + i);
	vec from_target = in_set(&rules->target, src), to_target = in_set(&rules->target, dst);
	vec from_host = in_set(&rules->inside, src) & ~from_target;
	vec to_host = in_set(&rules->inside, dst) & ~to_target;
	vec block = (ports & 0xffff) >> STEER_BLOCK_SHIFT;
	vec mapped = block - (block * inverse >> 16) * owners;
	vec host = vec_select(from_host, src, dst);
	vec port = vec_select(from_host, ports >> 16, ports & 0xffff);
	vec both = ports & ~(from_target | to_target);
	vec one = hash_of(host, vec_all(0), port), other = hash_of(src, dst, both);
	vec owner = STEER_SHARE(vec_select(from_host ^ to_host, one, other), owners);

	vec_store(c->owner + i, vec_select(in_set(&rules->external, dst), mapped, owner));
	vec aimed = in_set(&rules->aimed, dst);

	if (rules->destinations <= NAT_BLOCK && vec_any(aimed))
		aimed &= in_block(
			rules->destination_block, rules->destinations, dst, ports & 0xffff);
	return (uint64_t)vec_signs(aimed) << i;
}

uint64_t VEC_NAME(steer_nat)(
	const struct nat_rules *rules, unsigned n, unsigned owners, struct steer_columns *c)
{
	uint32_t inverse = steer_port_inverse(owners);
	uint64_t left = 0;

	if (rules->inside.ranges > RANGES_MAX || rules->external.ranges > RANGES_MAX ||
		rules->target.ranges > RANGES_MAX || rules->aimed.ranges > RANGES_MAX)
		return ~UINT64_C(0);
	for (unsigned i = 0; i < n; i += VEC_LANES)
		left |= nat_vector(rules, owners, inverse, i, c);
	return left;
}
