/* Every rule of the model of an 82599 is broken by a program made for it, and no other rule with
 * it. */
#include "test/unit/ixgbe_model_fixture.h"

static uint8_t f[2048];

static void receive_one(struct bench *b)
{
	ixgbe_model_receive(b->m, f, frame_to_us(b, f, 60, 0x88b5));
}

static void send_one(struct bench *b)
{
	put_tx(b, 0, 60, 0, 0);
	wr(b, TX0 + Q_TAIL, 1);
}

/* A context in descriptor 0, then the packet in descriptor 1. */
static void send_shaped(struct bench *b, uint32_t lengths, uint32_t options)
{
	uint32_t *c = tx_desc(b, 0);

	c[0] = lengths;
	c[1] = 0;
	c[2] = TXD_CONTEXT | TXD_DEXT | TXC_IP4 | TXC_TCP;
	c[3] = 0;
	put_tx(b, 1, 60, 0, options);
	wr(b, TX0 + Q_TAIL, 2);
}

static void take_swsm(struct bench *b)
{
	assert_int_equal(rd(b, R_SWSM) & SWSM_SMBI, 0);
	set(b, R_SWSM, SWSM_SWESMBI);
}

static void take_phy(struct bench *b)
{
	take_swsm(b);
	set(b, R_SW_FW_SYNC, SYNC_PHY0);
	clear(b, R_SWSM, SWSM_SMBI | SWSM_SWESMBI);
}

static void access_width(struct bench *b)
{
	assert_int_equal(ixgbe_model_read(b->m, R_STATUS, 2), 0xFFFF);
	ixgbe_model_write(b->m, R_CTRL + 2, 4, 0);
	assert_int_equal(ixgbe_model_read(b->m, UINT64_C(0x100000000), 4), 0xFFFFFFFF);
}

static void write_read_only(struct bench *b)
{
	wr(b, R_STATUS, 0);
	wr(b, R_GPRC, 0);
}

static void reset_access(struct bench *b)
{
	set(b, R_CTRL, CTRL_MASTER_OFF);
	assert_true(await(b, R_STATUS, STATUS_MASTER_ON, 0));
	wr(b, R_CTRL, CTRL_RESET);
	rd(b, R_STATUS); /* a flush is no breach */
	rd(b, R_RXCTRL);
}

static void ring_alignment(struct bench *b)
{
	wr(b, RX(1) + Q_BAL, 0x1040);
}

static void ring_length(struct bench *b)
{
	wr(b, RX(1) + Q_LEN, 100);
	wr(b, RX(2) + Q_CTL, CTL_ENABLE);
	assert_true(await(b, RX(2) + Q_CTL, CTL_ENABLE, CTL_ENABLE));
}

static void ring_moved(struct bench *b)
{
	wr(b, TX0 + Q_BAL, 0x1000);
}

static void ring_head(struct bench *b)
{
	wr(b, RX0 + Q_HEAD, 0);
	wr(b, RX(1) + Q_HEAD, 3);
}

static void rdt_before_enable(struct bench *b)
{
	wr(b, RX(1) + Q_TAIL, 0);
	wr(b, RX(1) + Q_TAIL, 5);
}

static void rdt_beyond_ring(struct bench *b)
{
	wr(b, RX0 + Q_TAIL, RINGED);
}

static void rdt_overrun(struct bench *b)
{
	wr(b, RX0 + Q_TAIL, RINGED - 2);
}

static void tdt_before_enable(struct bench *b)
{
	wr(b, TX0 + 0x40 + Q_TAIL, 1);
}

static void tdt_beyond_ring(struct bench *b)
{
	wr(b, TX0 + Q_TAIL, 4000);
}

static void tdt_overrun(struct bench *b)
{
	ixgbe_model_options(b->m)->tx_by_poll = true;
	wr(b, TX0 + Q_TAIL, 10);
	wr(b, TX0 + Q_TAIL, 0); /* one more than it may be */
}

static void rx_buffer_size_zero(struct bench *b)
{
	wr(b, RX0 + Q_SRRCTL, 1u << SRRCTL_TYPE_SHIFT);
	give_rx(b, RINGED - 1, RINGED - 1);
}

static void rx_dd_left(struct bench *b)
{
	receive_one(b);
	rx_desc(b, RINGED - 1)[2] = RXD_DD;
	wr(b, RX0 + Q_TAIL, 0);
}

static void rx_descriptor_changed(struct bench *b)
{
	rx_desc(b, 0)[0] += 2048;
	receive_one(b);
	assert_int_equal(rx_desc(b, 0)[2], RXD_DD | RXD_EOP);
	assert_memory_equal(b->ram + RX_BUFS, f, 60); /* where the device had been told */
}

static void tx_descriptor_changed(struct bench *b)
{
	ixgbe_model_options(b->m)->tx_by_poll = true;
	send_one(b);
	tx_desc(b, 0)[0] += 4096;
	ixgbe_model_poll(b->m);
}

static void dma_unmapped(struct bench *b)
{
	put_tx(b, 0, 60, 0, 0);
	tx_desc(b, 0)[1] = 0;
	wr(b, TX0 + Q_TAIL, 1);
	assert_int_equal(b->sents, 0);
	rx_desc(b, RINGED - 1)[1] = 0x7777;
	rx_desc(b, RINGED - 1)[2] = 0;
	receive_one(b);
	wr(b, RX0 + Q_TAIL, 0);
	for (unsigned i = 0; i < RINGED; i++)
		receive_one(b);
	assert_int_equal(b->fired, 2);
}

static void tx_descriptor_type(struct bench *b)
{
	put_tx(b, 0, 60, 0, 0);
	tx_desc(b, 0)[2] ^= 0x00400000;
	wr(b, TX0 + Q_TAIL, 1);
}

static void tx_context_missing(struct bench *b)
{
	put_tx(b, 0, 60, 0, TXD_TXSM);
	wr(b, TX0 + Q_TAIL, 1);
}

static void tx_paylen(struct bench *b)
{
	put_tx(b, 0, 60, 0, 0);
	tx_desc(b, 0)[3] = 61u << 14;
	wr(b, TX0 + Q_TAIL, 1);
}

static void tx_size(struct bench *b)
{
	put_tx(b, 0, 16, 0, 0);
	wr(b, TX0 + Q_TAIL, 1);
}

static void tx_headers(struct bench *b)
{
	send_shaped(b, 2u << 9 | 20, TXD_IXSM);
}

static void nothing(struct bench *b)
{
}

static void sync_without_swsm(struct bench *b)
{
	wr(b, R_SW_FW_SYNC, SYNC_PHY0);
}

static void sync_stolen(struct bench *b)
{
	take_swsm(b);
	ixgbe_model_options(b->m)->semaphore_stuck = true;
	wr(b, R_SW_FW_SYNC, SYNC_PHY0);
}

static void i2c_without_semaphore(struct bench *b)
{
	wr(b, R_I2CCTL, I2C_CLOCK_OUT);
}

static void mdio_without_semaphore(struct bench *b)
{
	wr(b, R_MSCA, MSCA_COMMAND);
}

static void nvm_without_semaphore(struct bench *b)
{
	wr(b, R_EERD, EERD_START);
}

static void mdio_busy(struct bench *b)
{
	take_phy(b);
	wr(b, R_MSCA, MSCA_COMMAND);
	wr(b, R_MSCA, MSCA_COMMAND);
}

static void eerd_busy(struct bench *b)
{
	wr(b, R_EERD, EERD_START);
	wr(b, R_EERD, EERD_START);
}

static void not_modelled(struct bench *b)
{
	set(b, R_RTTDCS, RTTDCS_ARBDIS);
	wr(b, R_MTQC, 1);
}

static void unknown_register(struct bench *b)
{
	rd(b, 0x70000);
}

static void reserved_bits(struct bench *b)
{
	set(b, RX0 + Q_CTL, 1u << 28);
}

static void interrupt_enabled(struct bench *b)
{
	wr(b, R_EIMS, 1);
}

static void rss_late(struct bench *b)
{
	wr(b, R_RETA, 0x03020100);
}

static void fctrl_late(struct bench *b)
{
	wr(b, R_FCTRL, rd(b, R_FCTRL)); /* no change */
	assert_int_equal(b->fired, 0);
	set(b, R_FCTRL, FCTRL_UPE);
}

static void tx_threshold(struct bench *b)
{
	wr(b, R_TXPBTHRESH, 160);
	wr(b, TX0 + 0x40 + Q_LEN, 16 * RINGED);
	wr(b, TX0 + 0x40 + Q_CTL, CTL_ENABLE);
}

static void host_threshold(struct bench *b)
{
	wr(b, TX0 + 0x40 + Q_LEN, 16 * RINGED);
	wr(b, TX0 + 0x40 + Q_CTL, CTL_ENABLE | 32);
}

static void tx_no_fcs(struct bench *b)
{
	put_tx(b, 0, 64, 0, 0);
	tx_desc(b, 0)[2] &= ~TXD_IFCS;
	wr(b, TX0 + Q_TAIL, 1);
	assert_int_equal(b->sent_bytes[0], 60);
}

static void semaphore_kept(struct bench *b)
{
	take_swsm(b);
	b->us += 900000;
	ixgbe_model_poll(b->m);
	assert_int_equal(b->fired, 0);
	b->us += 200000;
	ixgbe_model_poll(b->m);
}

static void statistic_twice(struct bench *b)
{
	receive_one(b);
	assert_int_equal(rd(b, R_GPRC), 1);
	assert_int_equal(rd(b, R_GPRC), 0);
}

static void octets_order(struct bench *b)
{
	receive_one(b);
	rd(b, R_GORCL + 4);
}

/* The step of the book that is left out, the program after it, the rule. */
static const struct wrong {
	const char *rule;
	void (*program)(struct bench *b);
	unsigned omit;
	uint16_t device;
} wrongs[] = {
	{"access-width", access_width, 0, 0},
	{"write-read-only", write_read_only, 0, 0},
	{"reset-access", reset_access, 0, 0},
	{"ring-alignment", ring_alignment, 0, 0},
	{"ring-length", ring_length, 0, 0},
	{"ring-moved", ring_moved, 0, 0},
	{"ring-head", ring_head, 0, 0},
	{"rdt-before-enable", rdt_before_enable, 0, 0},
	{"rdt-beyond-ring", rdt_beyond_ring, 0, 0},
	{"rdt-overrun", rdt_overrun, 0, 0},
	{"tdt-before-enable", tdt_before_enable, 0, 0},
	{"tdt-beyond-ring", tdt_beyond_ring, 0, 0},
	{"tdt-overrun", tdt_overrun, 0, 0},
	{"rx-buffer-size-zero", rx_buffer_size_zero, 0, 0},
	{"rx-dd-left", rx_dd_left, 0, 0},
	{"rx-descriptor-changed", rx_descriptor_changed, 0, 0},
	{"tx-descriptor-changed", tx_descriptor_changed, 0, 0},
	{"dma-unmapped", dma_unmapped, 0, 0},
	{"tx-descriptor-type", tx_descriptor_type, 0, 0},
	{"tx-context-missing", tx_context_missing, 0, 0},
	{"tx-paylen", tx_paylen, 0, 0},
	{"tx-size", tx_size, 0, 0},
	{"tx-headers", tx_headers, 0, 0},
	{"mtqc-arbiter", nothing, OMIT_ARBITER, 0},
	{"arbiter-left-off", send_one, OMIT_ARBITER_ON, 0},
	{"sync-without-swsm", sync_without_swsm, 0, 0},
	{"sync-stolen", sync_stolen, 0, 0},
	{"i2c-without-semaphore", i2c_without_semaphore, 0, 0},
	{"mdio-without-semaphore", mdio_without_semaphore, 0, 0x1528},
	{"nvm-without-semaphore", nvm_without_semaphore, 0, 0x1528},
	{"mdio-busy", mdio_busy, 0, 0},
	{"eerd-busy", eerd_busy, 0, 0},
	{"not-modelled", not_modelled, 0, 0},
	{"unknown-register", unknown_register, 0, 0},
	{"reserved-bits", reserved_bits, 0, 0},
	{"reset-settle", nothing, OMIT_SETTLE, 0},
	{"reset-without-master-off", nothing, OMIT_MASTER, 0},
	{"autoread-unawaited", nothing, OMIT_AUTOREAD, 0},
	{"config-unawaited", nothing, OMIT_CONFIG, 0},
	{"dma-init-unawaited", nothing, OMIT_DMA, 0},
	{"interrupt-enabled", interrupt_enabled, 0, 0},
	{"crc-strip-halves", nothing, OMIT_STRIP, 0},
	{"rsc-bits", nothing, OMIT_RSC, 0},
	{"fcrth-zero", nothing, OMIT_FCRTH, 0},
	{"ftqf-left", nothing, OMIT_FTQF, 0},
	{"tx-threshold", tx_threshold, 0, 0},
	{"fctrl-late", fctrl_late, 0, 0},
	{"host-threshold", host_threshold, 0, 0},
	{"rxen-before-rings", nothing, OMIT_RINGS, 0},
	{"rxen-path-running", nothing, OMIT_HALT, 0},
	{"ns-dis-missing", receive_one, OMIT_NS_DIS, 0},
	{"dca-rxctrl-bit12", receive_one, OMIT_BIT12, 0},
	{"rdt-unpolled", nothing, OMIT_RX_LOOK, 0},
	{"tdt-unpolled", send_one, OMIT_TX_LOOK, 0},
	{"txdctl-before-te", nothing, OMIT_TE, 0},
	{"rss-late", rss_late, 0, 0},
	{"tx-no-fcs", tx_no_fcs, 0, 0},
	{"semaphore-kept", semaphore_kept, 0, 0},
	{"statistic-twice", statistic_twice, 0, 0},
	{"octets-order", octets_order, 0, 0},
};

static const struct wrong *wrong_of(const char *rule)
{
	for (unsigned i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		if (!strcmp(wrongs[i].rule, rule))
			return &wrongs[i];
	}
	return NULL;
}

static struct bench *run(const struct wrong *w, bool house)
{
	struct bench *b = bench_new();

	b->options.house = house;
	b->options.device_id = w->device;
	b->expected = w->rule;
	bench_power_on(b);
	bring_up(b, w->omit);
	w->program(b);
	return b;
}

static void test_each_rule_fires(void **state)
{
	for (unsigned i = 0; i < ixgbe_model_rules_count; i++) {
		const struct wrong *w = wrong_of(ixgbe_model_rules[i].name);
		struct bench *b;
		const char *what = "";

		if (!w) {
			fail_msg("no wrong program for rule %s", ixgbe_model_rules[i].name);
			return;
		}
		b = run(w, true);
		if (!b->fired)
			fail_msg("rule %s did not fire; %s", w->rule, b->report);
		assert_string_equal(ixgbe_model_first_broken(b->m, &what), w->rule);
		assert_true(what[0]);
		if (b->others)
			fail_msg("beside rule %s: %s", w->rule, b->report);
		assert_int_equal(ixgbe_model_broken(b->m), b->fired);
		ixgbe_model_forgive(b->m);
		assert_int_equal(ixgbe_model_broken(b->m), 0);
		bench_free(b);
	}
}

/* A rule of the house binds nobody else. */
static void test_house_is_quiet(void **state)
{
	for (unsigned i = 0; i < ixgbe_model_rules_count; i++) {
		const struct wrong *w = wrong_of(ixgbe_model_rules[i].name);
		struct bench *b;

		if (!ixgbe_model_rules[i].house || !w || w->program == semaphore_kept)
			continue;
		b = run(w, false);
		assert_int_equal(ixgbe_model_broken(b->m), 0);
		bench_free(b);
	}
}

/* A name used once, a section and a reason for each. */
static void test_rules_are_told(void **state)
{
	for (unsigned i = 0; i < ixgbe_model_rules_count; i++) {
		assert_true(ixgbe_model_rules[i].section[0]);
		assert_true(ixgbe_model_rules[i].why[0]);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(
				ixgbe_model_rules[i].name, ixgbe_model_rules[k].name);
	}
	assert_int_equal(ixgbe_model_rules_count, sizeof(wrongs) / sizeof(wrongs[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_rule_fires),
		cmocka_unit_test(test_house_is_quiet),
		cmocka_unit_test(test_rules_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
