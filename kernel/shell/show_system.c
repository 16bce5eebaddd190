/* show version, uptime, cores, memory, protocols, log. */
#include <stdio.h>
#include <string.h>

#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/sessions.h"
#include "kernel/shell/baseline.h"
#include "kernel/shell/commands.h"
#include "kernel/version.h"

bool show_version(struct call *call)
{
	struct output *o = call->out;

	output_text(o, "version", "%s", barewire_version);
	output_text(o, "booted_by", "%s", platform_loader());
	output_text(o, "command_line", "%s", platform_cmdline());
	output_text(o, "vector_code", "%s", platform_isa());
	output_number(o, "cores", platform_cores());
	output_number(o, "tsc_hz", platform_tsc_hz());
	return true;
}

bool show_uptime(struct call *call)
{
	uint64_t us = call->env->now_us(call->env->ctx), s = us / 1000000;

	output_text(call->out, "uptime", "%u d %02u:%02u:%02u", (unsigned)(s / 86400),
		(unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60), (unsigned)(s % 60));
	output_number(call->out, "us", us);
	return true;
}

void shell_output_node(struct output *o, const char *key, uint32_t node)
{
	if (node == NODE_UNKNOWN)
		output_text(o, key, "unknown");
	else
		output_number(o, key, node);
}

/* The worker that runs on a core, or NULL. */
static const struct worker *worker_of(const struct router *r, unsigned core)
{
	for (unsigned i = 0; i < r->workers; i++)
		if (r->worker[i]->core == core)
			return r->worker[i];
	return NULL;
}

static const char *core_role(const struct router *r, unsigned core)
{
	if (core == 0)
		return r->single_core ? "control+worker" : "control";
	return worker_of(r, core) ? "worker" : "unused";
}

#define QUEUES_TEXT (RXQ_MAX * QUEUE_NAME_MAX)
_Static_assert(TXQ_MAX <= RXQ_MAX, "a list of all of a worker's queues fits");

/* The queues a worker drives, "-" for none. */
static void list_rxqs(char text[QUEUES_TEXT], const struct router *r, const struct worker *w)
{
	size_t used = 0;

	strcpy(text, "-");
	for (unsigned i = 0; w && i < w->rxqs; i++) {
		const struct rxq *q = &r->rxq[w->rxq[i]];
		char name[QUEUE_NAME_MAX];

		shell_queue_name(name, q->port, q->queue, r->dev[q->port]->rx_queues);
		used += (size_t)snprintf(
			text + used, QUEUES_TEXT - used, "%s%s", i ? " " : "", name);
	}
}

static void list_txqs(char text[QUEUES_TEXT], const struct router *r, const struct worker *w)
{
	size_t used = 0;

	strcpy(text, "-");
	for (unsigned i = 0; w && i < w->txqs; i++) {
		const struct txq *q = &r->txq[w->txq[i]];
		char name[QUEUE_NAME_MAX];

		shell_queue_name(name, q->port, q->queue, r->dev[q->port]->tx_queues);
		used += (size_t)snprintf(
			text + used, QUEUES_TEXT - used, "%s%s", i ? " " : "", name);
	}
}

/* Does a worker get packets of an RX queue that another one drives? */
static bool helps(const struct router *r, const struct rxq *q, const struct worker *w)
{
	if (load_once(&r->lane[q->lane[0]].track))
		return w->id < r->tables.owners && w->id != q->worker;
	for (unsigned way = 1; way < q->spread; way++)
		if (r->lane[q->lane[way]].actor == w->id + 1)
			return true;
	return false;
}

/* The RX queues a worker helps with at present, "-" for none. */
static void list_helped(char text[QUEUES_TEXT], const struct router *r, const struct worker *w)
{
	size_t used = 0;

	strcpy(text, "-");
	for (unsigned g = 0; w && g < r->rxqs; g++) {
		const struct rxq *q = &r->rxq[g];
		char name[QUEUE_NAME_MAX];

		if (!helps(r, q, w))
			continue;
		shell_queue_name(name, q->port, q->queue, r->dev[q->port]->rx_queues);
		used += (size_t)snprintf(
			text + used, QUEUES_TEXT - used, "%s%s", used ? " " : "", name);
	}
}

bool show_cores(struct call *call)
{
	static const struct column columns[] = {{"node", 7}, {"core", 4}, {"apic", 5},
		{"role", -14}, {"state", -8}, {"rx", -12}, {"tx", -12}, {"helps", -12},
		{"turns", 14}, {"busy_turns", 14}, {"note", -1}};
	static char rx[QUEUES_TEXT], tx[QUEUES_TEXT], helps[QUEUES_TEXT];
	const struct router *r = call->env->router;
	struct output *o = call->out;

	bool nodes = platform_nodes() > 1;
	unsigned hidden = nodes ? 0 : 1;

	output_table(o, "cores", columns + hidden, sizeof columns / sizeof *columns - hidden);
	for (unsigned i = 0; i < platform_cores(); i++) {
		const struct platform_core *core = platform_core(i);
		const struct worker *w = worker_of(r, i);

		list_rxqs(rx, r, w);
		list_txqs(tx, r, w);
		list_helped(helps, r, w);
		output_row(o);
		if (nodes)
			shell_output_node(o, NULL, core->node);
		output_number(o, NULL, i);
		output_number(o, NULL, core->apic_id);
		output_text(o, NULL, "%s", core_role(r, i));
		output_text(o, NULL, "%s", core->running ? "running" : "absent");
		output_text(o, NULL, "%s", rx);
		output_text(o, NULL, "%s", tx);
		output_text(o, NULL, "%s", helps);
		output_number(o, NULL, w ? load_once(&w->turns) : 0);
		output_number(o, NULL, w ? load_once(&w->busy_turns) : 0);
		output_text(o, NULL, "%s", core->note);
		output_close(o);
	}
	output_close(o);
	return true;
}

static void show_nodes(struct output *o)
{
	static const struct column columns[] = {{"node", 7}, {"ram_bytes", 14}, {"free_bytes", 14}};
	struct platform_node n;

	output_table(o, "nodes", columns, sizeof columns / sizeof *columns);
	for (unsigned i = 0; i < platform_nodes(); i++) {
		platform_node(i, &n);
		output_row(o);
		shell_output_node(o, NULL, n.node);
		output_number(o, NULL, n.ram_bytes);
		output_number(o, NULL, n.free_bytes);
		output_close(o);
	}
	output_close(o);
}

bool show_memory(struct call *call)
{
	const struct router *r = call->env->router;
	struct output *o = call->out;
	struct platform_memory m;

	platform_memory(&m);
	output_number(o, "ram_bytes", m.ram_bytes);
	output_number(o, "arena_bytes", m.arena_bytes);
	output_number(o, "arena_used", m.arena_used);
	output_number(o, "heap_bytes", m.heap_bytes);
	output_number(o, "heap_used", m.heap_used);
	output_text(o, "pages", "%s", m.pages);
	output_number(o, "buffers", (uint64_t)r->buffers.pools * POOL_BUFS);
	output_number(
		o, "buffer_bytes", (uint64_t)r->buffers.pools * POOL_BUFS * r->buffers.stride);
	output_number(o, "acl_rules", filters_now(&r->filters)->rules);
	output_number(o, "acl_rules_max", r->filters.rules_max);
	output_number(o, "acl_bytes_used", filters_now(&r->filters)->used);
	output_number(o, "acl_bytes", r->filters.memory_bytes);
	output_number(o, "nat_mappings", nats_live(r));
	output_number(o, "nat_mappings_max", nats_max(r));
	output_number(o, "nat_bytes", r->nats.bytes);
	output_number(o, "sessions", sessions_live(r));
	output_number(o, "sessions_max", sessions_max(r));
	output_number(o, "session_bytes", sessions_memory(r));
	if (platform_nodes() > 1)
		show_nodes(o);
	return true;
}

bool show_protocols(struct call *call)
{
	struct output *o = call->out;
	struct protocol_counters c;

	baseline_protocols(call->env->router, &c);
	output_object(o, "arp");
	output_number(o, "received", c.arp_received);
	output_number(o, "requests_sent", c.arp_requests_sent);
	output_number(o, "replies_sent", c.arp_replies_sent);
	output_number(o, "failed", c.arp_failed);
	output_number(o, "conflicts", c.arp_conflicts);
	output_close(o);
	output_object(o, "icmp");
	output_number(o, "sent", c.icmp_sent);
	output_number(o, "echo_replies", c.icmp_echo_replies);
	output_number(o, "suppressed", c.icmp_suppressed);
	output_number(o, "suppressed_destination", c.icmp_suppressed_destination);
	output_close(o);
	output_object(o, "nd");
	output_number(o, "received", c.nd_received);
	output_number(o, "solicits_sent", c.nd_solicits_sent);
	output_number(o, "adverts_sent", c.nd_adverts_sent);
	output_number(o, "failed", c.nd_failed);
	output_number(o, "conflicts", c.nd_conflicts);
	output_number(o, "suppressed", c.nd_suppressed);
	output_number(o, "redirects", c.nd_redirects);
	output_number(o, "router_adverts_received", c.ra_received);
	output_number(o, "router_adverts_sent", c.ra_sent);
	output_close(o);
	output_object(o, "mld");
	output_number(o, "queries", c.mld_queries);
	output_number(o, "reports_sent", c.mld_reports_sent);
	output_number(o, "reports_heard", c.mld_reports_heard);
	output_close(o);
	output_object(o, "icmp6");
	output_number(o, "sent", c.icmp6_sent);
	output_number(o, "echo_replies", c.icmp6_echo_replies);
	output_number(o, "suppressed", c.icmp6_suppressed);
	output_number(o, "suppressed_destination", c.icmp6_suppressed_destination);
	output_number(o, "too_big_heeded", c.too_big_heeded);
	output_number(o, "too_big_refused", c.too_big_refused);
	output_close(o);
	output_object(o, "lldp");
	output_number(o, "sent", c.lldp_sent);
	output_number(o, "received", c.lldp_received);
	output_number(o, "aged", c.lldp_aged);
	output_number(o, "refused", c.lldp_refused);
	output_close(o);
	output_object(o, "policed");
	for (unsigned kind = 0; kind < POLICE_KINDS; kind++)
		output_number(o, police_name(kind), c.policed[kind]);
	output_close(o);
	output_object(o, "reassembly");
	output_number(o, "fragments", c.fragments);
	output_number(o, "datagrams", c.reassembled);
	output_number(o, "expired", c.fragments_expired);
	output_number(o, "evicted", c.fragments_evicted);
	output_number(o, "refused", c.fragments_refused);
	output_number(o, "held", call->env->router->stack.reassembly.held);
	output_close(o);
	return true;
}

static void print_record(void *ctx, uint64_t us, const char *line)
{
	output_text(ctx, NULL, "[%6u.%06u] %s", (unsigned)(us / 1000000), (unsigned)(us % 1000000),
		line);
}

bool show_log(struct call *call)
{
	static uint32_t next;

	if (call->step == 0) {
		output_list(call->out, "log");
		next = 0;
	}
	if (!log_walk_slice(&next, SHOW_SLICE, print_record, call->out))
		return false;
	output_close(call->out);
	return true;
}
