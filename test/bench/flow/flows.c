/* The flows of bench-flow: see flows.h. */
#include "test/bench/flow/flows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/model/routegen.h"

#define ICMP 1
#define TCP  6
#define UDP  17

const char *const flows_kind_name[ACLGEN_KINDS] = {"access", "firewall", "chains"};

bool flows_kind(const char *word, enum aclgen_kind *kind)
{
	for (unsigned i = 0; i < ACLGEN_KINDS; i++)
		if (!strcmp(word, flows_kind_name[i])) {
			*kind = (enum aclgen_kind)i;
			return true;
		}
	return false;
}

static void *room(size_t n, size_t each)
{
	void *p = calloc(n, each);

	if (!p) {
		fprintf(stderr, "flow: no memory for %zu times %zu bytes\n", n, each);
		exit(1);
	}
	return p;
}

void flows_rules(struct acl_rule *rule, unsigned n, enum aclgen_kind kind, uint64_t seed)
{
	aclgen_rules(rule, n, kind, 4, seed);
	for (unsigned i = 0; i < n; i++)
		rule[i].established = false;
}

/* 0.0.0.0/2 and 64.0.0.0/2 are routed; the ports' own networks are in 192.168.0.0/16. */
unsigned flows_port(const struct flow *flow)
{
	return flow->dst >> 30;
}

static bool is_usable(const struct flow *f)
{
	unsigned from = f->src >> 24, to = f->dst >> 24;

	return from != 0 && from != 127 && from != 192 && from < 224 && to != 0 && to < 127;
}

/* ---- which flows there are already ---- */

struct known {
	uint64_t *seen;
	uint64_t mask;
};

static uint64_t mix(uint64_t x)
{
	return routegen_random(&x);
}

/* Two flows of the same 64 bits are taken for the same. */
static bool is_new(struct known *k, const struct flow *f, bool sessions)
{
	uint64_t hash = mix(((uint64_t)(sessions ? 0 : f->src) << 32 | f->dst) ^
				mix((uint64_t)f->ports << 8 | f->protocol)) |
			1;

	for (uint64_t i = hash >> 20 & k->mask;; i = (i + 1) & k->mask) {
		if (k->seen[i] == hash)
			return false;
		if (!k->seen[i]) {
			k->seen[i] = hash;
			return true;
		}
	}
}

/* Other ports, so that there are enough flows whatever the list is. */
static struct flow vary(const struct aclgen_packet *p, bool sessions, uint64_t *seed)
{
	struct flow f = {
		(uint32_t)p->src.lo, (uint32_t)p->dst.lo, p->ports, (uint8_t)(p->kind >> 1)};

	if (f.protocol != TCP && f.protocol != UDP && f.protocol != ICMP)
		f.protocol = UDP;
	if (f.protocol == ICMP) /* an echo request: type and code, and no destination port */
		f.ports = 0x0800u << 16;
	if (sessions) {
		f.protocol = UDP;
		f.src &= 0x3fffffff;
		f.dst = (f.dst & 0x3fffffff) | 0x40000000;
		f.ports = acl_ports(
			(uint16_t)(1024 + routegen_random(seed) % 60000), (uint16_t)f.ports);
	}
	return f;
}

void flows_make(struct flow *flow, uint32_t n, const struct acl_rule *rule, unsigned rules,
	bool sessions, uint64_t seed)
{
	enum { SOME = 4096 };
	struct aclgen_packet *packet = room(SOME, sizeof *packet);
	struct known known = {.mask = 63};
	uint32_t have = 0;

	while (known.mask < 4ull * n)
		known.mask = known.mask * 2 + 1;
	known.seen = room(known.mask + 1, sizeof *known.seen);
	for (unsigned turn = 0; have < n; turn++) {
		aclgen_packets(packet, SOME, rule, rules, 4, seed + turn);
		for (unsigned i = 0; i < SOME && have < n; i++) {
			struct flow f = vary(&packet[i], sessions, &seed);

			if (is_usable(&f) && is_new(&known, &f, sessions))
				flow[have++] = f;
		}
		if (turn > 64 + n / 64) {
			fprintf(stderr, "flow: only %u flows of %u can be made\n", have, n);
			exit(1);
		}
	}
	free(known.seen);
	free(packet);
}

/* ---- as text ---- */

static void print_address(FILE *f, const char *word, struct ip6 a, unsigned length)
{
	uint32_t x = (uint32_t)a.lo;

	if (length)
		fprintf(f, " %s %u.%u.%u.%u/%u", word, x >> 24, x >> 16 & 255, x >> 8 & 255,
			x & 255, length);
}

static void print_ports(FILE *f, const char *word, const uint16_t *port)
{
	if (port[0] != 0 || port[1] != 65535)
		fprintf(f, port[0] == port[1] ? " %s %u" : " %s %u-%u", word, port[0], port[1]);
}

char *flows_list_text(const char *name, const struct acl_rule *rule, unsigned n)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (unsigned i = 0; f && i < n; i++) {
		const struct acl_rule *r = &rule[i];

		fprintf(f, "set acl %s rule %u permit", name, i + 1);
		if (!r->any_protocol)
			fprintf(f, " proto %u", r->protocol);
		print_address(f, "from", r->from, r->from_length);
		print_address(f, "to", r->to, r->to_length);
		if (r->ports) {
			print_ports(f, "from-port", r->from_port);
			print_ports(f, "to-port", r->to_port);
		}
		fputc('\n', f);
	}
	if (!f || fprintf(f, "set acl %s rule %u permit\n", name, n + 1) < 0 || fclose(f) != 0) {
		fputs("flow: no memory\n", stderr);
		exit(1);
	}
	return text;
}

/* ---- the order ---- */

static void shuffle(uint32_t *a, uint32_t n, uint64_t *seed)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = (uint32_t)(routegen_random(seed) % i), x = a[k];

		a[k] = a[i - 1];
		a[i - 1] = x;
	}
}

void flows_order(uint32_t *order, uint32_t n, uint32_t of, bool zipf, uint64_t seed)
{
	if (!zipf) {
		for (uint32_t i = 0; i < n; i++)
			order[i] = i % of;
		shuffle(order, n, &seed);
		return;
	}
	/* Which flow has which rank. */
	uint32_t *ranked = room(of, sizeof *ranked);

	for (uint32_t i = 0; i < of; i++)
		ranked[i] = i;
	shuffle(ranked, of, &seed);
	for (uint32_t i = 0; i < n; i++) {
		/* The probability of rank k is log((k + 2) / (k + 1)) / log(of + 1), about 1/k. */
		double u = (double)(routegen_random(&seed) >> 11) * 0x1p-53;
		uint32_t rank = (uint32_t)(exp(u * log(of + 1.0))) - 1;

		order[i] = ranked[rank < of ? rank : of - 1];
	}
	free(ranked);
}
