/*
 * What tracking asks of the packets of a batch: their keys, and which of them are simple; compiled
 * once per form of x86-64 (lib/vec.h).
 */
#include "lib/hash.h"
#include "lib/vec_columns.h"
#include "net/path/frame.h"
#include "net/path/track_simple.h"

/* From the identification on eight words hold all of it: 0 that and the fragment's place, 1 TTL,
 * protocol, checksum, 2 source, 3 destination, 4 ports, 6 acknowledgement, 7 TCP's flags. */
#define FROM       (IPV4_OFF + 4u)
#define TCP_HEADER 20u
#define UDP_HEADER 8u
#define TCP_BITS   (0x17u << 8) /* FIN, SYN, RST, ACK */
#define TCP_ACK    (0x10u << 8)
#define FRAGMENT   (0xff3fu << 16) /* more fragments, offset */

/* VEC_LANES packets from i on; a bit for each that is simple. */
VEC_INLINE uint64_t simple_vector(struct batch *b, unsigned i, struct track_simple *s)
{
	vec head[8];

	vec_columns(b->data + i, FROM, head);
	vec protocol = head[1] >> 8 & 0xff, total = vec_load(b->total + i);
	vec tcp = (vec)(protocol == HASH_TCP), udp = (vec)(protocol == HASH_UDP);
	vec least = IPV4_HEADER + UDP_HEADER + (tcp & (TCP_HEADER - UDP_HEADER));
	vec other = (head[0] & FRAGMENT) | (tcp & ((head[7] & TCP_BITS) ^ TCP_ACK));

	vec_store(s->ask.src + i, vec_swap(head[2]));
	vec_store(s->ask.dst + i, vec_swap(head[3]));
	vec_store(s->ask.ports + i, vec_swap(head[4]));
	vec_store_octets(s->ask.protocol + i, protocol);
	vec_store(s->acked + i, head[6]);
	return (uint64_t)vec_signs((tcp | udp) & (vec)(other == 0) & ~vec_sign(total - least)) << i;
}

uint64_t VEC_NAME(track_simple)(struct batch *b, struct track_simple *s)
{
	uint64_t simple = 0;

	for (unsigned i = 0; i < b->n; i += VEC_LANES)
		simple |= simple_vector(b, i, s);
	return simple & b->plain;
}
