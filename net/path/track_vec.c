/*
 * Which packets of a batch are simple, as far as parsing could not tell; compiled once per form of
 * x86-64 (lib/vec.h).
 */
#include "lib/vec_columns.h"
#include "net/path/track_simple.h"

/* Four words from the ports on: 2 is TCP's acknowledgement, 3 its flags. */
#define FROM     (IPV4_OFF + IPV4_HEADER)
#define TCP_BITS (0x17u << 8) /* FIN, SYN, RST, ACK */
#define TCP_ACK  (0x10u << 8)

uint64_t VEC_NAME(track_simple)(const struct batch *b, uint32_t acked[BATCH_MAX])
{
	uint64_t simple = 0;

	for (unsigned i = 0; i < b->n; i += VEC_LANES) {
		vec head[4];

		vec_columns4(b->data + i, FROM, head);
		vec_store(acked + i, head[2]);
		simple |= (uint64_t)vec_signs((vec)((head[3] & TCP_BITS) == TCP_ACK)) << i;
	}
	return b->plain & (b->track->udp | (b->track->tcp & simple));
}
