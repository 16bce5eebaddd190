/* Descriptions of rings: queues, sizes, places that do not exist. */
#include "test/unit/pktgen_messages.h"

static void send_state(uint32_t request, uint32_t index, uint32_t value)
{
	struct vhost_vring_state s = {index, value};

	front_send(&f, request, &s, sizeof s, NULL, 0);
}

static void queues_that_do_not_exist(void **state)
{
	static const uint32_t requests[] = {VHOST_SET_VRING_NUM, VHOST_SET_VRING_BASE,
		VHOST_GET_VRING_BASE, VHOST_SET_VRING_ENABLE};
	static const uint32_t events[] = {
		VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR};

	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < 2; k++) {
			send_state(requests[i], k ? UINT32_MAX : 4, 1);
			expect_refused("a queue that does not exist");
		}
	for (unsigned i = 0; i < 3; i++) {
		uint64_t index = 4;

		front_send(&f, events[i], &index, 8, &f.memfd, 1);
		expect_refused("a queue that does not exist");
		index = 0; /* a file that is not there, one that should not be */
		front_send(&f, events[i], &index, 8, NULL, 0);
		expect_refused("an event without its file");
		index = VHOST_VRING_NOFD;
		front_send(&f, events[i], &index, 8, &f.memfd, 1);
		expect_refused("an event without its file");
		front_send(&f, events[i], &index, 8, NULL, 0);
		expect_served();
		again();
	}

	struct vhost_vring_addr a = {.index = 4};

	front_send(&f, VHOST_SET_VRING_ADDR, &a, sizeof a, NULL, 0);
	expect_refused("a queue that does not exist");
}

/* A ring of this size at this offset within the memory. */
static void start_at(
	uint64_t features, uint32_t size, uint64_t d, uint64_t a, uint64_t u, uint32_t base)
{
	uint64_t zero = 0, memory = (uintptr_t)f.memory;
	struct vhost_vring_addr at = {
		.descriptors = memory + d, .available = memory + a, .used = memory + u};

	front_agree(&f, features);
	front_share(&f);
	send_state(VHOST_SET_VRING_NUM, 0, size);
	send_state(VHOST_SET_VRING_BASE, 0, base);
	front_send(&f, VHOST_SET_VRING_ADDR, &at, sizeof at, NULL, 0);
	front_send(&f, VHOST_SET_VRING_KICK, &zero, 8, &f.memfd, 1);
	send_state(VHOST_SET_VRING_ENABLE, 0, 1);
}

static void bad_rings(void **state)
{
	const uint64_t packed = ALL_FEATURES | VHOST_BIT(VIRTIO_F_RING_PACKED);
	const uint64_t end = f.bytes;

	start_at(ALL_FEATURES, 256, 0, 4096, 8192, 0);
	expect_served();
	assert_true(v.queue[0].ring.live);
	again();
	start_at(ALL_FEATURES, 0, 0, 4096, 8192, 0);
	expect_refused("a size that is not allowed");
	start_at(ALL_FEATURES, 32769, 0, 4096, 8192, 0);
	expect_refused("a size that is not allowed");
	start_at(ALL_FEATURES, 100, 0, 4096, 8192, 0);
	expect_refused("no power of two");
	start_at(ALL_FEATURES, 256, 8, 4096, 8192, 0);
	expect_refused("not aligned");
	start_at(ALL_FEATURES, 256, 0, 4097, 8192, 0);
	expect_refused("not aligned");
	start_at(ALL_FEATURES, 256, 0, 4096, 8194, 0);
	expect_refused("not aligned");
	start_at(ALL_FEATURES, 256, end - 4080, 4096, 8192, 0);
	expect_refused("a ring outside the shared memory");
	start_at(ALL_FEATURES, 256, 0, end - 516, 8192, 0);
	expect_refused("a ring outside the shared memory");
	start_at(ALL_FEATURES, 256, 0, 4096, end - 2052, 0);
	expect_refused("a ring outside the shared memory");
	start_at(ALL_FEATURES, 256, 0 - (uint64_t)(uintptr_t)f.memory, 4096, 8192, 0);
	expect_refused("a ring outside the shared memory");

	start_at(packed, 100, 0, 4096, 8192, 1u << 15);
	expect_served();
	assert_true(v.queue[0].ring.live && v.queue[0].ring.is_packed);
	again();
	start_at(packed, 100, 0, 4096, 8192, 100);
	expect_refused("begins behind its end");
	start_at(packed, 100, 0, 4098, 8192, 0);
	expect_refused("not aligned");
	start_at(packed, 256, end - 4080, 4096, 8192, 0);
	expect_refused("a ring outside the shared memory");
	start_at(packed, 256, 0, end, 8192, 0);
	expect_refused("a ring outside the shared memory");
}

static void changes_while_running(void **state)
{
	assert_true(front_start(&f, ALL_FEATURES, 2, 64));
	send_state(VHOST_SET_VRING_NUM, 0, 128);
	expect_refused("a change of a ring that is running");
	assert_true(front_start(&f, ALL_FEATURES, 2, 64));
	send_state(VHOST_SET_VRING_BASE, 1, 128);
	expect_refused("a change of a ring that is running");
	assert_true(front_start(&f, ALL_FEATURES, 2, 64));
	send_state(VHOST_SET_VRING_ENABLE, 0, 0);
	expect_served();
	assert_false(v.queue[0].ring.live);
	send_state(VHOST_SET_VRING_ENABLE, 0, 1);
	assert_true(v.queue[0].ring.live);
	front_send(&f, VHOST_RESET_OWNER, NULL, 0, NULL, 0);
	expect_served();
	assert_false(v.queue[0].ring.live || v.queue[1].ring.live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queues_that_do_not_exist),
		TEST(bad_rings),
		TEST(changes_while_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
