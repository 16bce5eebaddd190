/* Plain IPv4 packets of a burst and whose they are, a vector of them at a time; compiled once per
 * form of x86-64 (lib/vec.h). */
#include "lib/vec_columns.h"
#include "lib/vec_words.h"
#include "net/path/steer_columns.h"
#include "net/path/steer_hash.h"

_Static_assert(BATCH_MAX % VEC_LANES == 0, "a batch is whole vectors");
_Static_assert(VEC_LANES <= BATCH_PAD, "the last vector ends within the words");

STEER_HASH(vec, hash_of)

#define PORTS_OFF (IPV4_OFF + IPV4_HEADER)
#define PORTS     4u /* bytes of both */

/* Where the frames are, all of one pool. */
VEC_INLINE void locate(
	const struct buffers *buffers, const uint64_t *word, unsigned n, uint8_t **frame)
{
	uint64_t origin = buffers->origin[packet_pool(word[0])];
	uint32_t stride = buffers->stride;

	for (unsigned i = 0; i < n; i += VEC_WORDS) {
		vec_words at = vec_words_product32(vec_words_load(word + i), stride) + origin;

		memcpy(frame + i, &at, sizeof at);
	}
}

/* VEC_LANES frames from i on; a bit for each that is plain. */
VEC_INLINE uint64_t steer_vector(
	const uint64_t *word, unsigned i, uint32_t owners, struct steer_columns *c)
{
	vec head[8]; /* from byte 2 on: addresses; type; IPv4 from its first word on */
	vec_columns(c->data + i, 2, head);
	const vec *ip = head + 3;
	uint8_t *transport[VEC_LANES];

	for (unsigned k = 0; k < VEC_LANES; k++)
		transport[k] = c->data[i + k] + PORTS_OFF;
	vec length = vec_upper32(word + i), ports = vec_swap(vec_column(transport));
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

	locate(buffers, word, (n + BATCH_PAD - 1) & -BATCH_PAD, c->data);
	for (unsigned i = 0; i < n; i += VEC_LANES)
		plain |= steer_vector(word, i, owners, c);
	return n < BATCH_MAX ? plain & ((UINT64_C(1) << n) - 1) : plain;
}
