/* Random rules of access lists, and packets for them, for unit tests. */
#ifndef TEST_UNIT_FILTER_RANDOM_H
#define TEST_UNIT_FILTER_RANDOM_H

#include "test/model/aclgen.h"
#include "test/model/routegen.h"
#include "test/unit/filter_fixture.h"

static uint64_t seed;

static unsigned draw(unsigned n)
{
	return (unsigned)(routegen_random(&seed) % n);
}

static void some_ports(uint16_t range[2])
{
	unsigned first = draw(3);

	range[0] = (uint16_t)(draw(3) ? 0 : first);
	range[1] = (uint16_t)(draw(3) ? 65535 : first + draw(2));
}

static void random_rule(unsigned i)
{
	static const uint8_t protocols[] = {IPV4_TCP, IPV4_UDP, IPV4_ICMP, IPV6_ICMP, 47};
	struct acl_rule *r = &match[i];
	bool six = draw(2);

	*r = (struct acl_rule){.to_port = {0, 65535}, .from_port = {0, 65535}};
	rules[i] = (struct config_rule){.permit = draw(3) != 0};
	if (draw(6)) {
		r->family = six ? 6 : 4;
		r->from = six ? FROM6(draw(8)) : (struct ip6){0, IP(50, 0, 0, draw(8))};
		r->to = six ? TO6(draw(8)) : (struct ip6){0, IP(draw(2) ? 20 : 40, 0, 0, draw(8))};
		r->from_length = (uint8_t)(draw(3) ? (six ? 125 : 29) + draw(4) : 0);
		r->to_length = (uint8_t)(draw(3) ? (six ? 125 : 29) + draw(4) : 0);
	}
	r->any_protocol = draw(6) == 0;
	r->protocol = r->any_protocol ? 0 : protocols[draw(sizeof protocols)];
	r->ports = !r->any_protocol && r->protocol != 47 && draw(2);
	if (r->ports && (r->protocol == IPV4_TCP || r->protocol == IPV4_UDP)) {
		some_ports(r->from_port);
		some_ports(r->to_port);
	} else if (r->ports) {
		r->from_port[0] = (uint16_t)(draw(4) * 256);
		r->from_port[1] = (uint16_t)(r->from_port[0] + (draw(2) ? 255 : 0));
	}
}

/* What stands behind the IP header: writes it, says what it is. */
static unsigned random_transport(uint8_t *at, struct aclgen_packet *p, bool six, bool *whole)
{
	static const uint8_t protocols[] = {IPV4_TCP, IPV4_UDP, IPV4_ICMP, 47};
	uint8_t protocol = protocols[draw(sizeof protocols)];
	unsigned bytes = draw(12) ? 24 : draw(4);
	uint16_t from = (uint16_t)draw(4), to = (uint16_t)draw(4);

	if (protocol == IPV4_ICMP) {
		protocol = six ? IPV6_ICMP : IPV4_ICMP;
		from = (uint16_t)(draw(4) << 8 | draw(2));
	}
	store_be16(at, from);
	store_be16(at + 2, to);
	*whole = bytes >= (protocol == IPV4_ICMP || protocol == IPV6_ICMP ? 2u : 4u) &&
		 protocol != 47;
	p->ports = acl_ports(from, to);
	p->kind = acl_kind(protocol, !*whole, false);
	return bytes;
}

static void packet4(struct frame *f, struct aclgen_packet *p)
{
	bool whole, options = draw(8) == 0;
	unsigned header = options ? 24 : 20;
	uint16_t fragment = (uint16_t)(draw(8) ? 0 : draw(2) ? 0x2000 : 7);

	memset(f, 0, sizeof *f);
	p->src = (struct ip6){0, IP(50, 0, 0, draw(8))};
	p->dst = (struct ip6){0, IP(draw(2) ? 20 : 40, 0, 0, draw(8))};
	frame_udp(f, dev[0]->mac, host_mac[0], (uint32_t)p->src.lo, (uint32_t)p->dst.lo, 20);
	unsigned bytes = random_transport(f->data + 14 + header, p, false, &whole);

	if (fragment & 7)
		p->kind |= 1;
	f->data[14] = (uint8_t)(0x40 | header / 4);
	if (options)
		memset(f->data + 34, 1, 4); /* no-operation */
	f->data[IPV4_PROTOCOL] = (uint8_t)(p->kind >> 1);
	f->data[IPV4_TTL] = draw(16) ? 64 : 1;
	store_be16(f->data + IPV4_FRAGMENT, fragment);
	store_be16(f->data + IPV4_LENGTH, (uint16_t)(header + bytes));
	memset(f->data + IPV4_CHECKSUM, 0, 2);
	uint16_t sum = checksum(f->data + 14, header);

	memcpy(f->data + IPV4_CHECKSUM, &sum, 2);
	f->len = 14 + header + bytes;
}

/* Some extension headers; the last may be a fragment's. */
static unsigned random_headers(uint8_t *at, uint8_t *named, bool *later)
{
	static const uint8_t types[] = {IPV6_OPTIONS, IPV6_ROUTING, IPV6_HOP_BY_HOP};
	unsigned n = draw(3) ? 0 : 1 + draw(3), used = 0;
	bool fragment = draw(8) == 0;

	*later = fragment && draw(2);
	for (unsigned i = 0; i < n; i++) {
		unsigned bytes = 8 * (1 + draw(2));

		*named = types[i == 0 ? draw(3) : draw(2)];
		memset(at + used, 0, bytes);
		at[used + 1] = (uint8_t)(bytes / 8 - 1);
		named = at + used;
		used += bytes;
	}
	if (!fragment)
		return used;
	*named = IPV6_FRAGMENT;
	memset(at + used, 0, 8);
	store_be16(at + used + 2, *later ? 0x0100 : 1);
	return used + 8;
}

static void packet6(struct frame *f, struct aclgen_packet *p)
{
	bool whole, later;
	uint8_t *ip = f->data + 14;

	memset(f, 0, sizeof *f);
	p->src = FROM6(draw(8));
	p->dst = TO6(draw(8));
	memcpy(f->data, dev[0]->mac, 6);
	memcpy(f->data + 6, host_mac[0], 6);
	store_be16(f->data + 12, 0x86dd);
	ip[0] = 0x60;
	ip6_store(f->data + IPV6_SOURCE, p->src);
	ip6_store(f->data + IPV6_DEST, p->dst);
	f->data[IPV6_HOPS] = draw(16) ? 64 : 1;
	unsigned headers = random_headers(ip + 40, &f->data[IPV6_NEXT], &later);
	unsigned bytes = random_transport(ip + 40 + headers, p, true, &whole);
	uint8_t *named = &f->data[IPV6_NEXT];

	/* The last header names the transport. */
	for (unsigned at = 0; at < headers;) {
		uint8_t type = *named;

		named = ip + 40 + at;
		at += type == IPV6_FRAGMENT ? 8 : (ip[40 + at + 1] + 1u) * 8;
	}
	*named = (uint8_t)(p->kind >> 1);
	if (later)
		p->kind |= 1;
	store_be16(f->data + IPV6_PAYLOAD, (uint16_t)(headers + bytes));
	f->len = 54 + headers + bytes;
}

#endif
