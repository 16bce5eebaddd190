/* What the device counts (8.2.3.23): its registers are cleared by reading, so one place reads them.
 */
#include "drivers/ixgbe/ixgbe_device.h"

/* A register takes a microsecond to read. All of them have their turn well before the smallest can
 * run over: 32 bits of frames, in 288 seconds at 14.88 million a second. */
#define COUNTERS_A_POLL 3u

#define LOST true

/* In the order of struct ixgbe's statistic[]; the first is a sum over all queues. */
static const struct {
	const char *name;
	uint32_t at, high; /* high: further bits, in a register that is read after it */
	bool lost;
} counter[IXGBE_STATISTICS] = {
	{"rx-no-descriptor", 0, 0, LOST},     /* the ring was empty: QPRDC */
	{"rx-missed", IXGBE_MPC(0), 0, LOST}, /* the one packet buffer in use was full */
	{"rx-crc", IXGBE_CRCERRS, 0, LOST},
	{"rx-illegal-symbol", IXGBE_ILLERRC, 0, LOST},
	{"rx-error-byte", IXGBE_ERRBC, 0, LOST},
	{"rx-mac-short", IXGBE_MSPDC, 0, LOST},
	{"rx-length", IXGBE_RLEC, 0, LOST},
	{"rx-undersize", IXGBE_RUC, 0, LOST},
	{"rx-fragment", IXGBE_RFC, 0, LOST},
	{"rx-over-buffer", IXGBE_ROC, 0, LOST}, /* longer than MAXFRS */
	{"rx-jabber", IXGBE_RJC, 0, LOST},
	{"rx-frames", IXGBE_GPRC, 0, false},
	{"rx-bytes", IXGBE_GORCL, IXGBE_GORCH, false},
	{"tx-frames", IXGBE_GPTC, 0, false},
	{"tx-bytes", IXGBE_GOTCL, IXGBE_GOTCH, false},
	{"local-faults", IXGBE_MLFC, 0, false},
	{"remote-faults", IXGBE_MRFC, 0, false},
};

static uint64_t read_counter(const struct ixgbe *x, unsigned i)
{
	uint64_t v = 0;

	if (i == 0)
		for (unsigned q = 0; q < x->dev.rx_queues; q++)
			v += ixgbe_read(x, IXGBE_QPRDC(q));
	else
		v = ixgbe_read(x, counter[i].at);
	if (counter[i].high)
		v |= (uint64_t)(ixgbe_read(x, counter[i].high) & 0xf) << 32;
	return v;
}

void ixgbe_stats_poll(struct ixgbe *x)
{
	for (unsigned n = 0; n < COUNTERS_A_POLL; n++) {
		x->statistic[x->counted] += read_counter(x, x->counted);
		x->counted = x->counted + 1 < IXGBE_STATISTICS ? x->counted + 1 : 0;
	}
}

void ixgbe_stats_clear(const struct ixgbe *x)
{
	for (unsigned i = 0; i < IXGBE_STATISTICS; i++)
		(void)read_counter(x, i);
}

unsigned ixgbe_statistics(const struct netdev *dev, struct netdev_statistic *out, unsigned max)
{
	const struct ixgbe *x = (const struct ixgbe *)dev;
	unsigned n = 0;

	for (; n < IXGBE_STATISTICS && n < max; n++)
		out[n] = (struct netdev_statistic){
			counter[n].name, x->statistic[n], counter[n].lost};
	if (n < max)
		out[n++] = (struct netdev_statistic){"resets", x->resets, false};
	return n;
}
