/* show neighbors: what ARP knows. */
#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "lib/text.h"

static void show_neighbor(struct output *o, const struct arp_entry *e, uint64_t now_ms)
{
	char address[TEXT_IPV4_MAX], mac[TEXT_MAC_MAX];

	text_print_ipv4(address, e->address);
	text_print_mac(mac, e->mac);
	output_row(o);
	output_text(o, NULL, "%s", address);
	output_text(o, NULL, "%s", shell_port_name(e->port));
	if (e->state == ARP_INCOMPLETE || e->state == ARP_FAILED)
		output_none(o, NULL);
	else
		output_text(o, NULL, "%s", mac);
	output_text(o, NULL, "%s", arp_state_name(e->state));
	output_number(o, NULL, now_ms > e->since_ms ? (now_ms - e->since_ms) / 1000 : 0);
	output_close(o);
}

/* A slice is as many entries of the table, free ones included, as cost little to look at. */
bool show_neighbors(struct call *call)
{
	static const struct column columns[] = {
		{"address", -16}, {"interface", -10}, {"mac", -18}, {"state", -12}, {"age_s", 6}};
	const struct arp_table *arp = &call->env->router->stack.arp;
	uint64_t now_ms = call->env->now_us(call->env->ctx) / 1000;
	unsigned first = call->step * SHOW_SLICE, end = first + SHOW_SLICE;

	if (call->step == 0)
		output_table(call->out, "neighbors", columns, sizeof columns / sizeof *columns);
	for (unsigned i = first; i < end && i < NEIGHBOR_MAX; i++)
		if (arp->entry[i].state != ARP_FREE)
			show_neighbor(call->out, &arp->entry[i], now_ms);
	if (end < NEIGHBOR_MAX)
		return false;
	output_close(call->out);
	return true;
}
