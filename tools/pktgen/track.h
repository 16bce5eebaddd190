/*
 * What has come back of a sequence of packets: in order, late, twice, or not yet.
 *
 * A packet is reordered if one with a higher number came before it (RFC 4737
 * 3.3), a duplicate if its own number did. What was received of the last
 * TRACK_WINDOW numbers is remembered bit by bit, so both counts are exact for
 * packets that are not later than that; those which are count as too late, and as
 * neither. Lost is what was sent and never received.
 */
#ifndef PKTGEN_TRACK_H
#define PKTGEN_TRACK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/atomic.h"

#define TRACK_WINDOW 65536u
#define TRACK_WORDS  (TRACK_WINDOW / 64)

struct track {
	uint64_t next;    /* one above the highest number received */
	uint64_t solid;   /* all numbers from here up to next came in order: their bits are not yet
			     set */
	uint64_t missing; /* below next, not received */
	uint64_t reordered, duplicate, too_late;
	uint64_t *seen; /* TRACK_WORDS words: number n is bit n % TRACK_WINDOW */
};

/* Forgets everything but where its bits are. */
static inline void track_reset(struct track *t)
{
	*t = (struct track){.seen = t->seen};
	memset(t->seen, 0, TRACK_WORDS * sizeof *t->seen);
}

/* Different numbers received. Any thread, while the other one counts on. */
static inline uint64_t track_received(const struct track *t)
{
	uint64_t missing = load_once(&t->missing), next = load_once(&t->next);

	return next > missing ? next - missing : 0;
}

/* A number other than the next one. false: it was never sent (numbers below `sent` were). */
bool track_note_other(struct track *t, uint32_t number, uint64_t sent);

/* The low 32 bits of a packet's number. */
static inline bool track_note(struct track *t, uint32_t number, uint64_t sent)
{
	if (__builtin_expect(number != (uint32_t)t->next || t->next >= sent, 0))
		return track_note_other(t, number, sent);
	t->next++;
	return true;
}

#endif
