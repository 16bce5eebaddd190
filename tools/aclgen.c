/* tools/aclgen: prints an access list, in barewire's words or in nftables', and packets for it,
 * made from a seed. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/byteorder.h"
#include "test/model/aclgen.h"
#include "test/model/routegen.h"

#define RULES_MAX   100000u
#define PACKETS_MAX 10000000u

enum { ICMP = 1, TCP = 6, UDP = 17, GRE = 47, ICMP6 = 58 };

/* What becomes of a packet on its way into a frame. */
enum form { WHOLE, FIRST, LATER, OPTIONS };

struct rule {
	struct acl_rule match;
	bool permit;
};

static struct rule *list;
static unsigned rules;

static void __attribute__((noreturn)) usage(void)
{
	fputs("usage: aclgen [-4 RULES] [-6 RULES] [-k KIND] [-s SEED] [-n NAME] [-p PACKETS] "
	      "config|nft|packets\n"
	      "  config   lines `set acl NAME rule N ...`\n"
	      "  nft      the same list as rules of a chain, for `nft -f`; later fragments have "
	      "mark 1\n"
	      "  packets  of each family: family src dst protocol ports ports form rule\n"
	      "           form: 0 whole, 1 first fragment, 2 later one, 3 behind IPv6 options\n"
	      "           rule: which is the first that matches, counted from 0; -1: none\n"
	      "  KIND: 0 access, 1 firewall, 2 chains. Default: -4 1000.\n",
		stderr);
	exit(2);
}

static unsigned long number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || v < min || v > max)
		usage();
	return v;
}

static void *memory(size_t n, size_t bytes)
{
	void *p = calloc(n + 1, bytes);

	if (!p) {
		perror("aclgen");
		exit(1);
	}
	return p;
}

/* What the generator leaves out and what nftables or a stateless list has not. */
static void refine(struct rule *rule, unsigned family, uint64_t *seed)
{
	static const uint8_t types[2][4] = {{0, 3, 8, 11}, {1, 2, 128, 129}};
	struct acl_rule *r = &rule->match;
	uint64_t what = routegen_random(seed);

	rule->permit = what & 1;
	r->established = false;
	if (r->any_protocol && !r->from_length && !r->to_length) {
		r->any_protocol = false; /* nothing would be left for those behind it */
		r->protocol = GRE;
	}
	if (!r->any_protocol && r->protocol == ICMP) {
		r->protocol = family == 4 ? ICMP : ICMP6;
		if (what & 2) {
			uint16_t type = types[family == 6][what >> 8 & 3];

			r->ports = true;
			r->from_port[0] = (uint16_t)(type << 8 | (what & 4 ? what >> 16 & 3 : 0));
			r->from_port[1] = what & 4 ? r->from_port[0] : r->from_port[0] | 0xff;
		}
	} else if (r->ports && (what >> 32) % 512 == 0) {
		r->family = r->from_length = r->to_length = 0;
		r->from = r->to = (struct ip6){0, 0};
	}
}

/* How many bits of the addresses a rule leaves open, of 64. */
static unsigned open_bits(const struct acl_rule *r)
{
	unsigned given = r->from_length + r->to_length;

	return 64 - (r->family == 6 ? given / 4 : given);
}

/* Rules that leave much open stand last, as people write them: else few others are ever met. */
static void open_rules_last(void)
{
	struct rule *sorted = memory(rules, sizeof *sorted);
	unsigned n = 0;

	for (unsigned open = 0; open < 3; open++)
		for (unsigned i = 0; i < rules; i++) {
			unsigned bits = open_bits(&list[i].match);

			if (open == (bits < 24 ? 0 : bits < 40 ? 1 : 2))
				sorted[n++] = list[i];
		}
	free(list);
	list = sorted;
}

/* Both families' rules by turns. */
static void make_rules(const unsigned *n, enum aclgen_kind kind, uint64_t seed)
{
	struct acl_rule *made[2];
	unsigned taken[2] = {0, 0};

	rules = n[0] + n[1];
	list = memory(rules, sizeof *list);
	for (unsigned f = 0; f < 2; f++) {
		made[f] = memory(n[f], sizeof **made);
		if (n[f])
			aclgen_rules(made[f], n[f], kind, f ? 6 : 4, seed + f);
	}
	for (unsigned i = 0; i < rules; i++) {
		unsigned f = i & 1;

		if (taken[f] == n[f])
			f = !f;
		list[i].match = made[f][taken[f]++];
		refine(&list[i], f ? 6 : 4, &seed);
	}
	free(made[0]);
	free(made[1]);
	open_rules_last();
}

static void print_address(struct ip6 a, unsigned family)
{
	char text[INET6_ADDRSTRLEN];
	uint64_t wire[2] = {__builtin_bswap64(a.hi), __builtin_bswap64(a.lo)};

	inet_ntop(family == 4 ? AF_INET : AF_INET6, (char *)wire + (family == 4 ? 12 : 0), text,
		sizeof text);
	fputs(text, stdout);
}

static void print_prefix(const char *word, struct ip6 a, unsigned length, unsigned family)
{
	printf(" %s ", word);
	print_address(a, family);
	printf("/%u", length);
}

static void print_range(const char *word, const uint16_t *range)
{
	if (range[0] == 0 && range[1] == 65535)
		return;
	printf(" %s %u", word, range[0]);
	if (range[0] != range[1])
		printf("-%u", range[1]);
}

static bool is_icmp(const struct acl_rule *r)
{
	return !r->any_protocol && (r->protocol == ICMP || r->protocol == ICMP6);
}

/* As `show configuration` has it. */
static const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case TCP:
		return "tcp";
	case UDP:
		return "udp";
	case ICMP:
		return "icmp";
	case ICMP6:
		return "icmp6";
	default:
		return "47"; /* GRE */
	}
}

static void print_config(const char *name, unsigned i)
{
	const struct acl_rule *r = &list[i].match;

	printf("set acl %s rule %u %s", name, i + 1, list[i].permit ? "permit" : "deny");
	if (!r->any_protocol)
		printf(" proto %s", protocol_name(r->protocol));
	if (r->family && (r->from_length || !r->to_length))
		print_prefix("from", r->from, r->from_length, r->family);
	if (r->to_length)
		print_prefix("to", r->to, r->to_length, r->family);
	if (is_icmp(r) && r->ports) {
		printf(" icmp-type %u", (unsigned)r->from_port[0] >> 8);
		if (r->from_port[0] == r->from_port[1])
			printf("/%u", r->from_port[0] & 255u);
	} else {
		print_range("from-port", r->from_port);
		print_range("to-port", r->to_port);
	}
	putchar('\n');
}

/*
 * Addresses and protocol are asked before ports, so that ports are those of that protocol. Linux
 * reads ports in whatever stands at their place in later fragments: those have the mark 1.
 */
static void print_nft(unsigned i)
{
	const struct acl_rule *r = &list[i].match;
	const char *ip = r->family == 4 ? "ip" : "ip6";

	if (r->family)
		printf("meta nfproto ipv%u", r->family);
	if (r->from_length) {
		printf(" %s", ip);
		print_prefix("saddr", r->from, r->from_length, r->family);
	}
	if (r->to_length) {
		printf(" %s", ip);
		print_prefix("daddr", r->to, r->to_length, r->family);
	}
	if (!r->any_protocol)
		printf(" meta l4proto %u", r->protocol);
	if (r->ports)
		fputs(" meta mark 0", stdout);
	if (is_icmp(r) && r->ports) {
		const char *icmp = r->protocol == ICMP ? "icmp" : "icmpv6";

		printf(" %s type %u", icmp, (unsigned)r->from_port[0] >> 8);
		if (r->from_port[0] == r->from_port[1])
			printf(" %s code %u", icmp, r->from_port[0] & 255u);
	} else if (r->ports) {
		const char *protocol = r->protocol == TCP ? " tcp" : " udp";

		if (r->from_port[0] || r->from_port[1] != 65535)
			fputs(protocol, stdout);
		print_range("sport", r->from_port);
		if (r->to_port[0] || r->to_port[1] != 65535)
			fputs(protocol, stdout);
		print_range("dport", r->to_port);
	}
	printf(" counter %s\n", list[i].permit ? "accept" : "drop");
}

/* ---- packets ---- */

/* Whether every router sends on what has this address. */
static bool is_host(struct ip6 a, unsigned family)
{
	if (family == 6)
		return a.hi >> 61 == 1;
	unsigned first = a.lo >> 24 & 255;

	return first != 0 && first != 127 && first < 224 && (a.lo >> 16 & 0xffff) != 0xc0a8 &&
	       (a.lo >> 16 & 0xffff) != 0xa9fe;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == TCP || protocol == UDP || protocol == ICMP || protocol == ICMP6;
}

/* IPv6: extension headers are no protocols, and what is said on a link only does not pass. */
static bool is_carried(const struct aclgen_packet *p, unsigned family)
{
	static const uint8_t headers[] = {0, 43, 44, 50, 51, 59, 60, 135, 139, 140, 253, 254};
	unsigned protocol = p->kind >> 1 & 255, type = p->ports >> 24;

	if (!is_host(p->src, family) || !is_host(p->dst, family))
		return false;
	if (family == 4)
		return true;
	return !memchr(headers, (int)protocol, sizeof headers) &&
	       !(protocol == ICMP6 && ((type >= 130 && type <= 137) || type >= 143));
}

static enum form draw_form(unsigned family, uint64_t *seed)
{
	uint64_t what = routegen_random(seed) % 16;

	return what < 1 ? LATER : what < 2 ? FIRST : what < 3 && family == 6 ? OPTIONS : WHOLE;
}

static void print_packet(const struct aclgen_packet *p, unsigned family, uint64_t *seed)
{
	enum form form = draw_form(family, seed);
	struct aclgen_packet seen = *p;
	uint8_t protocol = (uint8_t)(p->kind >> 1);
	int first = -1;

	seen.kind = acl_kind(protocol, !has_ports(protocol) || form == LATER, false);
	for (unsigned i = 0; i < rules && first < 0; i++)
		if (aclgen_matches(&list[i].match, &seen, family))
			first = (int)i;
	printf("%u ", family);
	print_address(p->src, family);
	putchar(' ');
	print_address(p->dst, family);
	printf(" %u %u %u %d %d\n", protocol, p->ports >> 16, p->ports & 0xffff, form, first);
}

/* Packets of one family for its rules. */
static void print_packets(unsigned family, unsigned n, uint64_t seed)
{
	struct acl_rule *own = memory(rules, sizeof *own);
	unsigned count = 0;

	for (unsigned i = 0; i < rules; i++)
		if (list[i].match.family == family)
			own[count++] = list[i].match;
	while (n && count) {
		struct aclgen_packet p;

		aclgen_packets(&p, 1, own, count, family, routegen_random(&seed));
		if (is_carried(&p, family)) {
			print_packet(&p, family, &seed);
			n--;
		}
	}
	free(own);
}

int main(int argc, char **argv)
{
	unsigned n[2] = {0, 0}, packets = 1000;
	unsigned long kind = ACLGEN_FIREWALL, seed = 1;
	const char *name = "generated";
	int option;

	while ((option = getopt(argc, argv, "4:6:k:s:n:p:")) != -1) {
		if (option == '4' || option == '6')
			n[option == '6'] = (unsigned)number(optarg, 0, RULES_MAX);
		else if (option == 'k')
			kind = number(optarg, 0, ACLGEN_KINDS - 1);
		else if (option == 's')
			seed = number(optarg, 0, ~0ul);
		else if (option == 'n')
			name = optarg;
		else if (option == 'p')
			packets = (unsigned)number(optarg, 0, PACKETS_MAX);
		else
			usage();
	}
	if (optind + 1 != argc)
		usage();
	if (!n[0] && !n[1])
		n[0] = 1000;
	make_rules(n, (enum aclgen_kind)kind, seed);
	if (!strcmp(argv[optind], "config"))
		for (unsigned i = 0; i < rules; i++)
			print_config(name, i);
	else if (!strcmp(argv[optind], "nft"))
		for (unsigned i = 0; i < rules; i++)
			print_nft(i);
	else if (!strcmp(argv[optind], "packets"))
		for (unsigned f = 4; f <= 6; f += 2)
			print_packets(f, packets, seed + f);
	else
		usage();
	free(list);
	return fflush(stdout) ? 1 : 0;
}
