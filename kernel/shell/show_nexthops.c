/* show next-hops: what packets are sent to, and, if that is counted, how many. */
#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "lib/text.h"
#include "lib/text6.h"

static const struct column columns[] = {{"next_hop", -24}, {"interface", -10}, {"state", -1}};
static const struct column counted_columns[] = {
	{"next_hop", -24}, {"interface", -10}, {"state", -12}, {"packets", 12}, {"bytes", 16}};

static void show_kind(struct output *o, const struct nexthop *n)
{
	char text[TEXT_IPV6_MAX];

	if (n->action != NEXTHOP_RESOLVE && n->action != NEXTHOP_RECURSIVE) {
		output_text(o, NULL, "%s", shell_action_name(n->action));
		return;
	}
	if (ip6_is_zero(n->gateway6))
		text_print_ipv4(text, n->gateway);
	else
		text_print_ipv6(text, n->gateway6.hi, n->gateway6.lo);
	output_text(o, NULL, "%s", n->gateway ? text : "direct");
}

/* What workers do with its packets now. */
static const char *state_name(const struct nexthop *n, uint32_t out)
{
	uint32_t target = adjacency_target(out);

	if (n->action == NEXTHOP_RECURSIVE)
		return adjacency_leads_on(out) ? "recursive" : "unreachable";
	if (n->action != NEXTHOP_RESOLVE)
		return "final";
	if (n->silent)
		return "silent";
	return target == NEXTHOP_RESOLVE ? (n->gateway ? "unresolved" : "connected") : "resolved";
}

static void show_nexthop(struct output *o, const struct router *r, uint32_t index)
{
	const struct nexthop *n = &r->nexthops.nexthop[index];

	output_row(o);
	show_kind(o, n);
	if (n->action == NEXTHOP_RESOLVE)
		output_text(o, NULL, "%s", shell_iface_name(n->port));
	else
		output_none(o, NULL);
	output_text(o, NULL, "%s", state_name(n, r->nexthops.adjacency[index].out));
	if (r->counts_nexthops)
		shell_output_count(o, r, index);
	output_close(o);
}

void shell_output_count(struct output *o, const struct router *r, uint32_t index)
{
	struct nexthop_count c;

	nexthop_counted(&r->nexthops, index, &c);
	output_number(o, NULL, c.packets);
	output_number(o, NULL, c.bytes);
}

/* A slice of all indices; those without references are on their way out, groups are their members.
 */
bool show_next_hops(struct call *call)
{
	const struct router *r = call->env->router;
	uint32_t first = call->step * SHOW_SLICE, end = first + SHOW_SLICE;

	if (call->step == 0 && r->counts_nexthops)
		output_table(call->out, "next_hops", counted_columns,
			sizeof counted_columns / sizeof *counted_columns);
	else if (call->step == 0)
		output_table(call->out, "next_hops", columns, sizeof columns / sizeof *columns);
	for (uint32_t i = first; i < end && i < r->nexthops.used; i++)
		if (r->nexthops.nexthop[i].refs && r->nexthops.nexthop[i].action != NEXTHOP_GROUP)
			show_nexthop(call->out, r, i);
	if (end < r->nexthops.used)
		return false;
	output_close(call->out);
	return true;
}
