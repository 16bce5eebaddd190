/* show fib: the forwarding tables, their sizes and when they changed. */
#include "kernel/publish.h"
#include "kernel/router.h"
#include "kernel/shell/commands.h"

/* Parts of one kind: how many, of how many at most, and their bytes. */
static void show_level(
	struct output *o, const char *name, uint32_t used, uint32_t limit, unsigned bytes_each)
{
	output_object(o, name);
	output_number(o, "used", used);
	output_number(o, "limit", limit);
	output_number(o, "bytes", (uint64_t)used * bytes_each);
	output_close(o);
}

static void show_fib4(struct output *o, const struct router *r)
{
	struct fib4_stats f;

	fib4_stats(r->fib4, &f);
	output_object(o, "ipv4");
	output_number(o, "routes", r->rib.rib.count);
	output_number(o, "generation", r->rib.rib.generation);
	output_number(o, "bytes", f.bytes);
	output_number(o, "reserved", f.reserved);
	output_number(o, "updates", f.updates);
	output_number(o, "waiting", f.waiting);
	output_close(o);
	output_number(o, "blocks", f.blocks);
	show_level(o, "root", 65536, 65536, 4);
	show_level(o, "lines", f.used.lines, f.limits.lines, 64 + 4);
}

static void show_fib6(struct output *o, const struct router *r)
{
	struct fib6_stats f;

	fib6_stats(r->fib6, &f);
	output_object(o, "ipv6");
	output_number(o, "routes", r->rib6.rib.count);
	output_number(o, "generation", r->rib6.rib.generation);
	output_number(o, "bytes", f.bytes);
	output_number(o, "reserved", f.reserved);
	output_number(o, "updates", f.updates);
	output_number(o, "waiting", f.waiting);
	output_number(o, "branches", f.branches);
	output_number(o, "inners", f.inners);
	output_number(o, "leaves", f.leaves);
	output_number(o, "gates", f.gates);
	output_close(o);
}

bool show_fib(struct call *call)
{
	const struct router *r = call->env->router;
	uint64_t now = call->env->now_us(call->env->ctx);
	struct output *o = call->out;
	struct publish_stats p;

	publish_stats(r, &p);
	output_number(o, "routes", r->rib.rib.count + r->rib6.rib.count);
	output_text(o, "current", "%s",
		p.current   ? "yes"
		: p.no_room ? "no room"
			    : "being updated");
	output_number(o, "changes_waiting", p.waiting);
	output_number(o, "routes_to_come", p.to_come);
	output_number(o, "updated_s_ago", now > p.update_us ? (now - p.update_us) / 1000000 : 0);
	if (p.build_us) {
		output_number(o, "built_s_ago", (now - p.build_us) / 1000000);
		output_number(o, "build_us", p.build_took_us);
	} else {
		output_none(o, "built_s_ago");
		output_none(o, "build_us");
	}
	show_fib4(o, r);
	show_fib6(o, r);
	return true;
}
