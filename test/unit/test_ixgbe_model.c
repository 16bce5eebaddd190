/* The model of an 82599 itself: programs by the book break no rule, and frames pass as the
 * datasheet says. */
#include "test/unit/ixgbe_model_fixture.h"

static uint8_t f[16384];

static void store_pause(unsigned quanta)
{
	f[0] = 1;
	f[14] = 0;
	f[15] = 1;
	f[16] = (uint8_t)(quanta >> 8);
	f[17] = (uint8_t)quanta;
}

/* Behind the rule's back: the receiver runs. */
static void filter(struct bench *b, uint32_t fctrl)
{
	ixgbe_model_poke(b->m, R_FCTRL, fctrl);
}

static uint8_t *rx_buffer(struct bench *b, unsigned i)
{
	return b->ram + RX_BUFS + 2048 * i;
}

static void test_up_everywhere(void **state)
{
	static const struct {
		uint16_t device;
		enum ixgbe_model_media media;
	} kinds[] = {{0x10fb, IXGBE_MODEL_SFP}, {0x10fb, IXGBE_MODEL_SFP_ODD},
		{0x10f7, IXGBE_MODEL_KX4}, {0x1528, IXGBE_MODEL_BASE_T},
		{0x1563, IXGBE_MODEL_BASE_T}};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct bench *b = bench_new();

		b->options.device_id = kinds[i].device;
		b->options.media = kinds[i].media;
		bench_power_on(b);
		bring_up(b, 0);
		assert_int_equal(rd(b, R_LINKS) & 3u << 28, LINKS_10G);
		put_tx(b, 0, 60, 0, 0);
		wr(b, TX0 + Q_TAIL, 1);
		assert_int_equal(b->sents, 1);
		assert_true(ixgbe_model_receive(b->m, f, frame_to_us(b, f, 60, 0x88b5)));
		assert_int_equal(ixgbe_model_broken(b->m), 0);
		assert_null(ixgbe_model_first_broken(b->m, NULL));
		bench_free(b);
	}
}

static void test_receive(void **state)
{
	struct bench *b = bench_up();

	/* Padded by the sender; written back as one buffer. */
	assert_true(ixgbe_model_receive(b->m, f, frame_to_us(b, f, 50, 0x88b5)));
	assert_memory_equal(rx_buffer(b, 0), f, 50);
	assert_int_equal(rx_desc(b, 0)[2], RXD_DD | RXD_EOP);
	assert_int_equal(rx_desc(b, 0)[3], 60);
	assert_int_equal(rd(b, RX0 + Q_HEAD), 1);
	/* Filtered out, too long. */
	f[5] ^= 1;
	assert_false(ixgbe_model_receive(b->m, f, 60));
	frame_to_us(b, f, 1600, 0x88b5);
	assert_false(ixgbe_model_receive(b->m, f, 1515));
	assert_true(ixgbe_model_receive(b->m, f, 1514));
	assert_int_equal(rd(b, R_GPRC), 2);
	assert_int_equal(rd(b, R_ROC), 1);
	assert_int_equal(rd(b, R_TPR), 4);
	assert_int_equal(rd(b, R_GORCL), 64 + 1518);
	assert_int_equal(rd(b, R_GORCL + 4), 0);
	assert_int_equal(rd(b, R_GPRC), 0);
	bench_free(b);
}

static void test_jumbo_spans(void **state)
{
	struct bench *b = bench_up();

	set(b, R_HLREG0, HLREG0_JUMBO);
	wr(b, R_MAXFRS, 9022u << 16);
	frame_to_us(b, f, 5000, 0x88b5);
	assert_true(ixgbe_model_receive(b->m, f, 5000));
	for (unsigned i = 0; i < 3; i++) {
		assert_memory_equal(rx_buffer(b, i), f + 2048 * i, i < 2 ? 2048 : 904);
		assert_int_equal(rx_desc(b, i)[2], i < 2 ? RXD_DD : RXD_DD | RXD_EOP);
		assert_int_equal(rx_desc(b, i)[3], i < 2 ? 2048 : 904);
	}
	assert_int_equal(rx_desc(b, 3)[2], 0);
	bench_free(b);
}

/* Without leave to drop, the queue holds up the port until it gets descriptors. */
static void test_drop_or_block(void **state)
{
	struct bench *b = bench_up();

	frame_to_us(b, f, 60, 0x88b5);
	for (unsigned i = 0; i < RINGED - 1; i++)
		assert_true(ixgbe_model_receive(b->m, f, 60));
	assert_false(ixgbe_model_receive(b->m, f, 60));
	assert_int_equal(rd(b, R_QPRDC), 1);
	wr(b, RX0 + Q_SRRCTL, 2 | 1u << SRRCTL_TYPE_SHIFT);
	f[20] = 0x77;
	assert_true(ixgbe_model_receive(b->m, f, 60));
	assert_false(ixgbe_model_poll(b->m));
	give_rx(b, RINGED - 1, 2);
	assert_int_equal(rx_buffer(b, RINGED - 1)[20], 0x77);
	assert_int_equal(rd(b, RX0 + Q_HEAD), 0);
	bench_free(b);
}

static void test_packet_buffer(void **state)
{
	struct bench *b = bench_up();
	unsigned held = 0;

	wr(b, RX0 + Q_SRRCTL, 2 | 1u << SRRCTL_TYPE_SHIFT);
	wr(b, R_RXPBSIZE, 4096);
	frame_to_us(b, f, 1000, 0x88b5);
	while (ixgbe_model_receive(b->m, f, 1000))
		held++;
	assert_int_equal(held, RINGED - 1 + 4);
	assert_int_equal(rd(b, R_MPC), 1);
	bench_free(b);
}

static void test_filters(void **state)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x05};
	struct bench *b = bench_up();

	frame_to_us(b, f, 60, 0x88b5);
	memcpy(f, all, 6);
	assert_true(ixgbe_model_receive(b->m, f, 60));
	filter(b, FCTRL_MPE);
	assert_true(ixgbe_model_receive(b->m, f, 60)); /* groups are all, too */
	filter(b, 0);
	assert_false(ixgbe_model_receive(b->m, f, 60));
	memcpy(f, group, 6);
	assert_false(ixgbe_model_receive(b->m, f, 60));
	wr(b, R_MTA + 4 * (0x50 >> 5), 1u << (0x50 & 31)); /* bits 47:36 of the address: 0x050 */
	assert_false(ixgbe_model_receive(b->m, f, 60));
	wr(b, R_MCSTCTRL, MCSTCTRL_MFE);
	assert_true(ixgbe_model_receive(b->m, f, 60));
	assert_true(rx_desc(b, 2)[2] & RXD_PIF);
	f[0] = 0x04;
	assert_false(ixgbe_model_receive(b->m, f, 60));
	filter(b, FCTRL_UPE);
	assert_true(ixgbe_model_receive(b->m, f, 60));
	assert_int_equal(rd(b, R_BPRC), 2);
	assert_int_equal(rd(b, R_MPRC), 1);
	bench_free(b);
}

static void test_vlan(void **state)
{
	static const uint8_t tag[4] = {0x60, 0x64, 0x88, 0xb5};
	struct bench *b = bench_up();

	frame_to_us(b, f, 64, 0x8100);
	memcpy(f + 14, tag, sizeof(tag)); /* priority 3, VLAN 100 */
	assert_true(ixgbe_model_receive(b->m, f, 64));
	assert_int_equal(rx_desc(b, 0)[3], 64);
	set(b, RX0 + Q_CTL, CTL_VME);
	set(b, R_VLNCTRL, VLNCTRL_VFE);
	assert_false(ixgbe_model_receive(b->m, f, 64));
	wr(b, R_VFTA + 4 * (100 >> 5), 1u << (100 & 31));
	assert_true(ixgbe_model_receive(b->m, f, 64));
	assert_int_equal(rx_desc(b, 1)[3], 60 | 0x6064u << 16);
	assert_int_equal(rx_desc(b, 1)[2], RXD_DD | RXD_EOP | RXD_VP);
	assert_memory_equal(rx_buffer(b, 1), f, 12);
	assert_memory_equal(rx_buffer(b, 1) + 12, f + 16, 48);
	bench_free(b);
}

/* A driver that keeps legacy descriptors (SRRCTL.DESCTYPE 0). */
static void test_legacy_descriptors(void **state)
{
	struct bench *b = bench_up();

	wr(b, RX0 + Q_SRRCTL, 2);
	assert_true(ixgbe_model_receive(b->m, f, frame_to_us(b, f, 100, 0x88b5)));
	assert_int_equal(rx_desc(b, 0)[0], (uint32_t)(BUS + RX_BUFS));
	assert_int_equal(rx_desc(b, 0)[2], 100);
	assert_int_equal(rx_desc(b, 0)[3], RXD_DD | RXD_EOP);
	put_tx(b, 0, 100, 0, 0);
	tx_desc(b, 0)[2] = 100 | TXD_EOP | TXD_IFCS | TXD_RS;
	tx_desc(b, 0)[3] = 0;
	wr(b, TX0 + Q_TAIL, 1);
	assert_int_equal(b->sent_bytes[0], 100);
	assert_int_equal(tx_desc(b, 0)[3], TXD_DD);
	bench_free(b);
}

static void test_bad_frames(void **state)
{
	struct bench *b = bench_up();

	ixgbe_model_receive_bad(b->m, 100, false);
	ixgbe_model_receive_bad(b->m, 40, false);
	ixgbe_model_receive_bad(b->m, 40, true);
	ixgbe_model_receive_bad(b->m, 9000, false);
	ixgbe_model_receive_bad(b->m, 9000, true);
	assert_int_equal(rd(b, R_CRCERRS), 1);
	assert_int_equal(rd(b, R_RFC), 1);
	assert_int_equal(rd(b, R_RUC), 1);
	assert_int_equal(rd(b, R_RJC), 1);
	assert_int_equal(rd(b, R_ROC), 1);
	assert_int_equal(rx_desc(b, 0)[2], 0);
	bench_free(b);
}

static void test_statistics(void **state)
{
	struct bench *b = bench_up();

	ixgbe_model_poke(b->m, R_GPRC, 0xFFFFFFFF);
	ixgbe_model_poke(b->m, R_GORCL, 0xFFFFFFF0);
	frame_to_us(b, f, 60, 0x88b5);
	assert_true(ixgbe_model_receive(b->m, f, 60));
	assert_int_equal(rd(b, R_GPRC), 0xFFFFFFFF);
	assert_int_equal(rd(b, R_GORCL), 0x30);
	assert_int_equal(rd(b, R_GORCL + 4), 1);
	assert_int_equal(ixgbe_model_peek(b->m, R_GORCL), 0);
	ixgbe_model_poke(b->m, R_GORCL, 0xFFFFFFF0);
	ixgbe_model_poke(b->m, R_GORCL + 4, 0xF);
	assert_true(ixgbe_model_receive(b->m, f, 60));
	assert_int_equal(rd(b, R_GORCL), 0xFFFFFFFF);
	assert_int_equal(rd(b, R_GORCL + 4), 0xF);
	/* Counts of queue 0 go where RQSMR says. */
	wr(b, R_RQSMR, 5);
	assert_true(ixgbe_model_receive(b->m, f, 60));
	assert_int_equal(rd(b, R_QPRC), 2);
	assert_int_equal(rd(b, R_QPRC + 5 * 0x40), 1);
	assert_int_equal(rd(b, R_PRC64), 3);
	bench_free(b);
}

static void test_link(void **state)
{
	struct bench *b = bench_up();

	ixgbe_model_set_link(b->m, false);
	assert_int_equal(rd(b, R_LINKS) & LINKS_UP, 0);
	assert_true(rd(b, R_EICR) & EICR_LSC);
	assert_false(ixgbe_model_receive(b->m, f, frame_to_us(b, f, 60, 0x88b5)));
	/* What is given meanwhile leaves when the link is back. */
	put_tx(b, 0, 60, 0, 0);
	wr(b, TX0 + Q_TAIL, 1);
	assert_int_equal(b->sents, 0);
	ixgbe_model_set_link(b->m, true);
	assert_int_equal(rd(b, R_LINKS) & LINKS_UP, 0);
	b->us += 1000;
	assert_true(ixgbe_model_poll(b->m));
	assert_int_equal(b->sents, 1);
	assert_true(rd(b, R_LINKS) & LINKS_UP);
	/* A restart takes it down; the laser off keeps it down. */
	set(b, R_AUTOC, AUTOC_RESTART);
	assert_int_equal(rd(b, R_LINKS) & LINKS_UP, 0);
	assert_int_equal(rd(b, R_AUTOC) & AUTOC_RESTART, 0);
	assert_true(await(b, R_LINKS, LINKS_UP, LINKS_UP));
	set(b, R_ESDP, ESDP_LASER_OUT | ESDP_LASER_OFF);
	assert_int_equal(rd(b, R_LINKS) & LINKS_UP, 0);
	bench_free(b);
}

static void test_no_link(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		struct bench *b = bench_new();

		b->options.no_cable = i == 0;
		b->options.link_stuck = i == 1;
		b->options.media = i == 2 ? IXGBE_MODEL_SFP_ABSENT : IXGBE_MODEL_SFP;
		bench_power_on(b);
		assert_false(await(b, R_LINKS, LINKS_UP, LINKS_UP));
		assert_int_equal(!(rd(b, R_ESDP) & ESDP_MODULE), i == 2);
		bench_free(b);
	}
}

static void test_gone(void **state)
{
	struct bench *b = bench_up();

	ixgbe_model_remove(b->m);
	assert_int_equal(rd(b, R_STATUS), 0xFFFFFFFF);
	wr(b, R_CTRL, CTRL_RESET);
	assert_false(ixgbe_model_receive(b->m, f, 60));
	assert_false(ixgbe_model_poll(b->m));
	bench_free(b);
}

static void test_gated(void **state)
{
	struct bench *b = bench_up();

	ixgbe_model_gate_dma(b->m, true);
	assert_true(ixgbe_model_receive(b->m, f, frame_to_us(b, f, 60, 0x88b5)));
	put_tx(b, 0, 60, 0, 0);
	wr(b, TX0 + Q_TAIL, 1);
	assert_int_equal(rx_desc(b, 0)[2], 0);
	assert_int_equal(b->sents, 0);
	ixgbe_model_gate_dma(b->m, false);
	assert_true(ixgbe_model_poll(b->m));
	assert_int_equal(rx_desc(b, 0)[2], RXD_DD | RXD_EOP);
	assert_int_equal(b->sents, 1);
	bench_free(b);
}

/* Bus reset: as after power on; queues are off, the link comes back by itself. */
static void test_bus_reset(void **state)
{
	struct bench *b = bench_up();

	ixgbe_model_bus_reset(b->m);
	assert_int_equal(rd(b, RX0 + Q_CTL), 0);
	assert_int_equal(rd(b, R_MAXFRS), 0x05EE0000);
	bring_up(b, 0);
	assert_true(ixgbe_model_receive(b->m, f, frame_to_us(b, f, 60, 0x88b5)));
	bench_free(b);
}

/* Software's reset leaves tables as they are, and after power on that is anything. */
static void test_tables_survive(void **state)
{
	struct bench *b = bench_new();

	bench_power_on(b);
	assert_int_not_equal(rd(b, R_MTA), 0);
	assert_int_not_equal(rd(b, R_VFTA), 0);
	bring_up(b, 0);
	wr(b, R_MTA, 0x1234);
	wr(b, R_MAXFRS, 9000u << 16);
	reset_steps(b, 0);
	assert_int_equal(rd(b, R_MTA), 0x1234);
	assert_int_equal(rd(b, R_MAXFRS), 0x05EE0000);
	assert_int_equal(rd(b, R_RAL), 0x82000002);
	bench_free(b);
}

static void test_flow_control_sent(void **state)
{
	struct bench *b = bench_up();

	wr(b, RX0 + Q_SRRCTL, 2 | 1u << SRRCTL_TYPE_SHIFT);
	wr(b, R_FCRTH, 1u << 31 | 4096);
	wr(b, R_FCRTL, 1u << 31 | 1024);
	wr(b, R_FCTTV, 0x0203);
	frame_to_us(b, f, 1000, 0x88b5);
	for (unsigned i = 0; i < RINGED + 4; i++)
		assert_true(ixgbe_model_receive(b->m, f, 1000));
	assert_int_equal(b->sents, 0); /* FCCFG does not say so */
	wr(b, R_FCCFG, FCCFG_TFCE);
	assert_true(ixgbe_model_receive(b->m, f, 1000));
	assert_true(ixgbe_model_receive(b->m, f, 1000));
	assert_int_equal(b->sents, 1);
	assert_memory_equal(b->sent[0] + 12, "\x88\x08\x00\x01\x02\x03", 6);
	give_rx(b, RINGED - 1, RINGED - 2);
	assert_int_equal(b->sents, 2);
	assert_memory_equal(b->sent[1] + 12, "\x88\x08\x00\x01\x00\x00", 6);
	assert_int_equal(rd(b, R_LXOFFTXC), 1);
	assert_int_equal(rd(b, R_LXONTXC), 1);
	bench_free(b);
}

static void test_flow_control_obeyed(void **state)
{
	struct bench *b = bench_up();

	filter(b, FCTRL_MPE);
	frame_to_us(b, f, 60, 0x8808);
	store_pause(1000);
	assert_true(ixgbe_model_receive(b->m, f, 60)); /* a frame like any other */
	set(b, R_MFLCN, MFLCN_RFCE | MFLCN_DPF);
	assert_false(ixgbe_model_receive(b->m, f, 60));
	put_tx(b, 0, 60, 0, 0);
	wr(b, TX0 + Q_TAIL, 1);
	assert_int_equal(b->sents, 0);
	b->us += 60; /* 1,000 times 51.2 ns */
	assert_true(ixgbe_model_poll(b->m));
	assert_int_equal(b->sents, 1);
	assert_int_equal(rd(b, R_LXOFFRXC), 1);
	f[15] = 2; /* some other MAC control frame */
	assert_false(ixgbe_model_receive(b->m, f, 60));
	set(b, R_MFLCN, MFLCN_PMCF);
	assert_true(ixgbe_model_receive(b->m, f, 60));
	bench_free(b);
}

static void test_rx_lies(void **state)
{
	struct bench *b = bench_up();

	ixgbe_model_options(b->m)->rx_lies = true;
	assert_true(ixgbe_model_receive(b->m, f, frame_to_us(b, f, 60, 0x88b5)));
	assert_int_equal(rx_desc(b, 0)[3] & 0xFFFF, 2048 + 4096);
	bench_free(b);
}

/* Wherever a wait has no end, the bit never comes. */
static void test_stuck(void **state)
{
	struct bench *b = bench_new();

	b->options.autoread_stuck = b->options.dma_init_stuck = b->options.master_stuck = true;
	b->options.rx_enable_stuck = b->options.tx_enable_stuck = b->options.eerd_stuck = true;
	b->options.reset_stuck = true;
	bench_power_on(b);
	assert_false(await(b, R_EEC, EEC_AUTOREAD, EEC_AUTOREAD));
	assert_false(await(b, R_EEMNGCTL, EEMNGCTL_DONE0, EEMNGCTL_DONE0));
	assert_false(await(b, R_RDRXCTL, RDRXCTL_INIT_DONE, RDRXCTL_INIT_DONE));
	set(b, R_CTRL, CTRL_MASTER_OFF);
	assert_false(await(b, R_STATUS, STATUS_MASTER_ON, 0));
	wr(b, R_EERD, EERD_START);
	assert_false(await(b, R_EERD, EERD_DONE, EERD_DONE));
	ring_place(b, RX0, RX_RING);
	set(b, RX0 + Q_CTL, CTL_ENABLE);
	assert_false(await(b, RX0 + Q_CTL, CTL_ENABLE, CTL_ENABLE));
	wr(b, R_CTRL, CTRL_RESET);
	b->us += 20000;
	assert_false(await(b, R_CTRL, CTRL_RESET, 0));
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up_everywhere),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_jumbo_spans),
		cmocka_unit_test(test_drop_or_block),
		cmocka_unit_test(test_packet_buffer),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_legacy_descriptors),
		cmocka_unit_test(test_bad_frames),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_no_link),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_gated),
		cmocka_unit_test(test_bus_reset),
		cmocka_unit_test(test_tables_survive),
		cmocka_unit_test(test_flow_control_sent),
		cmocka_unit_test(test_flow_control_obeyed),
		cmocka_unit_test(test_rx_lies),
		cmocka_unit_test(test_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
