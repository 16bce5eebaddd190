/* Sessions end in slices: those whose time has come, and those that are to be cleared. */
#include "net/path/track.h"
#include "net/path/track_one.h"

#define SWEEP_TICKS 256u  /* in which all sessions are looked at once: about a second or two */
#define LOOKS_MAX   4096u /* of `due`, a turn */
#define ENDS_MAX    32u   /* sessions looked at and ended, a turn */

static bool is_due(uint32_t due, uint32_t now)
{
	return due && (int32_t)(due - now) <= 0;
}

/* How many are to be looked at, with what is left from before: all of them in SWEEP_TICKS. */
static void advance(struct sessions *s, uint32_t now)
{
	uint32_t ticks = now - s->sweep_at;

	s->sweep_at = now;
	ticks = ticks < SWEEP_TICKS ? ticks : SWEEP_TICKS;
	s->to_sweep += (s->high / SWEEP_TICKS + 1) * ticks;
	if (s->to_sweep > s->high)
		s->to_sweep = s->high;
}

static void sweep(struct lane *lane, struct sessions *s, uint32_t now)
{
	unsigned ends = ENDS_MAX, looks = LOOKS_MAX;

	if (now != s->sweep_at)
		advance(s, now);
	for (; s->to_sweep && ends && looks; looks--, s->to_sweep--, s->swept++) {
		if (s->swept >= s->high)
			s->swept = 0;
		if (!is_due(s->due[s->swept], now))
			continue;
		struct session *session = &s->session[s->swept];
		uint32_t until = session_ends(s, session);

		ends--;
		if ((int32_t)(until - now) > 0) { /* packets came */
			session_level(s, session);
			s->due[s->swept] = until + (until == 0);
		} else {
			track_end(lane, session);
		}
	}
}

/* A request of the control core, which waits until it is done. */
static void clear(struct lane *lane, struct sessions *s, uint32_t request)
{
	if (s->clearing != request) {
		s->clearing = request;
		s->clear_at = 0;
	}
	for (unsigned ends = ENDS_MAX, n = LOOKS_MAX / 8; ends && n && s->clear_at < s->high;
		s->clear_at++, n--) {
		struct session *session = &s->session[s->clear_at];

		if (!s->due[s->clear_at] || !session_matches(&s->clear, session->key))
			continue;
		track_end(lane, session);
		ends--;
	}
	if (s->clear_at >= s->high)
		store_release(&s->cleared, request);
}

void track_turn(struct lane *lane, uint64_t tsc)
{
	struct sessions *s = lane->sessions;
	uint32_t request = load_acquire(&s->clear_request);

	sweep(lane, s, session_tick(tsc));
	if (__builtin_expect(request != s->cleared, 0))
		clear(lane, s, request);
}
