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

/* Numbers from t->next up to `number` have not been seen in this round. */
static void skip_to(struct track *t, uint64_t number)
{
	if (number - t->next >= TRACK_WINDOW) {
		memset(t->seen, 0, TRACK_WORDS * sizeof *t->seen);
	} else {
		for (uint64_t n = t->next; n < number;) {
			if (n % 64 == 0 && number - n >= 64) {
				*word(t, n) = 0;
				n += 64;
			} else {
				*word(t, n) &= ~bit(n);
				n++;
			}
		}
	}
	t->next = number;
}

bool track_note_other(struct track *t, uint32_t number, uint64_t sent)
{
	int64_t ahead = (int32_t)(number - (uint32_t)t->next);
	uint64_t n = t->next + (uint64_t)ahead;

	if (ahead >= 0) {
		if (n >= sent)
			return false;
		skip_to(t, n);
		*word(t, n) |= bit(n);
		t->next = n + 1;
		t->received++;
		return true;
	}
	if ((uint64_t)-ahead > t->next)
		return false; /* below zero */
	if ((uint64_t)-ahead > TRACK_WINDOW) {
		t->too_late++;
	} else if (*word(t, n) & bit(n)) {
		t->duplicate++;
	} else {
		*word(t, n) |= bit(n);
		t->received++;
		t->reordered++;
	}
	return true;
}
