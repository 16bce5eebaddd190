/* The key of a flow: each form by cases written out, relations of keys by random packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/byteorder.h"
#include "net/path/flow_key.h"
#include "net/path/frame.h"
#include "test/model/routegen.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define SRC6           ((struct ip6){0x20010db800000001ull, 7})
#define DST6           ((struct ip6){0x20010db800000002ull, 9})

static uint8_t f[256];
static struct flow_key key;
static uint32_t at;

/* An IPv4 packet of `payload` bytes whose transport header begins with 1 2 3 4 5 6 7 8. */
static void four(uint8_t protocol, unsigned payload, uint16_t fragment)
{
	memset(f, 0, sizeof f);
	store_be16(f + ETH_TYPE, ETH_TYPE_IPV4);
	f[IPV4_OFF] = 0x45;
	store_be16(f + IPV4_LENGTH, (uint16_t)(IPV4_HEADER + payload));
	store_be16(f + IPV4_ID, 0x1234);
	store_be16(f + IPV4_FRAGMENT, fragment);
	f[IPV4_PROTOCOL] = protocol;
	store_be32(f + IPV4_SOURCE, IP(10, 0, 0, 1));
	store_be32(f + IPV4_DEST, IP(10, 0, 0, 2));
	for (unsigned i = 0; i < 8; i++)
		f[IPV4_OFF + IPV4_HEADER + i] = (uint8_t)(i + 1);
}

static void six(uint8_t next, unsigned payload)
{
	memset(f, 0, sizeof f);
	store_be16(f + ETH_TYPE, ETH_TYPE_IPV6);
	f[IPV6_OFF] = 0x60;
	store_be16(f + IPV6_PAYLOAD, (uint16_t)payload);
	f[IPV6_NEXT] = next;
	ip6_store(f + IPV6_SOURCE, SRC6);
	ip6_store(f + IPV6_DEST, DST6);
	for (unsigned i = 0; i < 8; i++)
		f[IPV6_OFF + IPV6_HEADER + i] = (uint8_t)(i + 1);
}

static void is(
	const struct flow_key *k, unsigned family, uint8_t protocol, uint32_t ports, bool later)
{
	assert_int_equal(k->family, family);
	assert_int_equal(k->protocol, protocol);
	assert_int_equal(k->ports, ports);
	assert_int_equal(k->later, later);
	if (family == 4) {
		assert_true(ip6_equal(k->src, (struct ip6){0, IP(10, 0, 0, 1)}));
		assert_true(ip6_equal(k->dst, (struct ip6){0, IP(10, 0, 0, 2)}));
	} else {
		assert_true(ip6_equal(k->src, SRC6));
		assert_true(ip6_equal(k->dst, DST6));
	}
}

static void ports4(void **state)
{
	static const uint8_t with[] = {6, 17, 33, 132, 136}, without[] = {2, 47, 50, 51, 89, 255};

	for (unsigned i = 0; i < sizeof with; i++) {
		four(with[i], 8, 0);
		assert_int_equal(flow_key4(f, &key, &at), FLOW_WHOLE);
		is(&key, 4, with[i], 0x01020304, false);
		assert_int_equal(at, 34);
		four(with[i], 8, IPV4_DF | IPV4_MF);
		assert_int_equal(flow_key4(f, &key, &at), FLOW_FIRST);
		is(&key, 4, with[i], 0x01020304, false);
		four(with[i], 3, 0);
		assert_int_equal(flow_key4(f, &key, &at), FLOW_ALONE);
	}
	for (unsigned i = 0; i < sizeof without; i++) {
		four(without[i], i, 0);
		assert_int_equal(flow_key4(f, &key, &at), FLOW_WHOLE);
		is(&key, 4, without[i], 0, false);
	}
	four(17, 12, 0);
	f[IPV4_OFF] = 0x46; /* options: the transport header is 4 bytes on */
	assert_int_equal(flow_key4(f, &key, &at), FLOW_WHOLE);
	is(&key, 4, 17, 0x05060708, false);
	assert_int_equal(at, 38);
}

static void later(void **state)
{
	struct flow_key first;

	four(17, 8, 0x2001);
	assert_int_equal(flow_key4(f, &key, &at), FLOW_LATER);
	is(&key, 4, 17, 0x1234, true);
	four(17, 8, IPV4_MF);
	flow_key_later(f, &first);
	assert_true(flow_key_equal(&key, &first));
	assert_false(flow_key_reverse(&key, &first));

	six(IPV6_FRAGMENT, 16);
	store_be32(f + 54, (uint32_t)IPV4_UDP << 24 | 0x0009); /* offset 8, more */
	assert_int_equal(flow_key6(f, &key, &at), FLOW_LATER);
	is(&key, 6, IPV6_FRAGMENT, 0x05060708, true);
	store_be32(f + 54, (uint32_t)IPV4_UDP << 24 | 0x0001);
	store_be32(f + 62, 0x00350036);
	flow_key_later(f, &first);
	assert_true(flow_key_equal(&key, &first));
	assert_int_equal(flow_key6(f, &key, &at), FLOW_FIRST);
	is(&key, 6, IPV4_UDP, 0x00350036, false);
	store_be32(f + 54, (uint32_t)IPV4_UDP << 24); /* RFC 6946: all of it */
	assert_int_equal(flow_key6(f, &key, &at), FLOW_WHOLE);
}

static void headers6(void **state)
{
	static const uint8_t passed[] = {IPV6_HOP_BY_HOP, IPV6_ROUTING, IPV6_OPTIONS};
	unsigned n;

	six(IPV4_TCP, 20);
	assert_int_equal(flow_key6(f, &key, &at), FLOW_WHOLE);
	is(&key, 6, IPV4_TCP, 0x01020304, false);
	assert_int_equal(at, 54);
	for (n = 1; n <= 9; n++) { /* so many of 8 bytes, then TCP */
		six(passed[n % 3], n * 8 + 4);
		for (unsigned i = 0; i < n; i++) {
			f[54 + i * 8] = i + 1 < n ? passed[i % 3] : IPV4_TCP;
			f[55 + i * 8] = 0;
		}
		store_be32(f + 54 + n * 8, 0x00500051);
		assert_int_equal(flow_key6(f, &key, &at), n > 8 ? FLOW_ALONE : FLOW_WHOLE);
		if (n <= 8) {
			is(&key, 6, IPV4_TCP, 0x00500051, false);
			assert_int_equal(at, 54 + n * 8);
		}
		store_be16(f + IPV6_PAYLOAD, (uint16_t)(n * 8 - 1)); /* it ends among them */
		assert_int_equal(flow_key6(f, &key, &at), FLOW_ALONE);
	}
}

static void icmp(void **state)
{
	static const uint8_t query[] = {0, 8, 13, 14, 15, 16, 17, 18}, error[] = {3, 4, 5, 11, 12},
			     alone[] = {1, 2, 6, 9, 10, 19, 30, 255};
	static const uint8_t alone6[] = {0, 5, 100, 127, 130, 133, 134, 135, 136, 137, 143};

	for (unsigned i = 0; i < sizeof query; i++) {
		four(IPV4_ICMP, 8, 0);
		f[34] = query[i];
		assert_int_equal(flow_key4(f, &key, &at), FLOW_WHOLE);
		is(&key, 4, IPV4_ICMP, 0x05060002u | (uint32_t)query[i] << 8, false);
		four(IPV4_ICMP, 7, 0);
		f[34] = query[i];
		assert_int_equal(flow_key4(f, &key, &at), FLOW_ALONE);
	}
	for (unsigned i = 0; i < sizeof error; i++) {
		four(IPV4_ICMP, 8, 0);
		f[34] = error[i];
		assert_int_equal(flow_key4(f, &key, &at), FLOW_ERROR);
		store_be16(f + IPV4_FRAGMENT, IPV4_MF);
		assert_int_equal(flow_key4(f, &key, &at), FLOW_ALONE);
	}
	for (unsigned i = 0; i < sizeof alone; i++) {
		four(IPV4_ICMP, 8, 0);
		f[34] = alone[i];
		assert_int_equal(flow_key4(f, &key, &at), FLOW_ALONE);
	}
	for (unsigned i = 0; i < 256; i++) {
		six(IPV6_ICMP, 8);
		f[54] = (uint8_t)i;
		enum flow_form form = i == 128 || i == 129 ? FLOW_WHOLE
				      : i >= 1 && i <= 4   ? FLOW_ERROR
							   : FLOW_ALONE;

		assert_int_equal(flow_key6(f, &key, &at), form);
	}
	for (unsigned i = 0; i < sizeof alone6; i++) {
		six(IPV6_ICMP, 8);
		f[54] = alone6[i];
		assert_int_equal(flow_key6(f, &key, &at), FLOW_ALONE);
	}
	four(IPV6_ICMP, 8, 0); /* the other family's: access lists know its type */
	assert_int_equal(flow_key4(f, &key, &at), FLOW_ALONE);
	six(IPV4_ICMP, 8);
	assert_int_equal(flow_key6(f, &key, &at), FLOW_ALONE);
}

static void reverse(void **state)
{
	struct flow_key back, again;

	four(IPV4_TCP, 20, 0);
	(void)flow_key4(f, &key, &at);
	assert_true(flow_key_reverse(&key, &back));
	assert_int_equal(back.ports, 0x03040102);
	assert_int_equal(back.src.lo, IP(10, 0, 0, 2));
	assert_true(flow_key_reverse(&back, &again));
	assert_true(flow_key_equal(&key, &again));
	four(IPV4_ICMP, 8, 0);
	for (unsigned type = 0; type < 256; type++) {
		static const int reply[19] = {[8] = 0, [13] = 14, [15] = 16, [17] = 18};

		f[34] = (uint8_t)type;
		bool asks = type == 8 || type == 13 || type == 15 || type == 17;

		if (flow_key4(f, &key, &at) != FLOW_WHOLE)
			continue;
		assert_int_equal(flow_key_reverse(&key, &back), asks);
		if (asks)
			assert_int_equal(back.ports, 0x05060002 | reply[type] << 8);
		assert_true(flow_key_back(&key, &back));
		assert_true(flow_key_back(&back, &again));
		assert_true(flow_key_equal(&key, &again));
		assert_int_equal(flow_key_reverse(&back, &again), !asks);
	}
	six(IPV6_ICMP, 8);
	f[54] = 128;
	(void)flow_key6(f, &key, &at);
	assert_true(flow_key_reverse(&key, &back));
	assert_int_equal(back.ports, 0x05068102);
	assert_false(flow_key_reverse(&back, &again));
	assert_true(flow_key_back(&back, &again));
	assert_true(flow_key_equal(&key, &again));
}

/* Makes the packet in f the one inside an ICMP error of the other direction. Its length. */
static uint32_t wrap(bool is_six, unsigned quoted)
{
	uint8_t inside[200];
	unsigned header = is_six ? IPV6_HEADER : IPV4_HEADER;

	memcpy(inside, f + ETH_HEADER, sizeof inside);
	if (is_six)
		six(IPV6_ICMP, 8 + quoted);
	else
		four(IPV4_ICMP, 8 + quoted, 0);
	f[ETH_HEADER + header] = is_six ? 1 : 3;
	memcpy(f + ETH_HEADER + header + 8, inside, quoted);
	return ETH_HEADER + header + 8 + quoted;
}

static void inside(void **state)
{
	struct flow_key in;
	uint32_t inner, inner_at, len;

	four(IPV4_TCP, 100, 0);
	(void)flow_key4(f, &key, &at);
	for (unsigned quoted = 0; quoted <= 28; quoted++) {
		four(IPV4_TCP, 100, 0);
		len = wrap(false, quoted);
		assert_int_equal(flow_key4(f, &in, &at), FLOW_ERROR);
		bool told = flow_key_inside(f, at, len, &in, &inner, &inner_at);

		assert_int_equal(told, quoted >= 24);
		if (!told)
			continue;
		assert_true(flow_key_equal(&in, &key));
		assert_int_equal(inner, at + 8);
		assert_int_equal(inner_at, at + 28);
	}
	four(IPV4_TCP, 100, 7);
	len = wrap(false, 28);
	assert_false(flow_key_inside(f, 34, len, &in, &inner, &inner_at));
	four(IPV4_ICMP, 100, 0);
	f[34] = 11;
	len = wrap(false, 28);
	assert_false(flow_key_inside(f, 34, len, &in, &inner, &inner_at));
	six(IPV4_UDP, 100);
	len = wrap(false, 48);
	assert_false(flow_key_inside(f, 34, len, &in, &inner, &inner_at));
	six(IPV4_UDP, 100);
	(void)flow_key6(f, &key, &at);
	len = wrap(true, 48);
	assert_int_equal(flow_key6(f, &in, &at), FLOW_ERROR);
	assert_true(flow_key_inside(f, at, len, &in, &inner, &inner_at));
	assert_true(flow_key_equal(&in, &key));
	assert_int_equal(inner_at, at + 48);
	assert_false(flow_key_inside(f, at, at + 8 + 43, &in, &inner, &inner_at));
}

/* Whatever is in a packet, nothing behind its end is read: ASan sees to it. */
static void garbage(void **state)
{
	uint64_t seed = 9;

	for (unsigned n = 0; n < 100000; n++) {
		bool is_six = routegen_random(&seed) & 1;
		unsigned header = ETH_HEADER + (is_six ? IPV6_HEADER : IPV4_HEADER);
		unsigned payload = (unsigned)(routegen_random(&seed) % 120);
		uint8_t *p = malloc(header + payload);
		struct flow_key k, other;
		uint32_t where, inner, inner_at;

		for (unsigned i = 0; i < header + payload; i++)
			p[i] = (uint8_t)(routegen_random(&seed) >> 8) & (n & 2 ? 0xff : 0x3d);
		store_be16(p + ETH_TYPE, is_six ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4);
		if (is_six) {
			store_be16(p + IPV6_PAYLOAD, (uint16_t)payload);
		} else {
			p[IPV4_OFF] = (uint8_t)(0x45 + (payload >= 8 ? n % 3 : 0));
			store_be16(p + IPV4_LENGTH, (uint16_t)(IPV4_HEADER + payload));
		}
		enum flow_form form = is_six ? flow_key6(p, &k, &where) : flow_key4(p, &k, &where);

		if (form == FLOW_ERROR &&
			flow_key_inside(p, where, header + payload, &k, &inner, &inner_at))
			assert_true(inner_at <= header + payload);
		if (form == FLOW_FIRST) {
			flow_key_later(p, &other);
			assert_true(other.later && !flow_key_equal(&k, &other));
		}
		if (form == FLOW_WHOLE && flow_key_reverse(&k, &other) && k.protocol != IPV4_ICMP &&
			k.protocol != IPV6_ICMP) {
			struct flow_key back;

			assert_true(flow_key_reverse(&other, &back));
			assert_true(flow_key_equal(&back, &k));
		}
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports4),
		cmocka_unit_test(later),
		cmocka_unit_test(headers6),
		cmocka_unit_test(icmp),
		cmocka_unit_test(reverse),
		cmocka_unit_test(inside),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
