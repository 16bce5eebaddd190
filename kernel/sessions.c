/* Sessions of the router: memory at boot, settings, clearing. */
#include "kernel/sessions.h"

#include "kernel/config.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/router_build.h"
#include "lib/hash.h"

#define SHARE        8u       /* one part in so many of the spare memory at boot */
#define SESSIONS_TOP 1000000u /* of all workers, unless more are asked for */
#define SESSIONS_FEW 256u     /* of one worker, on a machine with very little */

/* `make SESSIONS=N`: of all workers. */
#ifndef SESSIONS
#	define SESSIONS 0
#endif

/* ---- boot ---- */

/* Sessions of each of so many owners. */
static uint32_t size(const struct router *r, unsigned owners)
{
	if (SESSIONS)
		return (SESSIONS + owners - 1) / owners;
	uint64_t share = router_spare(r) / SHARE / owners;
	uint32_t max = SESSIONS_TOP / owners;

	while (max > SESSIONS_FEW && sessions_bytes(max) > share)
		max -= max / 8;
	return max > SESSIONS_FEW ? max : SESSIONS_FEW;
}

/* What nobody outside can know. */
static uint64_t seed_of(const struct router *r, unsigned actor)
{
	uint64_t seed = hash_mix(platform_tsc() + actor);

	for (unsigned port = 0; port < r->ports; port++)
		for (unsigned i = 0; i < 6; i++)
			seed = hash_mix(seed + r->dev[port]->mac[i]);
	return seed;
}

static bool build_actor(struct router *r, unsigned actor, uint32_t max)
{
	uint32_t node = r->worker[actor - 1]->node;
	struct sessions *s = platform_alloc_near(sizeof *s, CACHE_LINE, node);
	void *memory = platform_reserve_near(sessions_bytes(max), CACHE_LINE, node);

	if (!s || !memory)
		return false;
	sessions_init(s, memory, max, seed_of(r, actor));
	r->sessions[actor] = s;
	return true;
}

static const uint32_t seconds_by_default[SESSION_TIMEOUT_COUNT] = {
#define SECONDS(symbol, name, seconds) seconds,
	SESSION_TIMEOUTS(SECONDS)
#undef SECONDS
};

static void set_timeouts(struct router *r, const uint32_t *seconds)
{
	for (unsigned a = 1; a < r->actors; a++)
		for (unsigned i = 0; r->sessions[a] && i < SESSION_TIMEOUT_COUNT; i++)
			store_once(&r->sessions[a]->timeout[i],
				sessions_ticks(seconds && seconds[i] ? seconds[i]
								     : seconds_by_default[i]));
}

bool sessions_build(struct router *r)
{
	unsigned owners = r->tables.owners ? r->tables.owners : 1;
	uint32_t max = size(r, owners);

	for (unsigned a = 1; a <= owners && a < r->actors; a++)
		if (!build_actor(r, a, max))
			return false;
	for (unsigned l = 0; l < r->lanes; l++)
		r->lane[l].sessions = r->sessions[r->lane[l].actor];
	set_timeouts(r, NULL);
	return true;
}

/* ---- time ---- */

uint32_t sessions_ticks(uint32_t seconds)
{
	return (uint32_t)((uint64_t)platform_tsc_hz() * seconds >> SESSION_TICK_SHIFT) + 1;
}

uint64_t sessions_tick_ms(uint64_t ticks)
{
	return (ticks << SESSION_TICK_SHIFT) / (platform_tsc_hz() / 1000);
}

const char *session_timeout_name(enum session_timeout timeout)
{
	static const char *const name[SESSION_TIMEOUT_COUNT] = {
#define NAME(symbol, text, seconds) text,
		SESSION_TIMEOUTS(NAME)
#undef NAME
	};

	return name[timeout];
}

/* ---- in force ---- */

static bool any_established(const struct config *c)
{
	for (unsigned i = 0; i < c->rules; i++)
		if (c->match[i].established)
			return true;
	return false;
}

/* A source's sessions are spread over all owners: each allows its part. */
static void set_limit(struct router *r, uint32_t limit)
{
	unsigned owners = r->tables.owners ? r->tables.owners : 1;

	for (unsigned a = 1; a < r->actors; a++)
		if (r->sessions[a])
			store_once(&r->sessions[a]->limit, (limit + owners - 1) / owners);
}

void sessions_apply(struct router *r, const struct config *c)
{
	set_timeouts(r, c->sessions.timeout);
	set_limit(r, c->sessions.limit);
	router_set_tracking(r, r->tables.nat || any_established(c));
}

/* ---- sums ---- */

uint64_t sessions_max(const struct router *r)
{
	uint64_t n = 0;

	for (unsigned a = 1; a < r->actors; a++)
		n += r->sessions[a] ? r->sessions[a]->max : 0;
	return n;
}

uint64_t sessions_live(const struct router *r)
{
	uint64_t n = 0;

	for (unsigned a = 1; a < r->actors; a++)
		n += r->sessions[a] ? load_once(&r->sessions[a]->live) : 0;
	return n;
}

uint64_t sessions_memory(const struct router *r)
{
	uint64_t n = 0;

	for (unsigned a = 1; a < r->actors; a++)
		n += r->sessions[a] ? sessions_bytes(r->sessions[a]->max) : 0;
	return n;
}

/* ---- clearing ---- */

void sessions_clear(struct router *r, const struct session_match *match)
{
	for (unsigned a = 1; a < r->actors; a++) {
		struct sessions *s = r->sessions[a];

		if (!s)
			continue;
		s->clear = *match;
		store_release(&s->clear_request, s->clear_request + 1);
	}
}

bool sessions_cleared(const struct router *r)
{
	for (unsigned a = 1; a < r->actors; a++)
		if (r->sessions[a] &&
			load_acquire(&r->sessions[a]->cleared) != r->sessions[a]->clear_request)
			return false;
	return true;
}
