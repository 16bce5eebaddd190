/* What the tests of reassembly share: the message that is sent, and the one that comes back. */
#ifndef TEST_UNIT_REASSEMBLY_FIXTURE_H
#define TEST_UNIT_REASSEMBLY_FIXTURE_H

#include "test/unit/stack6_fixture.h"

static uint8_t payload[65536];

/* What the fragment tests send: an echo request of `len` bytes, its checksum right. */
static inline void make_echo(uint32_t len)
{
	uint16_t check;

	for (uint32_t i = 0; i < len; i++)
		payload[i] = (uint8_t)(i * 7 + i / 256);
	memset(payload, 0, 4);
	payload[0] = 8;
	check = checksum(payload, len);
	memcpy(payload + 2, &check, 2);
}

/* The message in the fragments that were sent, IPv4's or IPv6's; its length. */
static inline uint32_t sent_payload(
	struct fixture *f, uint8_t *whole, unsigned header, uint32_t mtu)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < f->sent_n; i++) {
		const uint8_t *p = f->sent[i].frame;
		bool six = header == 48;
		uint16_t fragment = load_be16(p + (six ? 56 : 20));
		uint32_t n = f->sent[i].len - 14 - header;

		assert_true(f->sent[i].len - 14 <= mtu);
		assert_int_equal(six ? fragment & 0xfff8 : (fragment & 0x1fff) * 8, at);
		assert_int_equal(
			!!(fragment & (six ? 1 : 0x2000)), i + 1 < f->sent_n); /* more to come */
		if (six)
			assert_int_equal(load_be32(p + 58), load_be32(f->sent[0].frame + 58));
		else
			assert_int_equal(checksum(p + 14, 20), 0);
		memcpy(whole + at, p + 14 + header, n);
		at += n;
	}
	return at;
}

#endif
