/*
 * A strict model of one port of an Intel 82599, X540 or X550, after the
 * datasheets: registers, EEPROM, SFP+ module or PHY, link, receive and transmit
 * engines, statistics, interrupts. It judges the driver that works on it.
 *
 * Plain C without calls of an operating system and without globals: the same
 * object is under a driver in a unit test (read and write have the shape of
 * model_add_memory's handlers) and under a guest in a server process. One
 * thread at a time per device.
 */
#ifndef TEST_MODEL_IXGBE_MODEL_H
#define TEST_MODEL_IXGBE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define IXGBE_MODEL_BAR_BYTES 0x80000u /* BAR 0 */
#define IXGBE_MODEL_VECTORS   64u    /* MSI-X vectors; their table and masks are the bus's matter */
#define IXGBE_MODEL_FRAME     16383u /* longest frame on the wire, without FCS */

struct ixgbe_model;

/* What surrounds the device; ctx is handed to each. */
struct ixgbe_model_wire {
	/*
	 * Host memory at a bus address, or NULL: not mapped, which is a broken
	 * rule, and the queue stops. May be called for any part of what the driver
	 * allocated; `write`: the device is about to store.
	 */
	void *(*dma)(void *ctx, uint64_t address, uint64_t bytes, bool write);
	/* A frame leaves, without FCS, padded to 60 bytes. NULL: into the void. */
	void (*transmit)(void *ctx, const uint8_t *frame, unsigned bytes);
	/* A vector is raised (with MSI or INTx: 0). NULL: nobody listens. */
	void (*interrupt)(void *ctx, unsigned vector);
	/* rule: a short fixed name of ixgbe_model_rules; what: the circumstances. NULL: only
	 * counted. */
	void (*broke)(void *ctx, const char *rule, const char *what);
	uint64_t (*now_us)(void *ctx); /* never goes back */
	void *ctx;
};

enum ixgbe_model_media {
	IXGBE_MODEL_SFP,        /* cage with an SFP+ SR module */
	IXGBE_MODEL_SFP_ODD,    /* with a module of an unknown vendor and kind */
	IXGBE_MODEL_SFP_ABSENT, /* without a module: no link, nobody answers on I2C */
	IXGBE_MODEL_KX4,        /* backplane */
	IXGBE_MODEL_BASE_T,     /* 10GBASE-T by MDIO: the only media of X540 and X550 */
};

struct ixgbe_model_options {
	uint16_t device_id; /* 0: 0x10fb. 1528 and kin: an X540; 1563, 15d1 and kin: an X550 */
	uint8_t mac[6];     /* all zeros: 02:00:00:82:59:90 */
	enum ixgbe_model_media media;
	bool house;        /* judge by the rules of this project's driver, too */
	bool no_cable;     /* no carrier at start (ixgbe_model_set_link) */
	bool tx_by_poll;   /* a write of TDT only notes it: ixgbe_model_poll sends */
	uint32_t link_us;  /* from carrier and set-up to LINKS.LINK_UP; 0: 1000 */
	uint32_t reset_us; /* how long CTRL.RST stays set; 0: 100 */
	uint32_t keep_us;  /* how long a semaphore may be held; 0: a second */
	/* Ways to misbehave; each wait that has no end shows as a bit that never comes. */
	bool checksum_bad;     /* of the EEPROM */
	bool semaphore_stuck;  /* SWSM.SMBI reads 1, and SW_FW_SYNC belongs to firmware, for ever */
	bool reset_stuck;      /* CTRL.RST never clears */
	bool master_stuck;     /* STATUS.GIO (master enable) never clears */
	bool autoread_stuck;   /* EEC.ARD and EEMNGCTL.CFG_DONE never come */
	bool eerd_stuck;       /* EERD.DONE never comes */
	bool dma_init_stuck;   /* RDRXCTL.DMAIDONE never comes */
	bool rx_enable_stuck;  /* RXDCTL.ENABLE never reads 1 */
	bool tx_enable_stuck;  /* TXDCTL.ENABLE never reads 1 */
	bool rx_disable_stuck; /* RXDCTL.ENABLE never reads 0 again */
	bool link_stuck;       /* the link never comes */
	bool mdio_stuck;       /* MSCA.MDICMD never clears */
	bool tx_hang;          /* the transmit engine takes no descriptor */
	bool rx_lies;          /* lengths of written-back descriptors are beyond the buffer */
	bool gone;             /* removed from the start: reads all ones */
};

/* A new device after power on, or NULL (no memory). Both structures are copied. */
struct ixgbe_model *ixgbe_model_new(
	const struct ixgbe_model_options *options, const struct ixgbe_model_wire *wire);
void ixgbe_model_free(struct ixgbe_model *m);

/* The options in effect; a test may change the ways to misbehave at any time. */
struct ixgbe_model_options *ixgbe_model_options(struct ixgbe_model *m);

/* BAR 0; ctx of model_add_memory is the device: ixgbe_model_mmio_read and _write. */
uint64_t ixgbe_model_read(struct ixgbe_model *m, uint64_t at, unsigned bytes);
void ixgbe_model_write(struct ixgbe_model *m, uint64_t at, unsigned bytes, uint64_t v);
uint64_t ixgbe_model_mmio_read(void *m, uint64_t at, unsigned bytes);
void ixgbe_model_mmio_write(void *m, uint64_t at, unsigned bytes, uint64_t v);

/*
 * A frame from the wire, without FCS (shorter ones than 60 bytes count as
 * padded by their sender). False: dropped or filtered out, and counted by the
 * device where it counts such; or, where no queue may drop, held in its packet
 * buffer until there are descriptors (then true).
 */
bool ixgbe_model_receive(struct ixgbe_model *m, const void *frame, unsigned bytes);

/* A broken one from the wire, `bytes` long with FCS: too short, too long, or (fcs_good false)
 * damaged. */
void ixgbe_model_receive_bad(struct ixgbe_model *m, unsigned bytes, bool fcs_good);

/*
 * Runs the engines: transmit queues, frames held in the packet buffer, link,
 * timers, interrupts throttled. True: it did something.
 */
bool ixgbe_model_poll(struct ixgbe_model *m);

/* The cable: carrier comes or goes. */
void ixgbe_model_set_link(struct ixgbe_model *m, bool carrier);
/* Surprise removal: from now on all reads are ones, writes and frames are lost. */
void ixgbe_model_remove(struct ixgbe_model *m);
/* Bus mastering off (command register): no descriptor is fetched nor written until it is on again.
 */
void ixgbe_model_gate_dma(struct ixgbe_model *m, bool on);
/* Function level reset, or reset of the bus: all as after power on, but for the cable. */
void ixgbe_model_bus_reset(struct ixgbe_model *m);

/* A register as it is kept, without any effect: a test looks, or sets a statistic near its end. */
uint32_t ixgbe_model_peek(const struct ixgbe_model *m, uint32_t at);
void ixgbe_model_poke(struct ixgbe_model *m, uint32_t at, uint32_t v);

/* Device ids for configuration space: subsystem is 8086:000c. */
uint16_t ixgbe_model_device_id(const struct ixgbe_model *m);

/* How many times a rule was broken; the first: its name, and the circumstances. NULL, "": none. */
unsigned ixgbe_model_broken(const struct ixgbe_model *m);
const char *ixgbe_model_first_broken(const struct ixgbe_model *m, const char **what);
/* Forgets them. */
void ixgbe_model_forgive(struct ixgbe_model *m);

/* The rules. */
struct ixgbe_model_rule {
	const char *name;
	bool house;          /* one of this project's driver only; the others hold for any */
	const char *section; /* of the 82599 datasheet (331520) that says so */
	const char *why;
};

extern const struct ixgbe_model_rule ixgbe_model_rules[];
extern const unsigned ixgbe_model_rules_count;

#endif
