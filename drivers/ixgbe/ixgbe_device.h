/*
 * One port, as the files of this folder share it: identity and probe (ixgbe.c),
 * bring-up (ixgbe_init.c), reset (ixgbe_reset.c), EEPROM and semaphores
 * (ixgbe_nvm.c), filters and RSS (ixgbe_filter.c), caches (ixgbe_dca.c), link (ixgbe_link.c,
 * ixgbe_sfp.c), state (ixgbe_state.c), statistics (ixgbe_stats.c) and the data path (ixgbe_ring.c).
 * Internal to drivers/ixgbe/.
 */
#ifndef DRIVERS_IXGBE_DEVICE_H
#define DRIVERS_IXGBE_DEVICE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/ixgbe/ixgbe.h"
#include "drivers/ixgbe/ixgbe_regs.h"
#include "lib/atomic.h"
#include "lib/pool.h"

#define IXGBE_PAIRS_MAX 16u /* queue pairs that RSS can name (7.1.2.8) */
#define IXGBE_SLOTS_MAX 4096u
#define IXGBE_SLOTS_MIN 64u

enum ixgbe_kind { IXGBE_82599, IXGBE_X540, IXGBE_X550 };

enum ixgbe_media {
	IXGBE_SFP,       /* a cage for a module */
	IXGBE_BACKPLANE, /* KX4, KX, KR, CX4: negotiated by the MAC, or fixed in the EEPROM */
	IXGBE_COPPER,    /* a PHY of its own, which firmware sets up and which negotiates alone */
};

/* What is in the cage (ixgbe_sfp.c). */
enum ixgbe_module {
	IXGBE_MODULE_NONE, /* nothing answers */
	IXGBE_MODULE_10G,
	IXGBE_MODULE_BOTH, /* 10 and 1 Gb/s */
	IXGBE_MODULE_ODD,  /* something else */
};

/*
 * Rings. Positions run freely and are masked on use. The device keeps one
 * descriptor: tail = head means an empty ring (7.1.9, 7.2.3.3), so a ring of N
 * holds N - 1.
 *
 * What was given is remembered beside the ring, as the device writes over it.
 * Each struct is its queue's core's alone, and one line.
 */
struct ixgbe_rxq {
	alignas(CACHE_LINE) struct ixgbe_rx_desc *ring;
	uint32_t *held;         /* buffer index by slot */
	volatile uint8_t *tail; /* RDT */
	uint32_t mask;
	uint32_t posted; /* buffers ever given to the device */
	uint32_t taken;  /* ever taken back */
	uint32_t good; /* the status of a whole frame; 0: the last descriptor was a piece of one */
	uint64_t doorbells;
};

struct ixgbe_txq {
	alignas(CACHE_LINE) struct ixgbe_tx_desc *ring;
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

_Static_assert(sizeof(struct ixgbe_rxq) == CACHE_LINE && sizeof(struct ixgbe_txq) == CACHE_LINE,
	"a queue's state is one line");

/* A counter of the device: ixgbe_stats.c says which. */
#define IXGBE_STATISTICS 17u

/* What the control core watches of a TX queue, to see that it stands still. */
struct ixgbe_watch {
	uint32_t taken;
	uint64_t since_us;
};

/* Steps of a reset; ixgbe_reset.c. */
enum ixgbe_reset_step {
	IXGBE_RESET_BEGIN,
	IXGBE_RESET_QUIET,
	IXGBE_RESET_WAIT,
	IXGBE_RESET_SETTLE
};
enum ixgbe_reset_result { IXGBE_RESET_BUSY, IXGBE_RESET_DONE, IXGBE_RESET_STUCK };

struct ixgbe {
	struct netdev dev; /* first, so that a netdev is its ixgbe */
	volatile uint8_t *registers;
	struct io_env env;
	struct ixgbe_place place;
	enum ixgbe_kind kind;
	enum ixgbe_media media;
	uint32_t room;      /* bytes of a buffer that the device may write to */
	uint32_t slots;     /* of each ring */
	uint32_t vfta[128]; /* as the device has it, for when it is reset */
	uint8_t rx_tag[IXGBE_PAIRS_MAX], tx_tag[IXGBE_PAIRS_MAX]; /* where dev.dca */

	/* Control core: a failure, and what became of it (ixgbe_state.c). */
	bool over;     /* it will not be used again */
	bool halted;   /* any core: the device does no DMA; buffers may be taken back */
	bool renewing; /* the queues are being made anew */
	uint32_t renewals, rx_renewed[IXGBE_PAIRS_MAX], tx_renewed[IXGBE_PAIRS_MAX];
	struct ixgbe_watch watch[IXGBE_PAIRS_MAX];
	uint64_t resets; /* while it was running */

	enum ixgbe_reset_step reset_step;
	bool reset_twice;
	uint64_t reset_us; /* when the step began */

	bool link_asked; /* it has been set up, and is waited for */
	bool link_stuck; /* a line of log has said that the semaphore is not to be had */
	uint64_t link_us;
	unsigned link_tries;
	enum ixgbe_module module;

	uint64_t statistic[IXGBE_STATISTICS];
	struct ixgbe_rxq rx[IXGBE_PAIRS_MAX];
	struct ixgbe_txq tx[IXGBE_PAIRS_MAX];
};

_Static_assert(offsetof(struct ixgbe, dev) == 0, "a netdev is its ixgbe");

static inline struct ixgbe *ixgbe_of(struct netdev *dev)
{
	return (struct ixgbe *)dev;
}

static inline uint32_t ixgbe_read(const struct ixgbe *x, uint32_t at)
{
	return mmio_read32(x->registers + at);
}

static inline void ixgbe_write(const struct ixgbe *x, uint32_t at, uint32_t v)
{
	mmio_write32(x->registers + at, v);
}

static inline uint64_t ixgbe_now(const struct ixgbe *x)
{
	return x->env.now_us(x->env.ctx);
}

/* Is it there? A function that is gone reads as ones, and STATUS never does so otherwise. */
static inline bool ixgbe_gone(const struct ixgbe *x)
{
	return ixgbe_read(x, IXGBE_STATUS) == UINT32_MAX;
}

/* ---------------------------------------------------------------- ixgbe_reset.c */

/*
 * Goes on with a reset, which begins when x->reset_step is IXGBE_RESET_BEGIN; to be called until
 * it is done, or stuck. Never waits. Afterwards there is no DMA, until ixgbe_start. Control core.
 */
enum ixgbe_reset_result ixgbe_reset(struct ixgbe *x) MUST_CHECK;

/* ---------------------------------------------------------------- ixgbe_init.c */

/* Waits until the bits of `mask` in a register are `value`; false: not within so many us. */
bool ixgbe_wait(
	const struct ixgbe *x, uint32_t at, uint32_t mask, uint32_t value, uint32_t us) MUST_CHECK;

/*
 * From a reset to a device that receives and transmits, the queues' memory being there. NULL, or
 * why it does not. Control core; waits 200 ms at most. first: at boot, where the EEPROM is checked.
 */
const char *ixgbe_start(struct ixgbe *x, bool first) MUST_CHECK;

/* ---------------------------------------------------------------- ixgbe_nvm.c */

/* One try to get resources that are shared with firmware and the other port (IXGBE_SYNC_). */
bool ixgbe_sync_try(const struct ixgbe *x, uint32_t what) MUST_CHECK;
void ixgbe_sync_release(const struct ixgbe *x, uint32_t what);

/* Is the EEPROM's content whole? NULL, or why not. Boot; waits half a second at most. */
const char *ixgbe_nvm_check(const struct ixgbe *x) MUST_CHECK;

/* ---------------------------------------------------------------- ixgbe_filter.c */

/* After a reset: whose frames come in, and to which queue. */
void ixgbe_filter_init(const struct ixgbe *x);
void ixgbe_rss_init(const struct ixgbe *x);
bool ixgbe_vlan(struct netdev *dev, uint16_t vid, bool pass);

/* ---------------------------------------------------------------- ixgbe_dca.c */

/* How queue q goes about memory: the contents of its DCA_RXCTRL, DCA_TXCTRL, given what it reads.
 */
uint32_t ixgbe_rx_access(const struct ixgbe *x, unsigned q, uint32_t v);
uint32_t ixgbe_tx_access(const struct ixgbe *x, unsigned q, uint32_t v);
/* After a reset: whether hints for caches are given at all. */
void ixgbe_dca_init(const struct ixgbe *x);
bool ixgbe_dca(struct netdev *dev, bool tx, unsigned q, uint8_t tag);

/* ---------------------------------------------------------------- ixgbe_link.c */

/* Control core, at each poll: reads the link, and sets it up again and again while it is down. */
void ixgbe_link_poll(struct ixgbe *x);

/* ---------------------------------------------------------------- ixgbe_sfp.c */

/* Looks into the cage; a module that is not known is said once. Control core; takes 2 ms. */
void ixgbe_sfp_look(struct ixgbe *x);

/* ---------------------------------------------------------------- ixgbe_stats.c */

/* Control core, at each poll: adds up what the device has counted since. */
void ixgbe_stats_poll(struct ixgbe *x);
/* After a reset: forgets what it counted meanwhile. */
void ixgbe_stats_clear(struct ixgbe *x);
unsigned ixgbe_statistics(const struct netdev *dev, struct netdev_statistic *out, unsigned max);

/* ---------------------------------------------------------------- ixgbe_state.c */

/* Stops using the device; `failure`: a constant line. over: for ever. Control core. */
void ixgbe_fail(struct ixgbe *x, const char *failure, bool over);
void ixgbe_poll(struct netdev *dev);
void ixgbe_stop(struct netdev *dev);

/* For rx of a failed device; for tx_done of one: takes back what queue q still held. */
void ixgbe_renew_rx(struct ixgbe *x, unsigned q);
unsigned ixgbe_renew_tx(struct ixgbe *x, unsigned q, uint64_t *word, unsigned max);

/* ---------------------------------------------------------------- ixgbe_ring.c */

extern const struct netdev_ops ixgbe_ring_ops;

/* The rings of queue pair q, of x->slots; boot. false: no memory. */
bool ixgbe_rings_make(struct ixgbe *x, unsigned q) MUST_CHECK;

#endif
