/* The memory-only network device: rings of packet words and a copy at each end. */
#include "drivers/mem/memdev.h"

#include <stdalign.h>
#include <string.h>

#include "lib/atomic.h"
#include "lib/limits.h"
#include "lib/packet.h"

/*
 * A ring's entries pass three points in order: the router gives them (given),
 * the test acts as the wire (wired), the router takes them back (taken).
 * Indices run freely and are masked on use. Each side writes its own line.
 */
struct memring {
	alignas(CACHE_LINE) uint64_t *word;
	uint32_t mask;
	alignas(CACHE_LINE) uint32_t given, taken; /* the router's */
	uint64_t doorbells;
	alignas(CACHE_LINE) uint32_t wired; /* the wire's */
	uint64_t missed;
};

struct memdev {
	struct netdev dev; /* first, so that a netdev is its memdev */
	bool wire_up;      /* what poll will find */
	struct memring rx[MEMDEV_QUEUES_MAX], tx[MEMDEV_QUEUES_MAX];
};

static struct memdev *memdev_of(struct netdev *dev)
{
	return (struct memdev *)dev;
}

static uint64_t *slot(const struct memring *r, uint32_t at)
{
	return &r->word[at & r->mask];
}

/* Entries the router has given and not taken back. */
static uint32_t memring_held(const struct memring *r)
{
	return r->given - r->taken;
}

static uint32_t memring_room(const struct memring *r)
{
	return r->mask + 1 - memring_held(r);
}

/* Shows the wire n more entries, written from `given` on. */
static void memring_publish(struct memring *r, unsigned n)
{
	store_release(&r->given, r->given + n);
	counter_add(&r->doorbells, n != 0);
}

/* Takes up to max entries that have been on the wire. */
static unsigned memring_take(struct memring *r, uint64_t *word, unsigned max)
{
	uint32_t wired = load_acquire(&r->wired), taken = r->taken;
	unsigned n = 0;

	while (n < max && taken != wired)
		word[n++] = *slot(r, taken++);
	store_release(&r->taken, taken);
	return n;
}

/* ---------------------------------------------------------------- the router's side */

static unsigned memdev_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	unsigned n = memring_take(&memdev_of(dev)->rx[q], word, max);

	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(buffer_data(dev->buffers, packet_index(word[i])));
	return n;
}

static unsigned memdev_rx_room(struct netdev *dev, unsigned q)
{
	return load_once(&dev->failed) ? 0 : memring_room(&memdev_of(dev)->rx[q]);
}

static void memdev_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n)
{
	struct memring *rx = &memdev_of(dev)->rx[q];

	for (unsigned i = 0; i < n; i++)
		*slot(rx, rx->given + i) = index[i];
	memring_publish(rx, n);
}

static unsigned memdev_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n)
{
	struct memring *tx = &memdev_of(dev)->tx[q];
	uint32_t room = memring_room(tx);

	if (n > room)
		n = room;
	if (load_once(&dev->failed))
		n = 0;
	for (unsigned i = 0; i < n; i++)
		*slot(tx, tx->given + i) = word[i];
	memring_publish(tx, n);
	return n;
}

static unsigned memdev_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	return memring_take(&memdev_of(dev)->tx[q], word, max);
}

static unsigned memdev_rx_held(const struct netdev *dev, unsigned q)
{
	return memring_held(&((const struct memdev *)dev)->rx[q]);
}

static unsigned memdev_tx_held(const struct netdev *dev, unsigned q)
{
	return memring_held(&((const struct memdev *)dev)->tx[q]);
}

static uint64_t memdev_doorbells(const struct netdev *dev)
{
	const struct memdev *m = (const struct memdev *)dev;
	uint64_t n = 0;

	for (unsigned q = 0; q < dev->rx_queues; q++)
		n += load_once(&m->rx[q].doorbells) + load_once(&m->tx[q].doorbells);
	return n;
}

static void memdev_poll(struct netdev *dev)
{
	store_once(&dev->link, load_once(&memdev_of(dev)->wire_up) && !dev->failed);
}

/* Like a NIC after a reset: what waited to be sent is given up, nothing more is received. */
static void memdev_stop(struct netdev *dev)
{
	struct memdev *m = memdev_of(dev);

	dev->failure = "stopped";
	store_release(&dev->failed, true);
	dev->link = false;
	for (unsigned q = 0; q < dev->rx_queues; q++) {
		m->tx[q].wired = m->tx[q].given;
		m->rx[q].wired = m->rx[q].taken;
	}
}

static const struct netdev_ops memdev_ops = {
	.rx = memdev_rx,
	.rx_room = memdev_rx_room,
	.rx_fill = memdev_rx_fill,
	.tx = memdev_tx,
	.tx_done = memdev_tx_done,
	.rx_held = memdev_rx_held,
	.tx_held = memdev_tx_held,
	.doorbells = memdev_doorbells,
	.poll = memdev_poll,
	.stop = memdev_stop,
};

/* ---------------------------------------------------------------- the wire's side */

/* "mem:" and the number in decimal. */
static void print_location(char *out, unsigned number)
{
	char digits[10];
	unsigned n = 0;

	memcpy(out, "mem:", 4);
	out += 4;
	do
		digits[n++] = (char)('0' + number % 10);
	while (number /= 10);
	while (n)
		*out++ = digits[--n];
	*out = '\0';
}

static bool memring_init(struct memring *r, const struct io_env *env, unsigned slots)
{
	r->word = env->alloc(env->ctx, slots * sizeof *r->word, CACHE_LINE);
	r->mask = slots - 1;
	return r->word;
}

struct netdev *memdev_create(
	const struct io_env *env, unsigned number, unsigned queues, unsigned slots)
{
	struct memdev *m;

	if (slots < RING_SLOTS_MIN || slots > RING_SLOTS_MAX || (slots & (slots - 1)) != 0)
		return NULL;
	if (queues > MEMDEV_QUEUES_MAX)
		queues = MEMDEV_QUEUES_MAX;
	if (queues == 0)
		queues = 1;
	m = env->alloc(env->ctx, sizeof *m, CACHE_LINE);
	if (!m)
		return NULL;
	for (unsigned q = 0; q < queues; q++)
		if (!memring_init(&m->rx[q], env, slots) || !memring_init(&m->tx[q], env, slots))
			return NULL;
	m->wire_up = true;
	m->dev = (struct netdev){
		.ops = &memdev_ops,
		.driver = "mem",
		.node = NODE_UNKNOWN,
		.mac = {0x02, 'm', 'e', 'm', 0, (uint8_t)number},
		.mtu_max = MTU_MAX,
		.rx_queues = (uint16_t)queues,
		.tx_queues = (uint16_t)queues,
		.rx_slots = (uint16_t)slots,
		.tx_slots = (uint16_t)slots,
		.link = true,
	};
	print_location(m->dev.location, number);
	return &m->dev;
}

bool memdev_inject(struct netdev *dev, unsigned q, const void *frame, size_t len_bytes)
{
	struct memdev *m = memdev_of(dev);
	struct memring *rx = &m->rx[q];
	uint64_t *word = slot(rx, rx->wired);

	if (rx->wired == load_acquire(&rx->given) || !load_once(&m->wire_up) ||
		load_once(&dev->failed) || len_bytes > dev->buffers->room) {
		counter_add(&rx->missed, 1);
		return false;
	}
	memcpy(buffer_data(dev->buffers, packet_index(*word)), frame, len_bytes);
	*word = packet_word(packet_index(*word), (uint32_t)len_bytes, 0);
	store_release(&rx->wired, rx->wired + 1);
	return true;
}

uint64_t memdev_missed(const struct netdev *dev)
{
	uint64_t n = 0;

	for (unsigned q = 0; q < dev->rx_queues; q++)
		n += load_once(&((const struct memdev *)dev)->rx[q].missed);
	return n;
}

size_t memdev_collect(struct netdev *dev, unsigned q, void *out, size_t room)
{
	struct memring *tx = &memdev_of(dev)->tx[q];
	uint64_t word;

	if (tx->wired == load_acquire(&tx->given))
		return 0;
	word = *slot(tx, tx->wired);
	if (room)
		memcpy(out, buffer_data(dev->buffers, packet_index(word)),
			packet_len(word) < room ? packet_len(word) : room);
	store_release(&tx->wired, tx->wired + 1);
	return packet_len(word);
}

void memdev_set_link(struct netdev *dev, bool up)
{
	store_once(&memdev_of(dev)->wire_up, up);
}
