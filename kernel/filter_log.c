/* What rules with `log` have met, as lines of the log: ten a second at most, the rest a number. */
#include <stdio.h>

#include "kernel/filter.h"
#include "kernel/log.h"
#include "kernel/router.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/path/frame.h"

#define LINE_US 100000u   /* between two lines, */
#define BURST   10u       /* so many of which may come at once */
#define TELL_US 10000000u /* between two of how many were left out */

#define TARGET_MAX 56u /* "[2001:db8::1]:65535", or with blanks around a type of ICMP */

static void print_address(char out[TEXT_IPV6_MAX], struct ip6 a, bool six)
{
	if (six)
		text_print_ipv6(out, a.hi, a.lo);
	else
		text_print_ipv4(out, (uint32_t)a.lo);
}

static void print_protocol(char out[24], const struct filter_event *e)
{
	unsigned protocol = e->kind >> 1 & 0xff;
	bool icmp = protocol == IPV4_ICMP || protocol == IPV6_ICMP;
	int n;

	if (protocol == IPV4_TCP || protocol == IPV4_UDP)
		n = snprintf(out, 24, protocol == IPV4_TCP ? "tcp" : "udp");
	else if (icmp)
		n = snprintf(out, 24, protocol == IPV4_ICMP ? "icmp" : "icmp6");
	else
		n = snprintf(out, 24, "proto %u", protocol);
	if (icmp && !(e->kind & 1))
		snprintf(out + n, 24 - (size_t)n, " %u/%u", e->ports >> 24, e->ports >> 16 & 0xff);
}

/* An address, and its port if there is one. */
static void print_end(
	char out[TARGET_MAX], const struct filter_event *e, struct ip6 a, uint16_t port)
{
	unsigned protocol = e->kind >> 1 & 0xff;
	bool with = (protocol == IPV4_TCP || protocol == IPV4_UDP) && !(e->kind & 1);
	char address[TEXT_IPV6_MAX];

	print_address(address, a, e->six);
	if (!with)
		snprintf(out, TARGET_MAX, "%s", address);
	else
		snprintf(out, TARGET_MAX, e->six ? "[%s]:%u" : "%s:%u", address, port);
}

/* The set whose list it is. */
static const struct filter_set *set_of(const struct filters *f, const struct filter_list *list)
{
	return &f->set[list < f->set[0].list || list >= f->set[0].list + ACL_LISTS];
}

static void log_one(const struct router *r, const struct filter_event *e)
{
	const struct filter_set *s = set_of(&r->filters, e->list);
	uint32_t at = e->list->first + e->rule;
	char protocol[24], from[TARGET_MAX], to[TARGET_MAX];

	print_protocol(protocol, e);
	print_end(from, e, e->src, (uint16_t)(e->ports >> 16));
	print_end(to, e, e->dst, (uint16_t)e->ports);
	log_text("acl %s rule %u: %s %s %s, %s %s > %s", s->name[e->list - s->list], s->number[at],
		s->rule[at].flags & FILTER_PERMIT ? "permit" : "deny", e->out ? "out" : "in",
		r->iface[e->iface].name, protocol, from, to);
}

/* A line may be written now. */
static bool take(struct filters *f, uint64_t now_us)
{
	if (f->log_due_us < now_us)
		f->log_due_us = now_us;
	if (f->log_due_us - now_us >= LINE_US * BURST)
		return false;
	f->log_due_us += LINE_US;
	return true;
}

static void drain(struct router *r, struct filter_log *log, uint64_t now_us)
{
	uint32_t written = load_acquire(&log->written);

	for (; log->taken != written; store_release(&log->taken, log->taken + 1)) {
		if (take(&r->filters, now_us))
			log_one(r, &log->event[log->taken % FILTER_EVENTS]);
		else
			r->filters.unlogged++;
	}
}

void filters_log(struct router *r, uint64_t now_us)
{
	struct filters *f = &r->filters;
	uint64_t left = 0;

	for (unsigned a = 0; a < r->actors; a++) {
		drain(r, f->log[a], now_us);
		left += load_once(&f->log[a]->lost);
	}
	left += f->unlogged;
	if (left == f->unlogged_told || now_us - f->log_told_us < TELL_US)
		return;
	log_text("acl: %llu packets more met rules with 'log'",
		(unsigned long long)(left - f->unlogged_told));
	f->unlogged_told = left;
	f->log_told_us = now_us;
}
