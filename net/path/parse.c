/* Validation of received frames: Ethernet and IPv4 header checks; IPv6 is in parse6.c. */
#include "net/path/parse.h"

#include <string.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "lib/form.h"
#include "lib/words.h"

static inline uint64_t load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t load32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* The header checksum of a header without options is right: the ones-complement sum is all ones. */
static inline bool ipv4_checksum_ok(const uint8_t *ip)
{
	uint64_t sum = (uint64_t)load32(ip) + load32(ip + 4) + load32(ip + 8) + load32(ip + 12) +
		       load32(ip + 16);

	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/*
 * True if the frame is what nearly all are: IPv4 to this router's MAC, no
 * options, everything valid. One test for all conditions; any failure is
 * examined by parse_frame.
 */
static inline bool frame_is_plain(const uint8_t *f, uint32_t len, uint64_t mac, uint32_t max_frame)
{
	uint32_t total = load_be16(f + IPV4_LENGTH);
	uint32_t type_version = load32(f + ETH_TYPE); /* type, version and IHL, TOS */
	bool ok = (load64(f) ^ mac) << 16 == 0;       /* the six address bytes */

	ok &= (type_version & 0x00ffffffu) == 0x00450008u;
	ok &= (len >= ETH_HEADER + IPV4_HEADER) & (len <= max_frame);
	ok &= (total >= IPV4_HEADER) & (total + ETH_HEADER <= len);
	ok &= ipv4_is_unicast(load_be32(f + IPV4_SOURCE)) &
	      ipv4_is_unicast(load_be32(f + IPV4_DEST));
	ok &= ipv4_checksum_ok(f + IPV4_OFF);
	return ok;
}

/* It may be in a packet: a host's, or of a range that is permitted. */
static bool is_host(uint32_t address, unsigned permitted)
{
	return ipv4_is_unicast(address) || (ipv4_martian(address) & permitted);
}

/* RFC 1812 5.2.2 header checks, then the addresses, 5.3.7. */
static uint16_t parse_ipv4(const uint8_t *f, uint32_t len, bool to_us, unsigned permitted)
{
	const uint8_t *ip = f + IPV4_OFF;

	if (len < ETH_HEADER + IPV4_HEADER)
		return verdict_drop(DROP_IP_TRUNCATED);
	uint32_t header = (ip[0] & 15u) * 4, total = load_be16(ip + 2);

	if (ip[0] >> 4 != 4)
		return verdict_drop(DROP_IP_VERSION);
	if (header < IPV4_HEADER)
		return verdict_drop(DROP_IP_HEADER_LENGTH);
	if (len < ETH_HEADER + header)
		return verdict_drop(DROP_IP_TRUNCATED);
	if (total < header || total + ETH_HEADER > len)
		return verdict_drop(DROP_IP_TOTAL_LENGTH);
	if (checksum(ip, header) != 0)
		return verdict_drop(DROP_IP_CHECKSUM);

	uint32_t src = load_be32(f + IPV4_SOURCE), dst = load_be32(f + IPV4_DEST);

	if (!is_host(src, permitted))
		return verdict_drop(DROP_MARTIAN_SOURCE);
	if (dst == 0xffffffffu)
		return verdict_drop(DROP_BROADCAST);
	if (dst >> 28 == 0xe)
		return verdict_drop(DROP_MULTICAST);
	if (!is_host(dst, permitted))
		return verdict_drop(DROP_MARTIAN_DESTINATION);
	if (!to_us)
		return verdict_drop(DROP_L2_BROADCAST);
	return VERDICT_ROUTE;
}

uint16_t parse_frame(const struct lane *lane, const uint8_t *f, uint32_t len, uint32_t max_frame)
{
	if (len == 0)
		return verdict_drop(DROP_RX_ERROR);
	if (load_once(&lane->disabled))
		return verdict_drop(DROP_PORT_DISABLED);
	if (len < ETH_HEADER)
		return verdict_drop(DROP_RX_RUNT);
	if (len > max_frame)
		return verdict_drop(DROP_RX_OVERSIZE);

	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t lldp[6] = LLDP_GROUP;
	bool to_us = memcmp(f, lane->mac, 6) == 0;
	uint16_t type = load_be16(f + ETH_TYPE);

	/* RFC 2464 7: 33:33 and the last four bytes of an IPv6 group. */
	bool group6 = type == ETH_TYPE_IPV6 && f[0] == 0x33 && f[1] == 0x33;

	if (type == ETH_TYPE_LLDP && memcmp(f, lldp, 6) == 0)
		return verdict_punt(PUNT_LLDP);
	if (!to_us && !group6 && memcmp(f, broadcast, 6) != 0)
		return verdict_drop(f[0] & 1 ? DROP_MULTICAST : DROP_WRONG_MAC);
	if (type == ETH_TYPE_IPV4)
		return parse_ipv4(f, len, to_us, load_once(&lane->martians));
	if (type == ETH_TYPE_IPV6)
		return parse_ipv6(f, len, to_us);
	if (type == ETH_TYPE_ARP)
		return verdict_punt(PUNT_ARP);
	return verdict_drop(DROP_UNKNOWN_ETHERTYPE);
}

/*
 * A frame without tag that is not plain IPv4: its verdict, its flags, and its
 * place in the list if it is IPv6 to be routed.
 */
static uint32_t parse_untagged(
	const struct lane *lane, struct batch *b, unsigned i, bool plain6, uint32_t max_frame)
{
	const uint8_t *f = b->data[i];
	uint32_t len = packet_len(b->word[i]), flags = 0;

	b->verdict[i] = plain6 ? VERDICT_ROUTE6 : parse_frame(lane, f, len, max_frame);
	if (b->verdict[i] != VERDICT_ROUTE6)
		return f[IPV4_OFF] == 0x45 ? 0 : PACKET_FLAG_OPTIONS;
	flags = plain6 ? 0 : parse6_flags(f);
	b->six[b->sixes++] = (uint8_t)i;
	b->word[i] = packet_retake(
		b->word[i], ETH_HEADER + IPV6_HEADER + load_be16(f + IPV6_PAYLOAD), flags);
	return flags;
}

/* The same of a frame with a tag, which comes off. */
static uint32_t parse_tagged(const struct lane *lane, struct batch *b, unsigned i, uint64_t mac)
{
	uint32_t max_frame;

	b->verdict[i] = parse_tag(lane, b, i, &max_frame);
	if (b->verdict[i] != VERDICT_ROUTE)
		return 0;
	const uint8_t *f = b->data[i];
	uint32_t len = packet_len(b->word[i]);

	if (frame_is_plain(f, len, mac, max_frame))
		return PACKET_FLAG_POPPED;
	bool plain6 = parse6_is_plain(f, len, mac, max_frame);

	return PACKET_FLAG_POPPED | parse_untagged(lane, b, i, plain6, max_frame);
}

/* A frame that is not plain IPv4: its verdict, and its flags. Apart from the loop of plain ones. */
static __attribute__((noinline)) uint32_t parse_other(
	const struct lane *lane, struct batch *b, unsigned i, uint64_t mac, uint32_t max_frame)
{
	const uint8_t *f = b->data[i];
	uint32_t len = packet_len(b->word[i]);
	bool plain6 = parse6_is_plain(f, len, mac, max_frame);

	if (!plain6 && parse_is_tagged(f, len))
		return parse_tagged(lane, b, i, mac);
	return parse_untagged(lane, b, i, plain6, load_once(&lane->max_frame));
}

static parse_plain_fn *parse_plain = parse_plain_plain;

void parse_select(const char *isa)
{
	parse_plain = FORM(parse_plain, isa);
}

static void parse_rest(const struct lane *lane, struct batch *b, uint64_t rest)
{
	uint64_t mac = load64(lane->mac);
	uint32_t max_frame = load_once(&lane->disabled) ? 0 : load_once(&lane->max_frame);

	for (; rest; rest &= rest - 1) {
		unsigned i = (unsigned)__builtin_ctzll(rest);
		uint32_t flags = parse_other(lane, b, i, mac, max_frame);
		const uint8_t *f = b->data[i]; /* without its tag */

		if (b->verdict[i] != VERDICT_ROUTE) {
			b->ended++;
			continue;
		}
		b->word[i] = packet_word(
			packet_index(b->word[i]), ETH_HEADER + load_be16(f + IPV4_LENGTH), flags);
		b->dst[i] = load_be32(f + IPV4_DEST);
	}
}

void parse_batch(const struct lane *lane, struct batch *b, const uint64_t *word, unsigned n)
{
	b->n = n;
	b->from = word;
	if (n % BATCH_PAD) { /* as many more as the last vector has room for */
		words_copy(b->word, word, n);
		for (unsigned i = n; i % BATCH_PAD; i++)
			b->word[i] = word[0];
		b->from = b->word;
	}
	b->ended = b->sixes = 0;
	memset(b->verdict, VERDICT_ROUTE, sizeof b->verdict);
	memset(b->nh + b->n, NEXTHOP_NONE, BATCH_PAD * sizeof *b->nh);
	b->plain = parse_plain(lane, b);
	uint64_t rest = ~b->plain & batch_all(b);

	if (__builtin_expect(rest != 0, 0))
		parse_rest(lane, b, rest);
}
