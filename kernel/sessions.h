/*
 * Sessions as the router has them: memory, time-outs, when lanes track.
 *
 * Each worker that owns sessions (steer.h) has a table of its own; all tables are of one size, and
 * together hold `make SESSIONS=N`, or by default what an eighth of the memory left at boot holds, a
 * million at most. A session takes some 300 bytes with all that finds it (sessions_bytes). Control
 * core.
 */
#ifndef KERNEL_SESSIONS_H
#define KERNEL_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/session.h"

struct config;
struct router;

/* What a configuration says of them; 0: nothing. */
struct config_sessions {
	uint32_t timeout[SESSION_TIMEOUT_COUNT]; /* seconds */
	uint32_t limit;                          /* of one source */
};

#define SESSION_TIMEOUT_MAX 604800u /* seconds that can be configured: a week */

/* Reserves memory. Boot, behind the lanes. false: `make SESSIONS` wants more than there is. */
bool sessions_build(struct router *r);

/* Time-outs, limit, and whether lanes track, as configured. Never fails; workers stand still, or
 * see more of it than is in force. Behind filters_publish and what publishes NAT. */
void sessions_apply(struct router *r, const struct config *c);

/* Whether a time-out's name is this one, and its number. */
const char *session_timeout_name(enum session_timeout timeout);

/* Of all workers: sessions that fit, and there are. */
uint64_t sessions_max(const struct router *r);
uint64_t sessions_live(const struct router *r);

/* Bytes they take. */
uint64_t sessions_memory(const struct router *r);

/* Asks all workers to end the sessions that match; sessions_cleared says when they have. */
void sessions_clear(struct router *r, const struct session_match *match);
bool sessions_cleared(const struct router *r);

/* A tick in milliseconds, and ticks of so many seconds. */
uint64_t sessions_tick_ms(uint64_t ticks);
uint32_t sessions_ticks(uint32_t seconds);

#endif
