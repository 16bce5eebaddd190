/* show nat: rules and what they began, mappings, ports in use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/history.h"
#include "kernel/shell/protocol.h"
#include "lib/text.h"
#include "net/path/frame.h"

#define LOOKS 2048u /* mappings looked at in one slice */

/* ---- rules ---- */

/* The line of a rule; lines are in order, *from: where to look. NULL: it has been changed away. */
static const struct line *line_of(
	const struct lines *set, unsigned *from, const char *kind, unsigned number)
{
	for (unsigned i = *from; i < set->count; i++) {
		const struct line *line = set->line[i];

		if (!strcmp(line->text[0], "nat") && !strcmp(line->text[1], kind) &&
			strtoul(line->text[3], NULL, 10) == number) {
			*from = i + 1;
			return line;
		}
	}
	return NULL;
}

static unsigned first_line(const struct lines *set)
{
	unsigned i = 0;

	while (i < set->count && strcmp(set->line[i]->text[0], "nat") != 0)
		i++;
	return i;
}

/* What a rule says, behind its number. */
static void show_words(struct output *o, const struct line *line)
{
	char text[LINE_TEXT_MAX] = "";
	size_t n = 0;

	for (unsigned i = 4; line && i < line->words && n + 1 < sizeof text; i++) {
		if (n)
			text[n++] = ' ';
		n += words_print(text + n, sizeof text - n, line->text[i]);
	}
	output_text(o, NULL, "%s", text);
}

/* Row i: destinations, which come first on a packet's way, then sources. */
static void show_rule(struct output *o, const struct router *r, const struct lines *set, unsigned i,
	unsigned *from)
{
	const struct nat_set_of_rules *s = nats_now(&r->nats);
	bool source = i >= s->rules.destinations;
	unsigned k = source ? i - s->rules.destinations : i;
	unsigned number = s->number[source ? k : s->rules.sources + k];
	unsigned slot = source ? s->rules.source[k].slot : s->rules.destination[k].slot;
	const char *kind = source ? "source" : "destination";

	output_row(o);
	output_text(o, NULL, "%s", kind);
	output_number(o, NULL, number);
	output_number(o, NULL, nats_counted(r, slot));
	show_words(o, line_of(set, from, kind, number));
	output_close(o);
}

bool show_nat_rules(struct call *call)
{
	static const struct column columns[] = {
		{"nat", -12}, {"rule", 6}, {"sessions", 12}, {"says", -1}};
	const struct router *r = call->env->router;
	const struct nat_set_of_rules *s = nats_now(&r->nats);
	const struct lines *set = &history_get(0)->set;
	unsigned end = s->rules.sources + s->rules.destinations, i = call->step * SHOW_SLICE;
	unsigned from = first_line(set);

	if (call->step == 0)
		output_table(call->out, "rules", columns, sizeof columns / sizeof *columns);
	for (unsigned n = 0; n < SHOW_SLICE && i < end; n++, i++)
		show_rule(call->out, r, set, i, &from);
	if (i < end)
		return false;
	output_close(call->out);
	return true;
}

/* ---- mappings ---- */

static void output_endpoint(struct output *o, uint32_t address, uint16_t port)
{
	char text[TEXT_IPV4_MAX];

	text_print_ipv4(text, address);
	output_text(o, NULL, "%s:%u", text, port);
}

/* Whether a mapping is asked for by the address behind the command, if there is one. */
static bool is_asked(const struct call *call, const struct nat_mapping *m)
{
	uint32_t address;

	return !call_word(call, 3) || !text_parse_ipv4(call_word(call, 3), &address) ||
	       m->inside == address || m->external == address;
}

static void show_mapping(struct output *o, const struct nat_mapping *m)
{
	output_row(o);
	output_protocol(o, m->protocol);
	output_endpoint(o, m->inside, m->inside_port);
	output_endpoint(o, m->external, m->external_port);
	output_number(o, NULL, m->sessions);
	output_close(o);
}

/* Where a slice went on: a worker's table, and a place in it. */
static struct {
	unsigned actor;
	uint32_t next;
} mappings_at;

bool show_nat_mappings(struct call *call)
{
	static const struct column columns[] = {
		{"proto", -6}, {"inside", -22}, {"outside", -22}, {"sessions", 9}};
	const struct router *r = call->env->router;
	unsigned rows = 0;

	if (call->step == 0) {
		output_table(call->out, "mappings", columns, sizeof columns / sizeof *columns);
		mappings_at.actor = mappings_at.next = 0;
	}
	for (unsigned looks = 0; looks < LOOKS && rows < SHOW_SLICE; looks++) {
		const struct nat_state *s = r->nats.state[mappings_at.actor];
		struct nat_mapping m;

		if (!s || mappings_at.next >= load_acquire(&s->high)) {
			mappings_at.next = 0;
			if (++mappings_at.actor < r->actors)
				continue;
			output_close(call->out);
			return true;
		}
		if (nat_map_copy(s, mappings_at.next++, &m) && is_asked(call, &m)) {
			show_mapping(call->out, &m);
			rows++;
		}
	}
	return false;
}

/* ---- ports ---- */

/* Of a space of one worker, all workers' ports together. */
static uint32_t used_of(const struct router *r, uint32_t address, enum nat_kind kind)
{
	uint32_t used = 0;

	for (unsigned a = 0; a < r->actors; a++) {
		const struct nat_state *s = r->nats.state[a];
		uint32_t space = s ? nat_space_find(&s->spaces, address, kind) : NAT_NO_SPACE;

		used += space == NAT_NO_SPACE ? 0 : load_once(&s->spaces.space[space].used);
	}
	return used;
}

/* A worker before this one has it: it was shown. */
static bool is_shown(const struct router *r, unsigned actor, uint32_t address, enum nat_kind kind)
{
	for (unsigned a = 0; a < actor; a++)
		if (r->nats.state[a] &&
			nat_space_find(&r->nats.state[a]->spaces, address, kind) != NAT_NO_SPACE)
			return true;
	return false;
}

static void show_space(
	struct output *o, const struct router *r, uint32_t address, enum nat_kind kind)
{
	static const char *const names[] = {"tcp", "udp", "icmp"};
	char text[TEXT_IPV4_MAX];
	uint32_t used = used_of(r, address, kind), all = kind == NAT_ICMP ? 65536 : 65535;

	text_print_ipv4(text, address);
	output_row(o);
	output_text(o, NULL, "%s", text);
	output_text(o, NULL, "%s", names[kind]);
	output_number(o, NULL, used);
	output_number(o, NULL, used < all ? all - used : 0);
	output_close(o);
}

static struct {
	unsigned actor;
	uint32_t next;
} ports_at;

bool show_nat_ports(struct call *call)
{
	static const struct column columns[] = {
		{"address", -16}, {"proto", -6}, {"used", 8}, {"free", 8}};
	const struct router *r = call->env->router;
	unsigned rows = 0;

	if (call->step == 0) {
		output_table(call->out, "ports", columns, sizeof columns / sizeof *columns);
		ports_at.actor = ports_at.next = 0;
	}
	for (unsigned looks = 0; looks < LOOKS && rows < SHOW_SLICE; looks++) {
		const struct nat_state *s = r->nats.state[ports_at.actor];

		if (!s || ports_at.next >= s->spaces.max) {
			ports_at.next = 0;
			if (++ports_at.actor < r->actors)
				continue;
			output_close(call->out);
			return true;
		}
		const struct nat_space *space = &s->spaces.space[ports_at.next++];
		uint32_t address = load_once(&space->address);
		uint8_t kind = load_once(&space->kind);

		if (load_once(&space->used) && kind <= NAT_ICMP &&
			!is_shown(r, ports_at.actor, address, kind)) {
			show_space(call->out, r, address, kind);
			rows++;
		}
	}
	return false;
}
