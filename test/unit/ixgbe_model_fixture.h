/* A machine around the model of an 82599, and a register program that brings it up by the book. */
#ifndef TEST_UNIT_IXGBE_MODEL_FIXTURE_H
#define TEST_UNIT_IXGBE_MODEL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/model/ixgbe_model.h"
#include "test/model/ixgbe_model_regs.h"

#define BUS     UINT64_C(0x140000000) /* where the memory is seen by the device */
#define RAM     0x100000u
#define RX_RING 0x0000u /* offsets in it */
#define TX_RING 0x4000u
#define RX_BUFS 0x10000u
#define TX_BUFS 0x80000u
#define RINGED  16u /* descriptors of each ring */
#define RX0     R_RXQ
#define TX0     R_TXQ
#define RX(q)   (R_RXQ + 0x40u * (q))

struct bench {
	struct ixgbe_model *m;
	struct ixgbe_model_options options;
	uint64_t us;
	uint8_t ram[RAM];
	uint8_t sent[64][2048];
	unsigned sent_bytes[64], sents;
	unsigned vectors[IXGBE_MODEL_VECTORS];
	unsigned others; /* rules broken, but for `expected` */
	unsigned fired;
	const char *expected;
	char report[256];
};

/* Steps of the book that a wrong program leaves out, or does too late. */
enum omit {
	OMIT_MASTER = 1 << 0,
	OMIT_SETTLE = 1 << 1,
	OMIT_AUTOREAD = 1 << 2,
	OMIT_CONFIG = 1 << 3,
	OMIT_DMA = 1 << 4,
	OMIT_NS_DIS = 1 << 5,
	OMIT_BIT12 = 1 << 6,
	OMIT_STRIP = 1 << 7,
	OMIT_RX_LOOK = 1 << 8,
	OMIT_TX_LOOK = 1 << 9,
	OMIT_HALT = 1 << 10,
	OMIT_RINGS = 1 << 11,
	OMIT_TE = 1 << 12,
	OMIT_ARBITER = 1 << 13,
	OMIT_ARBITER_ON = 1 << 14,
	OMIT_RSC = 1 << 15,
	OMIT_FTQF = 1 << 16,
	OMIT_FCRTH = 1 << 17,
};

static inline void *bench_dma(void *ctx, uint64_t address, uint64_t bytes, bool write)
{
	struct bench *b = ctx;

	if (address < BUS || address - BUS > RAM || bytes > RAM - (address - BUS))
		return NULL;
	return b->ram + (address - BUS);
}

static inline void bench_transmit(void *ctx, const uint8_t *frame, unsigned bytes)
{
	struct bench *b = ctx;
	unsigned i = b->sents++ % 64;

	memcpy(b->sent[i], frame, bytes < 2048 ? bytes : 2048);
	b->sent_bytes[i] = bytes;
}

static inline void bench_interrupt(void *ctx, unsigned vector)
{
	((struct bench *)ctx)->vectors[vector]++;
}

static inline void bench_broke(void *ctx, const char *rule, const char *what)
{
	struct bench *b = ctx;

	if (b->expected && !strcmp(rule, b->expected)) {
		b->fired++;
		return;
	}
	b->others++;
	snprintf(b->report, sizeof(b->report), "%s: %s", rule, what);
}

static inline uint64_t bench_now(void *ctx)
{
	return ((struct bench *)ctx)->us;
}

static inline void bench_power_on(struct bench *b)
{
	const struct ixgbe_model_wire wire = {
		bench_dma, bench_transmit, bench_interrupt, bench_broke, bench_now, b};

	b->us = 1000;
	b->m = ixgbe_model_new(&b->options, &wire);
	assert_non_null(b->m);
}

/* A bench for the house's driver, with a module. */
static inline struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->options.house = true;
	return b;
}

static inline void bench_free(struct bench *b)
{
	if (b->others)
		print_error("%s\n", b->report);
	assert_int_equal(b->others, 0);
	ixgbe_model_free(b->m);
	free(b);
}

static inline uint32_t rd(struct bench *b, uint32_t at)
{
	return (uint32_t)ixgbe_model_read(b->m, at, 4);
}

static inline void wr(struct bench *b, uint32_t at, uint32_t v)
{
	ixgbe_model_write(b->m, at, 4, v);
}

static inline void set(struct bench *b, uint32_t at, uint32_t bits)
{
	wr(b, at, rd(b, at) | bits);
}

static inline void clear(struct bench *b, uint32_t at, uint32_t bits)
{
	wr(b, at, rd(b, at) & ~bits);
}

/* False: it never came. */
static inline bool await(struct bench *b, uint32_t at, uint32_t mask, uint32_t value)
{
	for (unsigned i = 0; i < 1000; i++) {
		if ((rd(b, at) & mask) == value)
			return true;
		b->us += 10;
	}
	return false;
}

static inline uint32_t *word(struct bench *b, unsigned at)
{
	return (uint32_t *)(void *)(b->ram + at);
}

static inline uint32_t *rx_desc(struct bench *b, unsigned i)
{
	return word(b, RX_RING + 16 * i);
}

static inline uint32_t *tx_desc(struct bench *b, unsigned i)
{
	return word(b, TX_RING + 16 * i);
}

/* 4.6.3: reset, and what follows it. */
static inline void reset_steps(struct bench *b, unsigned omit)
{
	wr(b, R_EIMC, 0x7FFFFFFF);
	if (!(omit & OMIT_MASTER)) {
		set(b, R_CTRL, CTRL_MASTER_OFF);
		assert_true(await(b, R_STATUS, STATUS_MASTER_ON, 0));
	}
	wr(b, R_CTRL, CTRL_RESET | CTRL_LINK_RESET);
	b->us += omit & OMIT_SETTLE ? 1000 : 10000;
	assert_true(await(b, R_CTRL, CTRL_RESET | CTRL_LINK_RESET, 0));
	wr(b, R_EIMC, 0x7FFFFFFF);
	if (!(omit & OMIT_AUTOREAD))
		assert_true(await(b, R_EEC, EEC_AUTOREAD, EEC_AUTOREAD));
	if (!(omit & OMIT_CONFIG))
		assert_true(await(b, R_EEMNGCTL, EEMNGCTL_DONE0, EEMNGCTL_DONE0));
	if (!(omit & OMIT_DMA))
		assert_true(await(b, R_RDRXCTL, RDRXCTL_INIT_DONE, RDRXCTL_INIT_DONE));
	if (!(omit & OMIT_NS_DIS))
		set(b, R_CTRL_EXT, CTRL_EXT_NS_DIS);
}

static inline void give_rx(struct bench *b, unsigned from, unsigned to)
{
	for (unsigned i = from; i != to; i = (i + 1) % RINGED) {
		uint64_t address = BUS + RX_BUFS + 2048 * i;

		rx_desc(b, i)[0] = (uint32_t)address;
		rx_desc(b, i)[1] = (uint32_t)(address >> 32);
		rx_desc(b, i)[2] = rx_desc(b, i)[3] = 0;
	}
	wr(b, RX0 + Q_TAIL, to);
}

static inline void ring_place(struct bench *b, uint32_t block, unsigned at)
{
	wr(b, block + Q_BAL, (uint32_t)(BUS + at));
	wr(b, block + Q_BAH, (uint32_t)((BUS + at) >> 32));
	wr(b, block + Q_LEN, 16 * RINGED);
	wr(b, block + Q_HEAD, 0);
	wr(b, block + Q_TAIL, 0);
}

static inline void tables_clear(struct bench *b, unsigned omit)
{
	for (unsigned i = 0; i < 128; i++) {
		wr(b, R_MTA + 4 * i, 0);
		wr(b, R_VFTA + 4 * i, 0);
		if (!(omit & OMIT_FTQF))
			wr(b, R_FTQF + 4 * i, 0);
	}
	for (unsigned i = 0; i < 32; i++)
		wr(b, R_RETA + 4 * i, 0);
}

/* 8.2.3.8.8 */
static inline void dma_steps(struct bench *b, unsigned omit)
{
	uint32_t v = omit & OMIT_DMA ? 0x8801 : rd(b, R_RDRXCTL); /* or not even looked at */

	if (!(omit & OMIT_STRIP))
		v |= RDRXCTL_CRC_STRIP;
	if (!(omit & OMIT_RSC))
		v = (v & ~RDRXCTL_RSC_FIRST) | RDRXCTL_RSC_ONES;
	wr(b, R_RDRXCTL, v);
}

/* 4.6.7 */
static inline void rx_steps(struct bench *b, unsigned omit)
{
	tables_clear(b, omit);
	if (!(omit & OMIT_FCRTH))
		wr(b, R_FCRTH, 0x80000 - 0x6000);
	set(b, R_FCTRL, FCTRL_BAM);
	dma_steps(b, omit);
	if (!(omit & OMIT_RINGS)) {
		ring_place(b, RX0, RX_RING);
		wr(b, RX0 + Q_SRRCTL, 2 | 1u << SRRCTL_TYPE_SHIFT | SRRCTL_DROP);
		set(b, RX0 + Q_CTL, CTL_ENABLE);
		if (omit & OMIT_RX_LOOK)
			b->us += 100;
		else
			assert_true(await(b, RX0 + Q_CTL, CTL_ENABLE, CTL_ENABLE));
		give_rx(b, 0, RINGED - 1);
	}
	if (!(omit & OMIT_HALT)) {
		set(b, R_SECRXCTRL, SECRXCTRL_RX_DIS);
		assert_true(await(b, R_SECRXSTAT, SEC_READY, SEC_READY));
	}
	set(b, R_RXCTRL, RXCTRL_RXEN);
	clear(b, R_SECRXCTRL, SECRXCTRL_RX_DIS);
	if (!(omit & OMIT_BIT12))
		clear(b, RX0 + Q_DCA, DCA_RX_BIT12);
}

/* 4.6.8 */
static inline void tx_steps(struct bench *b, unsigned omit)
{
	if (!(omit & OMIT_ARBITER))
		set(b, R_RTTDCS, RTTDCS_ARBDIS);
	wr(b, R_MTQC, 0);
	if (!(omit & OMIT_ARBITER_ON))
		clear(b, R_RTTDCS, RTTDCS_ARBDIS);
	if (!(omit & OMIT_TE))
		set(b, R_DMATXCTL, DMATXCTL_TE);
	ring_place(b, TX0, TX_RING);
	set(b, TX0 + Q_CTL, CTL_ENABLE);
	set(b, R_DMATXCTL, DMATXCTL_TE);
	if (omit & OMIT_TX_LOOK)
		b->us += 100;
	else
		assert_true(await(b, TX0 + Q_CTL, CTL_ENABLE, CTL_ENABLE));
}

static inline void bring_up(struct bench *b, unsigned omit)
{
	reset_steps(b, omit);
	rx_steps(b, omit);
	tx_steps(b, omit);
	assert_true(await(b, R_LINKS, LINKS_UP, LINKS_UP));
}

/* A bench that is up. */
static inline struct bench *bench_up(void)
{
	struct bench *b = bench_new();

	bench_power_on(b);
	bring_up(b, 0);
	return b;
}

/* An advanced data descriptor for n bytes of TX buffer i, which is all of a packet. */
static inline void put_tx(
	struct bench *b, unsigned i, unsigned n, uint32_t command, uint32_t options)
{
	uint64_t address = BUS + TX_BUFS + 4096 * i;
	uint32_t *d = tx_desc(b, i);

	d[0] = (uint32_t)address;
	d[1] = (uint32_t)(address >> 32);
	d[2] = n | TXD_DATA | TXD_DEXT | TXD_EOP | TXD_IFCS | TXD_RS | command;
	d[3] = n << 14 | options;
}

/* A frame to the device's own address with `type`, its contents by index. */
static inline unsigned frame_to_us(struct bench *b, uint8_t *f, unsigned bytes, unsigned type)
{
	static const uint8_t own[6] = {0x02, 0x00, 0x00, 0x82, 0x59, 0x90};

	for (unsigned i = 0; i < bytes; i++)
		f[i] = (uint8_t)i;
	memcpy(f, own, 6);
	f[12] = (uint8_t)(type >> 8);
	f[13] = (uint8_t)type;
	return bytes;
}

#endif
