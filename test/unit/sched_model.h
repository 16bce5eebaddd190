/* A scheduler with n lanes, and a model beside it that knows every packet which must come out. */
#ifndef TEST_UNIT_SCHED_MODEL_H
#define TEST_UNIT_SCHED_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/packet.h"
#include "net/path/sched.h"

#define MODEL_LANES   12u
#define MODEL_LEN_MAX 1518u
/* What one choice may take: the bound of all fairness. */
#define MODEL_QUANTUM ((uint64_t)SCHED_QUANTUM * MODEL_LEN_MAX)

/* Packets carry their VOQ and a number in it as their buffer index. */
#define MODEL_INDEX(lane, class, n) ((lane) << 27 | (class) << 24 | ((n)&0xffffffu))

struct model {
	struct sched sched;
	void *memory;
	struct crosspoint *cross[MODEL_LANES];
	unsigned lanes;
	bool strict[VOQ_CLASSES];
	unsigned weight[VOQ_CLASSES];
	/* by lane and class */
	uint32_t put[MODEL_LANES][VOQ_CLASSES], got[MODEL_LANES][VOQ_CLASSES];
	uint64_t bytes[MODEL_LANES][VOQ_CLASSES];
	uint64_t class_bytes[VOQ_CLASSES];
	uint64_t now;
};

static inline void model_start(struct model *m, unsigned lanes)
{
	memset(m, 0, sizeof *m);
	m->lanes = lanes;
	m->memory = malloc(sched_bytes(lanes));
	sched_init(&m->sched, m->memory, lanes);
	for (unsigned l = 0; l < lanes; l++) {
		m->cross[l] = aligned_alloc(64, sizeof *m->cross[l]);
		voq_init(m->cross[l]);
		m->sched.cross[l] = m->cross[l];
	}
	for (unsigned c = 0; c < VOQ_CLASSES; c++)
		m->weight[c] = 1;
}

static inline void model_end(struct model *m)
{
	for (unsigned l = 0; l < m->lanes; l++)
		free(m->cross[l]);
	free(m->memory);
}

static inline void model_class(struct model *m, unsigned class, bool strict, unsigned weight)
{
	m->strict[class] = strict;
	m->weight[class] = weight;
	sched_set_class(&m->sched, class, strict, weight);
}

/* One packet, published. */
static inline void model_put(struct model *m, unsigned lane, unsigned class, uint32_t len)
{
	uint32_t index = MODEL_INDEX(lane, class, m->put[lane][class]);

	assert_true(voq_put(m->cross[lane], class, packet_word(index, len, 0), VOQ_SLOTS));
	voq_publish(m->cross[lane], 0);
	m->put[lane][class]++;
}

static inline uint32_t model_waiting(const struct model *m, unsigned lane, unsigned class)
{
	return m->put[lane][class] - m->got[lane][class];
}

/* Fills a VOQ; lengths from low to high. */
static inline void model_backlog(
	struct model *m, unsigned lane, unsigned class, uint32_t low, uint32_t high)
{
	while (voq_depth(m->cross[lane], class) < VOQ_SLOTS)
		model_put(m, lane, class, low + (uint32_t)rand() % (high - low + 1));
}

static inline unsigned model_total(const struct model *m)
{
	unsigned n = 0;

	for (unsigned l = 0; l < m->lanes; l++)
		for (unsigned c = 0; c < VOQ_CLASSES; c++)
			n += model_waiting(m, l, c);
	return n;
}

/* A weighted packet may go only when no strict class waits, a strict one if no lower number does.
 */
static inline void model_check_priority(const struct model *m, unsigned class)
{
	for (unsigned l = 0; l < m->lanes; l++)
		for (unsigned c = 0; c < VOQ_CLASSES; c++)
			if (m->strict[c] && c != class && (!m->strict[class] || c < class))
				assert_int_equal(model_waiting(m, l, c), 0);
}

/* Takes up to max and checks each: order in its VOQ, priority, nothing held back. */
static inline unsigned model_take(struct model *m, unsigned max)
{
	uint64_t word[BATCH_MAX];
	unsigned waiting = model_total(m);
	unsigned n = sched_take(&m->sched, word, max, m->now);

	if (!m->sched.shaper.rate)
		assert_int_equal(n, waiting < max ? waiting : max);
	for (unsigned i = 0; i < n; i++) {
		uint32_t index = packet_index(word[i]);
		unsigned lane = index >> 27, class = index >> 24 & 7;

		model_check_priority(m, class);
		assert_int_equal(index, MODEL_INDEX(lane, class, m->got[lane][class]));
		m->got[lane][class]++;
		m->bytes[lane][class] += packet_len(word[i]);
		m->class_bytes[class] += packet_len(word[i]);
	}
	return n;
}

#endif
