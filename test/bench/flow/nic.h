/*
 * The in-memory NIC of bench-flow: test/bench/nic.h's, with whole 5-tuples.
 *
 * Rings of 512 descriptors of 16 bytes. A received frame has 64 bytes, a template of 64 and over it
 * the 32 bytes of the next record of the port's stream, in turn. A sent frame is complete
 * when the ring has moved half its depth further.
 */
#ifndef TEST_BENCH_FLOW_NIC_H
#define TEST_BENCH_FLOW_NIC_H

#include <stdint.h>

#include "drivers/netdev.h"
#include "test/bench/flow/flows.h"

#define FLOW_FRAME 64u /* bytes */
#define FLOW_AT    22u /* of a record in the frame: from TTL on */

/* FLOW_AT to FLOW_AT + 32 of a frame. Its payload begins with the number. */
struct flow_record {
	uint8_t octet[32];
};

/* A frame's record: TTL 64, both checksums right. number: 32 bits of the payload (UDP only). */
void flow_record_make(struct flow_record *r, const struct flow *f, uint32_t number);

/* Makes port `number` with one queue pair; it receives nothing yet. mac: 6 bytes, its own. */
struct netdev *flow_nic_create(unsigned number, const uint8_t *mac);

/* From now on it receives n records in turn; `frames` of them, UINT64_MAX: without end. */
void flow_nic_stream(
	struct netdev *dev, const struct flow_record *record, uint32_t n, uint64_t frames);

/* Frames received and sent so far. */
uint64_t flow_nic_received(const struct netdev *dev);
uint64_t flow_nic_sent(const struct netdev *dev);

/* Unless NULL: told of each frame sent. */
extern void (*flow_nic_look)(unsigned port, const uint8_t *frame, uint32_t len_bytes);

#endif
