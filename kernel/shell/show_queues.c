/* show queues: every virtual output queue that is or was in use. */
#include "kernel/router.h"
#include "kernel/shell/baseline.h"
#include "kernel/shell/commands.h"

/* Does the lane receive at present: the queue's own worker, or one that helps? */
static bool in_use(const struct router *r, unsigned lane)
{
	const struct lane *from = &r->lane[lane];

	if (from->port == CONTROL_PORT || lane < r->rxqs)
		return true;
	if (load_once(&from->track))
		return from->actor <= r->tables.owners;
	for (unsigned way = 1; way < r->rxq[from->pool].spread; way++)
		if (r->rxq[from->pool].lane[way] == lane)
			return true;
	return false;
}

/* Classes and lanes that are not in use and never were are left out. */
static bool of_interest(const struct router *r, unsigned lane, unsigned t, unsigned class)
{
	const struct crosspoint *x = r->lane[lane].cross[t];

	return (class == 0 && in_use(r, lane)) || load_once(&x->out[class].packets) ||
	       load_once(&x->in.drops[class]) || voq_depth(x, class);
}

static void show_queue(
	struct output *o, const struct router *r, unsigned lane, unsigned t, unsigned class)
{
	const struct lane *from = &r->lane[lane];
	const struct crosspoint *x = from->cross[t];
	bool control = from->port == CONTROL_PORT;
	struct voq_counters c;

	baseline_voq(r, lane, t, class, &c);
	output_row(o);
	output_text(o, NULL, "%s", shell_port_name(from->port));
	output_number(o, NULL, control ? 0 : r->rxq[from->pool].queue);
	if (control)
		output_none(o, NULL);
	else
		output_number(o, NULL, from->actor - 1);
	output_text(o, NULL, "%s", shell_port_name(r->txq[t].port));
	output_number(o, NULL, r->txq[t].queue);
	output_number(o, NULL, class);
	output_number(o, NULL, voq_depth(x, class));
	output_number(o, NULL, c.packets);
	output_number(o, NULL, c.bytes);
	output_number(o, NULL, c.drops);
	output_number(o, NULL, load_once(&x->out[class].vruntime));
	output_close(o);
}

/* One lane towards one port at a time; the last lane is the control core's. */
bool show_queues(struct call *call)
{
	static const struct column columns[] = {{"from", -8}, {"rx_queue", 8}, {"worker", 6},
		{"to", -8}, {"tx_queue", 8}, {"class", 5}, {"depth", 6}, {"packets", 14},
		{"bytes", 18}, {"drops", 12}, {"virtual_runtime", 18}};
	const struct router *r = call->env->router;
	unsigned first, end;

	if (!call_ports(call, &first, &end))
		return true;
	if (call->step == 0)
		output_table(call->out, "queues", columns, sizeof columns / sizeof *columns);
	unsigned port = first + call->step / r->lanes, lane = call->step % r->lanes;

	for (unsigned i = 0; port < end && i < r->dev[port]->tx_queues; i++) {
		unsigned t = r->first_txq[port] + i;

		for (unsigned class = 0; class < VOQ_CLASSES; class ++)
			if (of_interest(r, lane, t, class))
				show_queue(call->out, r, lane, t, class);
	}
	if (call->step + 1 < (end - first) * r->lanes)
		return false;
	output_close(call->out);
	return true;
}
