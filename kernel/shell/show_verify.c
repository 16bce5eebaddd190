/* show fib verify: the forwarding tables against the routing tables, address range by range. */
#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "kernel/verify.h"
#include "lib/text.h"
#include "lib/text6.h"

static void show_address(char *out, bool ipv4, struct ip6 address)
{
	if (ipv4)
		text_print_ipv4(out, (uint32_t)(address.hi >> 32));
	else
		text_print_ipv6(out, address.hi, address.lo);
}

static void show_mismatch(struct output *o, const struct verify_mismatch *m)
{
	char first[TEXT_IPV6_MAX], last[TEXT_IPV6_MAX];

	show_address(first, m->ipv4, m->first);
	show_address(last, m->ipv4, m->last);
	output_text(o, "first_mismatch", "%s - %s: next hop %u, by the routes %u", first, last,
		(unsigned)m->fib, (unsigned)m->rib);
}

/* The control loop does the work (verify_step); this waits for it. */
bool show_fib_verify(struct call *call)
{
	struct output *o = call->out;
	struct verify_result v;

	if (call->step == 0) {
		verify_start(call->env->router);
		return false;
	}
	verify_result(&v);
	if (v.state == VERIFY_RUNNING)
		return false;
	output_number(o, "ranges", v.ranges);
	output_number(o, "took_ms", (v.end_us - v.start_us) / 1000);
	if (v.mismatches)
		show_mismatch(o, &v.first);
	if (v.mismatches)
		output_text(o, "verify", "%llu ranges differed, %llu repaired",
			(unsigned long long)v.mismatches, (unsigned long long)v.repaired);
	else
		output_text(o, "verify", "ok");
	return true;
}
