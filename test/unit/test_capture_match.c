/* What a capture looks for: random frames and plans against what the frames were made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/byteorder.h"
#include "net/path/capture.h"
#include "test/model/routegen.h"

static uint64_t seed = 7;

static unsigned draw(unsigned n)
{
	return (unsigned)(routegen_random(&seed) % n);
}

/* What a frame was made of. */
struct made {
	uint8_t data[400];
	uint32_t len;
	unsigned family, vid; /* family 0: neither IP nor ARP */
	bool arp, has_ports;
	unsigned protocol, from, to;
	struct ip6 src, dst;
};

static const uint8_t protocols[] = {6, 17, 1, 58, 132, 47};

static struct ip6 some_address(unsigned family)
{
	if (family == 6)
		return (struct ip6){0x20010db800000000u | draw(3), draw(4)};
	return (struct ip6){0, 0x0a000000u | draw(3) << 16 | draw(4)};
}

static void put_tags(struct made *m)
{
	unsigned n = draw(3);

	memset(m->data, 2, 12);
	m->len = 12;
	m->vid = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned vid = draw(4);
		bool provider = i == 0 && n == 2;

		store_be16(m->data + m->len, provider ? 0x88a8 : 0x8100);
		store_be16(m->data + m->len + 2, (uint16_t)(0xa000 | vid));
		if (i == 0 && !provider)
			m->vid = vid; /* the outer one says whose it is */
		m->len += 4;
	}
}

static void put_ports(struct made *m, bool later)
{
	uint8_t *at = m->data + m->len;
	unsigned bytes = draw(8) ? 8 : draw(4);

	m->from = draw(4);
	m->to = draw(4);
	m->has_ports = (m->protocol == 6 || m->protocol == 17 || m->protocol == 132) && !later &&
		       bytes >= 4;
	memset(at, 0, 8);
	store_be16(at, (uint16_t)m->from);
	store_be16(at + 2, (uint16_t)m->to);
	m->len += bytes;
}

static void put_ipv4(struct made *m)
{
	uint8_t *ip = m->data + m->len + 2;
	unsigned header = draw(4) ? 20 : 28;
	bool later = draw(6) == 0;

	store_be16(ip - 2, 0x0800);
	memset(ip, 1, header);
	ip[0] = (uint8_t)(0x40 | header / 4);
	store_be16(ip + 6, (uint16_t)(later ? 100 : draw(2) ? 0x2000 : 0));
	ip[9] = (uint8_t)m->protocol;
	store_be32(ip + 12, (uint32_t)m->src.lo);
	store_be32(ip + 16, (uint32_t)m->dst.lo);
	m->len += 2 + header;
	put_ports(m, later);
}

static void put_ipv6(struct made *m)
{
	uint8_t *ip = m->data + m->len + 2, *named = ip + 6;
	static const uint8_t types[] = {0, 60, 43, 44};
	bool later = false;

	store_be16(ip - 2, 0x86dd);
	memset(ip, 0, 40);
	ip[0] = 0x60;
	ip6_store(ip + 8, m->src);
	ip6_store(ip + 24, m->dst);
	m->len += 42;
	for (unsigned n = draw(3); n && !later; n--) {
		uint8_t *h = m->data + m->len, type = types[draw(4)];
		unsigned units = type == 44 ? 1 : 1 + draw(2);

		memset(h, 0, 8 * units);
		*named = type;
		named = h;
		h[1] = (uint8_t)(type == 44 ? 0 : units - 1);
		if (type == 44 && draw(2)) {
			store_be16(h + 2, 8);
			later = true;
		}
		m->len += 8 * units;
	}
	*named = (uint8_t)m->protocol;
	put_ports(m, later);
}

static void put_arp(struct made *m)
{
	uint8_t *arp = m->data + m->len + 2;

	store_be16(arp - 2, 0x0806);
	memset(arp, 0, 28);
	store_be16(arp + 2, 0x0800);
	store_be32(arp + 14, (uint32_t)m->src.lo);
	store_be32(arp + 24, (uint32_t)m->dst.lo);
	m->len += 30;
}

static void make(struct made *m)
{
	unsigned kind = draw(8);

	*m = (struct made){.protocol = protocols[draw(sizeof protocols)]};
	put_tags(m);
	m->family = kind < 3 ? 4 : kind < 6 ? 6 : kind == 6 ? 4 : 0;
	m->arp = kind == 6;
	m->src = some_address(m->family);
	m->dst = some_address(m->family);
	if (kind < 3)
		put_ipv4(m);
	else if (kind < 6)
		put_ipv6(m);
	else if (kind == 6)
		put_arp(m);
	else
		store_be16(m->data + m->len, 0x88cc), m->len += 40;
}

static bool draw_prefix(struct capture_plan *p, struct capture_prefix *prefix, bool host)
{
	unsigned length = host || draw(2) ? 32 : 16;

	if (draw(3))
		return false;
	prefix->address = some_address(p->family);
	prefix->mask = ip6_mask(p->family == 6 ? length * 4 : 96 + length);
	if (p->family == 4)
		prefix->mask.hi = 0, prefix->mask.lo &= UINT32_MAX;
	return true;
}

static void draw_plan(struct capture_plan *p)
{
	bool addresses = false;

	*p = (struct capture_plan){.from_port = {0, 65535},
		.to_port = {0, 65535},
		.either_port = {0, 65535},
		.family = draw(2) ? 4 : 6,
		.vid = (uint16_t)(draw(3) ? 0 : 1 + draw(3))};
	addresses |= draw_prefix(p, &p->from, false);
	addresses |= draw_prefix(p, &p->to, false);
	addresses |= draw_prefix(p, &p->host, true);
	if (!addresses)
		p->family = 0;
	p->has_protocol = draw(3) == 0;
	p->protocol = protocols[draw(sizeof protocols)];
	for (unsigned i = 0; i < 3; i++) {
		uint16_t *range = i == 0 ? p->from_port : i == 1 ? p->to_port : p->either_port;

		if (draw(4))
			continue;
		range[0] = (uint16_t)draw(4);
		range[1] = (uint16_t)(range[0] + draw(2));
		p->has_ports = true;
	}
	p->any = !p->family && !p->has_protocol && !p->has_ports;
}

static bool in(struct ip6 a, const struct capture_prefix *p)
{
	return ip6_equal((struct ip6){a.hi & p->mask.hi, a.lo & p->mask.lo},
		(struct ip6){p->address.hi & p->mask.hi, p->address.lo & p->mask.lo});
}

static bool expected(const struct capture_plan *p, const struct made *m)
{
	bool from = m->from >= p->either_port[0] && m->from <= p->either_port[1];
	bool to = m->to >= p->either_port[0] && m->to <= p->either_port[1];

	if (p->vid && p->vid != m->vid)
		return false;
	if (p->family && m->family != p->family)
		return false;
	if (p->family && (!in(m->src, &p->from) || !in(m->dst, &p->to)))
		return false;
	if (p->family && !in(m->src, &p->host) && !in(m->dst, &p->host))
		return false;
	if (p->has_protocol && (m->family == 0 || m->arp || m->protocol != p->protocol))
		return false;
	if (!p->has_ports)
		return true;
	return m->has_ports && m->from >= p->from_port[0] && m->from <= p->from_port[1] &&
	       m->to >= p->to_port[0] && m->to <= p->to_port[1] && (from || to);
}

/* In memory of its length, so that the sanitizer sees a byte too many. */
static bool match(const struct capture_plan *p, const uint8_t *data, uint32_t len, uint32_t tci)
{
	uint8_t *exact = malloc(len ? len : 1);

	memcpy(exact, data, len);
	bool yes = capture_match(p, exact, len, tci);

	free(exact);
	return yes;
}

static void test_model(void **state)
{
	unsigned matched = 0, filtered = 0;

	for (unsigned i = 0; i < 300000; i++) {
		struct capture_plan p;
		struct made m;

		make(&m);
		draw_plan(&p);
		bool want = expected(&p, &m);

		if (match(&p, m.data, m.len, CAPTURE_TAGS_IN) != want)
			fail_msg("frame %u: family %u protocol %u ports %u %u vid %u: %d expected",
				i, m.family, m.protocol, m.from, m.to, m.vid, want);
		matched += want && !p.any;
		filtered += !want;
	}
	assert_true(matched > 3000 && filtered > 10000);
}

/* The tag that was taken off counts like one that is there. */
static void test_tag_off(void **state)
{
	struct capture_plan p = {.any = true, .vid = 5};
	struct made m;

	make(&m);
	store_be16(m.data + 12, 0x0800);
	assert_true(match(&p, m.data, m.len, 0xe005));
	assert_false(match(&p, m.data, m.len, 0xe006));
	assert_false(match(&p, m.data, m.len, CAPTURE_TAGS_IN));
}

/* Any bytes, cut anywhere. */
static void test_garbage(void **state)
{
	unsigned matched = 0;

	for (unsigned i = 0; i < 200000; i++) {
		struct capture_plan p;
		struct made m;

		make(&m);
		draw_plan(&p);
		if (draw(2))
			p.sink_family = draw(2) ? 4 : 6;
		for (unsigned k = draw(4); k; k--)
			m.data[draw(m.len)] = (uint8_t)draw(256);
		matched += match(&p, m.data, draw(m.len + 1), CAPTURE_TAGS_IN);
	}
	assert_true(matched > 1000);
}

/* ---- what carries the captured ---- */

static uint32_t datagram(uint8_t *f, unsigned family, uint16_t from, uint16_t to)
{
	uint32_t at = 14 + (family == 4 ? 20 : 40);

	memset(f, 0, 120);
	store_be16(f + 12, family == 4 ? 0x0800 : 0x86dd);
	f[14] = family == 4 ? 0x45 : 0x60;
	f[family == 4 ? 23 : 20] = 17;
	if (family == 4)
		store_be32(f + 30, 0x0a000002);
	else
		ip6_store(f + 38, (struct ip6){0x20010db800000000u, 2});
	store_be16(f + at, from);
	store_be16(f + at + 2, to);
	return at + 8;
}

/* An ICMP error about the packet of a frame. */
static uint32_t error_about(uint8_t *out, const uint8_t *f, uint32_t len, unsigned family)
{
	uint32_t at = 14 + (family == 4 ? 20 : 40);

	memset(out, 0, at + 8);
	memcpy(out + 12, f + 12, 3);
	out[family == 4 ? 23 : 20] = family == 4 ? 1 : 58;
	memcpy(out + at + 8, f + 14, len - 14);
	return at + 8 + len - 14;
}

static void test_carrier(void **state)
{
	for (unsigned family = 4; family <= 6; family += 2) {
		struct capture_plan p = {.sink_family = (uint8_t)family,
			.sink = family == 4 ? (struct ip6){0, 0x0a000002}
					    : (struct ip6){0x20010db800000000u, 2},
			.sink_port = 4799,
			.sink_from = 50000};
		uint8_t f[200], error[200];
		uint32_t len = datagram(f, family, 50000, 4799), n;

		assert_false(match(&p, f, len, CAPTURE_TAGS_IN));
		n = error_about(error, f, len, family);
		assert_false(match(&p, error, n, CAPTURE_TAGS_IN));
		len = datagram(f, family, 50001, 4799); /* another's */
		assert_true(match(&p, f, len, CAPTURE_TAGS_IN));
		n = error_about(error, f, len, family);
		assert_true(match(&p, error, n, CAPTURE_TAGS_IN));
		len = datagram(f, family, 50000, 4798);
		assert_true(match(&p, f, len, CAPTURE_TAGS_IN));
		len = datagram(f, family, 50000, 4799);
		f[family == 4 ? 33 : 53] = 3; /* another host */
		assert_true(match(&p, f, len, CAPTURE_TAGS_IN));
		len = datagram(f, family, 7, 7); /* a later fragment, whose bytes are no ports */
		if (family == 4)
			store_be16(f + 20, 100);
		else {
			memmove(f + 62, f + 54, 8);
			f[20] = 44;
			memset(f + 54, 0, 8);
			f[54] = 17;
			store_be16(f + 56, 800);
			len += 8;
		}
		assert_false(match(&p, f, len, CAPTURE_TAGS_IN));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_tag_off),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_carrier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
