/* What is around the engines of the model of an 82599: EEPROM, module, PHY, interrupts. */
#include "test/unit/ixgbe_model_fixture.h"

static uint8_t f[64];

static uint16_t eeprom(struct bench *b, unsigned at)
{
	wr(b, R_EERD, at << 2 | EERD_START);
	assert_true(await(b, R_EERD, EERD_DONE, EERD_DONE));
	return (uint16_t)(rd(b, R_EERD) >> 16);
}

/* 6.2.1: with what pointers 3 to 0x0E point to. */
static uint16_t eeprom_sum(struct bench *b)
{
	uint16_t sum = 0;

	for (unsigned i = 0; i <= 0x3F; i++)
		sum = (uint16_t)(sum + eeprom(b, i));
	for (unsigned i = 3; i < 0xF; i++) {
		uint16_t p = eeprom(b, i), n = p && p != 0xFFFF ? eeprom(b, p) : 0;

		for (unsigned k = 1; k <= n; k++)
			sum = (uint16_t)(sum + eeprom(b, p + k));
	}
	return sum;
}

/* A flow's hash and its command are the one pair of registers that may be written at once. */
static void test_a_pair(void **state)
{
	struct bench *b = bench_up();

	ixgbe_model_write(b->m, R_FDIRHASH, 8, UINT64_C(0x1122334455667788));
	assert_int_equal(rd(b, R_FDIRHASH), 0x55667788);
	assert_int_equal(rd(b, R_FDIRHASH + 4), 0x11223344);
	bench_free(b);
}

static void test_eeprom(void **state)
{
	struct bench *b = bench_up();

	assert_int_equal(eeprom_sum(b), 0xBABA);
	ixgbe_model_options(b->m)->checksum_bad = true;
	assert_int_not_equal(eeprom_sum(b), 0xBABA);
	assert_true(rd(b, R_FWSM) & FWSM_CHECKSUM);
	bench_free(b);
}

static void take_phy(struct bench *b)
{
	assert_int_equal(rd(b, R_SWSM) & SWSM_SMBI, 0);
	assert_int_equal(rd(b, R_SWSM) & SWSM_SMBI, SWSM_SMBI);
	set(b, R_SWSM, SWSM_SWESMBI);
	set(b, R_SW_FW_SYNC, SYNC_PHY0);
	clear(b, R_SWSM, SWSM_SMBI | SWSM_SWESMBI);
	assert_int_equal(rd(b, R_SWSM) & SWSM_SMBI, 0);
}

static void i2c_lines(struct bench *b, bool scl, bool sda)
{
	wr(b, R_I2CCTL, (scl ? I2C_CLOCK_OUT : 0) | (sda ? I2C_DATA_OUT : 0));
}

static bool i2c_bit(struct bench *b, bool sda)
{
	bool in;

	i2c_lines(b, false, sda);
	i2c_lines(b, true, sda);
	in = rd(b, R_I2CCTL) & I2C_DATA_IN;
	i2c_lines(b, false, sda);
	return in;
}

static void i2c_start(struct bench *b)
{
	i2c_lines(b, false, true);
	i2c_lines(b, true, true);
	i2c_lines(b, true, false);
	i2c_lines(b, false, false);
}

/* True: acknowledged. */
static bool i2c_put(struct bench *b, uint8_t v)
{
	for (unsigned i = 0; i < 8; i++)
		i2c_bit(b, v << i & 0x80);
	return !i2c_bit(b, true);
}

static int module_byte(struct bench *b, uint8_t page, uint8_t at)
{
	unsigned v = 0;

	i2c_start(b);
	if (!i2c_put(b, page) || !i2c_put(b, at))
		return -1;
	i2c_start(b);
	if (!i2c_put(b, page | 1))
		return -1;
	for (unsigned i = 0; i < 8; i++)
		v = v << 1 | i2c_bit(b, true);
	i2c_bit(b, true); /* no more */
	i2c_lines(b, false, false);
	i2c_lines(b, true, false);
	i2c_lines(b, true, true);
	return (int)v;
}

static void test_module(void **state)
{
	static const enum ixgbe_model_media media[] = {
		IXGBE_MODEL_SFP, IXGBE_MODEL_SFP_ODD, IXGBE_MODEL_SFP_ABSENT};

	for (unsigned i = 0; i < 3; i++) {
		struct bench *b = bench_new();

		b->options.media = media[i];
		bench_power_on(b);
		take_phy(b);
		assert_int_equal(module_byte(b, 0xA0, 0), i < 2 ? 0x03 : -1);
		assert_int_equal(module_byte(b, 0xA0, 3), i == 0 ? 0x10 : i == 1 ? 0 : -1);
		assert_int_equal(module_byte(b, 0xA0, 39), i == 0 ? 0x21 : i == 1 ? 0x56 : -1);
		assert_int_equal(module_byte(b, 0xA2, 0), -1);
		bench_free(b);
	}
}

static uint16_t mdio(struct bench *b, uint32_t code, unsigned device, unsigned at, uint16_t v)
{
	uint32_t to = device << 16 | at | MSCA_COMMAND;

	wr(b, R_MSRWD, v);
	wr(b, R_MSCA, to);
	assert_true(await(b, R_MSCA, MSCA_COMMAND, 0));
	wr(b, R_MSCA, to | code << 26);
	assert_true(await(b, R_MSCA, MSCA_COMMAND, 0));
	return (uint16_t)(rd(b, R_MSRWD) >> 16);
}

static void test_phy(void **state)
{
	struct bench *b = bench_new();

	b->options.device_id = 0x1528;
	bench_power_on(b);
	bring_up(b, 0);
	rd(b, R_SWSM);
	assert_int_equal(rd(b, R_SW_FW_SYNC) & SYNC_REGSMP, 0);
	wr(b, R_SW_FW_SYNC, SYNC_PHY0);
	clear(b, R_SWSM, SWSM_SMBI);
	assert_int_equal(mdio(b, 3, 1, 2, 0), 0x0154);
	assert_int_equal(mdio(b, 3, 7, 1, 0) & 0x24, 0x24);
	mdio(b, 1, 7, 0, 0x1200); /* restart */
	assert_int_equal(rd(b, R_LINKS) & LINKS_UP, 0);
	assert_int_equal(mdio(b, 3, 7, 0, 0), 0x1000);
	assert_true(await(b, R_LINKS, LINKS_UP, LINKS_UP));
	mdio(b, 1, 0x1E, 0, 0x0800); /* low power */
	assert_int_equal(rd(b, R_LINKS) & LINKS_UP, 0);
	bench_free(b);
}

static struct bench *bench_irq(uint32_t gpie)
{
	struct bench *b = bench_new();

	b->options.house = false;
	bench_power_on(b);
	bring_up(b, 0);
	wr(b, R_GPIE, gpie);
	wr(b, R_IVAR, 0x8180); /* receive: 0, transmit: 1 */
	wr(b, R_IVAR_MISC, 0x8200);
	wr(b, R_EICR, 0x7FFFFFFF);
	return b;
}

static void test_msix(void **state)
{
	struct bench *b = bench_irq(GPIE_MSIX | GPIE_EIAME | GPIE_OCD);

	wr(b, R_EIAC, 0xFFFF);
	wr(b, R_EIAM_EX, 0xFFFFFFFF);
	wr(b, R_EIMS, EICR_LSC);
	wr(b, R_EIMS_EX, 3);
	frame_to_us(b, f, 60, 0x88b5);
	assert_true(ixgbe_model_receive(b->m, f, 60));
	assert_int_equal(b->vectors[0], 1);
	assert_true(ixgbe_model_receive(b->m, f, 60)); /* masked by its message */
	assert_int_equal(b->vectors[0], 1);
	wr(b, R_EIMS_EX, 1);
	assert_int_equal(b->vectors[0], 2);
	wr(b, R_EIMS_EX, 1);
	assert_int_equal(b->vectors[0], 2);
	put_tx(b, 0, 60, 0, 0);
	wr(b, TX0 + Q_TAIL, 1);
	assert_int_equal(b->vectors[1], 1);
	ixgbe_model_set_link(b->m, false);
	assert_int_equal(b->vectors[2], 1);
	assert_true(rd(b, R_EICS) & EICR_LSC);
	wr(b, R_EICR, EICR_LSC);
	assert_false(rd(b, R_EICR) & EICR_LSC);
	/* Throttled: 200 us after the last. */
	wr(b, R_EITR, 100u << 3);
	wr(b, R_EICS_EX, 1);
	wr(b, R_EIMS_EX, 1);
	assert_int_equal(b->vectors[0], 3);
	wr(b, R_EICS_EX, 1);
	wr(b, R_EIMS_EX, 1);
	assert_int_equal(b->vectors[0], 3);
	b->us += 200;
	assert_true(ixgbe_model_poll(b->m));
	assert_int_equal(b->vectors[0], 4);
	bench_free(b);
}

/* Without MSI-X, and by polling EICR alone. */
static void test_one_interrupt(void **state)
{
	struct bench *b = bench_irq(0);

	assert_true(ixgbe_model_receive(b->m, f, frame_to_us(b, f, 60, 0x88b5)));
	assert_int_equal(b->vectors[0], 0);
	assert_int_equal(rd(b, R_EICR), 1);
	assert_int_equal(rd(b, R_EICR), 0);
	wr(b, R_EIMS, 3);
	put_tx(b, 0, 60, 0, 0);
	wr(b, TX0 + Q_TAIL, 1);
	assert_int_equal(b->vectors[0], 1);
	assert_int_equal(rd(b, R_EICR), 2);
	wr(b, R_EIMC, 3);
	assert_true(ixgbe_model_receive(b->m, f, 60));
	assert_int_equal(b->vectors[0], 1);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pair),
		cmocka_unit_test(test_eeprom),
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_phy),
		cmocka_unit_test(test_msix),
		cmocka_unit_test(test_one_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
