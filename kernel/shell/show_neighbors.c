/* show neighbors: what ARP and neighbour discovery know. */
#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "lib/text.h"
#include "lib/text6.h"

static void show_neighbor(struct output *o, const struct neighbor *e, bool six, uint64_t now_ms)
{
	char address[TEXT_IPV6_MAX], mac[TEXT_MAC_MAX];

	if (six)
		text_print_ipv6(address, e->address.hi, e->address.lo);
	else
		text_print_ipv4(address, (uint32_t)(e->address.hi >> 32));
	text_print_mac(mac, e->mac);
	output_row(o);
	output_text(o, NULL, "%s", address);
	output_text(o, NULL, "%s", shell_port_name(e->port));
	if (neighbor_is_usable(e))
		output_text(o, NULL, "%s", mac);
	else
		output_none(o, NULL);
	output_text(o, NULL, "%s", neighbor_state_name(e->state));
	output_number(o, NULL, now_ms > e->since_ms ? (now_ms - e->since_ms) / 1000 : 0);
	output_close(o);
}

/* A slice is as many entries of both tables, free ones included, as cost little to look at. */
bool show_neighbors(struct call *call)
{
	static const struct column columns[] = {
		{"address", -16}, {"interface", -10}, {"mac", -18}, {"state", -12}, {"age_s", 6}};
	const struct stack *s = &call->env->router->stack;
	uint64_t now_ms = call->env->now_us(call->env->ctx) / 1000;
	unsigned first = call->step * SHOW_SLICE, end = first + SHOW_SLICE;

	if (call->step == 0)
		output_table(call->out, "neighbors", columns, sizeof columns / sizeof *columns);
	for (unsigned i = first; i < end && i < 2 * NEIGHBOR_MAX; i++) {
		bool six = i >= NEIGHBOR_MAX;
		const struct neighbor *e = six ? &s->nd.entry[i - NEIGHBOR_MAX] : &s->arp.entry[i];

		if (e->state != NEIGHBOR_FREE)
			show_neighbor(call->out, e, six, now_ms);
	}
	if (end < 2 * NEIGHBOR_MAX)
		return false;
	output_close(call->out);
	return true;
}
