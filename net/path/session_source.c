/* How many sessions each source has, while there is a limit; sessions begun before it count not. */
#include "lib/hash.h"
#include "net/path/session.h"

static uint32_t *head_of(const struct sessions *s, struct ip6 a)
{
	return &s->source_head[hash_mix((a.hi ^ s->seed[4]) + hash_mix(a.lo ^ s->seed[4])) &
			       s->source_mask];
}

/* The source with an address, or SESSION_NONE. */
static uint32_t source_find(const struct sessions *s, struct ip6 a)
{
	uint32_t i = *head_of(s, a);

	while (i != SESSION_NONE && !ip6_equal(s->source[i].address, a))
		i = s->source[i].next;
	return i;
}

bool session_source_may(const struct sessions *s, const struct flow_key *key)
{
	uint32_t limit = load_once(&s->limit);

	if (!limit)
		return true;
	uint32_t i = source_find(s, key->src);

	return i == SESSION_NONE || s->source[i].sessions < limit;
}

/* There are as many places as sessions, so one is free. */
static uint32_t source_make(struct sessions *s, struct ip6 a)
{
	uint32_t *head = head_of(s, a), i = s->source_free;

	if (i == SESSION_NONE)
		i = s->source_used++;
	else
		s->source_free = s->source[i].next;
	s->source[i] = (struct session_source){.address = a, .next = *head};
	*head = i;
	return i;
}

void session_source_add(struct sessions *s, struct session *session)
{
	if (!load_once(&s->limit))
		return;
	uint32_t i = source_find(s, session->key[0].src);

	if (i == SESSION_NONE)
		i = source_make(s, session->key[0].src);
	s->source[i].sessions++;
	session->source = i;
}

void session_source_remove(struct sessions *s, struct session *session)
{
	uint32_t i = session->source;

	if (i == SESSION_NONE)
		return;
	session->source = SESSION_NONE;
	if (--s->source[i].sessions)
		return;
	uint32_t *at = head_of(s, s->source[i].address);

	while (*at != i)
		at = &s->source[*at].next;
	*at = s->source[i].next;
	s->source[i].next = s->source_free;
	s->source_free = i;
}
