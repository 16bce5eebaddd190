/* What the device counts: its registers are cleared by reading, so one place reads them. */
#include "drivers/intel/intel_port.h"

/* A register takes a microsecond to read. All of them have their turn well before the smallest can
 * run over: 32 bits of frames, in 288 seconds at 14.88 million a second. */
#define COUNTERS_A_POLL 3u

static uint64_t read_counter(const struct intel_port *p, const struct intel_counter *c)
{
	uint32_t registers = c->stride ? p->dev.rx_queues : 1;
	uint64_t v = 0;

	for (uint32_t i = 0; i < registers; i++)
		v += intel_read(p, c->at + i * c->stride);
	if (c->high)
		v |= (uint64_t)(intel_read(p, c->high) & c->high_mask) << 32;
	return v;
}

void intel_stats_poll(struct intel_port *p)
{
	for (unsigned n = 0; n < COUNTERS_A_POLL; n++) {
		p->statistic[p->counted] += read_counter(p, &p->driver->counter[p->counted]);
		p->counted = p->counted + 1 < p->driver->counters ? p->counted + 1 : 0;
	}
}

void intel_stats_clear(const struct intel_port *p)
{
	for (unsigned i = 0; i < p->driver->counters; i++)
		(void)read_counter(p, &p->driver->counter[i]);
}

unsigned intel_statistics(const struct netdev *dev, struct netdev_statistic *out, unsigned max)
{
	const struct intel_port *p = (const struct intel_port *)dev;
	const struct intel_driver *d = p->driver;
	unsigned n = 0;

	for (; n < d->counters && n < max; n++)
		out[n] = (struct netdev_statistic){
			d->counter[n].name, p->statistic[n], d->counter[n].lost};
	if (n < max)
		out[n++] = (struct netdev_statistic){"resets", p->resets, false};
	return n;
}
