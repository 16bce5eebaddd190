/*
 * Inside the model: the device, and what its files say to each other. Drivers,
 * tests and servers include ixgbe_model.h only.
 */
#ifndef TEST_MODEL_IXGBE_MODEL_DEVICE_H
#define TEST_MODEL_IXGBE_MODEL_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "test/model/ixgbe_model.h"
#include "test/model/ixgbe_model_regs.h"

#define IXGBE_MODEL_QUEUES   128u
#define IXGBE_MODEL_NVM      4096u /* words */
#define IXGBE_MODEL_TSO      0x40400u
#define IXGBE_MODEL_PHY_REGS 96u

enum ixgbe_model_kind { KIND_82599, KIND_X540, KIND_X550 };

struct ixgbe_model_desc {
	uint32_t w[4]; /* as in memory: little endian, which the hosts are */
};

_Static_assert(sizeof(struct ixgbe_model_desc) == 16, "7.1.5");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "descriptors are copied as they are");

struct ixgbe_model_context {
	bool written;
	uint32_t w[4];
};

struct ixgbe_model_queue {
	bool enabled;                 /* as the hardware sees it */
	bool wanted;                  /* as CTL.ENABLE was last written */
	uint64_t turn;                /* when `enabled` follows `wanted`, us */
	unsigned looks;               /* reads of CTL since then */
	bool seen;                    /* CTL.ENABLE was read as 1 */
	bool stopped;                 /* by memory that is not mapped */
	unsigned head;                /* next descriptor of the device */
	unsigned tail;                /* first one of software */
	unsigned length;              /* descriptors */
	struct ixgbe_model_desc *own; /* what was in memory when the device got it */
	struct ixgbe_model_context context[2];
};

struct ixgbe_model_held { /* a frame in the packet buffer */
	struct ixgbe_model_held *next;
	unsigned queue;
	unsigned bytes;
	bool bad;
	uint8_t frame[];
};

struct ixgbe_model_i2c {
	unsigned state;
	bool scl, sda;  /* what the master drives */
	bool drive;     /* the slave pulls data low */
	bool addressed; /* the next byte is the device's address */
	bool offset;    /* the next byte is the offset in the module's memory */
	bool reading, nack;
	unsigned bits;
	uint8_t shift, page, at;
};

struct ixgbe_model_link {
	bool carrier;
	bool up, training;
	uint64_t at; /* end of training, us */
};

struct ixgbe_model_irq {
	uint64_t pending, mask, sent; /* queue causes, by vector */
	uint64_t automask;
	uint32_t other, other_mask, other_sent; /* bits 16 to 30 of EICR */
	uint64_t open[IXGBE_MODEL_VECTORS];     /* EITR: not before, us */
};

struct ixgbe_model {
	struct ixgbe_model_options options;
	struct ixgbe_model_wire wire;
	enum ixgbe_model_kind kind;
	bool gone, gated;
	uint32_t reg[IXGBE_MODEL_BAR_BYTES / 4];
	uint16_t range[IXGBE_MODEL_BAR_BYTES / 4]; /* 1 + index in ixgbe_model_ranges */

	unsigned broken;
	const char *first;
	char first_what[160];

	bool resetting, was_reset, saw_master_off;
	uint64_t reset_at; /* last reset began */
	uint64_t ready_at; /* EEPROM read, DMA initialised */
	bool saw_autoread, saw_config, saw_dma, judged;
	uint64_t sync_at[6]; /* when SWSM and each bit of SW_FW_SYNC were taken, 0: free */
	uint32_t twice_at, twice_value; /* the last read, if of a statistic */
	uint32_t low_read;              /* register of octets whose low half was read, 0: none */

	struct ixgbe_model_queue rx[IXGBE_MODEL_QUEUES], tx[IXGBE_MODEL_QUEUES];
	struct ixgbe_model_held *held, **held_end;
	unsigned held_bytes;
	bool choked;           /* XOFF was sent */
	uint64_t paused_until; /* XOFF came, us */
	struct ixgbe_model_link link;
	struct ixgbe_model_irq irq;
	struct ixgbe_model_i2c i2c;
	uint64_t eerd_at, mdio_at;
	unsigned mdio_address;
	struct {
		uint16_t device, at, value;
	} phy[IXGBE_MODEL_PHY_REGS];
	unsigned phy_used;
	uint16_t nvm[IXGBE_MODEL_NVM];
	uint8_t module[256];
	uint8_t gather[IXGBE_MODEL_TSO];
	uint8_t frame[IXGBE_MODEL_FRAME + 32];
};

/* ---- the register file: ixgbe_model_table.c */
enum ixgbe_model_access {
	ACCESS_RW,    /* keeps the bits of `writable` */
	ACCESS_RO,    /* writes break a rule */
	ACCESS_COUNT, /* a statistic: cleared by reading, or with its high half */
	ACCESS_TABLE, /* as RW; not touched by reset, undefined after power on */
};

struct ixgbe_model_range {
	uint32_t first;
	uint16_t count, stride;
	enum ixgbe_model_access access;
	uint32_t writable, fixed; /* fixed: read-only bits that may be written as anything */
	uint32_t reset;
	uint32_t (*read)(struct ixgbe_model *m, uint32_t at);
	void (*write)(struct ixgbe_model *m, uint32_t at, uint32_t v);
};

extern const struct ixgbe_model_range ixgbe_model_ranges[];
extern const unsigned ixgbe_model_ranges_count;

/* Some registers of the 82598 live on at their old addresses (8.2.2). */
uint32_t ixgbe_model_alias(uint32_t at);
/* All registers as after power on (tables, too) or reset. */
void ixgbe_model_table_reset(struct ixgbe_model *m, bool power_on);

/* The value kept, and kept bits of a write, with no effect. */
#define REG(m, at) ((m)->reg[(at) / 4])

/* ---- rules: ixgbe_model_rules.c */
void ixgbe_model_broke(struct ixgbe_model *m, const char *rule, const char *form, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a rule of the house. */
void ixgbe_model_house(struct ixgbe_model *m, const char *rule, const char *form, ...)
	__attribute__((format(printf, 3, 4)));

static inline uint64_t ixgbe_model_now(struct ixgbe_model *m)
{
	return m->wire.now_us(m->wire.ctx);
}

static inline void *ixgbe_model_dma(
	struct ixgbe_model *m, uint64_t address, uint64_t bytes, bool write)
{
	return m->wire.dma(m->wire.ctx, address, bytes, write);
}

/* ---- reset and bring-up: ixgbe_model_reset.c */
uint32_t ixgbe_model_ctrl_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_ctrl_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
uint32_t ixgbe_model_status_read(struct ixgbe_model *m, uint32_t at);
uint32_t ixgbe_model_rdrxctl_read(struct ixgbe_model *m, uint32_t at);
uint32_t ixgbe_model_sec_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_rxctrl_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
void ixgbe_model_dmatxctl_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
void ixgbe_model_mtqc_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
void ixgbe_model_rss_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
void ixgbe_model_fctrl_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
void ixgbe_model_fdirctrl_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
void ixgbe_model_reset(struct ixgbe_model *m, bool power_on);
/* Judges an access in the shadow of a reset; ends the reset when its time is over. */
void ixgbe_model_reset_shadow(struct ixgbe_model *m, uint32_t at, bool write);

/* ---- EEPROM and semaphores: ixgbe_model_nvm.c */
void ixgbe_model_nvm_fill(struct ixgbe_model *m);
uint32_t ixgbe_model_eec_read(struct ixgbe_model *m, uint32_t at);
uint32_t ixgbe_model_fwsm_read(struct ixgbe_model *m, uint32_t at);
uint32_t ixgbe_model_eerd_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_eerd_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
uint32_t ixgbe_model_eemngctl_read(struct ixgbe_model *m, uint32_t at);
uint32_t ixgbe_model_swsm_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_swsm_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
uint32_t ixgbe_model_sync_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_sync_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
/* Breaks a rule if a semaphore was held longer than a second. */
void ixgbe_model_sync_age(struct ixgbe_model *m);

/* ---- SFP+ module: ixgbe_model_sfp.c; PHY: ixgbe_model_phy.c */
void ixgbe_model_sfp_fill(struct ixgbe_model *m);
uint32_t ixgbe_model_i2c_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_i2c_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
uint32_t ixgbe_model_esdp_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_phy_fill(struct ixgbe_model *m);
uint32_t ixgbe_model_msca_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_msca_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
/* May the PHY have a link? */
bool ixgbe_model_phy_ready(struct ixgbe_model *m);

/* ---- link: ixgbe_model_link.c */
uint32_t ixgbe_model_links_read(struct ixgbe_model *m, uint32_t at);
uint32_t ixgbe_model_anlp1_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_autoc_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
void ixgbe_model_link_restart(struct ixgbe_model *m);
/* Brings the link to what time and carrier say. True: it changed. */
bool ixgbe_model_link_poll(struct ixgbe_model *m);

/* ---- interrupts: ixgbe_model_irq.c */
uint32_t ixgbe_model_irq_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_irq_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
void ixgbe_model_irq_queue(struct ixgbe_model *m, unsigned queue, bool tx);
void ixgbe_model_irq_other(struct ixgbe_model *m, uint32_t bits);
bool ixgbe_model_irq_poll(struct ixgbe_model *m);

/* ---- rings: ixgbe_model_queue.c */
uint32_t ixgbe_model_ring_read(struct ixgbe_model *m, uint32_t at);
void ixgbe_model_ring_write(struct ixgbe_model *m, uint32_t at, uint32_t v);
/* Lets CTL.ENABLE follow. */
void ixgbe_model_queue_settle(struct ixgbe_model *m, struct ixgbe_model_queue *q, bool tx);
void ixgbe_model_queues_reset(struct ixgbe_model *m);
/* The address of its descriptor in memory, or NULL (rule broken, queue stopped). */
struct ixgbe_model_desc *ixgbe_model_queue_at(
	struct ixgbe_model *m, unsigned n, bool tx, unsigned index, bool write);
/* Register `offset` of a queue's block. */
uint32_t ixgbe_model_queue_block(unsigned n, bool tx);

/* ---- frames: ixgbe_model_parse.c, ixgbe_model_filter.c */
struct ixgbe_model_packet {
	unsigned vlan;           /* bytes of tag: 0 or 4 */
	uint16_t tag, ethertype; /* ethertype: behind the tag */
	unsigned l3, l4;         /* offsets; 0: none */
	unsigned end;            /* of the IP packet */
	uint32_t type;           /* RXD_IP4 .. RXD_SCTP */
	bool fragment;
	uint8_t protocol; /* of layer 4, if not a fragment */
	uint32_t status;  /* RXD_IPCS .. RXD_ERR_IP */
};

/* Sum of 16-bit words in network order, not folded to its complement. */
uint32_t ixgbe_model_sum(const uint8_t *p, unsigned bytes, uint32_t sum);
uint16_t ixgbe_model_fold(uint32_t sum);
void ixgbe_model_parse(
	const uint8_t *frame, unsigned bytes, uint16_t vlan_type, struct ixgbe_model_packet *p);
/* Layer 2 filters; *inexact: by the hash table only. */
bool ixgbe_model_accepts(struct ixgbe_model *m, const uint8_t *frame,
	const struct ixgbe_model_packet *p, bool *inexact);
/* Microsoft's Toeplitz hash; key: 40 bytes, n <= 36. */
uint32_t ixgbe_model_toeplitz(const uint8_t *key, const uint8_t *input, unsigned n);
/* The queue by RSS; *hash, *type (7.1.2.8.1): of the descriptor. */
unsigned ixgbe_model_rss(struct ixgbe_model *m, const uint8_t *frame,
	const struct ixgbe_model_packet *p, uint32_t *hash, unsigned *type);

/* ---- engines: ixgbe_model_rx.c, ixgbe_model_tx.c, ixgbe_model_offload.c */
bool ixgbe_model_rx_poll(struct ixgbe_model *m);
void ixgbe_model_rx_flush(struct ixgbe_model *m);
bool ixgbe_model_tx_run(struct ixgbe_model *m, unsigned n);
bool ixgbe_model_tx_poll(struct ixgbe_model *m);
/* A gathered packet as its data descriptor d and context c (NULL: none) ask for; sends it. */
void ixgbe_model_offload(
	struct ixgbe_model *m, unsigned n, unsigned bytes, const uint32_t *d, const uint32_t *c);
/* One whole frame, checksums done, leaves queue n. */
void ixgbe_model_tx_frame(struct ixgbe_model *m, unsigned n, const uint8_t *frame, unsigned bytes);

/* ---- flow control: ixgbe_model_pause.c */
/* The level of the packet buffer has changed. */
void ixgbe_model_pause_level(struct ixgbe_model *m);
/* Is it a pause frame that ends here? */
bool ixgbe_model_pause_taken(struct ixgbe_model *m, const uint8_t *frame);
bool ixgbe_model_paused(struct ixgbe_model *m);

/* ---- statistics: ixgbe_model_stats.c */
void ixgbe_model_count(struct ixgbe_model *m, uint32_t at, uint32_t n);
/* 36 bits in two registers. */
void ixgbe_model_count_octets(struct ixgbe_model *m, uint32_t low, uint32_t n);
uint32_t ixgbe_model_count_read(struct ixgbe_model *m, uint32_t at);
/* PRC64.. or PTC64..: bytes with FCS. */
void ixgbe_model_count_size(struct ixgbe_model *m, uint32_t first, unsigned bytes);

#endif
