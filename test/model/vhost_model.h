/*
 * A strict vhost-user back end in this process, on a thread of its own, for the
 * front end in kernel/hosted/: it complains of whatever the protocol does not
 * allow, and misbehaves on request.
 *
 * Its rings are those of the virtio model, which the test works with once they have
 * been handed over; as both are one process, their addresses are the same.
 */
#ifndef TEST_MODEL_VHOST_MODEL_H
#define TEST_MODEL_VHOST_MODEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "test/model/virtio_model.h"

/* What it does when it gets request `bad_request`, instead of what it should. */
enum vhost_model_bad {
	VHOST_MODEL_DIES,       /* closes the connection */
	VHOST_MODEL_MUTE,       /* does not answer */
	VHOST_MODEL_HALF,       /* sends half of the answer's header, and closes */
	VHOST_MODEL_OTHER,      /* answers another request */
	VHOST_MODEL_SHORT,      /* with a payload cut short */
	VHOST_MODEL_LONG,       /* with one of 4 GiB, as it says */
	VHOST_MODEL_NO_REPLY,   /* without the reply flag */
	VHOST_MODEL_NO_VERSION, /* without a version */
	VHOST_MODEL_REFUSES,    /* acknowledges with an error */
	VHOST_MODEL_EMPTY,      /* answers with no payload */
	VHOST_MODEL_BADS
};

struct vhost_model {
	struct virtio_model device; /* its rings; features it offers in device.offered */
	struct pci_model segment;   /* that the virtio model wants to lie on */
	char path[108];
	uint64_t protocol; /* features of the protocol it offers */
	uint64_t pairs;    /* queue pairs it has */
	uint8_t mac[6];    /* with the CONFIG feature */
	bool client;       /* it connects to the front end */
	unsigned bad_request;
	enum vhost_model_bad bad;

	/* What the front end has done; stable once the queues have been handed over. */
	unsigned connections;
	uint64_t protocol_set;
	uint64_t memory_first, memory_bytes;
	int kick[VIRTIO_MODEL_QUEUES], call[VIRTIO_MODEL_QUEUES];
	unsigned started;      /* queues */
	unsigned requests[64]; /* how many of each */
	const char *complaint; /* the first breach, or NULL: of this or of the rings */

	pthread_t thread;
	int listener, fd;
	bool ends, chatters;
};

/* Fills in a healthy one: VERSION_1, MQ, all features of the protocol, one pair. */
void vhost_model_init(struct vhost_model *m, const char *path);

/* Opens its socket and serves one connection after the other until vhost_model_end, which ends the
 * one there is: the back end dies. It can be started again. */
void vhost_model_start(struct vhost_model *m);
void vhost_model_end(struct vhost_model *m);

/* Sends a message that nobody has asked for. */
void vhost_model_chatter(struct vhost_model *m);

/* How often queue `number` has been kicked since the last call. */
uint64_t vhost_model_kicks(struct vhost_model *m, unsigned number);

#endif
