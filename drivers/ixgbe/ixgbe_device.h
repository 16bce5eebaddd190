/*
 * One port, as the files of this folder share it: identity and probe (ixgbe.c),
 * bring-up (ixgbe_init.c), reset (ixgbe_reset.c), EEPROM and semaphores
 * (ixgbe_nvm.c), filters and RSS (ixgbe_filter.c), caches (ixgbe_dca.c), link (ixgbe_link.c,
 * ixgbe_sfp.c), and which counters it has (ixgbe_stats.c). Its data path and its states are those
 * of drivers/intel/. Internal to drivers/ixgbe/.
 */
#ifndef DRIVERS_IXGBE_DEVICE_H
#define DRIVERS_IXGBE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/intel/intel_port.h"
#include "drivers/ixgbe/ixgbe.h"
#include "drivers/ixgbe/ixgbe_regs.h"
#include "lib/atomic.h"

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

#define IXGBE_COUNTERS 17u

struct ixgbe {
	struct intel_port port; /* first, so that a port is its ixgbe */
	enum ixgbe_kind kind;
	enum ixgbe_media media;
	uint8_t rx_tag[INTEL_PAIRS_MAX], tx_tag[INTEL_PAIRS_MAX]; /* where dev.dca */

	bool reset_twice;

	bool link_asked; /* it has been set up, and is waited for */
	bool link_stuck; /* a line of log has said that the semaphore is not to be had */
	uint64_t link_us;
	unsigned link_tries;
	enum ixgbe_module module;
};

_Static_assert(offsetof(struct ixgbe, port) == 0, "a port is its ixgbe");

static inline struct ixgbe *ixgbe_of(struct netdev *dev)
{
	return (struct ixgbe *)dev;
}

static inline struct ixgbe *ixgbe_of_port(struct intel_port *p)
{
	return (struct ixgbe *)p;
}

static inline uint32_t ixgbe_read(const struct ixgbe *x, uint32_t at)
{
	return intel_read(&x->port, at);
}

static inline void ixgbe_write(const struct ixgbe *x, uint32_t at, uint32_t v)
{
	intel_write(&x->port, at, v);
}

static inline uint64_t ixgbe_now(const struct ixgbe *x)
{
	return intel_now(&x->port);
}

/* As intel_wait. */
static inline bool MUST_CHECK ixgbe_wait(
	const struct ixgbe *x, uint32_t at, uint32_t mask, uint32_t value, uint32_t us)
{
	return intel_wait(&x->port, at, mask, value, us);
}

/* ---------------------------------------------------------------- ixgbe.c */

extern const struct intel_driver ixgbe_driver;

/* ---------------------------------------------------------------- ixgbe_reset.c, ixgbe_init.c */

/* As in struct intel_driver. Starting waits 200 ms at most; at boot the EEPROM is checked first. */
enum intel_reset_result ixgbe_reset(struct intel_port *p) MUST_CHECK;
const char *ixgbe_start(struct intel_port *p, bool first) MUST_CHECK;

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

/* ---------------------------------------------------------------- ixgbe_flow.c */

/* KiB of the packet buffer for what is received. */
static inline uint32_t ixgbe_rx_kib(const struct ixgbe *x)
{
	return x->kind == IXGBE_82599 ? 512 : 384;
}

/* After a reset: whether PAUSE frames are sent and obeyed; and what SRRCTL of all queues is then.
 */
void ixgbe_flow_init(const struct ixgbe *x);
uint32_t ixgbe_flow_srrctl(const struct ixgbe *x);
bool ixgbe_flow_control(struct netdev *dev, bool on);

/* ---------------------------------------------------------------- ixgbe_link.c */

/* As in struct intel_driver. */
void ixgbe_link_poll(struct intel_port *p);

/* ---------------------------------------------------------------- ixgbe_sfp.c */

/* Looks into the cage; a module that is not known is said once. Control core; takes 2 ms. */
void ixgbe_sfp_look(struct ixgbe *x);

/* ---------------------------------------------------------------- ixgbe_stats.c */

extern const struct intel_counter ixgbe_counter[IXGBE_COUNTERS];

#endif
