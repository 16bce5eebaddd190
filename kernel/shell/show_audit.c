/* show drops and show buffers: the live audit, each from one instant. */
#include <stdio.h>

#include "kernel/audit.h"
#include "kernel/shell/baseline.h"
#include "kernel/shell/commands.h"

/* Takes the audit; static because it is large. NULL: told already. */
static struct audit *take(struct call *call)
{
	static struct audit audit;

	audit_take(call->env->router, &audit);
	if (audit.parked)
		return &audit;
	call_error(call, "worker %u does not answer", audit.holdout);
	return NULL;
}

/* What the balance lacks: received that has no fate. */
static int64_t difference(const struct audit_port *p)
{
	return (int64_t)(p->received - p->transmitted - p->delivered - p->dropped - p->in_flight);
}

/* Frames that the device itself lost: it did not hand them over, so no balance has them. */
static void show_device_lost(struct output *o, const struct router *r, unsigned port)
{
	struct netdev_statistic s[NETDEV_STATISTICS_MAX];
	unsigned n = port == CONTROL_PORT ? 0 : baseline_statistics(r, port, s);

	if (n == 0)
		return;
	output_object(o, "lost_by_device");
	for (unsigned i = 0; i < n; i++)
		if (s[i].lost)
			output_counter(o, s[i].name, s[i].value);
	output_close(o);
}

static void show_port_drops(
	struct output *o, const struct router *r, const struct audit *a, unsigned port)
{
	const struct audit_port *p = &a->port[port];

	output_object(o, NULL);
	output_text(o, "port", "%s", shell_port_name(port));
	output_number(o, "received", p->received);
	output_number(o, "transmitted", p->transmitted);
	output_number(o, "delivered", p->delivered);
	output_object(o, "dropped");
	for (unsigned i = 0; i < DROP_COUNT; i++)
		output_counter(o, drop_name(i), a->counters[port].dropped[i]);
	output_close(o);
	output_number(o, "dropped_total", p->dropped);
	output_number(o, "in_flight", p->in_flight);
	show_device_lost(o, r, port);
	output_close(o);
}

bool show_drops(struct call *call)
{
	struct audit *a = take(call);
	struct output *o = call->out;
	int64_t wrong = 0;
	unsigned where = 0;

	if (!a)
		return true;
	for (unsigned i = 0; i < PORT_COUNT && !wrong; i++) {
		wrong = difference(&a->port[i]);
		where = i;
	}
	baseline_subtract(a);
	output_list(o, "ports");
	for (unsigned i = 0; i < shell_ports(); i++)
		show_port_drops(o, call->env->router, a, i);
	show_port_drops(o, call->env->router, a, CONTROL_PORT);
	output_close(o);
	if (!wrong)
		output_text(o, "balance", "ok");
	else
		output_text(o, "balance", "WRONG: %s has %lld packets without a fate",
			shell_port_name(where), (long long)wrong);
	return true;
}

static void show_pool(
	struct output *o, const struct router *r, const struct audit *a, unsigned pool)
{
	const struct audit_pool *p = &a->pool[pool];
	uint32_t total = p->home + p->control + p->held + p->other;
	char name[QUEUE_NAME_MAX] = "control";

	if (pool != r->control_pool)
		shell_queue_name(name, r->rxq[pool].port, r->rxq[pool].queue,
			r->dev[r->rxq[pool].port]->rx_queues);
	output_object(o, NULL);
	output_text(o, "pool", "%s", name);
	output_number(o, "size", POOL_BUFS);
	output_number(o, "free", p->free);
	output_number(o, "rx_ring", p->rx_ring);
	output_number(o, "returning", p->returning);
	output_counter(o, "spread", p->spread);
	output_counter(o, "held", p->held);
	output_number(o, "control", p->control);
	output_object(o, "output");
	for (unsigned t = 0; t < r->txqs; t++) {
		shell_queue_name(
			name, r->txq[t].port, r->txq[t].queue, r->dev[r->txq[t].port]->tx_queues);
		output_counter(o, name, p->output[t]);
		total += p->output[t];
	}
	output_close(o);
	output_counter(o, "other", p->other);
	output_number(o, "total", total);
	output_close(o);
}

bool show_buffers(struct call *call)
{
	struct audit *a = take(call);
	struct output *o = call->out;

	if (!a)
		return true;
	output_list(o, "pools");
	for (unsigned i = 0; i < call->env->router->buffers.pools; i++)
		show_pool(o, call->env->router, a, i);
	output_close(o);
	output_number(o, "wait_us", a->wait_us);
	output_number(o, "parked_us", a->parked_us);
	if (a->buffers_ok)
		output_text(o, "audit", "ok");
	else
		output_text(o, "audit", "FAILED: %s", a->finding);
	return true;
}
