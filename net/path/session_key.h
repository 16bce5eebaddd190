/* The hash of a session's key, and the key as a way has it. */
#ifndef NET_PATH_SESSION_KEY_H
#define NET_PATH_SESSION_KEY_H

#include "lib/hash.h"
#include "net/path/session.h"

/* A key as a way has it. */
struct session_short {
	uint32_t src, dst, ports;
	uint8_t protocol;
	uint8_t six; /* WAY_SIX or 0 */
};

#define SESSION_HASH_FACTOR UINT64_C(0x9fb21c651e98df25)

/*
 * Multilinear: of two keys that differ, however they were chosen, the sums differ but once in 2^32
 * seeds (Black et al., CRYPTO 1999: NH). The last multiplication brings what differs to the top.
 */
static inline uint64_t session_hash4(
	const uint64_t *seed, uint32_t src, uint32_t dst, uint32_t ports, uint8_t protocol)
{
	uint64_t h = (uint64_t)(uint32_t)(src + (uint32_t)seed[0]) *
			     (uint32_t)(dst + (uint32_t)(seed[0] >> 32)) +
		     (uint64_t)(uint32_t)(ports + (uint32_t)seed[1]) *
			     (uint32_t)(protocol + (uint32_t)(seed[1] >> 32));

	return (h ^ h >> 32) * SESSION_HASH_FACTOR;
}

static inline uint32_t session_fold(const uint64_t *seed, struct ip6 a)
{
	return (uint32_t)hash_mix((a.hi ^ seed[2]) + hash_mix(a.lo ^ seed[3]));
}

static inline struct session_short session_shorten(
	const struct sessions *s, const struct flow_key *key)
{
	bool six = key->family == 6;

	return (struct session_short){
		.src = six ? session_fold(s->seed, key->src) : (uint32_t)key->src.lo,
		.dst = six ? session_fold(s->seed, key->dst) : (uint32_t)key->dst.lo,
		.ports = key->ports,
		.protocol = key->protocol,
		.six = six ? WAY_SIX : 0,
	};
}

/*
 * The bucket where a hash's way stands if n buckets before were full: a near one, then a far one
 * and those behind it. Few bits of the hash are of both places, so that the ways that one near
 * bucket has no room for stand far from each other.
 */
static inline struct session_bucket *session_place(
	const struct sessions *s, uint64_t hash, unsigned n)
{
	uint32_t near = (uint32_t)(hash >> 32) & s->near_mask;
	uint32_t far = ((uint32_t)(hash >> 40) + n - 1) & s->far_mask;

	return &s->bucket[n ? s->far + far : near];
}

/* More ways are far than near buckets have room for: nearly all keys' ways are there. */
static inline bool session_most_far(const struct sessions *s)
{
	return s->in_far > (s->near_mask + 1) * SESSION_BUCKET;
}

/* The part of an entry that tells it from others, and from none. */
static inline uint32_t session_mark(const struct sessions *s, uint64_t hash)
{
	uint32_t ways = 1u << s->way_bits, mark = (uint32_t)hash & -ways;

	return mark ? mark : ways;
}

/* A bit for each entry of a bucket whose mark is this one. */
static inline uint32_t session_marked(
	const struct sessions *s, const struct session_bucket *b, uint32_t mark)
{
	typedef uint32_t quad __attribute__((vector_size(16)));
	typedef int bits __attribute__((vector_size(16)));
	typedef short words __attribute__((vector_size(16)));
	typedef char bytes __attribute__((vector_size(16)));
	const quad *q = (const quad *)(const void *)b->entry;
	quad mask = (quad){0} + (~0u << s->way_bits), want = (quad){0} + mark;
	bits a = (bits)((q[0] & mask) == want), c = (bits)((q[1] & mask) == want);
	bits d = (bits)((q[2] & mask) == want), e = (bits)((q[3] & mask) == want);
	words low = (words)__builtin_ia32_packssdw128(a, c);
	words high = (words)__builtin_ia32_packssdw128(d, e);

	return (uint32_t)__builtin_ia32_pmovmskb128((bytes)__builtin_ia32_packsswb128(low, high)) &
	       ((1u << SESSION_BUCKET) - 1);
}

static inline uint32_t session_entry_way(const struct sessions *s, uint32_t entry)
{
	return (entry & ~(~0u << s->way_bits)) - 1;
}

/*
 * The steps of session_vec.c with n keys. What these have up to the end of the last vector is read,
 * and what is told of them is written there.
 *
 * Their hashes; the buckets that they are looked for in are asked for.
 */
typedef void session_ahead4_fn(const struct sessions *s, const struct session_ask *ask,
	struct session_hash *hash, unsigned n);
session_ahead4_fn session_ahead4_plain, session_ahead4_v3, session_ahead4_v4;

/*
 * The way that is nearly always the one of each key; or any, maybe one of those behind the last
 * session, which are nobody's: the second of them says that the key has none.
 */
typedef void session_look4_fn(
	const struct sessions *s, const struct session_hash *hash, struct way **way, unsigned n);
session_look4_fn session_look4_plain, session_look4_v3, session_look4_v4;

/* Which of the ways are not the keys'. */
typedef uint64_t session_others4_fn(
	const struct session_ask *ask, struct way *const *way, unsigned n);
session_others4_fn session_others4_plain, session_others4_v3, session_others4_v4;

static inline bool session_is(const struct way *way, const struct session_short *key)
{
	return way->src == key->src && way->dst == key->dst && way->ports == key->ports &&
	       way->protocol == key->protocol && (way->flags & WAY_SIX) == key->six;
}

#endif
