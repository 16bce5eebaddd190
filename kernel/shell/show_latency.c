/* show latency: how long packets stay, and how long workers look away from their queues. */
#include <string.h>

#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/shell/commands.h"

static const char *const reasons[GAP_REASONS] = {
	[GAP_NONE] = "stolen",
	[GAP_WORK] = "work",
	[GAP_CONTROL] = "control",
	[GAP_PARK] = "audit",
	[GAP_IDLE] = "sleep",
};

uint64_t shell_nanoseconds(uint64_t ticks)
{
	uint64_t hz = platform_tsc_hz();

	return ticks / hz * 1000000000u + ticks % hz * 1000000000u / hz;
}

/* From a port to a port: all TX queues of the latter together. */
static void show_pair(struct output *o, const struct router *r, unsigned from, unsigned to)
{
	static const uint32_t parts[] = {500000, 990000, 999900};
	static struct histogram sum; /* large */

	memset(&sum, 0, sizeof sum);
	for (unsigned i = 0; i < r->dev[to]->tx_queues; i++)
		histogram_merge(&sum, r->latency[from][r->first_txq[to] + i]);
	uint64_t packets = histogram_total(&sum);

	if (packets == 0)
		return;
	output_row(o);
	output_text(o, NULL, "%s", shell_port_name(from));
	output_text(o, NULL, "%s", shell_port_name(to));
	output_number(o, NULL, packets);
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
		output_number(o, NULL, shell_nanoseconds(histogram_quantile(&sum, parts[i])));
	output_number(o, NULL, shell_nanoseconds(sum.max));
	output_close(o);
}

static void show_worker(struct output *o, const struct worker *w)
{
	unsigned worst = 0;

	for (unsigned i = 1; i < GAP_REASONS; i++)
		if (load_once(&w->gap[i]) > load_once(&w->gap[worst]))
			worst = i;
	output_row(o);
	output_number(o, NULL, w->id);
	output_number(o, NULL, w->core);
	output_number(o, NULL, shell_nanoseconds(load_once(&w->gap[worst])));
	output_text(o, NULL, "%s", reasons[worst]);
	for (unsigned i = 0; i < GAP_REASONS; i++)
		output_number(o, NULL, shell_nanoseconds(load_once(&w->gap[i])));
	output_close(o);
}

static void show_gaps(struct output *o, const struct router *r)
{
	static const struct column columns[] = {{"worker", 6}, {"core", 5}, {"longest_gap_ns", 14},
		{"reason", -8}, {"stolen_ns", 12}, {"work_ns", 12}, {"control_ns", 12},
		{"audit_ns", 12}, {"sleep_ns", 12}};

	output_table(o, "workers", columns, sizeof columns / sizeof *columns);
	for (unsigned w = 0; w < r->workers; w++)
		show_worker(o, r->worker[w]);
	output_close(o);
}

/* The pairs from one port at a time, then the workers. */
bool show_latency(struct call *call)
{
	static const struct column columns[] = {{"from", -8}, {"to", -8}, {"packets", 14},
		{"p50_ns", 12}, {"p99_ns", 12}, {"p9999_ns", 12}, {"max_ns", 12}};
	const struct router *r = call->env->router;

	if (call->step == 0)
		output_table(call->out, "latency", columns, sizeof columns / sizeof *columns);
	for (unsigned to = 0; call->step < r->ports && to < r->ports; to++)
		show_pair(call->out, r, call->step, to);
	if (call->step + 1 < r->ports)
		return false;
	output_close(call->out);
	show_gaps(call->out, r);
	return true;
}
