/* show control-plane: what lanes hand to the control core, by class, and what they may. */
#include "kernel/router.h"
#include "kernel/shell/baseline.h"
#include "kernel/shell/commands.h"

bool show_control_plane(struct call *call)
{
	static const struct column columns[] = {{"class", -8}, {"rate", 8}, {"set", -4},
		{"burst", 6}, {"handed_up", 14}, {"policed", 14}};
	const struct router *r = call->env->router;
	struct output *o = call->out;
	struct protocol_counters c;

	baseline_protocols(r, &c);
	output_number(o, "lanes", r->lanes - 1);
	output_table(o, "control_plane", columns, sizeof columns / sizeof *columns);
	for (unsigned kind = 0; kind < POLICE_KINDS; kind++) {
		uint32_t rate = r->control_rate[kind];

		output_row(o);
		output_text(o, NULL, "%s", police_name(kind));
		output_number(o, NULL, rate ? rate : police_default_rate(kind));
		output_bool(o, NULL, rate != 0);
		output_number(o, NULL, police_burst(kind));
		output_number(o, NULL, c.handed[kind]);
		output_number(o, NULL, c.policed[kind]);
		output_close(o);
	}
	output_close(o);
	return true;
}
