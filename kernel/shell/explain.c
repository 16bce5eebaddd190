/* explain: the steps and the end of a frame that nobody has sent, as text or JSON. */
#include "kernel/explain.h"

#include <stdio.h>
#include <string.h>

#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/nodes.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/path/flow.h"
#include "net/path/parse.h"
#include "net/path/session.h"
#include "net/path/urpf.h"

#define FRAME_MAX   (SHELL_LINE_MAX / 2) /* what a line can hold */
#define ROW_BYTES   32u                  /* of a frame in a line of text */
#define VLAN_LEAST  12u                  /* bytes of a frame that a tag can be put into */
#define STEP_BYTES  256u
#define ADDRESS_MAX (TEXT_IPV6_MAX + 8u)

_Static_assert(FRAME_MAX / ROW_BYTES * (2 * ROW_BYTES + 8) + 8192 <= SHELL_OUTPUT_MAX,
	"a frame and its steps are one slice");

static const struct node frame_value[2] = {
	ARG(HEX, "the frame in hex from its first MAC address on, without FCS", .next = frame_value,
		.flags = NODE_END),
	LAST,
};
const struct node explain_what[] = {
	ARG(SUBIFACE, "where it would come in; to a VLAN's the frame has no tag",
		.next = frame_value),
	LAST,
};

/* ---- the frame ---- */

static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static uint32_t read_hex(uint8_t *out, const char *hex)
{
	uint32_t n = 0;

	for (; hex[0] && hex[1] && n < FRAME_MAX; hex += 2)
		out[n++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
	return n;
}

static void show_bytes(struct output *o, const uint8_t *frame, uint32_t n)
{
	char text[2 * ROW_BYTES + 1];

	output_list(o, "bytes");
	for (uint32_t at = 0; at < n; at += ROW_BYTES) {
		for (uint32_t i = 0; i < ROW_BYTES && at + i < n; i++)
			snprintf(text + 2 * i, 3, "%02x", frame[at + i]);
		output_text(o, NULL, "%s", text);
	}
	output_close(o);
}

/* ---- words ---- */

static const char *print_address(char out[ADDRESS_MAX], bool six, struct ip6 address)
{
	if (six)
		text_print_ipv6(out, address.hi, address.lo);
	else
		text_print_ipv4(out, (uint32_t)address.lo);
	return out;
}

static void print_protocol(char *out, size_t size, uint8_t protocol)
{
	static const struct {
		uint8_t protocol;
		const char *name;
	} names[] = {{1, "icmp"}, {6, "tcp"}, {17, "udp"}, {58, "icmp6"}};

	snprintf(out, size, "protocol %u", protocol);
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].protocol == protocol)
			snprintf(out, size, "%s", names[i].name);
}

/* What the control core would do with it, as far as the worker's reason tells. */
static const char *punt_text(enum punt_reason reason)
{
	static const char *const text[PUNT_COUNT] = {
		[PUNT_ARP] = "arp",
		[PUNT_LOCAL] = "local: to an address of the router, or a group it is in",
		[PUNT_TTL] = "icmp: time exceeded",
		[PUNT_NO_ROUTE] = "icmp: network unreachable",
		[PUNT_UNREACHABLE] = "icmp: host unreachable",
		[PUNT_PROHIBIT] = "icmp: administratively prohibited",
		[PUNT_MTU] = "mtu: longer than its link takes: fragments, or an icmp error",
		[PUNT_RESOLVE] = "resolve: waits until the neighbour has answered",
		[PUNT_OPTIONS] = "options: looked at, then forwarded or refused",
		[PUNT_LLDP] = "lldp",
	};

	return reason < PUNT_COUNT && text[reason] ? text[reason] : "unknown";
}

/* ---- the steps ---- */

static void show_packet(struct output *o, const struct explain *e)
{
	char src[ADDRESS_MAX], dst[ADDRESS_MAX], protocol[16], ports[24] = "";
	bool six = e->family == 6;

	if (!e->family)
		return;
	print_address(src, six, e->src);
	print_address(dst, six, e->dst);
	print_protocol(protocol, sizeof protocol, e->protocol);
	if (e->ported && (e->protocol == 1 || e->protocol == 58))
		snprintf(
			ports, sizeof ports, " type %u/%u", e->src_port / 256u, e->src_port % 256u);
	else if (e->ported)
		snprintf(ports, sizeof ports, " port %u to %u", e->src_port, e->dst_port);
	output_text(o, "packet", "IPv%u %s to %s, %s%s, %s %u", e->family, src, dst, protocol,
		ports, six ? "hop limit" : "TTL", e->hops);
}

static void show_verdict(struct output *o, const struct explain *e)
{
	uint16_t v = e->verdict;

	if (v & VERDICT_DROP)
		output_text(o, "parse", "dropped: %s", drop_name(v & 0xff));
	else if (v & VERDICT_PUNT)
		output_text(o, "parse", "to the control core");
	else
		output_text(o, "parse", "to be routed");
}

static void show_acl_step(
	struct output *o, const char *key, const struct router *r, const struct explain_acl *acl)
{
	const struct filter_set *s = filters_now(&r->filters);
	const char *action = acl->permit ? "permit" : "deny";

	if (!acl->asked)
		return;
	if (s->number[acl->rule] == FILTER_NO_RULE)
		output_text(o, key, "%s of %s: no rule matches: %s", s->name[acl->list],
			shell_iface_name(acl->iface), action);
	else
		output_text(o, key, "%s of %s: rule %u: %s", s->name[acl->list],
			shell_iface_name(acl->iface), s->number[acl->rule], action);
}

/* Where the packet goes by, behind NAT. */
static struct ip6 goes_to(const struct explain *e)
{
	return e->rewrites ? e->to_dst : e->dst;
}

/* The route of the RIB; the FIB may be a moment behind. */
static void show_route_step(struct output *o, const struct router *r, const struct explain *e)
{
	char prefix[ADDRESS_MAX];
	const struct route *route;
	uint32_t nh;

	if (e->family == 4) {
		const struct route4 *four = rib4_match(&r->rib, (uint32_t)goes_to(e).lo, false);

		route = (const struct route *)four;
		if (four)
			print_address(prefix, false, (struct ip6){0, four->prefix});
	} else {
		const struct route6 *six = rib6_match(&r->rib6, goes_to(e), false);

		route = (const struct route *)six;
		if (six)
			print_address(prefix, true, six->prefix);
	}
	nh = route ? route->nexthop : NEXTHOP_NONE;
	if (nh != e->nh)
		output_text(o, "route", "changing: workers do not have the newest yet");
	else if (!route)
		output_text(o, "route", "none");
	else
		output_text(o, "route", "%s/%u %s", prefix, route->length,
			shell_source_name(route->source));
}

static const struct neighbor *find_neighbor(
	struct router *r, const struct explain *e, const struct nexthop *n)
{
	struct stack *s = &r->stack;

	if (!ip6_is_zero(n->gateway6) || e->family == 6)
		return neighbor_find(
			&s->nd, n->port, ip6_is_zero(n->gateway6) ? goes_to(e) : n->gateway6);
	return neighbor_find(
		&s->arp, n->port, rib4_key(n->gateway ? n->gateway : (uint32_t)goes_to(e).lo));
}

static void show_neighbor_step(struct output *o, struct router *r, const struct explain *e)
{
	const struct nexthop *n = &r->nexthops.nexthop[e->member];
	const struct neighbor *of = find_neighbor(r, e, n);
	char text[TEXT_MAC_MAX];

	if (!of) {
		output_text(o, "neighbor", "unknown: it would be asked for");
		return;
	}
	text_print_mac(text, of->mac);
	if (neighbor_is_usable(of))
		output_text(o, "neighbor", "%s %s", text, neighbor_state_name(of->state));
	else
		output_text(o, "neighbor", "%s", neighbor_state_name(of->state));
}

static void show_nexthop_step(struct output *o, struct router *r, const struct explain *e)
{
	const struct nexthop *n = &r->nexthops.nexthop[e->member];
	const char *which = e->member == e->nh ? "" : " (of several, or by another route)";
	char text[ADDRESS_MAX];

	if (n->action != NEXTHOP_RESOLVE) {
		output_text(o, "next_hop", "%s%s",
			n->action == NEXTHOP_RECURSIVE ? "unreachable gateway"
						       : shell_action_name(n->action),
			which);
		return;
	}
	if (!ip6_is_zero(n->gateway6))
		print_address(text, true, n->gateway6);
	else
		print_address(text, false, (struct ip6){0, n->gateway});
	output_text(o, "next_hop", "%s by %s%s", n->gateway ? text : "direct",
		shell_iface_name(n->port), which);
	show_neighbor_step(o, r, e);
}

/* What it was, where the frame ends before it is sent; else what it is then. */
static void show_session_step(struct output *o, const struct explain *e)
{
	char src[ADDRESS_MAX], dst[ADDRESS_MAX];

	if (!e->tracked || e->step < EXPLAIN_ROUTED)
		return;
	if (e->session == EXPLAIN_SESSION_NONE)
		output_text(o, "session", "none, and none begins");
	else
		output_text(o, "session", "%s: %s",
			e->session == EXPLAIN_SESSION_NEW ? "new" : "known",
			session_state_name(e->state));
	if (e->nat_destination)
		output_text(o, "nat_destination", "rule %u", e->nat_destination);
	if (e->nat_source)
		output_text(o, "nat_source", "rule %u", e->nat_source);
	if (!e->rewrites)
		return;
	print_address(src, false, e->to_src);
	print_address(dst, false, e->to_dst);
	if (e->protocol == 1)
		output_text(o, "nat", "%s to %s, identifier %u%s", src, dst, e->to_ports >> 16,
			e->port_drawn ? ", drawn at random: it will be another" : "");
	else
		output_text(o, "nat", "%s port %u to %s port %u%s", src, e->to_ports >> 16, dst,
			e->to_ports & 0xffff,
			e->port_drawn ? ", source port drawn at random: it will be another" : "");
}

static void show_flow_step(struct output *o, const struct explain *e)
{
	const char *differs =
		e->flow_differs ? ": this differs from the decision taken anew, below" : "";

	if (e->step < EXPLAIN_ROUTED)
		return;
	switch (e->flow) {
	case EXPLAIN_FLOW_OFF:
		output_text(o, "flow_cache", "off");
		return;
	case EXPLAIN_FLOW_TRACKED:
		output_text(o, "flow_cache", "not asked: sessions are");
		return;
	case EXPLAIN_FLOW_NO_KEY:
		output_text(o, "flow_cache", "not asked: it has not all that tells a flow");
		return;
	case EXPLAIN_FLOW_MISS:
		output_text(o, "flow_cache", "miss");
		return;
	default:
		break;
	}
	if (e->flow_denied)
		output_text(o, "flow_cache", "hit (denied %s)%s",
			e->flow_denied & FLOW_DENIED_IN ? "in" : "out", differs);
	else
		output_text(o, "flow_cache", "hit (next hop %u)%s", e->flow_nh, differs);
}

static void show_steps(struct output *o, struct router *r, const struct explain *e)
{
	output_text(o, "interface", "%s", shell_iface_name(e->input));
	output_number(o, "length", e->len);
	output_text(o, "received", "%s queue %u, worker %u", shell_port_name(e->port), e->queue,
		e->worker);
	if (e->policed)
		output_text(o, "police", "not asked");
	if (e->unparsed)
		return;
	show_verdict(o, e);
	show_packet(o, e);
	if (e->step >= EXPLAIN_CHECKED && e->urpf != URPF_OFF)
		output_text(o, "urpf", "%s: %s", e->urpf == URPF_STRICT ? "strict" : "loose",
			e->step == EXPLAIN_CHECKED ? "refused" : "passes");
	show_flow_step(o, e);
	show_session_step(o, e);
	show_acl_step(o, "acl_in", r, &e->in);
	if (e->step == EXPLAIN_ROUTED && (!e->in.asked || e->in.permit)) {
		show_route_step(o, r, e);
		show_nexthop_step(o, r, e);
	}
	show_acl_step(o, "acl_out", r, &e->out);
	if (e->queued)
		output_text(o, "queue", "%s queue %u, class %u, %u of %u packets",
			shell_port_name(r->txq[e->txq].port), r->txq[e->txq].queue, e->class,
			e->depth, e->limit);
}

/* ---- the end ---- */

static void show_end(struct output *o, const struct router *r, const struct explain *e)
{
	switch (e->end) {
	case EXPLAIN_DROPPED:
		output_text(o, "verdict", "dropped");
		output_text(o, "reason", "%s", drop_name(e->drop));
		output_text(o, "meaning", "%s", drop_meaning(e->drop));
		return;
	case EXPLAIN_HANDED:
		output_text(o, "verdict", "control");
		output_text(o, "reason", "%s", punt_text(e->punt));
		return;
	case EXPLAIN_HELD:
		output_text(o, "verdict", "held");
		output_text(o, "reason", "a fragment that waits for the first of its datagram");
		return;
	default:
		output_text(o, "verdict", "sent");
		output_text(o, "by", "%s", shell_port_name(r->txq[e->txq].port));
		output_number(o, "sent_length", e->frame_len);
		show_bytes(o, e->frame, e->frame_len);
		return;
	}
}

bool explain(struct call *call)
{
	static uint8_t frame[FRAME_MAX];
	struct router *r = call->env->router;
	uint32_t len = read_hex(frame, call_word(call, 2));
	unsigned iface;

	if (!shell_find_iface(call_word(call, 1), &iface))
		return call_error(call, "no interface '%s'", call_word(call, 1));
	if (len > explain_max(r))
		return call_error(call, "a frame of %u bytes has no room in a buffer, which has %u",
			len, explain_max(r));
	if (iface >= r->ports && len < VLAN_LEAST)
		return call_error(call, "no tag can be put into a frame of %u bytes", len);
	const struct explain *e = explain_frame(r, iface, frame, len);

	show_steps(call->out, r, e);
	show_end(call->out, r, e);
	return true;
}
