/* Numbers that come out of order. */
#include "tools/pktgen/track.h"

static uint64_t *word(struct track *t, uint64_t number)
{
	return &t->seen[number / 64 % TRACK_WORDS];
}

static uint64_t bit(uint64_t number)
{
	return UINT64_C(1) << number % 64;
}

/* Sets or clears the bits of [from, to); more than a window of them are a window. */
static void mark(struct track *t, uint64_t from, uint64_t to, bool set)
{
	if (to - from > TRACK_WINDOW)
		from = to - TRACK_WINDOW;
	while (from < to) {
		unsigned n = 64 - from % 64;
		uint64_t bits;

		n = to - from < n ? (unsigned)(to - from) : n;
		bits = (n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1) << from % 64;
		*word(t, from) = set ? *word(t, from) | bits : *word(t, from) & ~bits;
		from += n;
	}
}

bool track_note_other(struct track *t, uint32_t number, uint64_t sent)
{
	int64_t ahead = (int32_t)(number - (uint32_t)t->next);
	uint64_t n = t->next + (uint64_t)ahead;

	if (ahead >= 0 ? n >= sent : (uint64_t)-ahead > t->next)
		return false;
	mark(t, t->solid, t->next, true);
	if (ahead >= 0) {
		mark(t, t->next, n, false);
		t->missing += n - t->next;
		t->solid = n;
		t->next = n + 1;
		return true;
	}
	t->solid = t->next;
	if ((uint64_t)-ahead > TRACK_WINDOW) {
		t->too_late++;
	} else if (*word(t, n) & bit(n)) {
		t->duplicate++;
	} else {
		*word(t, n) |= bit(n);
		t->missing--;
		t->reordered++;
	}
	return true;
}
