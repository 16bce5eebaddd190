/*
 * Unit tests: igb against a register file that keeps a log. What a device does with rings is for
 * QEMU's model (test/e2e/test_igb.py); here are order, refusals, failures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "drivers/igb/igb.h"
#include "drivers/igb/igb_device.h"
#include "lib/packet.h"
#include "test/model/io.h"

#define BAR     UINT64_C(0xfe000000)
#define SLOTS   64u
#define BUFFERS 256u
#define LOG     4096u
#define POLL_US 100000u

static uint32_t reg[INTEL_BAR_BYTES / 4];
static uint16_t phy[32];
static struct {
	uint32_t at, v;
} wrote[LOG];
static unsigned writes;
static struct buffers buffers;
static struct netdev *dev;
static const char *refusal;
static bool cut;

/* Faults. */
static bool gone, reset_stuck, semaphore_taken;
static uint32_t stuck; /* RXDCTL or TXDCTL that does not come up */

/* ---------------------------------------------------------------- the device */

static void power_on(void)
{
	memset(reg, 0, sizeof reg);
	reg[IGB_STATUS / 4] = IGB_STATUS_GIO;
	reg[IGB_EECD / 4] = IGB_EECD_ARD;
	reg[IGB_EEMNGCTL / 4] = IGB_EEMNGCTL_DONE(0);
	reg[IGB_RAL(0) / 4] = 0x33221102;
	reg[IGB_RAH(0) / 4] = 0x5544 | IGB_RAH_AV;
	reg[IGB_CTRL / 4] = IGB_CTRL_VME | IGB_CTRL_FLOW;
}

static uint64_t read_register(void *ctx, uint64_t at, unsigned bytes)
{
	uint32_t v = reg[at / 4];

	assert_int_equal(bytes, 4);
	if (gone)
		return UINT32_MAX;
	if (at == IGB_SWSM)
		reg[at / 4] = v | IGB_SWSM_SMBI;
	return v;
}

static void write_mdic(uint32_t v)
{
	uint32_t at = v >> 16 & 31;

	if ((v & (3u << 26)) == IGB_MDIC_READ)
		v = (v & 0xffff0000) | phy[at];
	else
		phy[at] = (uint16_t)v;
	if (at == IGB_PHY_CONTROL && phy[at] & IGB_PHY_CONTROL_AGAIN)
		reg[IGB_STATUS / 4] |= IGB_STATUS_LU | 2u << 6;
	reg[IGB_MDIC / 4] = v | IGB_MDIC_READY;
}

static void write_register(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	assert_int_equal(bytes, 4);
	if (gone)
		return;
	assert_true(writes < LOG);
	wrote[writes].at = (uint32_t)at;
	wrote[writes++].v = (uint32_t)v;
	if (at == IGB_CTRL && v & IGB_CTRL_RST && !reset_stuck) {
		power_on();
	} else if (at == IGB_MDIC) {
		write_mdic((uint32_t)v);
	} else {
		reg[at / 4] = at == stuck ? 0 : (uint32_t)v;
		if (at == IGB_CTRL && v & IGB_CTRL_GIO_DIS)
			reg[IGB_STATUS / 4] &= ~IGB_STATUS_GIO;
	}
	if (semaphore_taken)
		reg[IGB_SWSM / 4] |= IGB_SWSM_SMBI;
}

/* ---------------------------------------------------------------- around it */

static void cut_off(void *ctx)
{
	cut = true;
}

static int set_up(void **state)
{
	model_io_reset();
	model_add_memory(BAR, INTEL_BAR_BYTES, read_register, write_register, NULL);
	power_on();
	memset(phy, 0, sizeof phy);
	phy[IGB_PHY_CONTROL] = 1u << 11;
	phy[IGB_PHY_OFFER] = 0x0de1;
	writes = 0;
	gone = reset_stuck = semaphore_taken = cut = false;
	stuck = UINT32_MAX;
	memset(&buffers, 0, sizeof buffers);
	buffers_shape(&buffers, MTU_DEFAULT);
	pool_place(&buffers, 0, model_env.alloc(NULL, (size_t)BUFFERS * buffers.stride, 64), 0);
	return 0;
}

static int tear_down(void **state)
{
	model_io_reset();
	return 0;
}

static struct netdev *open_port(unsigned pairs, uint32_t mtu)
{
	const struct intel_place place = {.registers = (volatile uint8_t *)(uintptr_t)BAR,
		.device_id = 0x10c9,
		.location = "0000:03:00.0",
		.slots = SLOTS,
		.cut_off = cut_off};
	const struct netdev_request want = {.queue_pairs = pairs, .mtu = mtu};

	dev = igb_create(&place, &want, &model_env, &refusal);
	if (dev)
		dev->buffers = &buffers;
	return dev;
}

static void poll_for(uint64_t us)
{
	for (uint64_t end = model_io.now_us + us; model_io.now_us < end;) {
		model_io.now_us += POLL_US;
		dev->ops->poll(dev);
	}
}

/* Where in the log a register was written to with these bits set, from `from` on; LOG: never. */
static unsigned when(unsigned from, uint32_t at, uint32_t bits)
{
	for (unsigned i = from; i < writes; i++)
		if (wrote[i].at == at && (wrote[i].v & bits) == bits)
			return i;
	return LOG;
}

/* ---------------------------------------------------------------- bring-up */

static void test_order(void **state)
{
	static const uint8_t mac[] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
	unsigned quiet, reset, on;

	assert_non_null(open_port(4, MTU_DEFAULT));
	assert_memory_equal(dev->mac, mac, 6);
	assert_int_equal(dev->rx_queues, 4);
	quiet = when(0, IGB_CTRL, IGB_CTRL_GIO_DIS);
	reset = when(0, IGB_CTRL, IGB_CTRL_RST);
	on = when(reset, IGB_RCTL, IGB_RCTL_RXEN);
	assert_true(when(0, IGB_EIMC, UINT32_MAX) < quiet && quiet < reset && reset < on);
	assert_int_equal(on, writes - 1);
	for (unsigned q = 0; q < 4; q++) {
		unsigned rx = when(reset, IGB_RXDCTL(q), IGB_DCTL_ENABLE);
		unsigned tx = when(reset, IGB_TXDCTL(q), IGB_DCTL_ENABLE);

		assert_true(when(reset, IGB_RDBAL(q), 0) < rx && when(reset, IGB_RDLEN(q), 0) < rx);
		assert_true(when(reset, IGB_TDBAL(q), 0) < tx && when(reset, IGB_TDLEN(q), 0) < tx);
		assert_true(when(reset, IGB_SRRCTL(q), IGB_SRRCTL_DROP | IGB_SRRCTL_ONE | 2) < rx);
		assert_true(rx < on && tx < when(reset, IGB_TCTL, IGB_TCTL_EN));
		assert_int_equal(reg[IGB_RDLEN(q) / 4], 16 * SLOTS);
		assert_int_equal(reg[IGB_RDBAL(q) / 4] & 127, 0);
	}
	assert_int_equal(when(reset, IGB_RXDCTL(4), 0), LOG);
	assert_int_equal(reg[IGB_CTRL / 4] & (IGB_CTRL_VME | IGB_CTRL_FLOW | IGB_CTRL_GIO_DIS), 0);
	assert_int_equal(reg[IGB_RLPML / 4], 2048);
	assert_int_equal(reg[IGB_RETA(31) / 4], 0x03020100);
	assert_int_equal(reg[IGB_MRQC / 4] & 7, IGB_MRQC_RSS);
	assert_int_equal(model_io.strays, 0);
}

static void test_jumbo(void **state)
{
	assert_non_null(open_port(1, 9000));
	assert_int_equal(reg[IGB_SRRCTL(0) / 4] & 127, packet_room(9000) / 1024);
	assert_int_equal(reg[IGB_RLPML / 4], packet_room(9000));
	assert_int_equal(reg[IGB_MRQC / 4], 0);
}

static void expect_refused(const char *why)
{
	assert_null(open_port(2, MTU_DEFAULT));
	assert_non_null(strstr(refusal, why));
	assert_non_null(strstr(model_io.line, why));
	assert_true(cut);
	tear_down(NULL);
	set_up(NULL);
}

static void test_refusals(void **state)
{
	gone = true;
	expect_refused("does not answer");
	reset_stuck = true;
	expect_refused("CTRL.RST");
	stuck = IGB_RXDCTL(1);
	expect_refused("RXDCTL.ENABLE");
	stuck = IGB_TXDCTL(0);
	expect_refused("TXDCTL.ENABLE");
	for (unsigned i = 0; i < 11; i++) {
		model_io.allocs_left = i;
		expect_refused("no memory");
	}
}

/* ---------------------------------------------------------------- link */

static void test_link(void **state)
{
	assert_non_null(open_port(1, MTU_DEFAULT));
	poll_for(2 * POLL_US);
	assert_true(dev->link);
	assert_int_equal(dev->speed_mbps, 1000);
	assert_int_equal(phy[IGB_PHY_OFFER] & IGB_PHY_OFFER_PAUSE, 0);
	assert_int_equal(phy[IGB_PHY_CONTROL] & IGB_PHY_CONTROL_OFF, 0);
	assert_int_equal(reg[IGB_SWSM / 4], 0);
	assert_int_equal(reg[IGB_SYNC / 4], 0);
	writes = 0;
	poll_for(1000000);
	assert_int_equal(writes, 0); /* once is enough */
	reg[IGB_STATUS / 4] &= ~IGB_STATUS_LU;
	poll_for(POLL_US);
	assert_false(dev->link);
	assert_int_equal(dev->speed_mbps, 0);
}

static void test_semaphore_taken(void **state)
{
	semaphore_taken = true;
	assert_non_null(open_port(1, MTU_DEFAULT));
	poll_for(6000000);
	assert_int_equal(when(0, IGB_MDIC, 0), LOG);
	assert_non_null(strstr(model_io.line, "SW_FW_SYNC"));
	reg[IGB_STATUS / 4] |= IGB_STATUS_LU; /* the PHY has come up by itself */
	poll_for(POLL_US);
	assert_true(dev->link);
}

/* ---------------------------------------------------------------- descriptors, failures */

/* Errors of checksums are for the parser; what the MAC found bad has no length (7.1.5.2). */
static void test_errors(void **state)
{
	static const struct {
		uint32_t status;
		unsigned bytes;
	} row[] = {{0, 64}, {1u << 29, 64}, {1u << 30, 64}, {IGB_RX_ERROR, 0}, {0x7fff0000, 64}};
	static const uint32_t index[] = {0, 1, 2, 3, 4};
	uint64_t word[BATCH_MAX];
	struct intel_rxq *rx;

	assert_non_null(open_port(1, MTU_DEFAULT));
	dev->ops->rx_fill(dev, 0, index, 5);
	assert_int_equal(reg[IGB_RDT(0) / 4], 5);
	rx = &intel_of(dev)->rx[0];
	for (unsigned i = 0; i < 5; i++)
		rx->ring[i] = (struct intel_rx_desc){
			.status = INTEL_RX_GOOD | row[i].status, .bytes = 64};
	assert_int_equal(dev->ops->rx(dev, 0, word, BATCH_MAX), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(packet_len(word[i]), row[i].bytes);
}

/* A queue that stands still: reset, frames given back, VLANs and buffers as they were. */
static void test_hang(void **state)
{
	static const uint32_t index[] = {0, 1, 2, 3, 4};
	uint64_t word[BATCH_MAX] = {packet_word(7, 60, 0)};
	unsigned reset;

	assert_non_null(open_port(1, MTU_DEFAULT));
	assert_true(dev->ops->vlan(dev, 100, true));
	dev->ops->rx_fill(dev, 0, index, 5);
	poll_for(POLL_US);
	assert_int_equal(dev->ops->tx(dev, 0, word, 1), 1);
	assert_int_equal(reg[IGB_TDT(0) / 4], 1);
	writes = 0;
	poll_for(5500000);
	assert_true(dev->failed);
	for (unsigned i = 0; i < 10 && dev->failed; i++) {
		(void)dev->ops->rx(dev, 0, word, BATCH_MAX);
		(void)dev->ops->tx_done(dev, 0, word, BATCH_MAX);
		poll_for(POLL_US);
	}
	assert_false(dev->failed);
	reset = when(0, IGB_CTRL, IGB_CTRL_RST);
	assert_int_equal(dev->ops->tx_held(dev, 0), 0);
	assert_int_equal(dev->ops->rx_held(dev, 0), 5);
	assert_int_equal(reg[IGB_VFTA(3) / 4], 1u << 4);
	assert_int_equal(reg[IGB_VFTA(0) / 4], 1);
	assert_int_equal(reg[IGB_RDT(0) / 4], 5);
	assert_true(when(reset, IGB_RXDCTL(0), IGB_DCTL_ENABLE) < when(reset, IGB_RDT(0), 5));
	poll_for(2 * POLL_US);
	assert_true(dev->link);
}

static void test_gone(void **state)
{
	assert_non_null(open_port(1, MTU_DEFAULT));
	poll_for(POLL_US);
	gone = true;
	poll_for(POLL_US);
	assert_true(dev->failed && cut && !dev->link);
	assert_non_null(strstr(dev->failure, "gone"));
}

static void test_stop(void **state)
{
	assert_non_null(open_port(1, MTU_DEFAULT));
	writes = 0;
	dev->ops->stop(dev);
	assert_true(cut && dev->failed);
	assert_true(when(0, IGB_CTRL, IGB_CTRL_RST) < LOG);
	assert_int_equal(reg[IGB_RCTL / 4], 0);
}

static void test_statistics(void **state)
{
	struct netdev_statistic s[NETDEV_STATISTICS_MAX];
	unsigned n;

	assert_non_null(open_port(2, MTU_DEFAULT));
	reg[IGB_RQDPC(0) / 4] = reg[IGB_RQDPC(1) / 4] = 1;
	reg[IGB_GOTCH / 4] = 1;
	dev->ops->poll(dev);
	reg[IGB_RQDPC(0) / 4] = reg[IGB_RQDPC(1) / 4] = 0;
	poll_for(4 * POLL_US);
	n = dev->ops->statistics(dev, s, NETDEV_STATISTICS_MAX);
	assert_int_equal(n, 16);
	assert_string_equal(s[0].name, "rx-no-descriptor");
	assert_true(s[0].lost && s[0].value == 2);
	assert_string_equal(s[14].name, "tx-bytes");
	assert_true(!s[14].lost && s[14].value == UINT64_C(1) << 32);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_jumbo, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_semaphore_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hang, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_statistics, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
