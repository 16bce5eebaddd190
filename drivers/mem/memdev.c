/* The memory-only network device: two rings of packet words and a copy at each end. */
#include "drivers/mem/memdev.h"

#include <string.h>

#include "lib/atomic.h"
#include "lib/limits.h"
#include "lib/packet.h"

/*
 * A ring's entries pass three points in order: the router gives them (given),
 * the test acts as the wire (wired), the router takes them back (taken).
 * Indices run freely and are masked on use.
 */
struct memring {
	uint64_t *word;
	uint32_t given, wired, taken;
};

struct memdev {
	struct netdev dev; /* first, so that a netdev is its memdev */
	uint32_t slots;
	struct memring rx, tx;
	bool wire_up; /* what poll will find */
	uint64_t missed, doorbells;
};

static struct memdev *memdev_of(struct netdev *dev)
{
	return (struct memdev *)dev;
}

static uint64_t *slot(const struct memdev *m, const struct memring *r, uint32_t at)
{
	return &r->word[at & (m->slots - 1)];
}

static uint32_t ring_room(const struct memdev *m, const struct memring *r)
{
	return m->slots - (r->given - r->taken);
}

static void ring_give(const struct memdev *m, struct memring *r, uint64_t word)
{
	*slot(m, r, r->given++) = word;
}

/* Takes up to max entries that have been on the wire. */
static unsigned ring_take(const struct memdev *m, struct memring *r, uint64_t *word, unsigned max)
{
	unsigned n = 0;

	while (n < max && r->taken != r->wired)
		word[n++] = *slot(m, r, r->taken++);
	return n;
}

/* ---------------------------------------------------------------- the router's side */

static unsigned memdev_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct memdev *m = memdev_of(dev);
	unsigned n = ring_take(m, &m->rx, word, max);

	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(buffer_data(dev->buffers, packet_index(word[i])));
	return n;
}

static unsigned memdev_rx_room(struct netdev *dev, unsigned q)
{
	struct memdev *m = memdev_of(dev);

	return dev->failed ? 0 : ring_room(m, &m->rx);
}

static void memdev_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n)
{
	struct memdev *m = memdev_of(dev);

	for (unsigned i = 0; i < n; i++)
		ring_give(m, &m->rx, index[i]);
	counter_add(&m->doorbells, n != 0);
}

static unsigned memdev_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n)
{
	struct memdev *m = memdev_of(dev);
	uint32_t room = ring_room(m, &m->tx);

	if (n > room)
		n = room;
	if (dev->failed)
		n = 0;
	for (unsigned i = 0; i < n; i++)
		ring_give(m, &m->tx, word[i]);
	counter_add(&m->doorbells, n != 0);
	return n;
}

static unsigned memdev_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct memdev *m = memdev_of(dev);

	return ring_take(m, &m->tx, word, max);
}

static unsigned memdev_rx_held(const struct netdev *dev, unsigned q)
{
	const struct memdev *m = (const struct memdev *)dev;

	return m->rx.given - m->rx.taken;
}

static unsigned memdev_tx_held(const struct netdev *dev, unsigned q)
{
	const struct memdev *m = (const struct memdev *)dev;

	return m->tx.given - m->tx.taken;
}

static uint64_t memdev_doorbells(const struct netdev *dev)
{
	return load_once(&((const struct memdev *)dev)->doorbells);
}

static void memdev_poll(struct netdev *dev)
{
	dev->link = memdev_of(dev)->wire_up && !dev->failed;
}

/* Like a NIC after a reset: what waited to be sent is given up, nothing more is received. */
static void memdev_stop(struct netdev *dev)
{
	struct memdev *m = memdev_of(dev);

	dev->failed = true;
	dev->failure = "stopped";
	dev->link = false;
	m->tx.wired = m->tx.given;
	m->rx.wired = m->rx.taken;
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

struct netdev *memdev_create(const struct io_env *env, unsigned number, unsigned slots)
{
	struct memdev *m;

	if (slots < RING_SLOTS_MIN || slots > RING_SLOTS_MAX || (slots & (slots - 1)) != 0)
		return NULL;
	m = env->alloc(env->ctx, sizeof *m, CACHE_LINE);
	if (!m)
		return NULL;
	m->slots = slots;
	m->rx.word = env->alloc(env->ctx, slots * sizeof(uint64_t), CACHE_LINE);
	m->tx.word = env->alloc(env->ctx, slots * sizeof(uint64_t), CACHE_LINE);
	if (!m->rx.word || !m->tx.word)
		return NULL;
	m->wire_up = true;
	m->dev = (struct netdev){
		.ops = &memdev_ops,
		.driver = "mem",
		.mac = {0x02, 'm', 'e', 'm', 0, (uint8_t)number},
		.mtu_max = MTU_MAX,
		.rx_queues = 1,
		.tx_queues = 1,
		.rx_slots = (uint16_t)slots,
		.tx_slots = (uint16_t)slots,
		.link = true,
	};
	print_location(m->dev.location, number);
	return &m->dev;
}

bool memdev_inject(struct netdev *dev, const void *frame, size_t len_bytes)
{
	struct memdev *m = memdev_of(dev);
	uint64_t *word = slot(m, &m->rx, m->rx.wired);

	if (m->rx.wired == m->rx.given || !m->wire_up || dev->failed || len_bytes > PACKET_ROOM) {
		m->missed++;
		return false;
	}
	memcpy(buffer_data(dev->buffers, packet_index(*word)), frame, len_bytes);
	*word = packet_word(packet_index(*word), (uint32_t)len_bytes, 0);
	m->rx.wired++;
	return true;
}

uint64_t memdev_missed(const struct netdev *dev)
{
	return ((const struct memdev *)dev)->missed;
}

size_t memdev_collect(struct netdev *dev, void *out, size_t room)
{
	struct memdev *m = memdev_of(dev);
	uint64_t word = *slot(m, &m->tx, m->tx.wired);

	if (m->tx.wired == m->tx.given)
		return 0;
	m->tx.wired++;
	if (room)
		memcpy(out, buffer_data(dev->buffers, packet_index(word)),
			packet_len(word) < room ? packet_len(word) : room);
	return packet_len(word);
}

void memdev_set_link(struct netdev *dev, bool up)
{
	memdev_of(dev)->wire_up = up;
}
