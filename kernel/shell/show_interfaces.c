/* show interfaces and show queues: what the ports and their output queues do. */
#include "kernel/router.h"
#include "kernel/shell/baseline.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/store.h"
#include "lib/text.h"

static const char *iface_state(const struct iface *i, const struct netdev *dev)
{
	return dev->failed ? "failed" : !i->enabled ? "disabled" : i->link ? "up" : "down";
}

static void show_addresses(struct output *o, const struct iface *i)
{
	char text[TEXT_PREFIX_MAX];

	output_list(o, "address");
	for (unsigned k = 0; k < i->addrs; k++) {
		text_print_ipv4_prefix(text, i->addr[k].address, i->addr[k].length);
		output_text(o, NULL, "%s", text);
	}
	output_close(o);
}

static void show_device(struct output *o, const struct iface *i, const struct netdev *dev)
{
	const char *description = store_description(i->name);
	char mac[TEXT_MAC_MAX];

	text_print_mac(mac, i->mac);
	output_text(o, "name", "%s", i->name);
	output_text(o, "state", "%s", iface_state(i, dev));
	if (dev->failed)
		output_text(o, "failure", "%s", dev->failure ? dev->failure : "unknown");
	if (description)
		output_text(o, "description", "%s", description);
	output_text(o, "link", "%s", i->link ? "up" : "down");
	output_text(o, "driver", "%s", dev->driver);
	output_text(o, "location", "%s", dev->location);
	output_text(o, "mac", "%s", mac);
	output_number(o, "mtu", i->mtu);
}

static void show_counters(struct output *o, const struct router *r, unsigned port)
{
	struct port_counters c;
	uint64_t packets, bytes;

	baseline_port(r, port, &c);
	baseline_txq(r, r->iface[port].txq, &packets, &bytes);
	output_object(o, "rx");
	output_number(o, "packets", c.rx_packets);
	output_number(o, "bytes", c.rx_bytes);
	output_close(o);
	output_object(o, "tx");
	output_number(o, "packets", packets);
	output_number(o, "bytes", bytes);
	output_close(o);
	output_number(o, "doorbells", baseline_doorbells(r, port));
	output_number(o, "pool ran dry", load_once(&r->buffers.pool[port]->starved));
	output_object(o, "dropped");
	for (unsigned i = 0; i < DROP_COUNT; i++)
		output_counter(o, drop_name(i), c.dropped[i]);
	output_close(o);
}

/* Which ports a command with an optional interface at word 2 is about. false: no such one. */
static bool selected(struct call *call, unsigned *first, unsigned *end)
{
	const char *name = call_word(call, 2);

	*first = 0;
	*end = shell_ports();
	if (!name)
		return true;
	if (!shell_find_port(name, first))
		return !call_error(call, "no interface '%s'", name);
	*end = *first + 1;
	return true;
}

bool show_interfaces(struct call *call)
{
	const struct router *r = call->env->router;
	struct output *o = call->out;
	unsigned first, end;

	if (!selected(call, &first, &end))
		return true;
	if (call->step == 0)
		output_list(o, "interfaces");
	first += call->step; /* one at a time */
	if (first < end) {
		output_object(o, NULL);
		show_device(o, &r->iface[first], r->dev[first]);
		show_addresses(o, &r->iface[first]);
		show_counters(o, r, first);
		output_close(o);
	}
	if (first + 1 < end)
		return false;
	output_close(o);
	return true;
}

static void show_queue(struct output *o, const struct router *r, unsigned lane, unsigned txq)
{
	const struct voq *q = r->lane[lane].voq[txq];
	struct voq_counters c;

	baseline_voq(r, lane, txq, &c);
	output_row(o);
	output_text(o, NULL, "%s", shell_port_name(lane));
	output_text(o, NULL, "%s", shell_port_name(txq));
	output_number(o, NULL, voq_depth(q));
	output_number(o, NULL, c.packets);
	output_number(o, NULL, c.bytes);
	output_number(o, NULL, c.drops);
	output_number(o, NULL, load_once(&q->vruntime) >> 16); /* in bytes / weight */
	output_close(o);
}

/* The queues towards one port at a time; the last lane is the control core's. */
bool show_queues(struct call *call)
{
	static const struct column columns[] = {{"from", -10}, {"to", -10}, {"depth", 6},
		{"packets", 14}, {"bytes", 18}, {"drops", 12}, {"virtual_runtime", 18}};
	const struct router *r = call->env->router;
	unsigned first, end;

	if (!selected(call, &first, &end))
		return true;
	if (call->step == 0)
		output_table(call->out, "queues", columns, sizeof columns / sizeof *columns);
	first += call->step;
	for (unsigned lane = 0; first < end && lane <= r->ports; lane++)
		if (r->lane[lane].voq[first])
			show_queue(call->out, r, lane, first);
	if (first + 1 < end)
		return false;
	output_close(call->out);
	return true;
}
