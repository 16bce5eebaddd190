/* Translated packets have the checksums that they would have if they were made so; so do errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "net/path/frame.h"
#include "net/path/translate.h"
#include "test/model/routegen.h"

#define ROUNDS 20000u
#define ROOM   512u

static uint64_t seed = 1;

static unsigned draw(unsigned n)
{
	return (unsigned)(routegen_random(&seed) % n);
}

/* Of a protocol, where its checksum stands, and what it is over. */
struct transport {
	uint8_t protocol;
	unsigned bytes; /* of the header */
	int check;      /* -1: none that is kept right */
	bool pseudo;    /* addresses are in it */
};

static const struct transport transports[] = {
	{IPV4_TCP, 20, 16, true},
	{IPV4_UDP, 8, 6, true},
	{136, 8, 6, true}, /* UDP-Lite */
	{33, 16, 6, true}, /* DCCP */
	{IPV4_ICMP, 8, 2, false},
	{132, 12, -1, false}, /* SCTP */
	{47, 8, -1, false},
	{50, 8, -1, false},
};

static bool has_ports(const struct transport *t)
{
	return t->check >= 0;
}

/* The checksum of a transport, made anew. */
static uint16_t transport_sum(const uint8_t *ip, const struct transport *t, unsigned bytes)
{
	const uint8_t *at = ip + (ip[0] & 15) * 4;
	uint64_t sum = 0;

	if (t->pseudo) {
		uint8_t rest[4] = {0, t->protocol};

		store_be16(rest + 2, (uint16_t)bytes);
		sum = checksum_add(checksum_add(0, ip + 12, 8), rest, 4);
	}
	return checksum_finish(checksum_add(sum, at, bytes));
}

/* Writes both checksums anew. */
static void seal(uint8_t *ip, const struct transport *t, unsigned bytes, bool none)
{
	unsigned header = (ip[0] & 15) * 4;
	uint16_t check;

	memset(ip + 10, 0, 2);
	check = checksum(ip, header);
	memcpy(ip + 10, &check, 2);
	if (t->check < 0)
		return;
	memset(ip + header + t->check, 0, 2);
	if (none)
		return;
	check = transport_sum(ip, t, bytes);
	if (check == 0 && (t->protocol == IPV4_UDP || t->protocol == 136))
		check = 0xffff;
	memcpy(ip + header + t->check, &check, 2);
}

static void put_ports(uint8_t *at, const struct transport *t, uint32_t ports)
{
	if (t->protocol == IPV4_ICMP)
		store_be16(at + 4, (uint16_t)(ports >> 16));
	else if (has_ports(t))
		store_be32(at, ports);
}

struct packet {
	uint8_t frame[ROOM];
	unsigned header, bytes; /* of the IP header; behind it */
	bool none;              /* UDP without checksum */
	struct flow_key key;
};

static void random_key(struct flow_key *k, const struct transport *t)
{
	*k = (struct flow_key){.protocol = t->protocol, .family = 4};
	k->src.lo = (uint32_t)routegen_random(&seed);
	k->dst.lo = (uint32_t)routegen_random(&seed);
	k->ports = has_ports(t) ? (uint32_t)routegen_random(&seed) : 0;
	if (t->protocol == IPV4_ICMP)
		k->ports = (k->ports & 0xffff0000u) | 8u << 8;
}

static void make(struct packet *p, const struct flow_key *k, const struct transport *t)
{
	uint8_t *ip = p->frame + IPV4_OFF;

	p->header = draw(4) ? 20 : 20 + 4 * (draw(10) + 1);
	p->bytes = t->bytes + draw(60);
	p->none = t->protocol == IPV4_UDP && draw(3) == 0;
	p->key = *k;
	for (unsigned i = 0; i < sizeof p->frame; i++)
		p->frame[i] = (uint8_t)draw(256);
	ip[0] = (uint8_t)(0x40 | p->header / 4);
	store_be16(ip + 2, (uint16_t)(p->header + p->bytes));
	store_be16(ip + 6, 0);
	ip[9] = t->protocol;
	store_be32(ip + 12, (uint32_t)k->src.lo);
	store_be32(ip + 16, (uint32_t)k->dst.lo);
	if (t->protocol == IPV4_ICMP)
		store_be16(ip + p->header, 0x0800);
	put_ports(ip + p->header, t, k->ports);
	seal(ip, t, p->bytes, p->none);
}

/* What the packet should become. */
static void remake(struct packet *p, const struct flow_key *k, const struct transport *t)
{
	uint8_t *ip = p->frame + IPV4_OFF;

	store_be32(ip + 12, (uint32_t)k->src.lo);
	store_be32(ip + 16, (uint32_t)k->dst.lo);
	put_ports(ip + p->header, t, k->ports);
	seal(ip, t, p->bytes, p->none);
}

/* Some of what is to change does. */
static void random_change(const struct flow_key *from, struct flow_key *to)
{
	*to = *from;
	if (draw(4))
		to->src.lo = (uint32_t)routegen_random(&seed);
	if (draw(3) == 0)
		to->dst.lo = (uint32_t)routegen_random(&seed);
	if (from->ports && draw(4))
		to->ports = (to->ports & 0xffff) | (uint32_t)draw(65536) << 16;
	if (from->ports && from->protocol != IPV4_ICMP && draw(4) == 0)
		to->ports = (to->ports & 0xffff0000u) | draw(65536);
}

static void prepare(struct way *way, const struct flow_key *from, const struct flow_key *to)
{
	*way = (struct way){.src = (uint32_t)from->src.lo,
		.dst = (uint32_t)from->dst.lo,
		.ports = from->ports,
		.protocol = from->protocol};
	translate_prepare(way, from, to);
}

static void is_as_made_anew(void **state)
{
	(void)state;
	for (unsigned n = 0; n < ROUNDS; n++) {
		const struct transport *t = &transports[draw(8)];
		static struct packet p, want;
		struct flow_key from, to;
		struct way way;

		random_key(&from, t);
		random_change(&from, &to);
		make(&p, &from, t);
		want = p;
		remake(&want, &to, t);
		prepare(&way, &from, &to);
		assert_int_equal((way.flags & WAY_REWRITE) != 0, !flow_key_equal(&from, &to));
		translate_frame(p.frame, IPV4_OFF + p.header, &way);
		assert_memory_equal(p.frame, want.frame, ROOM);
	}
}

static void later_fragment_changes_its_header_alone(void **state)
{
	static struct packet p, want;
	struct flow_key from, to;
	struct way way;

	(void)state;
	for (unsigned n = 0; n < 1000; n++) {
		random_key(&from, &transports[1]);
		random_change(&from, &to);
		make(&p, &from, &transports[6]); /* as if nothing were known of what follows */
		want = p;
		remake(&want, &to, &transports[6]);
		prepare(&way, &from, &to);
		translate_later(p.frame, &way);
		assert_memory_equal(p.frame, want.frame, ROOM);
	}
}

/* UDP's checksum of 0 is sent as 0xffff, whichever way it came to be. */
static void udp_sum_of_zero_is_sent_as_ones(void **state)
{
	const struct transport *t = &transports[1];
	unsigned met = 0;

	(void)state;
	for (unsigned n = 0; n < 400; n++) {
		static struct packet p;
		struct flow_key from, to;
		struct way way;
		uint16_t sum, check;

		random_key(&from, t);
		random_change(&from, &to);
		make(&p, &from, t);
		p.none = false;
		remake(&p, &to, t); /* the source port that makes it 0 */
		uint8_t *at = p.frame + IPV4_OFF + p.header;

		memcpy(&check, at + 6, 2);
		sum = load_be16(at);
		uint32_t port = sum + (uint32_t)__builtin_bswap16(check);

		port = (port & 0xffff) + (port >> 16);
		to.ports = (to.ports & 0xffff) | port << 16;
		remake(&p, &from, t);
		prepare(&way, &from, &to);
		translate_frame(p.frame, IPV4_OFF + p.header, &way);
		memcpy(&check, at + 6, 2);
		assert_int_not_equal(check, 0);
		met += check == 0xffff;
	}
	assert_in_range(met, 390, 400);
}

/* The batch does what the single form does, and keeps what the hop needs. */
static void batch_is_as_one_by_one(void **state)
{
	static struct packet p[BATCH_MAX], want[BATCH_MAX];
	static struct way ways[BATCH_MAX];
	static struct batch b;
	const struct way *way[BATCH_MAX];

	(void)state;
	for (unsigned n = 0; n < 500; n++) {
		uint64_t mask = draw(4) ? routegen_random(&seed) : ~UINT64_C(0);

		b.n = draw(4) ? draw(BATCH_MAX) + 1 : BATCH_MAX;
		mask &= batch_all(&b);
		for (unsigned i = 0; i < b.n; i++) {
			const struct transport *t = &transports[draw(2)];
			struct flow_key from, to;

			do {
				random_key(&from, t);
				make(&p[i], &from, t);
			} while (p[i].header != 20);
			random_change(&from, &to);
			prepare(&ways[i], &from, &to);
			way[i] = &ways[i];
			want[i] = p[i];
			memcpy(&b.hop[i], p[i].frame + IPV4_TTL, 4);
			b.data[i] = p[i].frame;
			if (mask >> i & 1)
				remake(&want[i], &to, t);
		}
		translate_batch(&b, way, mask);
		for (unsigned i = 0; i < b.n; i++) {
			memcpy(p[i].frame + IPV4_TTL, &b.hop[i], 4);
			assert_memory_equal(p[i].frame, want[i].frame, ROOM);
		}
	}
}

/* ---- errors ---- */

/* An ICMP error about `about`, of which `quoted` bytes are there, and then `extra` of its own. */
static unsigned make_error(uint8_t *frame, uint32_t from, uint32_t to, const struct packet *about,
	unsigned quoted, unsigned extra, uint8_t length)
{
	uint8_t *ip = frame + IPV4_OFF, *icmp = ip + 20;
	uint16_t check;

	memset(frame, 0, IPV4_OFF + 28);
	ip[0] = 0x45;
	store_be16(ip + 2, (uint16_t)(28 + quoted + extra));
	ip[8] = 60;
	ip[9] = IPV4_ICMP;
	store_be32(ip + 12, from);
	store_be32(ip + 16, to);
	icmp[0] = 3;
	icmp[1] = 1;
	icmp[5] = length;
	memcpy(icmp + 8, about->frame + IPV4_OFF, quoted);
	for (unsigned i = 0; i < extra; i++)
		icmp[8 + quoted + i] = (uint8_t)(i * 7 + quoted);
	check = checksum(ip, 20);
	memcpy(ip + 10, &check, 2);
	check = checksum(icmp, 8 + quoted + extra);
	memcpy(icmp + 2, &check, 2);
	return IPV4_OFF + 28 + quoted + extra;
}

static void reverse(const struct flow_key *k, struct flow_key *r)
{
	*r = *k;
	r->src = k->dst;
	r->dst = k->src;
	r->ports =
		k->protocol == IPV4_ICMP ? k->ports & 0xffff0000u : k->ports << 16 | k->ports >> 16;
}

/* The error about the packet as it left is, put back, the error about the packet as it came. */
static void error_is_as_if_about_the_packet_sent(void **state)
{
	(void)state;
	for (unsigned n = 0; n < ROUNDS; n++) {
		const struct transport *t = &transports[draw(8)];
		static struct packet sent, left;
		static uint8_t error[2 * ROOM], want[2 * ROOM];
		struct flow_key key, out, answer, back;
		struct way way;

		random_key(&key, t);
		random_change(&key, &out);
		make(&sent, &key, t);
		left = sent;
		remake(&left, &out, t);
		reverse(&out, &answer);
		reverse(&key, &back);
		prepare(&way, &answer, &back);

		unsigned all = sent.header + sent.bytes, least = sent.header + 8;
		unsigned quoted = draw(2) ? least : least + draw(all - least + 1);
		unsigned extra = quoted == all ? draw(24) : 0;
		uint32_t hop = draw(2) ? (uint32_t)out.dst.lo : (uint32_t)routegen_random(&seed);
		uint32_t seen = ip6_equal(out.dst, key.dst) ? hop : (uint32_t)key.dst.lo;
		unsigned len =
			make_error(error, hop, (uint32_t)out.src.lo, &left, quoted, extra, 0);

		make_error(want, seen, (uint32_t)key.src.lo, &sent, quoted, extra, 0);
		assert_true(translate_error(error, len, IPV4_OFF + 20, &way));
		if (quoted != sent.header + (unsigned)t->check +
				      1) /* half of a checksum is not touched */
			assert_memory_equal(error, want, len);
		assert_int_equal(checksum(error + IPV4_OFF, 20), 0);
		assert_int_equal(checksum(error + IPV4_OFF + 20, len - IPV4_OFF - 20), 0);
	}
}

/* RFC 4884: what stands behind the padded packet is not the packet's. */
static void extensions_are_left_alone(void **state)
{
	static struct packet sent, left;
	static uint8_t error[2 * ROOM];
	struct flow_key key, out, answer, back;
	struct way way;
	const struct transport *t = &transports[0];

	(void)state;
	random_key(&key, t);
	do {
		out = key;
		make(&sent, &key, t);
	} while (sent.header != 20);
	out.src.lo = 0xc0000201;
	out.ports = 77u << 16 | (key.ports & 0xffff);
	left = sent;
	remake(&left, &out, t);
	/* Truncated behind the ports: the rest of 128 bytes is padding, and not a checksum. */
	store_be16(left.frame + IPV4_LENGTH, 20 + 8);
	memset(left.frame + IPV4_OFF + 28, 0, 200);
	reverse(&out, &answer);
	reverse(&key, &back);
	prepare(&way, &answer, &back);
	unsigned len = make_error(error, 1, 0xc0000201, &left, 128, 20, 32);
	static uint8_t before[2 * ROOM];

	memcpy(before, error, sizeof error);
	assert_true(translate_error(error, len, IPV4_OFF + 20, &way));
	assert_memory_equal(error + IPV4_OFF + 28 + 28, before + IPV4_OFF + 28 + 28, 120);
	assert_int_equal(load_be32(error + IPV4_OFF + 28 + 12), (uint32_t)key.src.lo);
	assert_int_equal(load_be32(error + IPV4_OFF + 28 + 20), key.ports);
	assert_int_equal(checksum(error + IPV4_OFF + 20, len - IPV4_OFF - 20), 0);
}

/* Whatever it is, it is refused unchanged, or within its bounds. */
static void wrong_error_is_refused_unchanged(void **state)
{
	static struct packet about;
	static uint8_t error[2 * ROOM], before[2 * ROOM];
	struct flow_key key, back;
	struct way way;

	(void)state;
	for (unsigned n = 0; n < ROUNDS; n++) {
		const struct transport *t = &transports[draw(8)];

		random_key(&key, t);
		make(&about, &key, t);
		reverse(&key, &back);
		prepare(&way, &back, &key);
		unsigned quoted = draw(about.header + 8);
		unsigned len = make_error(error, 1, 2, &about, quoted, 0, 0);

		if (draw(2)) { /* long enough, but a bit is wrong */
			quoted = about.header + 8;
			len = make_error(error, 1, 2, &about, quoted, 0, 0);
			error[IPV4_OFF + 20 + draw(8 + quoted)] ^= (uint8_t)(1u << draw(8));
		}
		memcpy(before, error, sizeof error);
		assert_false(translate_error(error, len, IPV4_OFF + 20, &way));
		assert_memory_equal(error, before, sizeof error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_as_made_anew),
		cmocka_unit_test(later_fragment_changes_its_header_alone),
		cmocka_unit_test(udp_sum_of_zero_is_sent_as_ones),
		cmocka_unit_test(batch_is_as_one_by_one),
		cmocka_unit_test(error_is_as_if_about_the_packet_sent),
		cmocka_unit_test(extensions_are_left_alone),
		cmocka_unit_test(wrong_error_is_refused_unchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
