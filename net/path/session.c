/* The index of sessions: found, begun, ended. */
#include "net/path/session.h"

#include <string.h>

#include "lib/form.h"
#include "net/path/session_key.h"

#define PROBES 64u   /* buckets that are looked at for a free place; 2 to 3 at any load there is */
#define LOAD   8u    /* entries of a far bucket, when all sessions are there */
#define NEAR   8192u /* near buckets: 512 KiB; nearly all ways of 40,000 sessions */

/* ---- memory ---- */

static uint32_t power_of_two(uint32_t least)
{
	uint32_t n = 1;

	while (n < least)
		n *= 2;
	return n;
}

static uint32_t far_buckets(uint32_t max)
{
	return power_of_two((2 * max + LOAD - 1) / LOAD);
}

/* Where there are not more far buckets than that, these are the near ones as well. */
static uint32_t near_only(uint32_t max)
{
	return far_buckets(max) > NEAR ? NEAR : 0;
}

static size_t index_bytes(uint32_t max)
{
	return ((size_t)near_only(max) + far_buckets(max)) * sizeof(struct session_bucket);
}

static size_t whole_lines(size_t bytes)
{
	return (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
}

size_t sessions_bytes(uint32_t max)
{
	return 2 * (max + 1) * sizeof(struct way) + max * sizeof(struct session) +
	       index_bytes(max) + whole_lines(max * sizeof(uint32_t)) +
	       whole_lines(max * sizeof(struct session_source)) +
	       whole_lines(power_of_two(max) * sizeof(uint32_t)) +
	       SESSION_DATAGRAMS * sizeof(struct session_datagram);
}

static void *take(char **at, size_t bytes)
{
	void *p = *at;

	*at += whole_lines(bytes);
	return p;
}

void sessions_init(struct sessions *s, void *memory, uint32_t max, uint64_t seed)
{
	char *at = memory;

	*s = (struct sessions){.max = max,
		.near_mask = (near_only(max) ? NEAR : far_buckets(max)) - 1,
		.far = near_only(max),
		.far_mask = far_buckets(max) - 1,
		.source_mask = power_of_two(max) - 1,
		.free = SESSION_NONE,
		.oldest = SESSION_NONE,
		.newest = SESSION_NONE,
		.source_free = SESSION_NONE};
	/* The number of a way, or how many passed a bucket: each at most twice, if all are both. */
	while (1u << s->way_bits <= (s->far ? 2 : 4) * max)
		s->way_bits++;
	for (unsigned i = 0; i < sizeof s->seed / sizeof *s->seed; i++)
		s->seed[i] = hash_mix(seed += 0x9e3779b97f4a7c15ull);
	/* Ways, sessions, marks of time and sources are written before they are read. */
	s->way = take(&at, 2 * (max + 1) * sizeof *s->way);
	s->session = take(&at, max * sizeof *s->session);
	s->bucket = take(&at, index_bytes(max));
	s->due = take(&at, max * sizeof *s->due);
	s->source = take(&at, max * sizeof *s->source);
	s->source_head = take(&at, power_of_two(max) * sizeof *s->source_head);
	s->datagram = take(&at, SESSION_DATAGRAMS * sizeof *s->datagram);
	/* No IPv4 packet's. */
	s->way[2 * max] = s->way[2 * max + 1] = (struct way){.flags = WAY_SIX};
	memset(s->bucket, 0, index_bytes(max));
	memset(s->source_head, 0xff, power_of_two(max) * sizeof *s->source_head);
	memset(s->datagram, 0, SESSION_DATAGRAMS * sizeof *s->datagram);
}

/* ---- finding ---- */

static uint64_t hash_of(const struct sessions *s, const struct session_short *key)
{
	return session_hash4(s->seed, key->src, key->dst, key->ports,
		(uint8_t)(key->protocol ^ (key->six ? 0x80 : 0)));
}

/* The way of a short key, whose hash this is; whole: the key, NULL if IPv4. */
static struct way *find_from(const struct sessions *s, uint64_t hash,
	const struct session_short *key, const struct flow_key *whole)
{
	uint32_t mark = session_mark(s, hash);

	for (unsigned n = 0; n < PROBES; n++) {
		const struct session_bucket *b = session_place(s, hash, n);

		for (uint32_t m = session_marked(s, b, mark); m; m &= m - 1) {
			uint32_t number =
				session_entry_way(s, load_once(&b->entry[__builtin_ctz(m)]));

			if (number >= 2 * s->max) /* the actor has just taken it out */
				continue;
			const struct flow_key *its = &s->session[number / 2].key[number % 2];
			struct way *way = session_way(s, number);

			if (session_is(way, key) && (!whole || flow_key_equal(its, whole)))
				return way;
		}
		if (!b->passed)
			break;
	}
	return NULL;
}

struct way *session_find(const struct sessions *s, const struct flow_key *key)
{
	struct session_short k = session_shorten(s, key);

	return find_from(s, hash_of(s, &k), &k, key->family == 6 ? key : NULL);
}

static uint64_t whole_hash(const struct session_hash *hash, unsigned i)
{
	return (uint64_t)hash->high[i] << 32 | hash->low[i];
}

static session_ahead4_fn *ahead4 = session_ahead4_plain;
static session_look4_fn *look4 = session_look4_plain;
static session_others4_fn *others4 = session_others4_plain;

void session_select(const char *isa)
{
	ahead4 = FORM(session_ahead4, isa);
	look4 = FORM(session_look4, isa);
	others4 = FORM(session_others4, isa);
}

void session_look4(
	const struct sessions *s, const struct session_hash *hash, struct way **way, unsigned n)
{
	look4(s, hash, way, n);
}

uint64_t session_find_which4(const struct sessions *s, const struct session_ask *ask,
	const struct session_hash *hash, struct way **way, unsigned n, uint64_t which)
{
	const struct way *nobody = session_way(s, 2 * s->max + 1);

	for (uint64_t wrong = others4(ask, way, n) & which; __builtin_expect(wrong != 0, 0);
		wrong &= wrong - 1) {
		unsigned i = (unsigned)__builtin_ctzll(wrong);
		struct session_short k = {.src = ask->src[i],
			.dst = ask->dst[i],
			.ports = ask->ports[i],
			.protocol = ask->protocol[i]};

		way[i] = way[i] == nobody ? NULL : find_from(s, whole_hash(hash, i), &k, NULL);
		which &= ~((uint64_t)!way[i] << i);
	}
	return which;
}

void session_find4(
	const struct sessions *s, const struct session_ask *ask, struct way **way, unsigned n)
{
	struct session_hash hash;

	ahead4(s, ask, &hash, n);
	look4(s, &hash, way, n);
	(void)session_find_which4(s, ask, &hash, way, n, ~UINT64_C(0) >> (BATCH_MAX - n));
}

/* ---- the index ---- */

/* Enters a way; false: there is no room where it may stand. */
static bool enter(struct sessions *s, uint64_t hash, uint32_t way)
{
	for (unsigned n = 0; n < PROBES; n++) {
		struct session_bucket *b = session_place(s, hash, n);

		for (unsigned i = 0; i < SESSION_BUCKET; i++) {
			if (b->entry[i])
				continue;
			store_once(&b->entry[i], session_mark(s, hash) | (way + 1));
			for (unsigned k = 0; k < n; k++)
				session_place(s, hash, k)->passed++;
			s->in_far += n > 0;
			return true;
		}
		if (n == s->far_mask + 1)
			break;
	}
	return false;
}

static void leave(struct sessions *s, uint64_t hash, uint32_t way)
{
	uint32_t entry = session_mark(s, hash) | (way + 1);

	for (unsigned n = 0; n < PROBES; n++) {
		struct session_bucket *b = session_place(s, hash, n);

		for (unsigned i = 0; i < SESSION_BUCKET; i++) {
			if (b->entry[i] != entry)
				continue;
			store_once(&b->entry[i], 0);
			for (unsigned k = 0; k < n; k++)
				session_place(s, hash, k)->passed--;
			s->in_far -= n > 0;
			return;
		}
	}
}

static uint64_t way_hash(const struct sessions *s, const struct session *session, unsigned d)
{
	struct session_short k = session_shorten(s, &session->key[d]);

	return hash_of(s, &k);
}

/* ---- beginning and ending ---- */

/* A free session's number, or SESSION_NONE. It stays free. */
static uint32_t first_free(const struct sessions *s)
{
	if (s->free != SESSION_NONE)
		return s->free;
	return s->high < s->max ? s->high : SESSION_NONE;
}

static void set_way(
	const struct sessions *s, struct way *way, const struct flow_key *key, uint32_t now)
{
	struct session_short k = session_shorten(s, key);

	*way = (struct way){.src = k.src,
		.dst = k.dst,
		.ports = k.ports,
		.protocol = k.protocol,
		.flags = k.six,
		.new_src = k.src,
		.new_dst = k.dst,
		.new_ports = k.ports,
		.last = now};
}

/* Numbers of versions go on when a session's place is used again. */
static uint32_t version_of(const struct sessions *s, uint32_t i)
{
	return i < s->high ? s->session[i].version : 0;
}

struct session *session_begin(
	struct sessions *s, const struct flow_key *key0, const struct flow_key *key1, uint32_t now)
{
	uint32_t i = first_free(s);

	if (i == SESSION_NONE)
		return NULL;
	struct session *session = &s->session[i];
	uint32_t version = version_of(s, i), next_free = i < s->high ? session->newer : s->free;

	/* Readers look at what is below `high`. */
	store_once(&session->version, version + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	session->key[0] = *key0;
	session->key[1] = *key1;
	set_way(s, session_way(s, 2 * i), key0, now);
	set_way(s, session_way(s, 2 * i + 1), key1, now);
	if (!enter(s, way_hash(s, session, 0), 2 * i)) {
		store_once(&session->version, version);
		return NULL;
	}
	if (!enter(s, way_hash(s, session, 1), 2 * i + 1)) {
		leave(s, way_hash(s, session, 0), 2 * i);
		store_once(&session->version, version);
		return NULL;
	}
	session->source = SESSION_NONE;
	session->begun = now;
	session->end[0] = session->end[1] = 0;
	session->hold = NAT_HOLD_NONE;
	session->state = session->before =
		key0->protocol == HASH_TCP ? SESSION_SYN_SENT : SESSION_UNREPLIED;
	session->fins = session->reset = 0;
	session->embryonic = false;
	s->free = next_free;
	session_unsettle(s, session);
	session_touch(s, session, now);
	store_release(&session->version, version + 2);
	if (i == s->high)
		store_release(&s->high, i + 1);
	counter_add(&s->live, 1);
	s->begun++;
	return session;
}

void session_end(struct sessions *s, struct session *session)
{
	uint32_t i = (uint32_t)(session - s->session), version = session->version;

	store_once(&session->version, version + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	leave(s, way_hash(s, session, 0), 2 * i);
	leave(s, way_hash(s, session, 1), 2 * i + 1);
	session_settle(s, session);
	session_source_remove(s, session);
	session->state = SESSION_FREE;
	session->newer = s->free;
	s->free = i;
	s->due[i] = 0;
	store_release(&session->version, version + 2);
	counter_add(&s->live, (uint32_t)-1);
}
