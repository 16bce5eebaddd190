/*
 * What Intel's controllers with "advanced" descriptors have in common: rings and the data path
 * (intel_ring.c), a port's way from its opening (intel_open.c) through failures (intel_state.c) to
 * its end, and what it counts (intel_stats.c).
 *
 * A driver has a struct of its own that begins with a struct intel_port, and a struct intel_driver.
 * Its pointers are followed at control time only: of the data path, a queue's state has all that
 * differs, which is where its tail register is, and which bit says that a frame is bad. Sections
 * without a name are those of the 82599's datasheet (331520), as in drivers/ixgbe/; the 82576's
 * descriptors (7.1.5, 7.2.2 there) are the same. Internal to drivers/intel/, drivers/ixgbe/ and
 * drivers/igb/.
 */
#ifndef DRIVERS_INTEL_PORT_H
#define DRIVERS_INTEL_PORT_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/intel/intel.h"
#include "lib/atomic.h"
#include "lib/pool.h"

#define INTEL_PAIRS_MAX 16u /* queue pairs that RSS can name (7.1.2.8) */

#define INTEL_STATUS       0x00008u    /* of all of them */
#define INTEL_QUEUE_STRIDE 0x40u       /* from one queue's registers to the next one's */
#define INTEL_RSS_KEY      0x5a6d5a6du /* in memory 6d 5a 6d 5a: see intel_rss_entries */

/* ---------------------------------------------------------------- descriptors */

/* Advanced receive descriptor (7.1.6): what we write, and what the device writes over it. */
struct intel_rx_desc {
	uint64_t address; /* of the buffer; then the hash and the packet's type */
	uint32_t status;  /* 0; then status and errors */
	uint16_t bytes;   /* 0; then the length */
	uint16_t tag;     /* 0; then the VLAN tag */
};

/* Errors are in the bits from 20 on, but not at the same places: see struct intel_driver. */
#define INTEL_RX_DD   (1u << 0) /* the device is done with it */
#define INTEL_RX_EOP  (1u << 1) /* the frame ends here */
#define INTEL_RX_GOOD (INTEL_RX_DD | INTEL_RX_EOP)

/* Advanced transmit data descriptor (7.2.3.2.4). */
struct intel_tx_desc {
	uint64_t address;
	uint64_t control; /* length 15-0, type, command; status 35-32; payload's length 63-46 */
};

#define INTEL_TX_DATA    (UINT64_C(3) << 20) /* DTYP: advanced data */
#define INTEL_TX_EOP     (UINT64_C(1) << 24)
#define INTEL_TX_IFCS    (UINT64_C(1) << 25)               /* appends the FCS */
#define INTEL_TX_RS      (UINT64_C(1) << 27)               /* reports when it is done */
#define INTEL_TX_DEXT    (UINT64_C(1) << 29)               /* advanced */
#define INTEL_TX_DD      (UINT64_C(1) << 32)               /* written by the device */
#define INTEL_TX_LENGTHS (UINT64_C(1) | UINT64_C(1) << 46) /* times the length: both of them */

_Static_assert(
	sizeof(struct intel_rx_desc) == 16 && sizeof(struct intel_tx_desc) == 16, "7.1.6, 7.2.3.2");

/* ---------------------------------------------------------------- queues */

/*
 * Rings. Positions run freely and are masked on use. The device keeps one
 * descriptor: tail = head means an empty ring (7.1.9, 7.2.3.3), so a ring of N
 * holds N - 1.
 *
 * What was given is remembered beside the ring, as the device writes over it.
 * Each struct is its queue's core's alone, and one line.
 */
struct intel_rxq {
	alignas(CACHE_LINE) struct intel_rx_desc *ring;
	uint32_t *held;         /* buffer index by slot */
	volatile uint8_t *tail; /* RDT */
	uint32_t mask;
	uint32_t posted; /* buffers ever given to the device */
	uint32_t taken;  /* ever taken back */
	uint32_t fate;   /* the bits of a status that are looked at */
	uint32_t good;   /* those of a whole frame; 0: the last descriptor was a piece of one */
	uint64_t doorbells;
};

struct intel_txq {
	alignas(CACHE_LINE) struct intel_tx_desc *ring;
	uint64_t *held;         /* packet word by slot */
	uint32_t *report;       /* positions of the descriptors that report, a ring as well */
	volatile uint8_t *tail; /* TDT */
	uint32_t mask;
	uint32_t posted;            /* frames ever given to the device */
	uint32_t done;              /* of those, sent, as far as is known */
	uint32_t taken;             /* ever given back */
	uint32_t reports, reported; /* positions put into `report`, and taken out */
	uint64_t doorbells;
};

_Static_assert(sizeof(struct intel_rxq) == CACHE_LINE && sizeof(struct intel_txq) == CACHE_LINE,
	"a queue's state is one line");

/* ---------------------------------------------------------------- ports */

struct intel_port;

/* Steps of a reset, which never waits. */
enum intel_reset_step {
	INTEL_RESET_BEGIN,
	INTEL_RESET_QUIET,
	INTEL_RESET_WAIT,
	INTEL_RESET_SETTLE
};
enum intel_reset_result { INTEL_RESET_BUSY, INTEL_RESET_DONE, INTEL_RESET_STUCK };

/* A counter of the device, cleared by reading. */
struct intel_counter {
	const char *name;
	bool lost;                /* as in struct netdev_statistic */
	uint32_t at, stride;      /* stride: there is one for each receive queue; or 0 */
	uint32_t high, high_mask; /* further bits, in a register that is read after it; or 0 */
};

#define INTEL_COUNTERS_MAX (NETDEV_STATISTICS_MAX - 1u)

struct intel_driver {
	const char *name;
	const struct netdev_ops *ops;
	uint32_t rdt, tdt; /* tail registers of queue 0 */
	uint32_t
		rx_error; /* the bit of a received descriptor's status: RXE, the MAC found it bad */
	const struct intel_counter *counter;
	unsigned counters;
	/*
	 * Control core, all of them. Goes on with a reset, which begins when p->reset_step is
	 * INTEL_RESET_BEGIN; called until it is done, or stuck. Never waits. Afterwards there is no
	 * DMA, until `start`.
	 */
	enum intel_reset_result (*reset)(struct intel_port *p);
	/* From a reset to a device that receives and transmits, the queues' memory being there.
	 * NULL, or why it does not. first: at boot. */
	const char *(*start)(struct intel_port *p, bool first);
	/* At each poll: the link into p->dev.link, and set up again and again while it is down. */
	void (*link)(struct intel_port *p);
};

/* What the control core watches of a TX queue, to see that it stands still. */
struct intel_watch {
	uint32_t taken;
	uint64_t since_us;
};

struct intel_port {
	struct netdev dev; /* first, so that a netdev is its port */
	volatile uint8_t *registers;
	const struct intel_driver *driver;
	struct io_env env;
	struct intel_place place;
	uint32_t room;      /* bytes of a buffer that the device may write to */
	uint32_t slots;     /* of each ring */
	uint32_t vfta[128]; /* as the device has it, for when it is reset */

	/* Control core: a failure, and what became of it (intel_state.c). */
	bool over;   /* it will not be used again */
	bool halted; /* any core: the device does no DMA; buffers may be taken back */
	uint64_t failed_us;
	uint32_t requests, rx_answer[INTEL_PAIRS_MAX], tx_answer[INTEL_PAIRS_MAX]; /* any core */
	struct intel_watch watch[INTEL_PAIRS_MAX];
	uint64_t resets; /* while it was running */
	enum intel_reset_step reset_step;
	uint64_t reset_us; /* when the step began */

	uint64_t statistic[INTEL_COUNTERS_MAX];
	unsigned counted; /* which of them is read next */
	struct intel_rxq rx[INTEL_PAIRS_MAX];
	struct intel_txq tx[INTEL_PAIRS_MAX];
};

_Static_assert(offsetof(struct intel_port, dev) == 0, "a netdev is its port");

static inline struct intel_port *intel_of(struct netdev *dev)
{
	return (struct intel_port *)dev;
}

static inline uint32_t intel_read(const struct intel_port *p, uint32_t at)
{
	return mmio_read32(p->registers + at);
}

static inline void intel_write(const struct intel_port *p, uint32_t at, uint32_t v)
{
	mmio_write32(p->registers + at, v);
}

static inline uint64_t intel_now(const struct intel_port *p)
{
	return p->env.now_us(p->env.ctx);
}

/* Is it there? A function that is gone reads as ones, and STATUS never does so otherwise. */
static inline bool intel_gone(const struct intel_port *p)
{
	return intel_read(p, INTEL_STATUS) == UINT32_MAX;
}

/* ---------------------------------------------------------------- intel_open.c */

/* Sets up a port, all zeros but for what its driver has in its own part, and brings it up to
 * where it takes buffers. NULL, or why it does not. Control core at boot. */
const char *intel_bring_up(struct intel_port *p, const struct intel_driver *driver,
	const struct intel_place *place, const struct netdev_request *want,
	const struct io_env *env) MUST_CHECK;

/* A refused port: a line of log, and no DMA. */
void intel_refuse(const struct intel_place *place, const struct io_env *env, const char *driver,
	const char *refusal);

/* Waits until the bits of `mask` in a register are `value`; false: not within so many us. */
bool intel_wait(const struct intel_port *p, uint32_t at, uint32_t mask, uint32_t value,
	uint32_t us) MUST_CHECK;

/* Writes down in p->vfta that frames of a VLAN pass; returns the word that has it. */
uint32_t intel_vlan(struct intel_port *p, uint16_t vid, bool pass);

/* Four entries of the table of RSS queues, the first one being number `entry`, for that register.
 */
uint32_t intel_rss_entries(const struct intel_port *p, unsigned entry);

/* ---------------------------------------------------------------- intel_pci.c */

/* Maps a function's registers and lets it do DMA, for a driver's probe. false: f->refusal says why
 * not, as does a line of log. Control core at boot. */
bool intel_find(struct pci *pci, struct pci_function *f, const char *driver,
	const struct io_env *env, struct intel_place *place) MUST_CHECK;

/* ---------------------------------------------------------------- intel_stats.c */

/* Control core, at each poll: adds up what the device has counted since; some counters a time. */
void intel_stats_poll(struct intel_port *p);
/* After a reset: forgets what it counted meanwhile. */
void intel_stats_clear(const struct intel_port *p);
unsigned intel_statistics(const struct netdev *dev, struct netdev_statistic *out, unsigned max);

/* ---------------------------------------------------------------- intel_state.c */

/* Stops using the device; `failure`: a constant line. over: for ever. Control core. */
void intel_fail(struct intel_port *p, const char *failure, bool over);
void intel_poll(struct netdev *dev);
void intel_stop(struct netdev *dev);

/* For rx of a failed device; for tx_done of one: takes back what queue q still held. */
void intel_answer_rx(struct intel_port *p, unsigned q);
unsigned intel_answer_tx(struct intel_port *p, unsigned q, uint64_t *word, unsigned max);

/* ---------------------------------------------------------------- intel_ring.c */

/* The rings of queue pair q, of p->slots; boot. false: no memory. */
bool intel_rings_make(struct intel_port *p, unsigned q) MUST_CHECK;

/* As in struct netdev_ops. */
unsigned intel_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max);
unsigned intel_rx_room(struct netdev *dev, unsigned q);
void intel_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n);
unsigned intel_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n);
unsigned intel_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max);
unsigned intel_rx_held(const struct netdev *dev, unsigned q);
unsigned intel_tx_held(const struct netdev *dev, unsigned q);
unsigned intel_rx_last(
	const struct netdev *dev, unsigned q, struct netdev_frame *frame, unsigned max);
uint64_t intel_doorbells(const struct netdev *dev);

#endif
