/* The cage of the model: an SFP+ module on a bit-banged I2C bus (3.7.3.3, SFF-8472). */
#include <string.h>

#include "test/model/ixgbe_model_device.h"

enum { I2C_IDLE, I2C_RECEIVE, I2C_ACK, I2C_SEND, I2C_ACKED };

#define MODULE_ID 0xA0u /* its identity; A2h, diagnostics, has nobody */

static uint8_t sum(const uint8_t *p, unsigned n)
{
	unsigned s = 0;

	while (n--)
		s += *p++;
	return (uint8_t)s;
}

/* n characters, blanks behind. */
static void text(uint8_t *to, unsigned n, const char *from)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = *from ? (uint8_t)*from++ : ' ';
}

/* SFF-8472 rev 12, table 4-1. */
void ixgbe_model_sfp_fill(struct ixgbe_model *m)
{
	static const uint8_t intel[3] = {0x00, 0x1b, 0x21}, other[3] = {0x12, 0x34, 0x56};
	bool odd = m->options.media == IXGBE_MODEL_SFP_ODD;
	uint8_t *b = m->module;

	memset(b, 0, sizeof(m->module));
	b[0] = 0x03; /* SFP or SFP+ */
	b[1] = 0x04;
	b[2] = odd ? 0x21 : 0x07; /* connector: copper pigtail, LC */
	b[3] = odd ? 0x00 : 0x10; /* 10GBASE-SR */
	b[11] = 0x06;             /* 64B/66B */
	b[12] = 103;              /* 10.3 Gb/s */
	b[16] = 8;                /* 80 m */
	b[17] = 3;
	text(b + 20, 16, odd ? "ODD OPTICS" : "Intel Corp");
	memcpy(b + 37, odd ? other : intel, 3);
	text(b + 40, 16, odd ? "ODD-10G-X" : "FTLX8571D3BCVIT1");
	text(b + 56, 4, "A");
	b[60] = 0x03; /* 850 nm */
	b[61] = 0x52;
	b[63] = sum(b, 63);
	text(b + 68, 16, "MODEL0000000001");
	text(b + 84, 8, "240101");
	b[95] = sum(b + 64, 31);
}

static bool module_there(const struct ixgbe_model *m)
{
	return m->options.media == IXGBE_MODEL_SFP || m->options.media == IXGBE_MODEL_SFP_ODD;
}

uint32_t ixgbe_model_esdp_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t v = REG(m, at) & ~ESDP_MODULE;

	return module_there(m) ? v | ESDP_MODULE : v;
}

/* A whole byte came from the master. True: acknowledged. */
static bool take_byte(struct ixgbe_model *m, uint8_t v)
{
	struct ixgbe_model_i2c *b = &m->i2c;

	if (b->addressed) {
		b->addressed = false;
		b->page = v & 0xFE;
		b->reading = v & 1;
		b->offset = !b->reading;
		return module_there(m) && b->page == MODULE_ID;
	}
	if (b->offset) {
		b->offset = false;
		b->at = v;
		return true;
	}
	return false; /* its memory is write protected */
}

static void drive_bit(struct ixgbe_model_i2c *b)
{
	b->drive = !(b->shift >> (7 - b->bits) & 1);
}

static void send_byte(struct ixgbe_model *m)
{
	struct ixgbe_model_i2c *b = &m->i2c;

	b->shift = m->module[b->at++];
	b->bits = 0;
	b->state = I2C_SEND;
	drive_bit(b);
}

static void clock_rose(struct ixgbe_model_i2c *b)
{
	if (b->state == I2C_RECEIVE) {
		b->shift = (uint8_t)(b->shift << 1 | b->sda);
		b->bits++;
	} else if (b->state == I2C_ACKED) {
		b->nack = b->sda;
	}
}

static void clock_fell(struct ixgbe_model *m)
{
	struct ixgbe_model_i2c *b = &m->i2c;

	switch (b->state) {
	case I2C_RECEIVE:
		if (b->bits < 8)
			break;
		b->drive = take_byte(m, b->shift);
		b->state = b->drive ? I2C_ACK : I2C_IDLE;
		break;
	case I2C_ACK:
		b->drive = false;
		b->bits = 0;
		b->state = I2C_RECEIVE;
		if (b->reading)
			send_byte(m);
		break;
	case I2C_SEND:
		if (++b->bits < 8) {
			drive_bit(b);
			break;
		}
		b->drive = false;
		b->state = I2C_ACKED;
		break;
	case I2C_ACKED:
		if (b->nack)
			b->state = I2C_IDLE;
		else
			send_byte(m);
		break;
	default:
		break;
	}
}

static void check_semaphore(struct ixgbe_model *m)
{
	if (!(REG(m, R_SW_FW_SYNC) & SYNC_PHY0))
		ixgbe_model_broke(
			m, "i2c-without-semaphore", "SW_FW_SYNC 0x%x", REG(m, R_SW_FW_SYNC));
}

void ixgbe_model_i2c_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	struct ixgbe_model_i2c *b = &m->i2c;
	bool scl = v & I2C_CLOCK_OUT, sda = v & I2C_DATA_OUT;
	bool was_scl = REG(m, at) & I2C_CLOCK_OUT, was_sda = REG(m, at) & I2C_DATA_OUT;

	check_semaphore(m);
	REG(m, at) = v & (I2C_CLOCK_OUT | I2C_DATA_OUT);
	b->scl = scl;
	b->sda = sda;
	if (scl && was_scl && was_sda && !sda) { /* start */
		b->state = I2C_RECEIVE;
		b->addressed = true;
		b->bits = 0;
		b->drive = false;
	} else if (scl && was_scl && !was_sda && sda) { /* stop */
		b->state = I2C_IDLE;
		b->drive = false;
	} else if (scl && !was_scl) {
		clock_rose(b);
	} else if (!scl && was_scl) {
		clock_fell(m);
	}
}

uint32_t ixgbe_model_i2c_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t v = REG(m, at);

	if (v & I2C_CLOCK_OUT)
		v |= I2C_CLOCK_IN;
	if ((v & I2C_DATA_OUT) && !m->i2c.drive)
		v |= I2C_DATA_IN;
	return v;
}
