/* A table of sessions, and keys for them. */
#ifndef TEST_UNIT_SESSION_FIXTURE_H
#define TEST_UNIT_SESSION_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "net/path/session.h"

static struct sessions table;
static void *memory;
static uint32_t lcg = 1;

static inline uint32_t draw(uint32_t n)
{
	lcg = lcg * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(lcg >> 4) * n >> 28);
}

static inline void make(uint32_t max)
{
	free(memory);
	memory = aligned_alloc(CACHE_LINE, sessions_bytes(max));
	memset(memory, 0xa5, sessions_bytes(max));
	sessions_init(&table, memory, max, 4711);
	for (unsigned i = 0; i < SESSION_TIMEOUT_COUNT; i++)
		table.timeout[i] = 400 * (i + 1);
}

static inline int teardown(void **state)
{
	free(memory);
	memory = NULL;
	return 0;
}

/* Key k: four in five are IPv4, and many differ in one field only. */
static inline struct flow_key key_of(uint32_t k)
{
	struct flow_key key = {.protocol = k % 3 ? 6 : 17, .family = 4};

	key.src.lo = 0x0a000000 + k % 61;
	key.dst.lo = 0x14000000 + k / 61 % 7;
	key.ports = (1024 + k) << 16 | 80;
	if (k % 5 == 0) {
		key.family = 6;
		key.src.hi = key.dst.hi = 0x20010db800000000ull + k % 3;
	}
	return key;
}

static inline struct flow_key answer_of(uint32_t k)
{
	struct flow_key key = key_of(k), r = key;

	r.src = key.dst;
	r.dst = key.src;
	r.ports = key.ports << 16 | key.ports >> 16;
	return r;
}

static inline struct session *begin(uint32_t k, uint32_t now)
{
	struct flow_key key = key_of(k), answer = answer_of(k);

	return session_begin(&table, &key, &answer, now);
}

static inline struct way *find(struct flow_key key)
{
	return session_find(&table, &key);
}

#endif
