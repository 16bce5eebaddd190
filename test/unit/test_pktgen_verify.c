/* The generator's verification: right packets pass, every planted error is counted as what it is.
 */
#include "test/unit/pktgen_fixture.h"

#include "tools/pktgen/vhost.h"

#define PACKETS 4000u
#define MODERN  (VHOST_F_PROTOCOL_FEATURES | VHOST_BIT(VIRTIO_F_VERSION_1))
#define PACKED  (MODERN | VHOST_BIT(VIRTIO_F_RING_PACKED))

static const char *const both[] = {
	"port 0 socket a address 10.0.0.2/24 address fd00::2/64 gateway 10.0.0.1 gateway fd00::1",
	"port 1 socket b address 10.0.1.2/24 address fd01::2/64 gateway 10.0.1.1 gateway fd01::1",
	"stream four from 0 to 198.18.0.0/16 via 10.0.1.2 flows 300 size 64:2,594:1",
	"stream six from 1 to 2001:db8::/32 via fd00::2 flows 100 size imix6",
};

static struct trial t;

static int open_with(uint64_t features)
{
	rig_scenario(both, 4);
	rig_open();
	rig_start(features);
	return 0;
}

static int set_up_split(void **state)
{
	return open_with(MODERN);
}

static int set_up_packed(void **state)
{
	return open_with(PACKED);
}

static int tear_down(void **state)
{
	rig_close();
	return 0;
}

/* What is expected beside the one thing that was planted. */
static void expect(
	uint64_t lost, uint64_t reordered, uint64_t duplicate, uint64_t faulty, uint64_t corrupt)
{
	assert_int_equal(t.all.sent, PACKETS);
	assert_int_equal(t.all.unplaced, 0);
	assert_int_equal(rig.congested, 0);
	assert_int_equal(t.all.lost, lost);
	assert_int_equal(t.all.reordered, reordered);
	assert_int_equal(t.all.duplicate, duplicate);
	assert_int_equal(t.all.faulty, faulty);
	assert_int_equal(t.all.too_late, 0);
	assert_int_equal(t.corrupt, corrupt);
	assert_int_equal(t.stale, 0);
	assert_false(t.interrupted);
}

static uint64_t planted;

/* Every 97th packet is the one. */
static bool now(uint64_t number)
{
	bool it_is = number % 97 == 41;

	planted += it_is;
	return it_is;
}

static void run(unsigned (*meddle)(struct rig_frame *f, unsigned in, uint64_t number))
{
	planted = 0;
	rig.meddle = meddle;
	rig_run(PACKETS, 0, &t);
}

static void all_right(void **state)
{
	run(NULL);
	expect(0, 0, 0, 0, 0);
	assert_int_equal(t.stream[0].sent, PACKETS / 2);
	assert_int_equal(t.stream[1].received, PACKETS / 2);
	assert_int_equal(t.all.latency.samples, PACKETS);
	assert_true(t.all.latency.us[0] > 0 && t.all.latency.us[0] <= t.all.latency.max_us);
	assert_true(trial_clean(&t) && trial_loss(&t) == 0);
	/* And once more: numbers begin again. */
	run(NULL);
	expect(0, 0, 0, 0, 0);
}

static unsigned lose(struct rig_frame *f, unsigned in, uint64_t number)
{
	return !now(number);
}

static void loss(void **state)
{
	run(lose);
	assert_true(planted > 30);
	expect(planted, 0, 0, 0, 0);
	assert_int_equal(t.stream[0].lost + t.stream[1].lost, planted);
	assert_true(trial_loss(&t) == (double)planted / PACKETS);
}

static unsigned repeat(struct rig_frame *f, unsigned in, uint64_t number)
{
	return now(number) ? 2 : 1;
}

static void duplicates(void **state)
{
	run(repeat);
	expect(0, 0, planted, 0, 0);
}

/* Keeps a packet back until the next of its lane has gone. */
static unsigned delay(struct rig_frame *f, unsigned in, uint64_t number)
{
	static struct rig_frame kept;
	static bool keeps;
	unsigned lane = load_be16(f->byte + FRAME4_PAYLOAD + 2);

	if (in)
		return 1;
	if (keeps && lane == load_be16(kept.byte + FRAME4_PAYLOAD + 2)) {
		rig_transmit(f);
		rig_transmit(&kept);
		keeps = false;
		return 0;
	}
	if (!keeps && number < PACKETS / 2 - 200 && now(number)) {
		kept = *f;
		keeps = true;
		return 0;
	}
	return 1;
}

static void reorder(void **state)
{
	run(delay);
	assert_true(planted > 10);
	expect(0, planted, 0, 0, 0);
	assert_int_equal(t.stream[0].reordered, planted);
}

static unsigned other_port(struct rig_frame *f, unsigned in, uint64_t number)
{
	if (now(number))
		f->out = in;
	return 1;
}

static void wrong_port(void **state)
{
	run(other_port);
	/* They may be seen before their elders, which then come late. */
	expect(0, t.all.reordered, 0, planted, 0);
	assert_int_equal(t.all.fault[FAULT_PORT], planted);
	assert_int_equal(t.all.fault[FAULT_MAC], 0);
	assert_false(trial_clean(&t));
}

/* The TTL as it was sent, its checksum with it. */
static unsigned keep_ttl(struct rig_frame *f, unsigned in, uint64_t number)
{
	uint8_t *ip = f->byte + FRAME_ETHER;
	uint16_t check;

	if (!now(number))
		return 1;
	if (in) {
		ip[7]++;
		return 1;
	}
	ip[8]++;
	store_be16(ip + 10, 0);
	check = checksum(ip, 20);
	memcpy(ip + 10, &check, 2);
	return 1;
}

static void wrong_ttl(void **state)
{
	run(keep_ttl);
	expect(0, 0, 0, planted, 0);
	assert_int_equal(t.all.fault[FAULT_TTL], planted);
	assert_int_equal(t.all.fault[FAULT_CHECKSUM], 0);
}

static unsigned spoil_check(struct rig_frame *f, unsigned in, uint64_t number)
{
	if (!in && now(number))
		f->byte[FRAME4_IP + 11] ^= 0x10;
	return 1;
}

static void wrong_checksum(void **state)
{
	run(spoil_check);
	expect(0, 0, 0, planted, 0);
	assert_int_equal(t.stream[0].fault[FAULT_CHECKSUM], planted);
}

static unsigned spoil_mac(struct rig_frame *f, unsigned in, uint64_t number)
{
	if (now(number))
		f->byte[number % 12] ^= 1;
	return 1;
}

static void wrong_mac(void **state)
{
	run(spoil_mac);
	expect(0, 0, 0, planted, 0);
	assert_int_equal(t.all.fault[FAULT_MAC], planted);
}

/* One bit of what the UDP checksum covers. */
static unsigned spoil_payload(struct rig_frame *f, unsigned in, uint64_t number)
{
	unsigned from = in ? FRAME6_PAYLOAD + 2 : FRAME4_PAYLOAD + 2;

	if (now(number))
		f->byte[from + number % (f->bytes - from)] ^= (uint8_t)(1u << number % 8);
	return 1;
}

static void corruption(void **state)
{
	run(spoil_payload);
	/* Nobody can say whose they were: they are missing as well. */
	expect(planted, 0, 0, 0, planted);
	assert_false(trial_clean(&t));
}

/* Another source port, and a checksum that fits. */
static unsigned translate(struct rig_frame *f, unsigned in, uint64_t number)
{
	uint8_t *udp = f->byte + (in ? FRAME6_UDP : FRAME4_UDP);
	uint16_t check, from, to;

	if (!now(number))
		return 1;
	memcpy(&from, udp, 2);
	to = from ^ 0x0101;
	memcpy(udp, &to, 2);
	memcpy(&check, udp + 6, 2);
	check = checksum_update16(check, from, to);
	memcpy(udp + 6, &check, 2);
	return 1;
}

static void wrong_header(void **state)
{
	run(translate);
	expect(0, 0, 0, planted, 0);
	assert_int_equal(t.all.fault[FAULT_HEADER], planted);
}

static unsigned lengthen(struct rig_frame *f, unsigned in, uint64_t number)
{
	if (now(number))
		f->bytes += 4;
	return 1;
}

static void wrong_length(void **state)
{
	run(lengthen);
	expect(0, 0, 0, planted, 0);
	assert_int_equal(t.all.fault[FAULT_LENGTH], planted);
}

/* Not a byte of a frame can change without being seen. */
static unsigned spoil_any(struct rig_frame *f, unsigned in, uint64_t number)
{
	f->byte[number / 8 % f->bytes] ^= (uint8_t)(1u << number % 8);
	planted++;
	return 1;
}

static void every_bit(void **state)
{
	run(spoil_any);
	assert_int_equal(t.all.sent, PACKETS);
	/* Seen as wrong, as corrupt, or as no test frame at all; never as right. */
	assert_int_equal(t.all.faulty + t.corrupt + t.foreign, PACKETS);
	assert_int_equal(t.all.lost, t.corrupt + t.foreign);
}

static struct rig_frame hoard[64];
static unsigned hoarded;

static unsigned keep_some(struct rig_frame *f, unsigned in, uint64_t number)
{
	if (hoarded < 64 && now(number)) {
		hoard[hoarded++] = *f;
		return 0;
	}
	return 1;
}

/* What was given up as lost in one trial is not taken for a packet of the next. */
static void earlier_trials(void **state)
{
	unsigned kept;

	hoarded = 0;
	run(keep_some);
	kept = hoarded;
	assert_true(kept > 30);
	expect(kept, 0, 0, 0, 0);
	struct order o = {
		.traffic = &rig.traffic, .seconds = 1e6, .packets = PACKETS, .drain_s = 2};

	engine_order(&rig.engine, &o);
	rig.engine.service_at = 0;
	engine_turn(&rig.engine);
	for (unsigned i = 0; i < kept; i++)
		rig_transmit(&hoard[i]);
	rig.meddle = NULL;
	while (!engine_done(&rig.engine)) {
		rig.engine.service_at = 0;
		engine_turn(&rig.engine);
		rig_forward();
	}
	trial_sum(&rig.engine, &o, &t);
	assert_int_equal(t.stale, kept);
	assert_int_equal(t.all.lost + t.all.duplicate + t.all.faulty + t.corrupt, 0);
}

/* A device without buffers at the time a packet is due has lost it. */
static void unplaced(void **state)
{
	struct order o = {.traffic = &rig.traffic,
		.seconds = 1e6,
		.rate = 2e9,
		.packets = 4 * rig.size,
		.drain_s = 0};

	engine_order(&rig.engine, &o);
	while (!engine_done(&rig.engine)) {
		rig.engine.service_at = 0;
		engine_turn(&rig.engine); /* and nobody forwards */
	}
	trial_sum(&rig.engine, &o, &t);
	assert_int_equal(t.all.sent, 2 * rig.size);
	assert_int_equal(t.all.unplaced, 2 * rig.size);
	assert_true(trial_loss(&t) == 1);
}

#define BOTH_RINGS(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, set_up_split, tear_down),                            \
		cmocka_unit_test_setup_teardown(test, set_up_packed, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_RINGS(all_right),
		BOTH_RINGS(loss),
		BOTH_RINGS(duplicates),
		BOTH_RINGS(reorder),
		BOTH_RINGS(wrong_port),
		BOTH_RINGS(wrong_ttl),
		BOTH_RINGS(wrong_checksum),
		BOTH_RINGS(wrong_mac),
		BOTH_RINGS(corruption),
		BOTH_RINGS(wrong_header),
		BOTH_RINGS(wrong_length),
		BOTH_RINGS(every_bit),
		BOTH_RINGS(earlier_trials),
		BOTH_RINGS(unplaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
