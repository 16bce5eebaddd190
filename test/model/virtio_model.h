/*
 * A modern virtio-net PCI device in memory, behind test/model/pci_model.h, with
 * split or packed rings, one or more queue pairs and a control queue.
 *
 * It does what VIRTIO 1.2 asks of a device, complains about what the driver
 * does wrong, and misbehaves on request: each switch below is one way in which
 * a device can break its contract.
 */
#ifndef TEST_MODEL_VIRTIO_MODEL_H
#define TEST_MODEL_VIRTIO_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/virtio/virtqueue_packed.h"
#include "drivers/virtio/virtqueue_split.h"
#include "test/model/pci_model.h"

#define VIRTIO_MODEL_BAR       4u
#define VIRTIO_MODEL_BAR_BYTES 16384u
#define VIRTIO_MODEL_QUEUES    41u   /* 20 pairs and the control queue */
#define VIRTIO_MODEL_SLOTS     1024u /* of the largest queue */
#define VIRTIO_MODEL_RX        0u    /* queue numbers of the first pair */
#define VIRTIO_MODEL_TX        1u

#define VIRTIO_MODEL_F_MTU         (UINT64_C(1) << 3)
#define VIRTIO_MODEL_F_MAC         (UINT64_C(1) << 5)
#define VIRTIO_MODEL_F_STATUS      (UINT64_C(1) << 16)
#define VIRTIO_MODEL_F_CTRL_VQ     (UINT64_C(1) << 17)
#define VIRTIO_MODEL_F_CTRL_VLAN   (UINT64_C(1) << 19)
#define VIRTIO_MODEL_F_MQ          (UINT64_C(1) << 22)
#define VIRTIO_MODEL_F_VERSION_1   (UINT64_C(1) << 32)
#define VIRTIO_MODEL_F_RING_PACKED (UINT64_C(1) << 34)
#define VIRTIO_MODEL_F_RSS         (UINT64_C(1) << 60)

/* A buffer that the device has finished with. */
struct virtio_model_done {
	uint32_t id, bytes;
	unsigned descriptors;
	uint32_t true_id; /* which it really is, where `id` is a lie */
};

struct virtio_model_queue {
	uint16_t size, vector, enable;
	uint64_t desc, driver, device; /* addresses as the driver wrote them */
	uint32_t seen; /* descriptors (split: entries of the available ring) read so far */
	uint32_t done; /* descriptors (split: entries of the used ring) returned so far */
	unsigned doorbells;
	bool has[VIRTIO_MODEL_SLOTS];                      /* by id: the device has this buffer */
	struct virtio_model_done held[VIRTIO_MODEL_SLOTS]; /* finished, not yet told (hold) */
	unsigned held_n;
};

/* The last RSS configuration, taken apart. */
struct virtio_model_rss {
	uint32_t hash_types;
	unsigned entries, unclassified, tx_queues, key_bytes;
	uint16_t table[128];
	uint8_t key[40];
};

struct virtio_model {
	struct pci_model_function *pci;
	uint8_t *memory; /* the only range its DMA may touch besides rings and commands */
	size_t memory_bytes;

	/* What it is. */
	uint64_t offered; /* features */
	uint16_t max_size[VIRTIO_MODEL_QUEUES], queues;
	uint8_t config[64];
	uint8_t generation;

	/* How it behaves. */
	bool no_notify;       /* asks for no doorbells */
	bool hold;            /* finishes buffers, but tells only at virtio_model_flush */
	bool features_sulk;   /* never shows FEATURES_OK */
	bool reset_hangs;     /* a reset never ends, */
	unsigned resets_good; /* after so many that do */
	unsigned reset_slow;  /* status reads until it does */
	bool dead;            /* every register reads all ones */
	bool spins;           /* the configuration changes with each reading */
	bool size_sticks;     /* the queue size cannot be changed */
	bool lie_id;          /* returned buffers carry fake_id, */
	uint32_t fake_id;
	bool lie_bytes; /* or fake_bytes */
	uint32_t fake_bytes;
	bool control_mute;     /* commands are never answered, */
	unsigned control_slow; /* or only after so many looks at the clock */
	bool control_bad_id;   /* answers name another chain */
	bool control_twice;    /* an answer counts as two */
	bool control_no_ack;   /* the chain comes back without an answer in it */
	bool refuse_rss;       /* RSS_CONFIG is answered with ERR */
	bool refuse_pairs;     /* VQ_PAIRS_SET is */
	bool refuse_vlan;      /* VLAN commands are */
	uint8_t refusal;       /* ERR, or what stands for it */

	/* What the driver has done. */
	uint8_t status;
	uint64_t accepted;
	uint32_t offer_select, accept_select;
	uint16_t queue_select, config_vector;
	struct virtio_model_queue queue[VIRTIO_MODEL_QUEUES];
	unsigned resets, starts, commands;
	unsigned pairs;              /* queue pairs in use */
	struct virtio_model_rss rss; /* entries 0: none set */
	bool vlan[4096];             /* that pass the filter */
	const char *complaint;       /* the driver's first breach of the specification, or NULL */

	/* The last frame sent, by which pair, and how many. */
	uint8_t sent[10240];
	size_t sent_len;
	unsigned sent_pair, sent_n;
};

/*
 * A healthy device at 0:slot.0 of the segment with queues of `size`: MTU, MAC,
 * STATUS and VERSION_1, MAC 52:54:00:12:34:56, MTU 1500, link up, BAR unassigned.
 * memory: what its DMA may touch besides its rings.
 */
void virtio_model_init(struct virtio_model *m, struct pci_model *p, unsigned slot, unsigned size,
	uint8_t *memory, size_t memory_bytes);

/* Gives it up to 20 queue pairs like the first, a control queue of 64, and MQ. */
void virtio_model_multiqueue(struct virtio_model *m, unsigned pairs);

/* Lets it offer RSS: 40 bytes of key, 128 entries, all hash types. */
void virtio_model_offer_rss(struct virtio_model *m);

/* Lets it offer a VLAN filter, and a control queue if it has none. */
void virtio_model_offer_vlan(struct virtio_model *m);

/* Changes the 16-bit config field at `at`, with a new generation. */
void virtio_model_set_config(struct virtio_model *m, unsigned at, uint16_t v);

/* A frame comes in: written into the next buffer of the pair's RX queue. false: no buffer. */
bool virtio_model_receive_on(struct virtio_model *m, unsigned pair, const void *frame, size_t len);
bool virtio_model_receive(struct virtio_model *m, const void *frame, size_t len); /* the first */

/* Sends what the driver has posted to any queue, doorbell or not. Returns how many frames. */
unsigned virtio_model_transmit(struct virtio_model *m);

/* Tells the driver what was held back, last finished first, all but the first `keep`. */
void virtio_model_flush(struct virtio_model *m, unsigned queue, unsigned keep);

/* The memory of a queue, to be scribbled on: of a split ring, of a packed one. */
struct virtq_used *virtio_model_used(struct virtio_model *m, unsigned queue);
struct virtq_packed_desc *virtio_model_packed(struct virtio_model *m, unsigned queue);

/* Asks for doorbells of a queue, or for none. */
void virtio_model_notify(struct virtio_model *m, unsigned queue, bool wanted);

#endif
