/* show flows: the workers' flow caches, and the flows in them that are asked for. */
#include <string.h>

#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/protocol.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/path/frame.h"
#include "net/table/generation.h"

#define COUNT_USUAL 20u
#define LINES_SLICE 4096u /* looked at in one step */

/* Which flows are asked for. */
struct wanted {
	struct ip6 from, to;
	unsigned from_length, to_length;
	uint8_t from_family, to_family; /* 0: any */
	int protocol, port;             /* -1: any */
	uint64_t count;
};

/* A command is one at a time. */
static struct {
	struct wanted want;
	uint64_t shown, matching, in_force;
	unsigned worker;
	uint32_t line;
	bool rows; /* sums are printed */
} show;

/* ---- what is asked for ---- */

static void read_prefix(const char *text, struct ip6 *ip, unsigned *length, uint8_t *family)
{
	uint32_t address;

	*family = strchr(text, ':') ? 6 : 4;
	if (*family == 6) {
		(void)text_parse_ipv6_prefix(text, &ip->hi, &ip->lo, length);
	} else {
		(void)text_parse_ipv4_prefix(text, &address, length);
		*ip = (struct ip6){0, address};
	}
}

static void read_options(const struct call *call, struct wanted *w)
{
	const char *word, *value;
	uint64_t n = 0;

	*w = (struct wanted){.protocol = -1, .port = -1, .count = COUNT_USUAL};
	for (unsigned i = 2; (word = call_word(call, i)) && (value = call_word(call, i + 1));
		i += 2) {
		if (strcmp(word, "from") == 0)
			read_prefix(value, &w->from, &w->from_length, &w->from_family);
		else if (strcmp(word, "to") == 0)
			read_prefix(value, &w->to, &w->to_length, &w->to_family);
		else if (strcmp(word, "proto") == 0)
			w->protocol = protocol_of(value);
		else if (strcmp(word, "port") == 0 && text_parse_number(value, 0, 65535, &n))
			w->port = (int)n;
		else if (strcmp(word, "count") == 0 && text_parse_number(value, 1, 1000000, &n))
			w->count = n;
	}
}

static bool is_in(const struct flow_key *key, struct ip6 ip, uint8_t family, struct ip6 prefix,
	unsigned length)
{
	if (!family)
		return true;
	return key->family == family && ip6_agree(ip, prefix, family == 4 ? 96 + length : length);
}

static bool has_ports(const struct flow_key *key)
{
	return key->ports && key->protocol != IPV4_ICMP && key->protocol != IPV6_ICMP;
}

static bool matches(const struct wanted *w, const struct flow_key *key)
{
	uint32_t port = (uint32_t)w->port;

	if (w->protocol >= 0 && key->protocol != w->protocol)
		return false;
	if (w->port >= 0 &&
		(!has_ports(key) || (key->ports >> 16 != port && (key->ports & 0xffff) != port)))
		return false;
	return is_in(key, key->src, w->from_family, w->from, w->from_length) &&
	       is_in(key, key->dst, w->to_family, w->to, w->to_length);
}

/* ---- what is shown ---- */

static void output_address(struct output *o, const struct flow_key *key, struct ip6 ip)
{
	char text[TEXT_IPV6_MAX];

	if (key->family == 6)
		text_print_ipv6(text, ip.hi, ip.lo);
	else
		text_print_ipv4(text, (uint32_t)ip.lo);
	output_text(o, NULL, "%s", text);
}

static void output_ports(struct output *o, const struct flow_key *key)
{
	bool icmp = key->protocol == IPV4_ICMP || key->protocol == IPV6_ICMP;

	if (has_ports(key))
		output_number(o, NULL, key->ports >> 16);
	else
		output_none(o, NULL);
	output_address(o, key, key->dst);
	if (icmp) /* the identifier */
		output_text(o, NULL, "id %u", key->ports >> 16);
	else if (has_ports(key))
		output_number(o, NULL, key->ports & 0xffff);
	else
		output_none(o, NULL);
}

/* Where it goes. */
static void output_way(struct output *o, const struct router *r, const struct flow_seen *s)
{
	const struct nexthop *n = &r->nexthops.nexthop[s->nh];
	char text[TEXT_IPV6_MAX];

	if (s->denied)
		output_text(o, NULL, "denied %s", s->denied & FLOW_DENIED_IN ? "in" : "out");
	else if (n->action == NEXTHOP_GROUP)
		output_text(o, NULL, "group");
	else if (n->action != NEXTHOP_RESOLVE && n->action != NEXTHOP_RECURSIVE)
		output_text(o, NULL, "%s", shell_action_name(n->action));
	else if (!n->gateway)
		output_text(o, NULL, "direct %s", shell_iface_name(n->port));
	else {
		if (ip6_is_zero(n->gateway6))
			text_print_ipv4(text, n->gateway);
		else
			text_print_ipv6(text, n->gateway6.hi, n->gateway6.lo);
		output_text(o, NULL, "%s", text);
	}
}

static void show_one(struct output *o, const struct router *r, const struct flow_seen *s)
{
	output_row(o);
	output_text(o, NULL, "%s", shell_iface_name(s->input));
	output_protocol(o, s->key.protocol);
	output_address(o, &s->key, s->key.src);
	output_ports(o, &s->key);
	output_number(o, NULL, show.worker + 1);
	output_number(o, NULL,
		((uint64_t)s->idle << FLOW_TICK) / platform_tsc_hz()); /* seconds, rounded down */
	output_way(o, r, s);
	output_close(o);
}

/* ---- the command ---- */

/* While lanes track, sessions are asked instead: see path_forward. */
static const char *in_use(const struct router *r)
{
	for (unsigned l = 0; l + 1 < r->lanes; l++)
		if (r->lane[l].flow && !r->lane[l].track)
			return "on";
	return r->flows.on ? "off, sessions decide" : "off";
}

/* Why it is on or off, and whether anybody asks it. */
static void show_why(struct output *o, const struct router *r)
{
	if (r->lane[0].track)
		output_text(o, "because", "lanes track: sessions are asked in its place");
	else if (!r->flows.automatic)
		output_text(o, "because", "it is configured");
	else if (r->flows.on)
		output_text(o, "because", "auto: a list has %u rules", r->flows.rules);
	else
		output_text(o, "because", "auto: no list is asked, and routes alone are as fast");
}

static void show_sums(struct output *o, const struct router *r)
{
	struct flow_sums s;

	flows_sum(r, &s);
	output_text(o, "flow_table", "%s", in_use(r));
	show_why(o, r);
	output_number(o, "places", (uint64_t)r->flows.lines * 2 * r->workers);
	output_number(o, "places_used", flows_lines_used(r) * 2);
	output_number(o, "flows", show.in_force);
	output_number(o, "hits", s.hits);
	output_number(o, "misses", s.misses);
	output_number(o, "kept", s.kept);
	output_number(o, "evicted", s.evicted);
	output_number(o, "refused", s.refused);
	output_number(o, "aged", s.aged);
	output_number(o, "shadowed", s.shadowed);
	output_number(o, "differed", s.differed);
	output_number(o, "matching", show.matching);
}

/* Some lines; rows: those asked for are printed, else counted. false: there are no more. */
static bool look(struct output *o, const struct router *r, unsigned lines)
{
	uint32_t generation = generation_now(&r->tables);
	uint64_t now = platform_tsc();
	struct flow_seen seen[2];
	unsigned shown = 0;

	for (; show.worker < r->workers; show.worker++, show.line = 0) {
		for (; show.line < r->flows.lines; show.line++) {
			if (lines-- == 0 || shown + 2 > SHOW_SLICE)
				return true;
			unsigned n = flow_look(
				&r->flows.of[show.worker], show.line, generation, now, seen);

			for (unsigned i = 0; i < n; i++) {
				bool match = matches(&show.want, &seen[i].key);

				show.in_force += !show.rows;
				show.matching += match && !show.rows;
				if (!show.rows || !match || show.shown == show.want.count)
					continue;
				show_one(o, r, &seen[i]);
				show.shown++;
				shown++;
			}
		}
	}
	return false;
}

/* Counts all first, then shows as many as are asked for. */
bool show_flows(struct call *call)
{
	static const struct column columns[] = {{"interface", -10}, {"proto", -7}, {"from", -20},
		{"port", 6}, {"to", -20}, {"port", 6}, {"worker", 6}, {"idle", 5},
		{"next_hop", -1}};
	static const struct column json[] = {{"interface", -10}, {"proto", -7}, {"from", -20},
		{"from_port", 6}, {"to", -20}, {"to_port", 6}, {"worker", 6}, {"idle", 5},
		{"next_hop", -1}};
	const struct router *r = call->env->router;

	if (call->step == 0) {
		memset(&show, 0, sizeof show);
		read_options(call, &show.want);
	}
	if (look(call->out, r, LINES_SLICE) && show.shown < show.want.count)
		return false;
	if (!show.rows) {
		show_sums(call->out, r);
		output_table(call->out, "flows_found",
			call->out->form == OUTPUT_JSON ? json : columns,
			sizeof columns / sizeof *columns);
		show.rows = true;
		show.worker = 0;
		show.line = 0;
		return false;
	}
	output_close(call->out);
	return true;
}

/* What is kept holds for no generation to come. */
bool clear_flows(struct call *call)
{
	generation_next(&call->env->router->tables);
	return true;
}
