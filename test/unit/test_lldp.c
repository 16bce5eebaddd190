/* LLDP: what is read, refused, remembered and said. */
#include "test/unit/stack_fixture.h"

static uint8_t frame[1600];
static uint32_t length;

static void begin(void)
{
	static const uint8_t head[] = {
		1, 0x80, 0xc2, 0, 0, 0x0e, 0x52, 0x54, 0, 0, 0, 0x10, 0x88, 0xcc};

	memcpy(frame, head, sizeof head);
	length = sizeof head;
}

static void part(unsigned type, const void *value, uint32_t n)
{
	store_be16(frame + length, (uint16_t)(type << 9 | n));
	memcpy(frame + length + 2, value, n);
	length += 2 + n;
}

/* The three mandatory parts, of the station with this last byte. */
static void mandatory(uint8_t who, uint16_t ttl)
{
	uint8_t chassis[7] = {4, 2, 2, 2, 2, 2, who},
		seconds[2] = {(uint8_t)(ttl >> 8), (uint8_t)ttl};

	begin();
	part(1, chassis, 7);
	part(2, "\5ge-0/0/1", 9);
	part(3, seconds, 2);
}

static void receive(struct fixture *f, unsigned port)
{
	fix_receive(f, port, frame, length, PUNT_LLDP);
}

static struct lldp_settings settings(bool enabled)
{
	struct lldp_settings set;

	memset(&set, 0, sizeof set);
	set.enabled = enabled;
	strcpy(set.name, "router");
	strcpy(set.description, "barewire 1");
	strcpy(set.port_description[0], "to core");
	strcpy(set.port_description[1], "eth1");
	return set;
}

static struct fixture *started(void)
{
	struct fixture *f = fix_new_resolved();
	struct lldp_settings set = settings(true);

	strcpy(f->iface[0].name, "eth0");
	strcpy(f->iface[1].name, "eth1");
	lldp_configure(&f->s, &set, f->now_ms);
	fix_wait(f, 20);
	return f;
}

static unsigned known(struct fixture *f, unsigned port)
{
	unsigned n = 0;

	for (unsigned k = 0; k < LLDP_NEIGHBORS; k++)
		n += f->s.lldp.port[port].neighbor[k].used;
	return n;
}

/* What is sent is what can be read again. */
static void test_sent(void **state)
{
	struct fixture *f = started();
	struct lldp_message m;

	assert_int_equal(f->sent_n, 2);
	for (unsigned port = 0; port < 2; port++) {
		const struct sent *s = &f->sent[port];

		assert_int_equal(s->port, port);
		assert_int_equal(load_be16(s->frame + 12), 0x88cc);
		assert_memory_equal(s->frame + 6, f->iface[port].mac, 6);
		assert_true(lldp_parse(s->frame, s->len, &m));
		assert_int_equal(m.chassis.subtype, 4);
		assert_memory_equal(m.chassis.byte, f->iface[0].mac, 6);
		assert_int_equal(m.port_id.len, 4);
		assert_memory_equal(m.port_id.byte, port ? "eth1" : "eth0", 4);
		assert_int_equal(m.ttl_s, 120);
		assert_memory_equal(m.name.text, "router", 6);
		assert_memory_equal(m.description.text, "barewire 1", 10);
		assert_memory_equal(m.port_description.text, port ? "eth1" : "to core", 4);
		assert_int_equal(m.capabilities, LLDP_ROUTER);
		assert_int_equal(m.enabled, LLDP_ROUTER);
		assert_int_equal(m.address_family, 1);
		assert_int_equal(load_be32(m.address), port ? ROUTER1 : ROUTER0);
	}
	fix_clear(f);
	fix_wait(f, LLDP_INTERVAL_MS - 100);
	assert_int_equal(f->sent_n, 0);
	fix_wait(f, 200);
	assert_int_equal(f->sent_n, 2);
	fix_free(f);
}

/* Full texts, and no address: the frame fits, the MAC stands for it. */
static void test_sent_long(void **state)
{
	struct fixture *f = fix_new();
	struct lldp_settings set;
	struct lldp_message m;
	uint8_t out[LLDP_FRAME_MAX];

	memset(&set, 'x', sizeof set);
	memset(f->iface[0].name, 'y', sizeof f->iface[0].name);
	set.enabled = true;
	lldp_configure(&f->s, &set, f->now_ms);
	f->iface[0].addrs = 0;
	assert_true(lldp_build(&f->s, 0, 120, out) <= sizeof out);
	assert_true(lldp_parse(out, lldp_build(&f->s, 0, 120, out), &m));
	assert_int_equal(m.address_family, 6);
	assert_int_equal(m.name.len, LLDP_TEXT_MAX);
	f->iface[0].addrs = 1;
	f->iface[0].addrs6 = 1;
	f->iface[0].addr6[0] = (struct iface_addr6){
		.address = {0xfd00000000000000ull, 1}, .length = 64, .state = ADDR6_VALID};
	assert_true(lldp_build(&f->s, 0, 120, out) <= sizeof out);
	f->iface[0].addrs6 = 0;
	fix_free(f);
}

static void test_neighbor(void **state)
{
	struct fixture *f = started();
	const struct lldp_message *m = &f->s.lldp.port[1].neighbor[0].said;

	fix_clear(f);
	mandatory(7, 10);
	part(5, "switch", 6);
	part(6, "some\033[2Jthing", 13);
	part(7, "\0\024\0\020", 4);
	part(8, "\5\1\300\0\2\1\2\0\0\0\1\0", 12);
	part(127, "\0\22\17\1xxx", 7);
	part(0, "", 0);
	memset(frame + length, 0x55, 20); /* padding is not looked at */
	length += 20;
	receive(f, 1);
	assert_int_equal(f->delivered, 1);
	assert_int_equal(known(f, 1), 1);
	assert_int_equal(known(f, 0), 0);
	assert_int_equal(m->name.len, 6);
	assert_int_equal(m->enabled, 0x10);
	assert_int_equal(load_be32(m->address), 0xc0000201);
	fix_wait(f, LLDP_FAST_MS + 20); /* it is new: told soon */
	assert_int_equal(f->sent_n, 1);
	/* heard again: still one, and it lives longer */
	fix_wait(f, 5000);
	receive(f, 1);
	fix_wait(f, 8000);
	assert_int_equal(known(f, 1), 1);
	fix_wait(f, 2100);
	assert_int_equal(known(f, 1), 0);
	assert_int_equal(f->s.lldp.aged, 1);
	fix_free(f);
}

/* A time of 0: goodbye; also when we are switched off. */
static void test_goodbye(void **state)
{
	struct fixture *f = started();
	struct lldp_settings off = settings(false);
	struct lldp_message m;

	mandatory(7, 100);
	receive(f, 0);
	mandatory(8, 0);
	receive(f, 0);
	assert_int_equal(known(f, 0), 1);
	mandatory(7, 0);
	receive(f, 0);
	assert_int_equal(known(f, 0), 0);
	fix_clear(f);
	lldp_farewell(&f->s, 1);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(f->sent[0].port, 1);
	assert_true(lldp_parse(f->sent[0].frame, f->sent[0].len, &m));
	assert_int_equal(m.ttl_s, 0);
	fix_wait(f, 10); /* we are still there */
	assert_int_equal(f->sent_n, 2);
	assert_true(lldp_parse(f->sent[1].frame, f->sent[1].len, &m));
	assert_int_equal(m.ttl_s, LLDP_TTL_S);
	fix_clear(f);
	mandatory(7, 100);
	receive(f, 0);
	lldp_configure(&f->s, &off, f->now_ms);
	assert_int_equal(f->sent_n, 2);
	assert_true(lldp_parse(f->sent[0].frame, f->sent[0].len, &m));
	assert_int_equal(m.ttl_s, 0);
	assert_int_equal(known(f, 0), 0);
	receive(f, 0);
	assert_int_equal(f->drops[DROP_MULTICAST], 1);
	fix_wait(f, 2 * LLDP_INTERVAL_MS);
	assert_int_equal(f->sent_n, 2);
	fix_free(f);
}

/* More than there is room for: the first stay, another port has its own room. */
static void test_too_many(void **state)
{
	struct fixture *f = started();

	for (unsigned i = 0; i < 100; i++) {
		mandatory((uint8_t)i, 100);
		receive(f, 0);
	}
	mandatory(200, 100);
	receive(f, 1);
	assert_int_equal(known(f, 0), LLDP_NEIGHBORS);
	assert_int_equal(known(f, 1), 1);
	assert_int_equal(f->s.lldp.refused, 100 - LLDP_NEIGHBORS);
	assert_int_equal(f->s.lldp.port[0].neighbor[0].said.chassis.byte[5], 0);
	fix_free(f);
}

/* The link goes: so do its neighbours; it comes: we speak at once. */
static void test_link(void **state)
{
	struct fixture *f = started();

	mandatory(7, 1000);
	receive(f, 0);
	f->iface[0].link = false;
	fix_wait(f, 20);
	assert_int_equal(known(f, 0), 0);
	fix_clear(f);
	f->iface[0].link = true;
	fix_wait(f, 20);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(f->sent[0].port, 0);
	fix_free(f);
}

static void test_malformed(void **state)
{
	struct fixture *f = started();
	unsigned bad = 0;

#define BAD()                                                                                      \
	do {                                                                                       \
		receive(f, 0);                                                                     \
		assert_int_equal(f->drops[DROP_LLDP_MALFORMED], ++bad);                            \
		assert_int_equal(known(f, 0), 0);                                                  \
	} while (0)
	begin(); /* nothing */
	BAD();
	part(1, "\4abcdef", 7); /* no port */
	BAD();
	part(3, "\0\1", 2); /* not in order */
	BAD();
	begin();
	part(1, "\4", 1); /* no identifier */
	part(2, "\5x", 2);
	part(3, "\0\1", 2);
	BAD();
	begin();
	part(1, "\4abcdef", 7);
	part(2, "\5x", 2);
	part(3, "\1", 1); /* short time */
	BAD();
	mandatory(7, 10);
	part(1, "\4abcdef", 7); /* twice */
	BAD();
	mandatory(7, 10);
	part(0, "x", 1); /* an end with something in it */
	BAD();
	mandatory(7, 10);
	part(5, "switch", 6);
	length -= 1; /* beyond the frame */
	BAD();
	mandatory(7, 10);
	frame[length++] = 10; /* half a header */
	BAD();
	/* an identifier of 255 bytes is the longest */
	static const uint8_t full[257] = {7};

	begin();
	part(1, full, 257);
	part(2, "\5x", 2);
	part(3, "\0\1", 2);
	BAD();
	begin();
	part(1, full, 256);
	part(2, "\5x", 2);
	part(3, "\0\1", 2);
	receive(f, 0);
	assert_int_equal(known(f, 0), 1);
	fix_free(f);
}

/* Optional parts that are not valid are left out. */
static void test_odd_optional(void **state)
{
	struct lldp_message m;

	mandatory(7, 10);
	part(7, "\0", 1);
	part(8, "", 0);
	part(8, "\1\1", 2);
	part(8, "\5\1\1\1\1\1", 6);                                   /* no interface number */
	part(8, "\40\1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 42); /* too long */
	part(5, "", 0);
	assert_true(lldp_parse(frame, length, &m));
	assert_int_equal(m.address_len, 0);
	assert_int_equal(m.name.len, 0);
	assert_int_equal(m.enabled, 0);
}

/* Mutated frames: nothing is read behind their end. */
static void test_random(void **state)
{
	struct fixture *f = started();
	uint32_t x = 1;

	for (unsigned i = 0; i < 100000; i++) {
		mandatory((uint8_t)(i % 20), (uint16_t)(i % 300));
		part(5, "switch", 6);
		part(8, "\5\1\300\0\2\1\2\0\0\0\1\0", 12);
		part(0, "", 0);
		for (unsigned k = 0; k < 3; k++) {
			x = x * 1664525 + 1013904223;
			frame[14 + (x >> 8) % (length - 14)] = (uint8_t)(x >> 24);
		}
		x = x * 1664525 + 1013904223;
		if (x >> 31)
			length = 14 + (x >> 8) % (length - 13);
		receive(f, (x >> 4) & 1);
		f->now_ms += 13;
		if (i % 50 == 0)
			stack_tick(&f->s, f->now_ms);
	}
	assert_true(f->drops[DROP_LLDP_MALFORMED] > 1000);
	assert_true(f->s.lldp.aged > 100);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sent),
		cmocka_unit_test(test_sent_long),
		cmocka_unit_test(test_neighbor),
		cmocka_unit_test(test_goodbye),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_odd_optional),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
