/*
 * A modern virtio-net PCI device in memory, behind test/model/pci_model.h.
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

#include "drivers/virtio/virtqueue.h"
#include "test/model/pci_model.h"

#define VIRTIO_MODEL_BAR       4u
#define VIRTIO_MODEL_BAR_BYTES 16384u
#define VIRTIO_MODEL_RX        0u
#define VIRTIO_MODEL_TX        1u

#define VIRTIO_MODEL_F_MTU       (UINT64_C(1) << 3)
#define VIRTIO_MODEL_F_MAC       (UINT64_C(1) << 5)
#define VIRTIO_MODEL_F_STATUS    (UINT64_C(1) << 16)
#define VIRTIO_MODEL_F_VERSION_1 (UINT64_C(1) << 32)

struct virtio_model_queue {
	uint16_t size, vector, enable;
	uint64_t desc, avail, used; /* addresses as the driver wrote them */
	uint16_t seen;              /* next entry of the available ring */
	uint16_t done;              /* used index */
	unsigned doorbells;
	struct virtq_used_elem held[1024]; /* finished, not yet told (hold) */
	unsigned held_n;
};

struct virtio_model {
	struct pci_model_function *pci;
	uint8_t *memory; /* the only range its DMA may touch */
	size_t memory_bytes;

	/* What it is. */
	uint64_t offered; /* features */
	uint16_t max_size[2], queues;
	uint8_t config[64];
	uint8_t generation;

	/* How it behaves. */
	bool no_notify;      /* asks for no doorbells */
	bool hold;           /* finishes buffers, but tells only at virtio_model_flush */
	bool features_sulk;  /* never shows FEATURES_OK */
	bool reset_hangs;    /* a reset never ends */
	unsigned reset_slow; /* status reads until it does */
	bool dead;           /* every register reads all ones */
	bool spins;          /* the configuration changes with each reading */
	bool size_sticks;    /* the queue size cannot be changed */
	bool lie_id;         /* used elements carry fake_id, */
	uint32_t fake_id;
	bool lie_bytes; /* or fake_bytes */
	uint32_t fake_bytes;

	/* What the driver has done. */
	uint8_t status;
	uint64_t accepted;
	uint32_t offer_select, accept_select;
	uint16_t queue_select, config_vector;
	struct virtio_model_queue queue[2];
	unsigned resets, starts;
	const char *complaint; /* the driver's first breach of the specification, or NULL */

	/* The last frame sent, and how many. */
	uint8_t sent[2048];
	size_t sent_len;
	unsigned sent_n;
};

/*
 * A healthy device at 0:slot.0 of the segment with queues of `size`, all four
 * features above, MAC 52:54:00:12:34:56, MTU 1500, link up, BAR unassigned.
 * memory: what its DMA may touch besides its rings.
 */
void virtio_model_init(struct virtio_model *m, struct pci_model *p, unsigned slot, unsigned size,
	uint8_t *memory, size_t memory_bytes);

/* Changes the 16-bit config field at `at`, with a new generation. */
void virtio_model_set_config(struct virtio_model *m, unsigned at, uint16_t v);

/* A frame comes in: written into the next buffer. false: no buffer. */
bool virtio_model_receive(struct virtio_model *m, const void *frame, size_t len);

/* Sends what the driver has posted, doorbell or not. Returns how many frames. */
unsigned virtio_model_transmit(struct virtio_model *m);

/* Tells the driver what was held back, last finished first, all but the first `keep`. */
void virtio_model_flush(struct virtio_model *m, unsigned queue, unsigned keep);

/* The used ring of a queue, to be scribbled on. */
struct virtq_used *virtio_model_used(struct virtio_model *m, unsigned queue);

#endif
