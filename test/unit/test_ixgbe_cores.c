/*
 * Unit tests: cores that use the queues of an ixgbe device while the control core resets it again
 * and again. Registers are one at a time; rings are as on a machine.
 */
#include "test/unit/ixgbe_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define CORES  4u
#define SHARE  (BUFFERS / CORES)
#define RESETS 20u
#define POLLS  100000u /* at most */
#define FRAMES 8u      /* of each queue, between two polls */
#define TRIES  100u

static pthread_mutex_t bus;
static bool ending;

struct core {
	pthread_t thread;
	unsigned queue;
	uint32_t spare[BUFFERS];
	unsigned spares;
	uint64_t moved;
};

static struct core core[CORES];

static uint64_t bus_read(void *ctx, uint64_t at, unsigned bytes)
{
	pthread_mutex_lock(&bus);
	uint64_t v = ixgbe_model_read(ctx, at, bytes);

	pthread_mutex_unlock(&bus);
	return v;
}

static void bus_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	pthread_mutex_lock(&bus);
	ixgbe_model_write(ctx, at, bytes, v);
	pthread_mutex_unlock(&bus);
}

static void bus_poll(void *ctx)
{
	pthread_mutex_lock(&bus);
	ixgbe_model_poll(ctx);
	forget_sent();
	pthread_mutex_unlock(&bus);
}

/* A worker's turn: receives, sends the same on, completes, refills. */
static void turn(struct core *c)
{
	uint64_t word[BATCH_MAX];
	unsigned n = dev->ops->rx(dev, c->queue, word, 16), posted, room;

	posted = n ? dev->ops->tx(dev, c->queue, word, n) : 0;
	for (unsigned i = posted; i < n; i++)
		c->spare[c->spares++] = packet_index(word[i]);
	c->moved += posted;
	n = dev->ops->tx_done(dev, c->queue, word, BATCH_MAX);
	for (unsigned i = 0; i < n; i++)
		c->spare[c->spares++] = packet_index(word[i]);
	room = dev->ops->rx_room(dev, c->queue);
	n = room < c->spares ? room : c->spares;
	c->spares -= n;
	dev->ops->rx_fill(dev, c->queue, c->spare + c->spares, n);
}

static void *work(void *arg)
{
	struct core *c = arg;

	while (!load_acquire(&ending)) {
		turn(c);
		sched_yield();
	}
	return NULL;
}

/* Frames for whatever queue, some of which the device does not send. */
static void traffic(uint32_t *seed)
{
	uint8_t frame[64];

	pthread_mutex_lock(&bus);
	for (unsigned i = 0; i < FRAMES * CORES; i++) {
		make_frame(frame, sizeof frame, i);
		frame[12] = 0x08;
		frame[13] = 0x00;
		frame[14] = 0x45;
		frame[16] = frame[20] = frame[21] = 0; /* no fragment */
		frame[17] = 50;
		frame[23] = 253;
		for (unsigned k = 26; k < 34; k++)
			frame[k] = (uint8_t)draw(seed);
		ixgbe_model_receive(model, frame, sizeof frame);
	}
	pthread_mutex_unlock(&bus);
}

static void start_cores(void)
{
	store_release(&ending, false);
	spares = 0; /* they have them */
	for (unsigned i = 0; i < CORES; i++) {
		core[i].queue = i;
		core[i].moved = core[i].spares = 0;
		while (core[i].spares < SHARE) {
			core[i].spare[core[i].spares] = i * SHARE + core[i].spares;
			core[i].spares++;
		}
		assert_int_equal(pthread_create(&core[i].thread, NULL, work, &core[i]), 0);
	}
}

static void stop_cores(void)
{
	store_release(&ending, true);
	for (unsigned i = 0; i < CORES; i++) {
		pthread_join(core[i].thread, NULL);
		for (unsigned k = 0; k < core[i].spares; k++)
			spare[spares++] = core[i].spare[k];
	}
}

/* Has a core yet to answer? The driver gives up on those that stand still, as none does here. */
static bool awaits_core(void)
{
	const struct intel_port *x = intel_of(dev);

	for (unsigned q = 0; q < CORES && dev->failed; q++)
		if (load_acquire(&x->rx_answer[q]) != x->requests ||
			load_acquire(&x->tx_answer[q]) != x->requests)
			return true;
	return false;
}

/* The control core's; time passes for it only as fast as cores can follow. */
static void poll_once(void)
{
	if (awaits_core())
		usleep(100);
	else
		model_io.now_us += POLL_US;
	dev->ops->poll(dev);
	sched_yield();
}

static void test_resets_under_load(void **state)
{
	uint32_t seed = 1;
	unsigned failures = 0;

#ifdef __SANITIZE_THREAD__
	skip(); /* the model writes rings as a device does, without a word of C's about it */
#endif
	make_machine(1500);
	model_add_memory(BAR, IXGBE_MODEL_BAR_BYTES, bus_read, bus_write, model);
	model_io.tick = bus_poll;
	want.queue_pairs = CORES;
	open_up(64);
	start_cores();
	for (unsigned i = 0; i < POLLS && failures < RESETS; i++) {
		if (!awaits_core())
			traffic(&seed);
		poll_once();
		if (i % 25 == 24 && !load_once(&dev->failed)) {
			intel_fail(intel_of(dev), "for a test", false);
			failures++;
		}
	}
	for (unsigned i = 0; i < POLLS && (load_once(&dev->failed) || !dev->link); i++)
		poll_once();
	assert_int_equal(failures, RESETS);
	assert_false(dev->failed);
	assert_true(dev->link);
	stop_cores();
	expect_none_lost();
	for (unsigned i = 0; i < CORES; i++)
		assert_true(core[i].moved > 0);
	/* Each queue still works. */
	refill_all();
	for (unsigned q = 0; q < CORES; q++) {
		uint64_t word[BATCH_MAX];
		unsigned n = 0;

		for (unsigned i = 0; i < TRIES && !n; i++) {
			traffic(&seed);
			n = dev->ops->rx(dev, q, word, BATCH_MAX);
		}
		assert_true(n > 0);
		assert_int_equal(dev->ops->tx(dev, q, word, n), n);
		ixgbe_model_poll(model);
		complete(q);
		assert_int_equal(dev->ops->tx_held(dev, q), 0);
		refill_all();
		expect_none_lost();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_resets_under_load, end_machine),
	};
	pthread_mutexattr_t recursive;

	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&bus, &recursive);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
