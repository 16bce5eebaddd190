/* show interfaces: what the ports are and do. */
#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/shell/baseline.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/store.h"
#include "kernel/vlans.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/path/urpf.h"

static const char *iface_state(const struct iface *i, const struct netdev *dev)
{
	return dev->failed ? "failed" : !i->enabled ? "disabled" : i->link ? "up" : "down";
}

static void show_address6(struct output *o, const struct iface_addr6 *a)
{
	static const char *const state[] = {[ADDR6_TENTATIVE] = " tentative",
		[ADDR6_VALID] = "",
		[ADDR6_DUPLICATE] = " duplicate"};
	char text[TEXT_IPV6_PREFIX_MAX];

	text_print_ipv6_prefix(text, a->address.hi, a->address.lo, a->length);
	output_text(o, NULL, "%s%s", text, state[a->state]);
}

static void show_addresses(struct output *o, const struct iface *i)
{
	char text[TEXT_PREFIX_MAX];

	output_list(o, "address");
	for (unsigned k = 0; k < i->addrs; k++) {
		text_print_ipv4_prefix(text, i->addr[k].address, i->addr[k].length);
		output_text(o, NULL, "%s", text);
	}
	for (unsigned k = 0; k < i->addrs6; k++)
		show_address6(o, &i->addr6[k]);
	output_close(o);
}

static void show_rx_tx(struct output *o, uint64_t rx_packets, uint64_t rx_bytes,
	uint64_t tx_packets, uint64_t tx_bytes)
{
	output_object(o, "rx");
	output_number(o, "packets", rx_packets);
	output_number(o, "bytes", rx_bytes);
	output_close(o);
	output_object(o, "tx");
	output_number(o, "packets", tx_packets);
	output_number(o, "bytes", tx_bytes);
	output_close(o);
}

/* What ports and subinterfaces have alike. */
static void show_head(struct output *o, const struct iface *i, const struct netdev *dev)
{
	const char *description = store_description(i->name);

	output_text(o, "name", "%s", i->name);
	output_text(o, "state", "%s", iface_state(i, dev));
	if (dev->failed)
		output_text(o, "failure", "%s", dev->failure ? dev->failure : "unknown");
	if (description)
		output_text(o, "description", "%s", description);
	output_text(o, "link", "%s", i->link ? "up" : "down");
}

/* Unless it is off. */
static void show_urpf(struct output *o, const struct router *r, const struct iface *i)
{
	unsigned mode = r->tables.urpf[i->port];

	if (mode != URPF_OFF)
		output_text(o, "urpf", "%s", mode == URPF_STRICT ? "strict" : "loose");
}

/* The limit of what it receives, and what its own bucket refused. */
static void show_police(
	struct output *o, const struct meter_limit *limit, const struct meter_counters *c)
{
	char rate[ARG_RATE_TEXT];

	if (limit->rate == 0 && c->packets == 0)
		return;
	output_object(o, "police");
	if (limit->rate == 0) {
		output_text(o, "rate", "none");
	} else if (limit->packets) {
		output_text(o, "rate", "%u packets", (unsigned)limit->rate);
		output_number(o, "burst_packets", meter_burst_of(limit));
	} else {
		arg_rate_print(rate, limit->rate);
		output_text(o, "rate", "%s", rate);
		output_number(o, "burst_bytes", meter_burst_of(limit));
	}
	output_number(o, "dropped_packets", c->packets);
	output_number(o, "dropped_bytes", c->bytes);
	output_close(o);
}

static void show_mac(struct output *o, const struct iface *i)
{
	char mac[TEXT_MAC_MAX];

	text_print_mac(mac, i->mac);
	output_text(o, "mac", "%s", mac);
	output_number(o, "mtu", i->mtu);
}

static void show_device(struct output *o, const struct iface *i, const struct netdev *dev)
{
	show_head(o, i, dev);
	if (dev->speed_mbps)
		output_text(o, "speed", "%u Mbit/s", (unsigned)dev->speed_mbps);
	output_text(o, "driver", "%s", dev->driver);
	output_text(o, "location", "%s", dev->location);
	if (platform_nodes() > 1)
		shell_output_node(o, "node", dev->node);
	show_mac(o, i);
	output_number(o, "queues", dev->rx_queues);
	if (dev->rings)
		output_text(o, "rings", "%s", dev->rings);
	if (dev->steering)
		output_text(o, "steering", "%s", dev->steering);
	if (dev->vlan_filter)
		output_text(o, "vlan filter", "device");
	if (dev->flow_control)
		output_text(o, "flow control", "on");
	if (dev->dca)
		output_text(o, "dca", "on");
}

/* A VLAN subinterface: what it drops its port counts. */
static void show_vlan(struct output *o, const struct router *r, const struct iface *i)
{
	struct vlan_counters c;

	show_head(o, i, r->dev[i->parent]);
	output_number(o, "vlan", i->vid);
	show_mac(o, i);
	show_urpf(o, r, i);
	show_addresses(o, i);
	baseline_vlan(r, vlans_number(r, i), &c);
	show_rx_tx(o, c.rx_packets, c.rx_bytes, c.tx_packets, c.tx_bytes);
	show_police(o, &r->police[i->port], &c.policed);
}

/* What the device counted, of which frames it lost never came to the router. */
static void show_statistics(struct output *o, const struct router *r, unsigned port)
{
	struct netdev_statistic s[NETDEV_STATISTICS_MAX];
	unsigned n = baseline_statistics(r, port, s);

	if (n == 0)
		return;
	output_object(o, "device");
	for (unsigned i = 0; i < n; i++)
		output_counter(o, s[i].name, s[i].value);
	output_close(o);
}

static void show_counters(struct output *o, const struct router *r, unsigned port)
{
	struct port_counters c;
	uint64_t packets, bytes, dry = 0;

	for (unsigned i = 0; i < r->dev[port]->rx_queues; i++)
		dry += load_once(&r->buffers.pool[r->first_rxq[port] + i]->starved);
	baseline_port(r, port, &c);
	baseline_output(r, port, &packets, &bytes);
	show_rx_tx(o, c.rx_packets, c.rx_bytes, packets, bytes);
	show_police(o, &r->police[port], &c.policed);
	output_number(o, "doorbells", baseline_doorbells(r, port));
	output_number(o, "pool ran dry", dry);
	show_statistics(o, r, port);
	output_object(o, "dropped");
	for (unsigned i = 0; i < DROP_COUNT; i++)
		output_counter(o, drop_name(i), c.dropped[i]);
	output_close(o);
}

bool call_ports(struct call *call, unsigned *first, unsigned *end)
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

static void show_iface(struct output *o, const struct router *r, const struct iface *i)
{
	output_object(o, NULL);
	if (i->vid) {
		show_vlan(o, r, i);
	} else {
		show_device(o, i, r->dev[i->port]);
		show_urpf(o, r, i);
		show_addresses(o, i);
		show_counters(o, r, i->port);
	}
	output_close(o);
}

/* One at a time: the ports, then their subinterfaces. */
bool show_interfaces(struct call *call)
{
	const struct router *r = call->env->router;
	const char *name = call_word(call, 2);
	unsigned number = call->step, end = shell_ifaces();

	if (name && !shell_find_iface(name, &number))
		return call_error(call, "no interface '%s'", name);
	if (call->step == 0)
		output_list(call->out, "interfaces");
	if (number < end && *shell_iface_name(number))
		show_iface(call->out, r, &r->iface[number]);
	if (!name && number + 1 < end)
		return false;
	output_close(call->out);
	return true;
}
