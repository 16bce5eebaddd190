/* show sessions, clear sessions: connections that are tracked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/sessions.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/protocol.h"
#include "lib/hash.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/path/frame.h"

#define LOOKS    4096u /* sessions looked at in one slice */
#define ENDPOINT (TEXT_IPV6_MAX + 8u)
#define CLEAR_US 5000000u /* for workers that have much to clear */

/* ---- filters ---- */

static void read_prefix(const char *text, struct ip6 *prefix, uint8_t *length, uint8_t *family)
{
	uint32_t four;
	unsigned bits = 0;

	*family = 4;
	if (text_parse_ipv4_prefix(text, &four, &bits)) {
		*prefix = (struct ip6){0, four};
	} else {
		*family = 6;
		(void)text_parse_ipv6_prefix(text, &prefix->hi, &prefix->lo, &bits);
	}
	*length = (uint8_t)bits;
}

/* The words behind `show sessions`; how many at most. */
static struct session_match match_of(const struct call *call, uint64_t *most)
{
	struct session_match m = {0};

	*most = UINT64_MAX;
	for (unsigned i = 2; call_word(call, i) && call_word(call, i + 1); i += 2) {
		const char *word = call_word(call, i), *value = call_word(call, i + 1);

		if (!strcmp(word, "count"))
			*most = strtoul(value, NULL, 10);
		else if (!strcmp(word, "from"))
			read_prefix(value, &m.from, &m.from_length, &m.from_family);
		else if (!strcmp(word, "to"))
			read_prefix(value, &m.to, &m.to_length, &m.to_family);
		else if (!strcmp(word, "port"))
			m.port = (uint16_t)strtoul(value, NULL, 10);
		else if (!strcmp(word, "proto"))
			m.protocol = protocol_of(value);
	}
	return m;
}

/* ---- a row ---- */

/* An address with its port; of ICMP the identifier, at the side that asks. */
static void print_endpoint(
	char out[ENDPOINT], const struct flow_key *key, struct ip6 a, unsigned port, bool has)
{
	char text[TEXT_IPV6_MAX];

	if (key->family == 6)
		text_print_ipv6(text, a.hi, a.lo);
	else
		text_print_ipv4(text, (uint32_t)a.lo);
	if (!has)
		snprintf(out, ENDPOINT, "%s", text);
	else if (key->family == 6)
		snprintf(out, ENDPOINT, "[%s]:%u", text, port);
	else
		snprintf(out, ENDPOINT, "%s:%u", text, port);
}

static void output_source(struct output *o, const struct flow_key *key)
{
	char text[ENDPOINT];
	bool icmp = key->protocol == IPV4_ICMP || key->protocol == IPV6_ICMP;

	print_endpoint(
		text, key, key->src, key->ports >> 16, icmp || hash_has_ports(key->protocol));
	output_text(o, NULL, "%s", text);
}

static void output_target(struct output *o, const struct flow_key *key)
{
	char text[ENDPOINT];

	print_endpoint(text, key, key->dst, key->ports & 0xffff, hash_has_ports(key->protocol));
	output_text(o, NULL, "%s", text);
}

/* What the translated packets have: the answer's key turned round. */
static void output_translated(struct output *o, const struct session_view *v)
{
	struct flow_key k = v->key[1];

	k.src = v->key[1].dst;
	k.dst = v->key[1].src;
	if (hash_has_ports(k.protocol))
		k.ports = k.ports << 16 | k.ports >> 16;
	if (v->rewrites) {
		output_source(o, &k);
		output_target(o, &k);
	} else {
		output_none(o, NULL);
		output_none(o, NULL);
	}
}

static void show_session(struct output *o, const struct session_view *v)
{
	output_row(o);
	output_protocol(o, v->key[0].protocol);
	output_source(o, &v->key[0]);
	output_target(o, &v->key[0]);
	output_text(o, NULL, "%s", session_state_name(v->state));
	output_number(o, NULL, sessions_tick_ms(v->left) / 1000);
	output_number(o, NULL, v->packets[0]);
	output_number(o, NULL, v->bytes[0]);
	output_number(o, NULL, v->packets[1]);
	output_number(o, NULL, v->bytes[1]);
	output_translated(o, v);
	output_close(o);
}

/* ---- the commands ---- */

/* Where the listing stands. */
static struct {
	unsigned actor;
	uint32_t next;
	uint64_t left;
} at;

/* true: the actor's sessions are all shown. */
static bool show_some(struct call *call, const struct session_match *m, const struct sessions *s)
{
	uint32_t now = session_tick(platform_tsc()), high = load_acquire(&s->high);
	struct session_view v;

	for (unsigned looks = LOOKS, rows = SHOW_SLICE; looks && rows && at.left; looks--) {
		if (at.next >= high)
			return true;
		if (!session_copy(s, at.next++, now, &v) || !session_matches(m, v.key))
			continue;
		show_session(call->out, &v);
		rows--;
		at.left--;
	}
	return false;
}

bool show_sessions(struct call *call)
{
	static const struct column columns[] = {{"proto", -5}, {"from", -21}, {"to", -21},
		{"state", -12}, {"left_s", 7}, {"packets", 9}, {"bytes", 11}, {"packets_back", 12},
		{"bytes_back", 11}, {"nat_from", -21}, {"nat_to", -1}};
	const struct router *r = call->env->router;
	uint64_t most;
	struct session_match m = match_of(call, &most);

	if (call->step == 0) {
		at.actor = 1;
		at.next = 0;
		at.left = most;
		output_table(call->out, "sessions", columns, sizeof columns / sizeof *columns);
	}
	while (at.actor < r->actors && !r->sessions[at.actor])
		at.actor++;
	if (at.actor < r->actors && at.left) {
		if (show_some(call, &m, r->sessions[at.actor])) {
			at.actor++;
			at.next = 0;
		}
		return false;
	}
	output_close(call->out);
	return true;
}

bool clear_sessions(struct call *call)
{
	static uint64_t since_us;
	uint64_t most;
	struct session_match m = match_of(call, &most);
	struct router *r = call->env->router;

	if (call->step == 0) {
		if (!sessions_cleared(r))
			return call_error(call, "the sessions of before are still being cleared");
		since_us = platform_now_us();
		sessions_clear(r, &m);
	}
	if (sessions_cleared(r))
		return true;
	if (platform_now_us() - since_us < CLEAR_US)
		return false;
	return call_error(call, "a worker does not answer");
}
