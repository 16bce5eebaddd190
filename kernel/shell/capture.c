/* capture: what the words ask for, and the frames on their way out, in slices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/capture.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/shell/capture_out.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/protocol.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/path/frame.h"

#define SLICE_BYTES     8192u  /* printed in a step */
#define SLICE_FRAMES    64u    /* looked at in a step */
#define SLICE_DATAGRAMS 8u     /* sent in a step, */
#define PACE_US         100u   /* which come so far apart at least: 80,000 datagrams a second */
#define LEAVE_LOOKS     10000u /* when it is broken off: for workers to be done with it */

_Static_assert(SLICE_BYTES + (CAPTURE_SNAP_MAX + 512) * 3 / 2 < SHELL_OUTPUT_MAX,
	"a slice, the last frame of it whole, has room on the console");

enum phase {
	WAITING, /* for workers to be done with the capture before */
	RUNNING,
	ENDING, /* frames in the rings are taken */
};

static struct run {
	enum phase phase;
	struct router *r;
	const struct shell_env *env;
	struct capture_plan plan;
	struct capture_out out;
	uint64_t count, captured;
	uint64_t seconds, begun_us, sent_us;
} run;

static uint64_t now(void)
{
	return run.env->now_us(run.env->ctx);
}

/* ---- words ---- */

/* All addresses that are asked for are of one family. */
static bool set_family(struct capture_plan *p, bool six)
{
	uint8_t family = six ? 6 : 4;

	if (p->family && p->family != family)
		return false;
	p->family = family;
	return true;
}

/* An address or a prefix. */
static bool set_prefix(struct capture_plan *p, struct capture_prefix *prefix, const char *text)
{
	bool six = strchr(text, ':') != NULL;
	unsigned length = 128;
	struct ip6 a = {0, 0};

	if (six && !text_parse_ipv6_prefix(text, &a.hi, &a.lo, &length))
		text_parse_ipv6(text, &a.hi, &a.lo);
	if (!six) {
		uint32_t ipv4 = 0;

		length = 32;
		if (!text_parse_ipv4_prefix(text, &ipv4, &length))
			text_parse_ipv4(text, &ipv4);
		a.lo = ipv4;
		length += 96;
	}
	prefix->address = a;
	prefix->mask = ip6_mask(length);
	if (!six) { /* of an IPv4 address only the last 32 bits say anything */
		prefix->mask.hi = 0;
		prefix->mask.lo &= UINT32_MAX;
	}
	return set_family(p, six);
}

static bool set_ports(struct capture_plan *p, uint16_t range[2], const char *text)
{
	const char *dash = strchr(text, '-');

	range[0] = (uint16_t)strtoul(text, NULL, 10);
	range[1] = dash ? (uint16_t)strtoul(dash + 1, NULL, 10) : range[0];
	p->has_ports = true;
	return true;
}

static bool set_protocol(struct capture_plan *p, const char *text)
{
	p->has_protocol = true;
	p->protocol = protocol_of(text);
	return true;
}

static bool set_sink(struct capture_out *o, const char *text)
{
	uint32_t ipv4;

	o->stack = &run.r->stack;
	o->six = strchr(text, ':') != NULL;
	if (o->six) {
		text_parse_ipv6(text, &o->sink.hi, &o->sink.lo);
		return ip6_is_unicast(o->sink) && !ip6_is_link_local(o->sink);
	}
	text_parse_ipv4(text, &ipv4);
	o->sink = (struct ip6){0, ipv4};
	return ipv4_is_unicast(ipv4);
}

static unsigned points_of(const char *word)
{
	return !strcmp(word, "rx")     ? CAPTURE_RX
	       : !strcmp(word, "tx")   ? CAPTURE_TX
	       : !strcmp(word, "drop") ? CAPTURE_DROP
	       : !strcmp(word, "all")  ? CAPTURE_RX | CAPTURE_TX | CAPTURE_DROP
				       : 0;
}

/* An option and its value. false: told. */
static bool set_option(struct call *call, const char *word, const char *value)
{
	struct capture_plan *p = &run.plan;

	if (!strcmp(word, "count"))
		run.count = strtoul(value, NULL, 10);
	else if (!strcmp(word, "seconds"))
		run.seconds = strtoul(value, NULL, 10);
	else if (!strcmp(word, "snap"))
		p->snap = (uint32_t)strtoul(value, NULL, 10);
	else if (!strcmp(word, "proto"))
		return set_protocol(p, value);
	else if (!strcmp(word, "port"))
		return set_ports(p, p->either_port, value);
	else if (!strcmp(word, "from-port"))
		return set_ports(p, p->from_port, value);
	else if (!strcmp(word, "to-port"))
		return set_ports(p, p->to_port, value);
	else if (!strcmp(word, "collector"))
		return set_sink(&run.out, value) ||
		       !call_error(call, "'%s' is no host beyond its link", value);
	else
		return set_prefix(p,
			       !strcmp(word, "from") ? &p->from
			       : !strcmp(word, "to") ? &p->to
						     : &p->host,
			       value) ||
		       !call_error(call, "no frame has addresses of both families");
	return true;
}

/* Marks an option as given. false: it was before. */
static bool set_given(uint32_t *given, const char *word)
{
	static const char *const names[] = {"count", "seconds", "snap", "proto", "port",
		"from-port", "to-port", "collector", "from", "to", "host"};
	uint32_t before = *given;

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(word, names[i]))
			*given |= 1u << i;
	return *given != before;
}

/* false: told. */
static bool read_words(struct call *call)
{
	struct capture_plan *p = &run.plan;
	uint32_t given = 0;
	const char *word;

	for (unsigned i = 2; (word = call_word(call, i)) != NULL; i++) {
		if (points_of(word)) {
			p->points |= (uint8_t)points_of(word);
			continue;
		}
		const char *value = call_word(call, ++i);

		if (i > 4 && !strcmp(word, "port") && !strcmp(call_word(call, i - 3), "collector"))
			run.out.port = (uint16_t)strtoul(value, NULL, 10);
		else if (!set_given(&given, word))
			return !call_error(call, "'%s' is there twice", word);
		else if (!set_option(call, word, value))
			return false;
	}
	if (!p->points)
		p->points = CAPTURE_RX | CAPTURE_TX | CAPTURE_DROP;
	p->any = !p->family && !p->has_protocol && !p->has_ports && !run.out.stack;
	return true;
}

/* false: told. */
static bool read_call(struct call *call)
{
	struct router *r = call->env->router;
	const char *name = call_word(call, 1);
	unsigned number;

	/* Not by assignment: that would copy all of it over the console's stack. */
	memset(&run, 0, sizeof run);
	run.r = r;
	run.env = call->env;
	run.plan.snap = CAPTURE_SNAP_MAX;
	run.plan.from_port[1] = run.plan.to_port[1] = run.plan.either_port[1] = UINT16_MAX;
	run.out.port = CAPTURE_SINK_PORT;
	if (!shell_find_iface(name, &number))
		return !call_error(call, "no interface '%s'", name);
	run.plan.port = (uint8_t)r->iface[number].parent;
	run.plan.vid = r->iface[number].vid;
	snprintf(run.out.iface, sizeof run.out.iface, "%s", name);
	return read_words(call);
}

/* ---- the run ---- */

/* Takes frames out of the rings and shows them, as many as a step may. true: there are no more. */
static bool show_frames(void)
{
	const struct capture_record *record;
	struct capture *of;
	unsigned shown = 0, frames = 0;
	unsigned most = run.out.stack ? SLICE_DATAGRAMS : SLICE_BYTES;

	if (run.out.stack && now() - run.sent_us < PACE_US)
		return false;
	while (shown < most && frames++ < SLICE_FRAMES) {
		if (run.count && run.captured == run.count)
			return true;
		record = captures_peek(run.r, &of);
		if (!record)
			return true;
		shown += capture_out_frame(&run.out, record, (const uint8_t *)(record + 1),
			captures_time(run.r, record), now());
		capture_release(of, record);
		run.captured++;
	}
	run.sent_us = now();
	return false;
}

/* Says what became of all that was looked for. */
static void finish(void)
{
	struct capture_counters c;
	char text[200];

	captures_counted(run.r, &c);
	uint64_t lost = c.full + c.beyond, known = run.captured + lost;
	uint64_t left = c.matched > known ? c.matched - known : 0;

	snprintf(text, sizeof text,
		"captured %llu, matched %llu, lost %llu by a full ring and %llu beyond %u a turn, "
		"%llu not taken",
		(unsigned long long)run.captured, (unsigned long long)c.matched,
		(unsigned long long)c.full, (unsigned long long)c.beyond, CAPTURE_BURST,
		(unsigned long long)left);
	capture_out_end(&run.out, platform_now_us() * 1000, c.matched, lost + left, text);
	shell_print("%s\n", text);
	if (run.out.stack)
		shell_print("sent %llu datagrams, %llu more could not be\n",
			(unsigned long long)(run.out.datagrams - run.out.unsent),
			(unsigned long long)run.out.unsent);
}

/* Ctrl-C: what is in the rings is not waited for. */
static void stop(void)
{
	unsigned looks = LEAVE_LOOKS;

	if (run.phase == WAITING)
		return;
	captures_end(run.r);
	while (!captures_idle(run.r) && looks--)
		platform_relax();
	finish();
}

/* Begins, once nobody is at the last one any more. true: it cannot, and that was told. */
static bool begin(struct call *call)
{
	if (!captures_idle(run.r))
		return false;
	run.begun_us = now();
	if (run.out.stack) {
		run.out.id = (uint32_t)platform_tsc();
		run.out.from = udp_port(run.out.stack);
		run.plan.sink = run.out.sink;
		run.plan.sink_family = run.out.six ? 6 : 4;
		run.plan.sink_port = run.out.port;
		run.plan.sink_from = run.out.from;
	}
	run.out.snap = run.plan.snap;
	captures_begin(run.r, &run.plan); /* who sees the first line may send */
	enum err err = capture_out_begin(&run.out, run.begun_us);

	if (err != ERR_OK) {
		captures_end(run.r);
		return call_error(call, "%s",
			err == ERR_NOT_FOUND ? "no route to the collector"
			: err == ERR_FULL    ? "no buffer is free"
					     : "nothing can be sent to the collector");
	}
	run.phase = RUNNING;
	return false;
}

bool capture(struct call *call)
{
	if (call->step == 0) {
		if (!read_call(call))
			return true;
		call->cancel = stop;
		call->personal = true;
	}
	if (run.phase == WAITING)
		return begin(call);
	bool idle = captures_idle(run.r), empty = show_frames();

	capture_out_turn(&run.out, now());
	if (run.phase == RUNNING &&
		((run.count && run.captured == run.count) ||
			(run.seconds && now() - run.begun_us >= run.seconds * 1000000u))) {
		captures_end(run.r);
		run.phase = ENDING;
		return false;
	}
	if (run.phase == RUNNING || !idle || !empty)
		return false;
	finish();
	return true;
}
