/* Compiled access lists against a look at every rule in turn: kinds of lists, families, room,
 * slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/table/acl_table.h"
#include "test/model/aclgen.h"
#include "test/model/routegen.h"
#include "test/unit/forms.h"

#define PACKETS 4096u

struct list {
	struct acl_rule *rule;
	unsigned n, family;
	void *mem, *scratch;
	const struct acl *acl;
	unsigned steps; /* that compiling took */
};

static void *aligned(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	assert_non_null(p);
	return p;
}

/* Compiles in `bytes` of memory, a few steps at a time. */
static enum err compile(struct list *l, size_t bytes, unsigned slice)
{
	enum err err;
	bool done = false;

	l->mem = aligned(bytes);
	l->scratch = aligned(acl_scratch_bytes(l->n));
	struct acl_build *b = acl_build_begin(l->scratch, l->mem, bytes, l->rule, l->n, l->family);

	l->steps = 0;
	do {
		err = acl_build_step(b, slice, &done);
		l->steps += slice;
	} while (!err && !done);
	l->acl = err ? NULL : acl_build_end(b);
	free(l->scratch);
	return err;
}

static void close_list(struct list *l)
{
	free(l->mem);
}

static uint16_t reference(const struct list *l, const struct aclgen_packet *p)
{
	for (unsigned i = 0; i < l->n; i++)
		if (aclgen_matches(&l->rule[i], p, l->family))
			return (uint16_t)i;
	return ACL_NONE;
}

static void look_up(const struct list *l, const struct aclgen_packet *p, uint16_t *rule, unsigned n)
{
	static uint32_t src[PACKETS], dst[PACKETS], ports[PACKETS];
	static struct ip6 src6[PACKETS], dst6[PACKETS];
	static uint16_t kind[PACKETS];

	for (unsigned i = 0; i < n; i++) {
		src[i] = (uint32_t)p[i].src.lo;
		dst[i] = (uint32_t)p[i].dst.lo;
		src6[i] = p[i].src;
		dst6[i] = p[i].dst;
		ports[i] = p[i].ports;
		kind[i] = p[i].kind;
	}
	if (l->family == 4)
		acl_lookup4(l->acl, src, dst, ports, kind, rule, n);
	else
		acl_lookup6(l->acl, src6, dst6, ports, kind, rule, n);
}

/* How many packets met a rule; each the right one, in every form. */
static unsigned check(const struct list *l, uint64_t seed)
{
	static struct aclgen_packet packet[PACKETS];
	static uint16_t rule[PACKETS];
	unsigned met = 0;

	aclgen_packets(packet, PACKETS, l->rule, l->n, l->family, seed);
	for (unsigned f = 0; f < forms_here(); f++) {
		acl_select(forms[f]);
		look_up(l, packet, rule, PACKETS);
		for (unsigned i = 0; i < PACKETS; i++) {
			assert_int_equal(rule[i], reference(l, &packet[i]));
			met += rule[i] != ACL_NONE;
		}
	}
	return met;
}

static void test_kinds_of_lists(void **state)
{
	static const unsigned sizes[] = {1, 2, 10, 63, 64, 65, 500, 4096, 4097};

	for (unsigned family = 4; family <= 6; family += 2) {
		for (unsigned kind = 0; kind < ACLGEN_KINDS; kind++) {
			for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
				struct list l = {.n = sizes[s], .family = family};

				l.rule = calloc(l.n, sizeof *l.rule);
				aclgen_rules(l.rule, l.n, kind, family, s + 1);
				assert_int_equal(compile(&l, 64u << 20, 1000), ERR_OK);
				assert_true(check(&l, kind + 1) > PACKETS / 2);
				close_list(&l);
				free(l.rule);
			}
		}
	}
}

/* As many rules as there can be; what they take is printed. */
static void test_greatest(void **state)
{
	for (unsigned family = 4; family <= 6; family += 2) {
		struct list l = {.n = 10000, .family = family};

		l.rule = calloc(l.n, sizeof *l.rule);
		aclgen_rules(l.rule, l.n, ACLGEN_FIREWALL, family, 7);
		assert_int_equal(compile(&l, 256u << 20, 100), ERR_OK);
		assert_true(check(&l, 1) > PACKETS / 2);
		print_message("IPv%u: %u rules, %zu KiB, scratch %zu KiB, %u steps\n", family, l.n,
			acl_bytes(l.acl) >> 10, acl_scratch_bytes(l.n) >> 10, l.steps);
		close_list(&l);
		free(l.rule);
	}
}

/* A rule that asks for one field only, and for much of it: most ranges lie in most rules. */
static struct acl_rule wide_rule(uint64_t *seed)
{
	struct acl_rule r = {.protocol = 17, .from_port = {0, 65535}, .to_port = {0, 65535}};
	uint64_t x = routegen_random(seed);
	uint16_t *port = x & 1 ? r.from_port : r.to_port;

	if (x & 2) {
		r.ports = true;
		port[0] = (uint16_t)(x >> 16) / 4;
		port[1] = (uint16_t)(65535 - (uint16_t)(x >> 32) / 4);
		return r;
	}
	r.family = 4;
	*(x & 1 ? &r.from : &r.to) = (struct ip6){0, x >> 32};
	*(x & 1 ? &r.from_length : &r.to_length) = (uint8_t)(1 + (x >> 8) % 8);
	return r;
}

/* Many words led to by one field, each of the four. */
static void test_wide(void **state)
{
	uint64_t seed = 1;

	for (unsigned n = 50; n <= 3200; n *= 8) {
		struct list l = {.n = n, .family = 4};

		l.rule = calloc(l.n, sizeof *l.rule);
		for (unsigned i = 0; i < n; i++)
			l.rule[i] = wide_rule(&seed);
		assert_int_equal(compile(&l, 64u << 20, 1000), ERR_OK);
		assert_true(check(&l, n) > PACKETS / 2);
		close_list(&l);
		/* Only the last is for a packet, and it is found among all. */
		for (unsigned i = 0; i + 1 < n; i++)
			l.rule[i].protocol = 6;
		l.rule[n - 1].ports = false;
		l.rule[n - 1].from_length = l.rule[n - 1].to_length = 0;
		assert_int_equal(compile(&l, 64u << 20, 1000), ERR_OK);
		check(&l, n);
		struct aclgen_packet p = {
			.src = {0, seed & UINT32_MAX}, .kind = acl_kind(17, 0, 0)};
		uint16_t rule = 0;

		look_up(&l, &p, &rule, 1);
		assert_int_equal(rule, n - 1);
		close_list(&l);
		free(l.rule);
	}
}

/* No rules, and rules of the other family only: nothing matches. */
static void test_empty(void **state)
{
	struct acl_rule six = {.family = 6, .any_protocol = true};
	struct aclgen_packet p = {.src = {0, 1}, .dst = {0, 2}, .kind = acl_kind(6, false, true)};
	struct list none = {.rule = &six, .n = 0, .family = 4},
		    other = {&six, 1, 4, NULL, NULL, NULL, 0};
	uint16_t rule = 0;

	assert_int_equal(compile(&none, 1u << 20, 1), ERR_OK);
	look_up(&none, &p, &rule, 1);
	assert_int_equal(rule, ACL_NONE);
	close_list(&none);
	rule = 0;
	assert_int_equal(compile(&other, 1u << 20, 1), ERR_OK);
	look_up(&other, &p, &rule, 1);
	assert_int_equal(rule, ACL_NONE);
	close_list(&other);
}

/* A rule without prefixes is for both families, and has its number in the list of both. */
static void test_both_families(void **state)
{
	struct acl_rule rules[] = {
		{.family = 4, .from = {0, 0x0a000000}, .from_length = 8, .any_protocol = true},
		{.family = 6,
			.from = {0x20010db800000000, 0},
			.from_length = 32,
			.any_protocol = true},
		{.protocol = 17, .ports = true, .from_port = {0, 65535}, .to_port = {53, 53}}};
	struct aclgen_packet four = {.src = {0, 0x0a010203},
		.kind = acl_kind(17, false, false),
		.ports = acl_ports(9, 53)};
	struct aclgen_packet six = {
		.src = {0x20010db800000000, 5}, .kind = four.kind, .ports = four.ports};
	struct list l4 = {rules, 3, 4, NULL, NULL, NULL, 0},
		    l6 = {rules, 3, 6, NULL, NULL, NULL, 0};
	uint16_t rule;

	assert_int_equal(compile(&l4, 1u << 20, 7), ERR_OK);
	assert_int_equal(compile(&l6, 1u << 20, 7), ERR_OK);
	look_up(&l4, &four, &rule, 1);
	assert_int_equal(rule, 0);
	look_up(&l6, &six, &rule, 1);
	assert_int_equal(rule, 1);
	four.src.lo = 0x0b000000;
	six.src.hi = 0x20020db800000000;
	look_up(&l4, &four, &rule, 1);
	assert_int_equal(rule, 2);
	look_up(&l6, &six, &rule, 1);
	assert_int_equal(rule, 2);
	four.kind = acl_kind(17, true, false); /* a later fragment: its ports are not known */
	look_up(&l4, &four, &rule, 1);
	assert_int_equal(rule, ACL_NONE);
	close_list(&l4);
	close_list(&l6);
}

/* The edges of ranges: the first and last value of each field, and the ones beside them. */
static void test_edges(void **state)
{
	struct acl_rule rules[] = {
		{.family = 4, .from = {0, 0xffffffff}, .from_length = 32, .any_protocol = true},
		{.family = 4, .to = {0, 0}, .to_length = 32, .any_protocol = true},
		{.protocol = 6, .ports = true, .from_port = {65535, 65535}, .to_port = {0, 65535}},
		{.protocol = 6, .ports = true, .from_port = {0, 65535}, .to_port = {0, 0}},
		{.protocol = 255, .established = true},
		{.protocol = 6,
			.ports = true,
			.from_port = {9, 8},
			.to_port = {0, 65535}}, /* nothing */
		{.protocol = 0}};
	static const uint32_t addresses[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
	static const uint16_t ports[] = {0, 1, 8, 9, 65534, 65535};
	static const uint8_t protocols[] = {0, 1, 5, 6, 7, 254, 255};
	struct list l = {rules, sizeof rules / sizeof *rules, 4, NULL, NULL, NULL, 0};
	unsigned met = 0;

	assert_int_equal(compile(&l, 1u << 20, 3), ERR_OK);
	for (unsigned i = 0; i < 6 * 6 * 6 * 6 * 7 * 4; i++) {
		struct aclgen_packet p = {.src = {0, addresses[i % 6]},
			.dst = {0, addresses[i / 6 % 6]},
			.ports = acl_ports(ports[i / 36 % 6], ports[i / 216 % 6]),
			.kind = acl_kind(protocols[i / 1296 % 7], i / 9072 & 1, i / 9072 >> 1)};
		uint16_t rule;

		look_up(&l, &p, &rule, 1);
		assert_int_equal(rule, reference(&l, &p));
		met |= 1u << (rule == ACL_NONE ? 31 : rule);
	}
	assert_int_equal(met, 1u << 31 | 0x5f); /* all but the one for nothing */
	close_list(&l);
}

/* Whatever room there is too little: refused, nothing written beyond it; with enough: right. */
static void test_room(void **state)
{
	struct list l = {.n = 60, .family = 4};
	size_t enough = 0;

	l.rule = calloc(l.n, sizeof *l.rule);
	aclgen_rules(l.rule, l.n, ACLGEN_FIREWALL, 4, 3);
	for (size_t bytes = 64; !enough; bytes += 64) {
		if (compile(&l, bytes, 50) == ERR_OK) {
			assert_true(acl_bytes(l.acl) <= bytes);
			check(&l, 5);
			enough = bytes;
		}
		close_list(&l);
	}
	assert_true(enough > 4096);
	free(l.rule);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_of_lists),
		cmocka_unit_test(test_greatest),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
