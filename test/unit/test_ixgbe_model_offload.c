/* What is around the engines of the model of an 82599: hash, checksums, segments, EEPROM, module,
 * PHY, interrupts. */
#include "lib/byteorder.h"
#include "test/unit/ixgbe_model_fixture.h"

static uint8_t f[16384];

/* Microsoft's key, and the tables of "Verifying the RSS hash calculation". */
static const uint8_t ms_key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25,
	0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb,
	0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static const struct {
	uint8_t source[4], target[4];
	uint16_t source_port, target_port;
	uint32_t addresses, with_ports;
} vectors4[] = {
	{{66, 9, 149, 187}, {161, 142, 100, 80}, 2794, 1766, 0x323e8fc2, 0x51ccc178},
	{{199, 92, 111, 2}, {65, 69, 140, 83}, 14230, 4739, 0xd718262a, 0xc626b0ea},
	{{24, 19, 198, 95}, {12, 22, 207, 184}, 12898, 38024, 0xd2d0a5de, 0x5c2b394a},
	{{38, 27, 205, 30}, {209, 142, 163, 6}, 48228, 2217, 0x82989176, 0xafc7327f},
	{{153, 39, 163, 191}, {202, 188, 127, 2}, 44251, 1303, 0x5d1809c5, 0x10e828a2},
};

static const struct {
	uint8_t source[16], target[16];
	uint16_t source_port, target_port;
	uint32_t addresses, with_ports;
} vectors6[] = {
	{{0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 7},
		{0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1}, 2794, 1766,
		0x2cc18cd5, 0x40207d3d},
	{{0x3f, 0xfe, 0x05, 0x01, 0, 8, 0, 0, 0x02, 0x60, 0x97, 0xff, 0xfe, 0x40, 0xef, 0xab},
		{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 14230, 4739, 0x0f0c461c,
		0xdde51bbf},
	{{0x3f, 0xfe, 0x19, 0, 0x45, 0x45, 0, 3, 0x02, 0, 0xf8, 0xff, 0xfe, 0x21, 0x67, 0xcf},
		{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0, 0xf8, 0xff, 0xfe, 0x21, 0x67, 0xcf}, 44251,
		38024, 0x4b61e985, 0x02d1feef},
};

static uint16_t sum_of(const uint8_t *p, unsigned n, uint32_t sum)
{
	for (unsigned i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return (uint16_t)sum;
}

/* TCP over IPv4 to the device with right checksums; n bytes of data. */
static unsigned tcp4(struct bench *b, const uint8_t *source, const uint8_t *target, unsigned n)
{
	frame_to_us(b, f, 54 + n, 0x0800);
	memset(f + 14, 0, 40);
	f[14] = 0x45;
	store_be16(f + 16, (uint16_t)(40 + n));
	f[22] = 64;
	f[23] = 6;
	memcpy(f + 26, source, 4);
	memcpy(f + 30, target, 4);
	store_be16(f + 24, (uint16_t)~sum_of(f + 14, 20, 0));
	f[46] = 0x50;
	store_be16(f + 50, (uint16_t)~sum_of(f + 34, 20 + n, sum_of(f + 26, 8, 6 + 20 + n)));
	return 54 + n;
}

static unsigned udp6(struct bench *b, const uint8_t *source, const uint8_t *target)
{
	frame_to_us(b, f, 66, 0x86dd);
	memset(f + 14, 0, 48);
	f[14] = 0x60;
	store_be16(f + 18, 12);
	f[20] = 17;
	memcpy(f + 22, source, 16);
	memcpy(f + 38, target, 16);
	store_be16(f + 58, 12);
	store_be16(f + 60, (uint16_t)~sum_of(f + 54, 12, sum_of(f + 22, 32, 17 + 12)));
	return 66;
}

/* A bench with RSS over queues 0 and 1; RETA sends by the lowest bit of the hash. */
static struct bench *bench_rss(uint32_t fields)
{
	struct bench *b = bench_new();

	bench_power_on(b);
	reset_steps(b, 0);
	tables_clear(b, 0);
	for (unsigned i = 0; i < 10; i++) {
		uint32_t v;

		memcpy(&v, ms_key + 4 * i, 4);
		wr(b, R_RSSRK + 4 * i, v);
	}
	wr(b, R_MRQC, 1 | fields);
	wr(b, R_RXCSUM, RXCSUM_PCSD);
	rx_steps(b, 0);
	tx_steps(b, 0);
	assert_true(await(b, R_LINKS, LINKS_UP, LINKS_UP));
	return b;
}

static void test_rss_vectors(void **state)
{
	struct bench *b = bench_rss(MRQC_IP4 | MRQC_TCP4 | MRQC_IP6 | MRQC_UDP6);
	unsigned i = 0;

	for (unsigned k = 0; k < sizeof(vectors4) / sizeof(vectors4[0]); k++, i++) {
		unsigned n = tcp4(b, vectors4[k].source, vectors4[k].target, 6);

		store_be16(f + 34, vectors4[k].source_port);
		store_be16(f + 36, vectors4[k].target_port);
		assert_true(ixgbe_model_receive(b->m, f, n));
		assert_int_equal(rx_desc(b, i)[1], vectors4[k].with_ports);
		assert_int_equal(rx_desc(b, i)[0], RXD_IP4 | RXD_TCP | 1);
	}
	for (unsigned k = 0; k < 2; k++, i++) {
		tcp4(b, vectors4[k].source, vectors4[k].target, 6);
		store_be16(f + 20, 0x2000); /* a fragment has no ports */
		assert_true(ixgbe_model_receive(b->m, f, 60));
		assert_int_equal(rx_desc(b, i)[1], vectors4[k].addresses);
		assert_int_equal(rx_desc(b, i)[0], RXD_IP4 | 2);
	}
	for (unsigned k = 0; k < sizeof(vectors6) / sizeof(vectors6[0]); k++, i++) {
		unsigned n = udp6(b, vectors6[k].source, vectors6[k].target);

		store_be16(f + 54, vectors6[k].source_port);
		store_be16(f + 56, vectors6[k].target_port);
		assert_true(ixgbe_model_receive(b->m, f, n));
		assert_int_equal(rx_desc(b, i)[1], vectors6[k].with_ports);
		assert_int_equal(rx_desc(b, i)[0], RXD_IP6 | RXD_UDP | 8);
	}
	udp6(b, vectors6[0].source, vectors6[0].target);
	f[20] = 59;
	assert_true(ixgbe_model_receive(b->m, f, 66));
	assert_int_equal(rx_desc(b, i)[1], vectors6[0].addresses);
	bench_free(b);
}

/* A queue that is not enabled loses what RETA sends there; ARP goes to queue 0. */
static void test_rss_queue(void **state)
{
	struct bench *b = bench_rss(MRQC_IP4);
	uint32_t hash = vectors4[0].addresses & 127;

	ixgbe_model_poke(b->m, R_RETA + (hash & ~3u), 1u << 8 * (hash & 3));
	ixgbe_model_poke(b->m, R_RQSMR, 0x0100);
	tcp4(b, vectors4[0].source, vectors4[0].target, 6);
	assert_false(ixgbe_model_receive(b->m, f, 60));
	assert_int_equal(rd(b, R_QPRDC + 0x40), 1);
	tcp4(b, vectors4[1].source, vectors4[1].target, 6);
	assert_true(ixgbe_model_receive(b->m, f, 60));
	assert_true(ixgbe_model_receive(b->m, f, frame_to_us(b, f, 60, 0x0806)));
	assert_int_equal(rx_desc(b, 1)[0], 0);
	bench_free(b);
}

static void test_rx_checksums(void **state)
{
	static const uint8_t a[4] = {10, 0, 0, 1}, c[4] = {10, 0, 0, 2};
	struct bench *b = bench_up();
	unsigned n = tcp4(b, a, c, 101);

	assert_true(ixgbe_model_receive(b->m, f, n));
	assert_int_equal(rx_desc(b, 0)[2], RXD_DD | RXD_EOP | RXD_IPCS | RXD_L4CS);
	f[60] ^= 1;
	assert_true(ixgbe_model_receive(b->m, f, n));
	assert_int_equal(rx_desc(b, 1)[2], RXD_DD | RXD_EOP | RXD_IPCS | RXD_L4CS | RXD_ERR_L4);
	f[22]--;
	assert_true(ixgbe_model_receive(b->m, f, n));
	assert_true(rx_desc(b, 2)[2] & RXD_ERR_IP);
	assert_int_equal(rd(b, R_XEC), 2);
	/* A length beyond the frame: nothing is said of it. */
	store_be16(f + 16, 2000);
	assert_true(ixgbe_model_receive(b->m, f, n));
	assert_int_equal(rx_desc(b, 3)[2], RXD_DD | RXD_EOP);
	n = udp6(b, vectors6[0].source, vectors6[0].target);
	assert_true(ixgbe_model_receive(b->m, f, n));
	assert_int_equal(rx_desc(b, 4)[2], RXD_DD | RXD_EOP | RXD_UDPCS | RXD_L4CS);
	bench_free(b);
}

static void put_context(struct bench *b, uint32_t lengths, uint32_t type, uint32_t mss)
{
	uint32_t *c = tx_desc(b, 0);

	c[0] = lengths;
	c[1] = 0;
	c[2] = TXD_CONTEXT | TXD_DEXT | type;
	c[3] = mss;
}

static void test_tx_checksums_and_tag(void **state)
{
	static const uint8_t a[4] = {10, 0, 0, 1}, c[4] = {10, 0, 0, 2};
	struct bench *b = bench_up();
	unsigned n = tcp4(b, a, c, 101);
	uint8_t *p = b->ram + TX_BUFS + 4096;

	memcpy(p, f, n);
	store_be16(p + 24, 0);
	store_be16(p + 50, sum_of(p + 26, 8, 6 + 20 + 101));
	put_context(b, 14u << 9 | 20 | 0x6064u << 16, TXC_IP4 | TXC_TCP, 0);
	put_tx(b, 1, n, TXD_VLE, TXD_IXSM | TXD_TXSM | TXD_CC);
	wr(b, TX0 + Q_TAIL, 2);
	assert_int_equal(b->sent_bytes[0], n + 4);
	assert_memory_equal(b->sent[0], f, 12);
	assert_memory_equal(b->sent[0] + 12, "\x81\x00\x60\x64", 4);
	assert_memory_equal(b->sent[0] + 16, f + 12, n - 12);
	/* Only what asked for it is reported. */
	assert_int_equal(tx_desc(b, 0)[3], 0);
	assert_int_equal(tx_desc(b, 1)[3], TXD_DD);
	assert_int_equal(rd(b, R_GPTC), 1);
	assert_int_equal(rd(b, R_GOTCL), n + 8);
	assert_int_equal(rd(b, TX0 + Q_HEAD), 2);
	bench_free(b);
}

/* 3,000 bytes of TCP leave as three segments that a receiver finds right. */
static void test_tx_segments(void **state)
{
	static const uint8_t a[4] = {10, 0, 0, 1}, c[4] = {10, 0, 0, 2};
	struct bench *b = bench_up();
	unsigned n = tcp4(b, a, c, 3000);
	uint8_t *p = b->ram + TX_BUFS + 4096;

	memcpy(p, f, n);
	p[47] = 0x19; /* ACK, PSH, FIN */
	store_be16(p + 16, 0);
	store_be16(p + 24, 0);
	store_be16(p + 50, sum_of(p + 26, 8, 6));
	put_context(b, 14u << 9 | 20, TXC_IP4 | TXC_TCP, 1400u << 16 | 20u << 8);
	put_tx(b, 1, n, TXD_TSE, TXD_IXSM | TXD_TXSM);
	tx_desc(b, 1)[3] = 3000u << 14 | TXD_IXSM | TXD_TXSM;
	wr(b, TX0 + Q_TAIL, 2);
	assert_int_equal(b->sents, 3);
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *s = b->sent[i];
		unsigned data = i < 2 ? 1400 : 200;

		assert_int_equal(b->sent_bytes[i], 54 + data);
		assert_int_equal(load_be16(s + 16), 40 + data);
		assert_int_equal(load_be16(s + 18), i);
		assert_int_equal(load_be32(s + 38), 1400 * i);
		assert_int_equal(s[47], i < 2 ? 0x10 : 0x19);
		assert_int_equal(sum_of(s + 14, 20, 0), 0xFFFF);
		assert_int_equal(
			sum_of(s + 34, 20 + data, sum_of(s + 26, 8, 6 + 20 + data)), 0xFFFF);
		assert_memory_equal(s + 54, f + 54 + 1400 * i, data);
	}
	bench_free(b);
}

/* Two buffers, one packet; it waits for its end. Then a head written back. */
static void test_tx_buffers(void **state)
{
	struct bench *b = bench_up();

	put_tx(b, 0, 40, 0, 0);
	tx_desc(b, 0)[2] &= ~(TXD_EOP | TXD_RS);
	tx_desc(b, 0)[3] = 100u << 14;
	wr(b, TX0 + Q_TAIL, 1);
	assert_int_equal(b->sents, 0);
	put_tx(b, 1, 60, 0, 0);
	tx_desc(b, 1)[3] = 0;
	b->ram[TX_BUFS + 4096] = 0x77;
	wr(b, TX0 + Q_TAIL, 2);
	assert_int_equal(b->sent_bytes[0], 100);
	assert_int_equal(b->sent[0][40], 0x77);
	ixgbe_model_poke(b->m, TX0 + Q_WBAH, (uint32_t)(BUS >> 32));
	ixgbe_model_poke(b->m, TX0 + Q_WBAL, (uint32_t)(BUS + TX_RING + 0x800) | 1);
	put_tx(b, 2, 60, 0, 0);
	wr(b, TX0 + Q_TAIL, 3);
	assert_int_equal(*word(b, TX_RING + 0x800), 3);
	assert_int_equal(tx_desc(b, 2)[3], 60u << 14);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rss_vectors),
		cmocka_unit_test(test_rss_queue),
		cmocka_unit_test(test_rx_checksums),
		cmocka_unit_test(test_tx_checksums_and_tag),
		cmocka_unit_test(test_tx_segments),
		cmocka_unit_test(test_tx_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
