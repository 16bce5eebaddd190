/*
 * The generator's engine and a router that can be made to err, in one thread.
 *
 * The router is two vhost-user front ends. What it takes from one it forwards to
 * the other as a router does, unless `meddle` does something else with it.
 */
#ifndef TEST_UNIT_PKTGEN_FIXTURE_H
#define TEST_UNIT_PKTGEN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "test/model/vhost_front.h"
#include "tools/pktgen/clock.h"
#include "tools/pktgen/trial.h"

#define RIG_BUFFER 2048u
#define RIG_FRAME  9100u

/* A frame within the router. */
struct rig_frame {
	uint8_t byte[RIG_FRAME];
	uint32_t bytes;
	unsigned out; /* port */
};

static struct rig {
	struct scenario scenario;
	struct engine engine;
	struct traffic traffic;
	struct front front[2];
	uint32_t size;   /* descriptors of a ring */
	uint32_t buffer; /* bytes of one that frames are received in */
	uint32_t header;
	unsigned chain;    /* pieces in which frames are sent, 1 or more */
	uint64_t taken[2]; /* frames from the generator */
	uint16_t tx_free[2], tx_next[2];
	uint64_t congested; /* frames there was no descriptor for */
	/* Changes a frame that was forwarded. How often it is sent: 0, 1, 2. NULL: once. */
	unsigned (*meddle)(struct rig_frame *f, unsigned in, uint64_t number);
} rig;

static const uint8_t rig_router[2][6] = {{2, 0, 0, 0, 1, 0}, {2, 0, 0, 0, 1, 1}};

static inline void rig_serve(void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < 2; i++)
		port_service(&rig.engine.port[i], clock_now(), rig.engine.ticks);
}

/* Lines of a scenario, beside its two ports. */
static inline void rig_scenario(const char *const *line, unsigned lines)
{
	memset(&rig, 0, sizeof rig);
	rig.size = 256;
	rig.buffer = RIG_BUFFER;
	rig.header = 12;
	rig.chain = 1;
	scenario_init(&rig.scenario);
	for (unsigned i = 0; i < lines; i++)
		if (!scenario_line(&rig.scenario, line[i]))
			fail_msg("%s", rig.scenario.error);
	if (!scenario_check(&rig.scenario))
		fail_msg("%s", rig.scenario.error);
}

static inline void rig_offer_rx(unsigned side, uint16_t id)
{
	struct front *f = &rig.front[side];
	struct front_piece p = {
		front_address(f, f->buffers + (size_t)id * rig.buffer), rig.buffer, true};

	front_offer(f, 0, &p, 1, id);
}

/* Engine, front ends, memory; not yet connected with each other. */
static inline void rig_open(void)
{
	struct engine *e = &rig.engine;

	frame_init();
	e->scenario = &rig.scenario;
	e->ticks = 2e9;
	for (unsigned i = 0; i < 2; i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		port_attach(&e->port[i], &rig.scenario, i, pair[0]);
		e->port[i].quiet = true;
		memcpy(e->port[i].neighbor.router, rig_router[i], 6);
		e->port[i].neighbor.known = true;
		assert_true(front_memory(&rig.front[i], 4,
			(size_t)rig.size * rig.buffer + (size_t)rig.size * RIG_FRAME + RIG_FRAME,
			false));
		rig.front[i].fd = pair[1];
		rig.front[i].serve = rig_serve;
	}
}

/* Starts both front ends and builds the traffic. */
static inline void rig_start(uint64_t features)
{
	struct traffic_port port[PORTS_MAX];
	char error[256];

	for (unsigned i = 0; i < 2; i++) {
		assert_true(front_start(&rig.front[i], features, 2, rig.size));
		for (uint32_t id = 0; id < rig.size; id++)
			rig_offer_rx(i, (uint16_t)id);
		memcpy(port[i].router, rig_router[i], 6);
		port[i].queues = 1;
		rig.tx_free[i] = (uint16_t)rig.size;
	}
	rig_serve(NULL);
	assert_true(port_ready(&rig.engine.port[0]) && port_ready(&rig.engine.port[1]));
	if (!traffic_build(&rig.traffic, &rig.scenario, port, error, sizeof error))
		fail_msg("%s", error);
}

static inline void rig_close(void)
{
	for (unsigned i = 0; i < 2; i++) {
		front_close(&rig.front[i]);
		port_close(&rig.engine.port[i]);
	}
	traffic_free(&rig.traffic);
}

/* ---- the router ---- */

static inline void rig_transmit(const struct rig_frame *f)
{
	struct front *to = &rig.front[f->out];
	struct front_piece piece[16];
	uint16_t id, slot = rig.tx_next[f->out];
	uint32_t bytes, total = rig.header + f->bytes, done = 0;
	uint64_t at;

	while (front_take(to, 1, &id, &bytes))
		rig.tx_free[f->out] = (uint16_t)(rig.tx_free[f->out] + rig.chain);
	if (rig.tx_free[f->out] < rig.chain) {
		rig.congested++;
		return;
	}
	rig.tx_next[f->out] = (uint16_t)((slot + 1) % (rig.size / rig.chain));
	at = front_address(
		to, to->buffers + (size_t)rig.size * rig.buffer + (size_t)slot * RIG_FRAME);
	memset(front_at(to, at), 0, rig.header);
	memcpy(front_at(to, at) + rig.header, f->byte, f->bytes);
	for (unsigned i = 0; i < rig.chain; i++) {
		uint32_t n = i + 1 < rig.chain ? total / rig.chain : total - done;

		piece[i] = (struct front_piece){at + done, n, false};
		done += n;
	}
	front_offer(to, 1, piece, rig.chain, slot);
	rig.tx_free[f->out] = (uint16_t)(rig.tx_free[f->out] - rig.chain);
}

/* As a router changes a frame: MACs, TTL, checksum. */
static inline void rig_route(struct rig_frame *f, unsigned in)
{
	bool four = load_be16(f->byte + 12) == 0x0800;
	uint16_t check, old, new;

	f->out = !in;
	memcpy(f->byte, rig.scenario.port[f->out].mac, 6);
	memcpy(f->byte + 6, rig_router[f->out], 6);
	if (!four) {
		f->byte[FRAME6_IP + 7]--;
		return;
	}
	memcpy(&old, f->byte + FRAME4_IP + 8, 2);
	f->byte[FRAME4_IP + 8]--;
	memcpy(&new, f->byte + FRAME4_IP + 8, 2);
	memcpy(&check, f->byte + FRAME4_IP + 10, 2);
	check = checksum_update16(check, old, new);
	memcpy(f->byte + FRAME4_IP + 10, &check, 2);
}

/* One received frame, which may lie in several buffers. false: there is none. */
static inline bool rig_receive(unsigned side, struct rig_frame *f)
{
	struct front *from = &rig.front[side];
	uint16_t id, buffers = 1;
	uint32_t bytes;

	f->bytes = 0;
	for (uint16_t i = 0; i < buffers; i++) {
		const uint8_t *at;
		uint32_t skip = i ? 0 : rig.header;

		if (!front_take(from, 0, &id, &bytes)) {
			assert_int_equal(i, 0); /* all buffers of a frame are returned at once */
			return false;
		}
		assert_true(bytes >= skip && bytes <= rig.buffer);
		at = from->memory + from->buffers + (size_t)id * rig.buffer;
		if (!i && rig.header == 12)
			memcpy(&buffers, at + 10, 2);
		memcpy(f->byte + f->bytes, at + skip, bytes - skip);
		f->bytes += bytes - skip;
		rig_offer_rx(side, id);
	}
	rig.taken[side]++;
	return true;
}

static inline void rig_forward(void)
{
	static struct rig_frame f;

	for (unsigned side = 0; side < 2; side++)
		while (rig_receive(side, &f)) {
			uint64_t number = rig.taken[side] - 1;
			unsigned copies = 1;

			rig_route(&f, side);
			if (rig.meddle)
				copies = rig.meddle(&f, side, number);
			for (; copies; copies--)
				rig_transmit(&f);
		}
}

/* Sends so many packets over all streams and waits for what comes back. */
static inline void rig_run(uint64_t packets, double rate, struct trial *t)
{
	struct order o = {.traffic = &rig.traffic,
		.seconds = 1e6,
		.packets = packets,
		.rate = rate,
		.drain_s = 2};

	rig.engine.service_at = 0;
	engine_turn(&rig.engine);
	engine_order(&rig.engine, &o);
	while (!engine_done(&rig.engine)) {
		rig.engine.service_at = 0;
		engine_turn(&rig.engine);
		rig_forward();
	}
	trial_sum(&rig.engine, &o, t);
}

#endif
