/* A driver gone mad: random registers, descriptors and frames must not take the model of an 82599
 * down. */
#include "test/unit/ixgbe_model_fixture.h"

#define ROUNDS 1500u
#define STEPS  150u

static uint8_t f[16384];
static uint64_t seed;

static uint32_t chance(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 32);
}

static void ignore(void *ctx, const char *rule, const char *what)
{
}

/* Registers that lead somewhere are hit more often than the rest of the BAR. */
static uint32_t some_register(void)
{
	static const uint32_t good[] = {R_CTRL, R_EERD, R_SWSM, R_SW_FW_SYNC, R_EICR, R_EICS,
		R_EIMS, R_EIMS_EX + 4, R_EIAM, R_GPIE, R_IVAR, R_IVAR_MISC, R_FCTRL, R_VLNCTRL,
		R_MCSTCTRL, R_RXCSUM, R_MRQC, R_HLREG0, R_MAXFRS, R_MFLCN, R_RXPBSIZE, R_RXCTRL,
		R_DMATXCTL, R_RTTDCS, R_MTQC, R_AUTOC, R_AUTOC2, R_MSCA, R_I2CCTL, R_ESDP, R_RQSMR,
		R_TQSM, R_GORCL, R_QBRCL, R_RETA};
	uint32_t r = chance();

	switch (r & 7) {
	case 0:
		return (chance() & 0x7FFFF) & ~3u;
	case 1:
	case 2:
		return R_RXQ + 0x40 * (r >> 8 & 1) + (r >> 16 & 0x3C);
	case 3:
	case 4:
		return R_TXQ + 0x40 * (r >> 8 & 1) + (r >> 16 & 0x3C);
	default:
		return good[(r >> 8) % (sizeof(good) / sizeof(good[0]))];
	}
}

static void random_descriptor(struct bench *b)
{
	bool tx = chance() & 1;
	uint32_t *d = tx ? tx_desc(b, chance() % RINGED) : rx_desc(b, chance() % RINGED);

	d[0] = (uint32_t)BUS + (chance() & 0xFFFFF);
	d[1] = chance() % 16 ? (uint32_t)(BUS >> 32) : chance();
	d[2] = tx ? chance() : 0;
	d[3] = tx ? chance() : 0;
	if (tx && chance() % 4) { /* a likely one: short, with a context that fits at times */
		d[2] = (chance() % 3000) | (chance() & 0xFF000000u) | TXD_DEXT |
		       (chance() % 3 ? TXD_DATA | TXD_EOP : TXD_CONTEXT);
		d[3] = (d[2] & 0xFFFF) << 14 | (chance() & 0x3FFF);
	}
}

/* One that would be right, but for a bit at times. */
static void random_send(struct bench *b)
{
	unsigned i = ixgbe_model_peek(b->m, TX0 + Q_TAIL) % RINGED;

	put_tx(b, i, 60 + chance() % 2000, 0, 0);
	if (chance() % 4 == 0)
		tx_desc(b, i)[2 + (chance() & 1)] ^= 1u << (chance() & 31);
	wr(b, TX0 + Q_TAIL, (i + 1) % RINGED);
}

static void random_frame(struct bench *b)
{
	static const uint16_t types[] = {0x0800, 0x86dd, 0x8100, 0x8808, 0x0806};
	unsigned n = 14 + chance() % 3000;

	frame_to_us(b, f, n, types[chance() % 5]);
	for (unsigned i = 14; i < n && i < 80; i++)
		f[i] = (uint8_t)chance();
	f[14] = chance() & 1 ? 0x45 : 0x60;
	ixgbe_model_receive(b->m, f, n);
	ixgbe_model_receive_bad(b->m, chance() % 2000, chance() & 1);
}

static void random_step(struct bench *b)
{
	uint32_t at = some_register();

	switch (chance() % 12) {
	case 0:
		rd(b, at);
		break;
	case 1:
		wr(b, at, chance());
		break;
	case 2: /* one bit */
		wr(b, at, rd(b, at) ^ 1u << (chance() & 31));
		break;
	case 3:
		wr(b, chance() & 1 ? RX0 + Q_TAIL : TX0 + Q_TAIL, chance() % RINGED);
		break;
	case 4:
	case 5:
		random_descriptor(b);
		break;
	case 6:
	case 7:
		random_frame(b);
		break;
	case 8:
	case 9:
	case 10:
		random_send(b);
		break;
	default:
		b->us += chance() % 2000;
		ixgbe_model_poll(b->m);
		if (chance() % 64 == 0)
			ixgbe_model_set_link(b->m, chance() & 1);
		break;
	}
}

static void test_noise(void **state)
{
	unsigned sents = 0, broken = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct bench *b = bench_new();
		struct ixgbe_model_wire wire = {
			bench_dma, bench_transmit, bench_interrupt, ignore, bench_now, b};
		static const uint16_t devices[] = {0x10fb, 0x1528, 0x1563};

		seed = i;
		b->options.device_id = devices[i % 3];
		b->options.rx_lies = i & 4;
		b->us = 1000;
		b->m = ixgbe_model_new(&b->options, &wire);
		assert_non_null(b->m);
		bring_up(b, 0);
		for (unsigned k = 0; k < STEPS; k++)
			random_step(b);
		broken += ixgbe_model_broken(b->m) != 0;
		sents += b->sents;
		bench_free(b);
	}
	print_message("%u frames sent, %u of %u programs broke rules\n", sents, broken, ROUNDS);
	assert_true(sents > ROUNDS / 10); /* it got somewhere */
	assert_true(broken > ROUNDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
