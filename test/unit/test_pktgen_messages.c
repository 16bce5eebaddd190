/* Messages of front ends, good and malformed: a clear refusal each time, and never more than that.
 */
#include "test/unit/pktgen_messages.h"

#include <fcntl.h>

static int open_files(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void a_whole_start(void **state)
{
	assert_true(front_start(&f, ALL_FEATURES, 4, 64));
	expect_served();
	for (unsigned i = 0; i < 4; i++)
		assert_true(v.queue[i].ring.live);
	assert_int_equal(v.memory.count, 1);
	assert_true(v.protocol & VHOST_PROTOCOL_F_REPLY_ACK);
	assert_int_equal(f.offered, VHOST_FEATURES);
}

/* What a front end that is older than protocol features does: rings run when they are kicked off.
 */
static void without_protocol_features(void **state)
{
	uint64_t features = VHOST_BIT(VIRTIO_F_VERSION_1);

	assert_true(front_start(&f, features, 2, 64));
	assert_true(v.queue[0].ring.live);
}

static void questions(void **state)
{
	uint64_t n;

	front_send(&f, VHOST_GET_QUEUE_NUM, NULL, 0, NULL, 0);
	assert_true(front_answer(&f, &n));
	assert_int_equal(n, 2);
	front_send(&f, VHOST_GET_MAX_MEM_SLOTS, NULL, 0, NULL, 0);
	assert_true(front_answer(&f, &n));
	assert_int_equal(n, MEMORY_REGIONS);
}

static void send_flags(uint32_t request, uint32_t flags, const void *payload, uint32_t bytes)
{
	struct vhost_header h = {request, flags, bytes};

	assert_int_equal(send(f.fd, &h, sizeof h, 0), sizeof h);
	if (bytes)
		assert_int_equal(send(f.fd, payload, bytes, 0), bytes);
	serve(NULL);
}

/* NEED_REPLY is answered by zero for what was done, by one for what is not known. */
static void acknowledgements(void **state)
{
	uint64_t n = 7, features = ALL_FEATURES;

	front_agree(&f, ALL_FEATURES);
	send_flags(VHOST_SET_FEATURES, VHOST_VERSION | VHOST_NEED_REPLY, &features, 8);
	assert_true(front_answer(&f, &n));
	assert_int_equal(n, 0);
	send_flags(77, VHOST_VERSION | VHOST_NEED_REPLY, &features, 8);
	assert_true(front_answer(&f, &n));
	assert_int_equal(n, 1);
	/* A question is answered once. */
	send_flags(VHOST_GET_FEATURES, VHOST_VERSION | VHOST_NEED_REPLY, NULL, 0);
	assert_true(front_answer(&f, &n));
	assert_int_equal(n, VHOST_FEATURES);
	assert_false(front_answer(&f, &n));
}

static void wrong_sizes(void **state)
{
	static const uint8_t zeros[VHOST_PAYLOAD_MAX];

	for (uint32_t request = 1; request < 40; request++) {
		static const uint32_t sizes[] = {1, 7, 9, 39, 41, 265, 512};

		for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			bool known = request < 19 ? request != 6 && request != 7
						  : request >= 36 && request <= 38;

			front_send(&f, request, zeros, sizes[i], NULL, 0);
			if (!known || (request == VHOST_SET_MEM_TABLE && sizes[i] >= 8 &&
					      sizes[i] <= 264)) {
				expect_served();
				again();
			} else {
				expect_refused("size is wrong");
			}
		}
	}
	send_flags(VHOST_SET_FEATURES, VHOST_VERSION, zeros, VHOST_PAYLOAD_MAX);
	expect_refused("size is wrong");
	send_flags(99, VHOST_VERSION, NULL, 0);
	expect_served();

	struct vhost_header h = {VHOST_SET_FEATURES, VHOST_VERSION, UINT32_MAX};

	assert_int_equal(send(f.fd, &h, sizeof h, 0), sizeof h);
	expect_refused("longer than any");
	send_flags(VHOST_GET_FEATURES, 2, NULL, 0);
	expect_refused("version");
}

static void in_pieces(void **state)
{
	uint64_t features = ALL_FEATURES, n;
	uint8_t whole[20];
	struct vhost_header h = {VHOST_SET_FEATURES, VHOST_VERSION, 8};

	memcpy(whole, &h, 12);
	memcpy(whole + 12, &features, 8);
	for (unsigned i = 0; i < sizeof whole; i++) {
		assert_int_equal(v.features, 0);
		assert_int_equal(send(f.fd, whole + i, 1, 0), 1);
		expect_served();
	}
	assert_int_equal(v.features, features);
	front_send(&f, VHOST_GET_FEATURES, NULL, 0, NULL, 0);
	assert_true(front_answer(&f, &n));
	/* Half a message, and then nobody. */
	assert_int_equal(send(f.fd, whole, 5, 0), 5);
	expect_served();
	close(f.fd);
	f.fd = -1;
	serve(NULL);
	assert_int_equal(v.fd, -1);
	assert_string_equal(v.reason, "");
}

static void features_not_offered(void **state)
{
	uint64_t features = ALL_FEATURES | VHOST_BIT(VIRTIO_RING_F_INDIRECT_DESC);

	front_send(&f, VHOST_SET_FEATURES, &features, 8, NULL, 0);
	expect_refused("features that were not offered");
}

/* ---- memory ---- */

static void send_region(uint64_t guest, uint64_t size, uint64_t user, uint64_t offset)
{
	struct vhost_table t = {.count = 1};

	t.region[0] = (struct vhost_region){guest, size, user, offset};
	front_send(&f, VHOST_SET_MEM_TABLE, &t, 40, &f.memfd, 1);
}

static void bad_memory(void **state)
{
	struct vhost_table t = {.count = 2};
	int fd[2];

	send_region(0, 0, 0, 0);
	expect_refused("without bytes");
	send_region(0, f.bytes + 1, 0, 0);
	expect_refused("larger than its file");
	send_region(0, 4096, 0, f.bytes);
	expect_refused("larger than its file");
	send_region(UINT64_MAX - 100, 4096, 0, 0);
	expect_refused("wraps around");
	send_region(0, 4096, UINT64_MAX - 100, 0);
	expect_refused("wraps around");
	send_region(0, 4096, 0, UINT64_MAX - 100);
	expect_refused("wraps around");
	send_region(0, UINT64_MAX, 0, 0);
	expect_refused("larger than its file");

	fd[0] = fd[1] = f.memfd;
	t.region[0] = (struct vhost_region){0x1000, 0x2000, 0x10000, 0};
	t.region[1] = (struct vhost_region){0x2000, 0x2000, 0x20000, 0};
	front_send(&f, VHOST_SET_MEM_TABLE, &t, 72, fd, 2);
	expect_refused("overlap");
	t.region[1] = (struct vhost_region){0x8000, 0x2000, 0x11000, 0};
	fd[0] = fd[1] = f.memfd;
	front_send(&f, VHOST_SET_MEM_TABLE, &t, 72, fd, 2);
	expect_refused("overlap");
	fd[0] = f.memfd;
	front_send(&f, VHOST_SET_MEM_TABLE, &t, 72, fd, 1);
	expect_refused("not as long as it says");
	t.count = 9;
	front_send(&f, VHOST_SET_MEM_TABLE, &t, sizeof t, NULL, 0);
	expect_refused("more regions");
	t.count = 1;
	front_send(&f, VHOST_SET_MEM_TABLE, &t, 8, &f.memfd, 1);
	expect_refused("not as long as it says");
	/* A file that cannot be mapped. */
	t.region[0].size = 4096;
	fd[0] = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	front_send(&f, VHOST_SET_MEM_TABLE, &t, 40, fd, 1);
	close(fd[0]);
	expect_refused("larger than its file");
}

static void slots(void **state)
{
	struct vhost_slot s = {.region = {0x1000, 0x1000, 0x100000, 0}};

	front_agree(&f, ALL_FEATURES);
	for (unsigned i = 0; i < MEMORY_REGIONS; i++) {
		s.region.guest = s.region.user = 0x10000ull * (i + 1);
		front_send(&f, VHOST_ADD_MEM_REG, &s, sizeof s, &f.memfd, 1);
		expect_served();
		assert_int_equal(v.memory.count, i + 1);
	}
	s.region.guest = s.region.user = 0x20000;
	/* Once more, and so to be removed twice. */
	front_send(&f, VHOST_ADD_MEM_REG, &s, sizeof s, &f.memfd, 1);
	front_send(&f, VHOST_REM_MEM_REG, &s, sizeof s, NULL, 0);
	expect_served();
	assert_int_equal(v.memory.count, MEMORY_REGIONS);
	assert_non_null(memory_guest(&v.memory, 0x20000, 1));
	front_send(&f, VHOST_REM_MEM_REG, &s, sizeof s, NULL, 0);
	expect_served();
	assert_int_equal(v.memory.count, MEMORY_REGIONS - 1);
	assert_null(memory_guest(&v.memory, 0x20000, 1));
	assert_non_null(memory_guest(&v.memory, 0x30000, 0x1000));
	assert_null(memory_guest(&v.memory, 0x30000, 0x1001));
	assert_null(memory_guest(&v.memory, 0x30fff, 2));
	assert_null(memory_guest(&v.memory, 0x30001, UINT64_MAX));
	front_send(&f, VHOST_ADD_MEM_REG, &s, sizeof s, &f.memfd, 1);
	s.region.guest = s.region.user = 0x10000000;
	front_send(&f, VHOST_ADD_MEM_REG, &s, sizeof s, &f.memfd, 1);
	expect_refused("more memory regions than there is room for");
	front_send(&f, VHOST_REM_MEM_REG, &s, sizeof s, NULL, 0);
	expect_refused("never added");
	front_send(&f, VHOST_ADD_MEM_REG, &s, sizeof s, NULL, 0);
	expect_refused("without a file");
}

/* The table changes under running rings: they go on where they were, or the front end goes. */
static void memory_changes(void **state)
{
	struct vhost_table t = {.count = 1};

	assert_true(front_start(&f, ALL_FEATURES, 2, 64));
	v.queue[0].ring.avail_at = 5;
	assert_true(front_share(&f));
	expect_served();
	assert_true(v.queue[0].ring.live);
	assert_int_equal(v.queue[0].ring.avail_at, 5);

	t.region[0] = (struct vhost_region){FRONT_GUEST, 4096, 0x1000, 0};
	front_send(&f, VHOST_SET_MEM_TABLE, &t, 40, &f.memfd, 1);
	expect_refused("a ring outside the shared memory");
}

/* ---- file descriptors ---- */

static void too_many_files(void **state)
{
	uint64_t zero = 0;
	int fd[20], before;

	for (unsigned i = 0; i < 20; i++)
		fd[i] = f.memfd;
	before = open_files();
	front_send(&f, VHOST_SET_FEATURES, &zero, 8, fd, 1);
	assert_int_equal(open_files(), before - 1); /* only the connection has gone */
	expect_refused("more file descriptors");
	for (unsigned i = 0; i < 20; i++)
		fd[i] = f.memfd;
	front_send(&f, VHOST_SET_VRING_KICK, &zero, 8, fd, 2);
	expect_refused("more file descriptors");
	for (unsigned i = 0; i < 20; i++)
		fd[i] = f.memfd;
	before = open_files();
	front_send(&f, VHOST_SET_MEM_TABLE, &zero, 8, fd, 20);
	assert_int_equal(open_files(), before - 1);
	expect_refused("too many files");
}

/* Starting, stopping and going leaves nothing open and nothing mapped. */
static void nothing_leaks(void **state)
{
	int before = open_files();

	for (unsigned i = 0; i < 50; i++) {
		assert_true(front_start(&f, ALL_FEATURES, 4, 64));
		again();
	}
	assert_int_equal(open_files(), before);
}

/* Random messages by the thousand; ASan and UBSan watch. */
static void noise(void **state)
{
	uint8_t payload[VHOST_PAYLOAD_MAX];

	srand(7);
	for (unsigned i = 0; i < 5000; i++) {
		uint32_t request = (uint32_t)rand() % 40,
			 bytes = (uint32_t[]){0, 8, 40, 72, 264, 9}[rand() % 6];
		unsigned fds = (unsigned)rand() % 3;
		int fd[3] = {f.memfd, f.memfd, f.memfd};

		for (unsigned k = 0; k < bytes; k++)
			payload[k] = (uint8_t)(rand() % 4 ? 0 : rand());
		if (rand() % 4 == 0) {
			uint64_t user = (uintptr_t)f.memory;

			memcpy(payload + 8, &user, 8);
		}
		front_send(&f, request, payload, bytes, fd, fds);
		serve(NULL);
		vhost_sound(&v);
		if (v.fd < 0) {
			assert_true(v.reason[0]);
			again();
		}
		uint64_t drained;

		while (front_answer(&f, &drained))
			;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_start),
		TEST(without_protocol_features),
		TEST(questions),
		TEST(acknowledgements),
		TEST(wrong_sizes),
		TEST(in_pieces),
		TEST(features_not_offered),
		TEST(bad_memory),
		TEST(slots),
		TEST(memory_changes),
		TEST(too_many_files),
		TEST(nothing_leaks),
		TEST(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
