/* The vhost-user front end: a virtio transport whose device is a process behind a socket. */
#include "kernel/hosted/vhost_user.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "kernel/hosted/vhost_peer.h"
#include "lib/atomic.h"
#include "lib/hash.h"

#define QUEUES_MAX   64u      /* as many as are kept for handing over again */
#define QUEUE_SLOTS  512u     /* of each queue */
#define RETRY_US     1000000u /* after a back end that could not be used */
#define BOOT_LOOK_US 10000u

/* The configuration as drivers/virtio reads it (VIRTIO 1.2 5.1.4). */
#define CONFIG_STATUS  6u
#define CONFIG_PAIRS   8u
#define CONFIG_MTU     10u
#define CONFIG_BYTES   12u
#define STATUS_LINK_UP 1u

/* Features of a network device (5.1.3) that the front end knows of itself. */
#define NET_F_MTU    (UINT64_C(1) << 3)
#define NET_F_MAC    (UINT64_C(1) << 5)
#define NET_F_STATUS (UINT64_C(1) << 16)
#define NET_F_MQ     (UINT64_C(1) << 22)
#define NET_F_OURS   (NET_F_MAC | NET_F_STATUS)
/* And what a back end may be asked for: there is no control queue. */
#define FEATURES_PASSED (VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED | NET_F_MTU | NET_F_MQ)

/* Who has the peer: the control core, or a thread that brings a connection up. */
enum phase {
	PHASE_APART,      /* control core: no connection */
	PHASE_CONNECTING, /* thread */
	PHASE_UP,         /* control core: handed over */
	PHASE_UNUSABLE    /* control core: the thread gave up; link.trouble says why */
};

struct vhost_user {
	struct virtio_transport transport; /* first, so that a transport is its vhost_user */
	struct vhost_options options;
	const struct hosted_memory *memory;
	struct vhost_peer peer;
	enum phase phase;
	uint64_t agreed;
	uint8_t status;
	uint8_t config[CONFIG_BYTES];
	struct vhost_queue queue[QUEUES_MAX];
	unsigned queues;
	uint64_t retry_us; /* not before, after a back end that could not be used */
	char said[96];     /* the last trouble that was logged */
	char failure[96];  /* the one that stopped the device */
	char location[24];
};

static struct vhost_user *user_of(struct virtio_transport *t)
{
	return (struct vhost_user *)t;
}

static uint64_t now_us(const struct vhost_user *v)
{
	return v->transport.env->now_us(v->transport.env->ctx);
}

/* Each trouble is told once, however often it comes. */
static void log_trouble(struct vhost_user *v)
{
	const struct io_env *env = v->transport.env;

	if (strcmp(v->said, v->peer.link.trouble) == 0)
		return;
	strcpy(v->said, v->peer.link.trouble);
	env->log(env->ctx, "virtio-net %s: %s", v->location, v->said);
}

/* ---------------------------------------------------------------- reset, status, features */

/* A connection that was used is ended by a reset; one that is fresh is as after one. */
static void user_reset_start(struct virtio_transport *t)
{
	struct vhost_user *v = user_of(t);

	if (v->status & VIRTIO_STATUS_DRIVER_OK) {
		vhost_link_drop(&v->peer.link);
		v->phase = PHASE_APART;
	}
	v->status = 0;
}

static bool user_reset_done(struct virtio_transport *t)
{
	return user_of(t)->status == 0;
}

static uint8_t user_status(struct virtio_transport *t)
{
	return user_of(t)->status;
}

static bool connected(const struct vhost_user *v)
{
	return v->peer.link.fd >= 0;
}

/* Both sides: with a back end there, what it can; else what the options say. */
static uint64_t peer_features(const struct vhost_user *v)
{
	if (connected(v))
		return v->peer.features & FEATURES_PASSED;
	return VIRTIO_F_VERSION_1 | (v->options.packed ? VIRTIO_F_RING_PACKED : 0) |
	       (v->options.pairs > 1 ? NET_F_MQ : 0);
}

static uint64_t user_features_offered(struct virtio_transport *t)
{
	const struct vhost_user *v = user_of(t);
	uint64_t features = peer_features(v);

	if (!v->peer.has_config)
		features &= ~NET_F_MTU;
	return features | NET_F_OURS;
}

static void user_features_accept(struct virtio_transport *t, uint64_t features)
{
	user_of(t)->agreed = features;
}

/* DRIVER_OK hands everything over. */
static void user_add_status(struct virtio_transport *t, unsigned bits)
{
	struct vhost_user *v = user_of(t);

	v->status = (uint8_t)(v->status | bits);
	if (!(bits & VIRTIO_STATUS_DRIVER_OK) || !connected(v))
		return;
	if (vhost_peer_hand_over(
		    &v->peer, v->agreed & FEATURES_PASSED, v->memory, v->queue, v->queues)) {
		v->phase = PHASE_UP;
		return;
	}
	vhost_link_drop(&v->peer.link);
	v->phase = PHASE_UNUSABLE;
}

/* ---------------------------------------------------------------- queues */

static unsigned user_queue_size(struct virtio_transport *t, unsigned number)
{
	return number < QUEUES_MAX ? QUEUE_SLOTS : 0;
}

/* Does not wait: the count of an eventfd that nobody reads stays below its end for ages. */
static void ring_eventfd(const struct virtq_doorbell *bell, uint16_t number)
{
	uint64_t one = 1;

	(void)number;
	if (write(bell->fd, &one, sizeof one) < 0)
		return; /* it has rung so often that it still rings */
}

static const char *user_queue_enable(struct virtio_transport *t, struct virtq *vq)
{
	struct vhost_user *v = user_of(t);
	int kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (kick < 0 || call < 0 || v->queues == QUEUES_MAX)
		return "no event descriptors for its queues";
	*vq->doorbell = (struct virtq_doorbell){.ring = ring_eventfd, .fd = kick};
	v->queue[v->queues++] = (struct vhost_queue){vq, call};
	return NULL;
}

/* ---------------------------------------------------------------- configuration */

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

/* Of the back end's own configuration, what the options do not say. */
static void make_config(struct vhost_user *v)
{
	uint64_t pairs = connected(v) ? v->peer.pairs : v->options.pairs;

	memset(v->config, 0, sizeof v->config);
	memcpy(v->config, v->transport.mac, 6);
	if (v->peer.has_config) {
		if (!v->options.has_mac && (v->peer.features & NET_F_MAC))
			memcpy(v->config, v->peer.config, 6);
		memcpy(v->config + CONFIG_MTU, v->peer.config + CONFIG_MTU, 2);
	}
	put16(v->config + CONFIG_STATUS, STATUS_LINK_UP);
	put16(v->config + CONFIG_PAIRS, pairs > QUEUES_MAX / 2 ? QUEUES_MAX / 2 : (unsigned)pairs);
}

static uint8_t user_config_generation(struct virtio_transport *t)
{
	return 0; /* it never changes */
}

static uint32_t user_config_read(struct virtio_transport *t, unsigned at, unsigned bytes)
{
	uint32_t value = 0;

	memcpy(&value, user_of(t)->config + at, bytes);
	return value;
}

/* ---------------------------------------------------------------- loss and return */

static void user_cut_off(struct virtio_transport *t)
{
	struct vhost_user *v = user_of(t);

	if (load_acquire(&v->phase) != PHASE_CONNECTING) /* the thread's; its work is in vain */
		vhost_link_close(&v->peer.link);
}

static const char *user_trouble(struct virtio_transport *t, bool *lost)
{
	struct vhost_user *v = user_of(t);

	if (v->phase == PHASE_UP && vhost_link_quiet(&v->peer.link))
		return NULL;
	*lost = !v->peer.link.lied;
	strcpy(v->failure, v->peer.link.trouble); /* the thread may write that one */
	return v->failure;
}

/* Could the back end that is there now do what was agreed on with the one before? */
static bool fits(struct vhost_user *v)
{
	if (!(v->agreed & FEATURES_PASSED & ~v->peer.features) && v->queues <= 2 * v->peer.pairs)
		return true;
	snprintf(v->peer.link.trouble, sizeof v->peer.link.trouble,
		"its new back end lacks features that the one before had");
	return false;
}

static void *bring_up(void *arg)
{
	struct vhost_user *v = arg;
	bool up = vhost_peer_greet(&v->peer) && fits(v) &&
		  vhost_peer_hand_over(
			  &v->peer, v->agreed & FEATURES_PASSED, v->memory, v->queue, v->queues);

	if (!up)
		vhost_link_drop(&v->peer.link);
	store_release(&v->phase, up ? PHASE_UP : PHASE_UNUSABLE);
	return NULL;
}

/* A thread of its own waits for the answers: the control core has other work. */
static void connect_again(struct vhost_user *v)
{
	pthread_attr_t detached;
	pthread_t thread;

	if (!vhost_link_connect(&v->peer.link))
		return;
	v->phase = PHASE_CONNECTING;
	v->peer.link.lied = false;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &detached, bring_up, v) != 0) {
		vhost_link_drop(&v->peer.link);
		v->phase = PHASE_APART;
	}
	pthread_attr_destroy(&detached);
}

static bool user_back(struct virtio_transport *t)
{
	struct vhost_user *v = user_of(t);

	switch (load_acquire(&v->phase)) {
	case PHASE_APART:
		if (now_us(v) >= v->retry_us)
			connect_again(v);
		break;
	case PHASE_UNUSABLE:
		log_trouble(v);
		v->retry_us = now_us(v) + RETRY_US;
		v->phase = PHASE_APART;
		break;
	case PHASE_UP:
		v->status |= VIRTIO_STATUS_DRIVER_OK;
		v->said[0] = '\0';
		return true;
	case PHASE_CONNECTING:
		break;
	}
	return false;
}

/* ---------------------------------------------------------------- opening */

static const struct virtio_transport_ops user_ops = {
	.reset_start = user_reset_start,
	.reset_done = user_reset_done,
	.status = user_status,
	.add_status = user_add_status,
	.features_offered = user_features_offered,
	.features_accept = user_features_accept,
	.queue_size = user_queue_size,
	.queue_enable = user_queue_enable,
	.config_generation = user_config_generation,
	.config_read = user_config_read,
	.cut_off = user_cut_off,
	.trouble = user_trouble,
	.back = user_back,
};

/* Waits a while for a back end that can be greeted. false: it broke the protocol. */
static bool greet_at_boot(struct vhost_user *v)
{
	const struct timespec look = {.tv_nsec = BOOT_LOOK_US * 1000};
	uint64_t start = now_us(v);

	do {
		if (vhost_link_connect(&v->peer.link)) {
			if (vhost_peer_greet(&v->peer))
				return true;
			vhost_link_drop(&v->peer.link);
		}
		if (v->peer.link.lied)
			return false;
		(void)nanosleep(&look, NULL);
	} while (now_us(v) - start < (uint64_t)v->options.wait_ms * 1000);
	log_trouble(v);
	return true;
}

/* Locally administered, and the same for the same path. */
static void make_up_mac(struct vhost_user *v)
{
	uint64_t h = 0;

	for (const char *c = v->options.path; *c; c++)
		h = hash_mix(h ^ (uint8_t)*c);
	v->transport.mac[0] = 0x02;
	v->transport.mac[1] = 0x62; /* "bw" */
	v->transport.mac[2] = 0x77;
	memcpy(v->transport.mac + 3, &h, 3);
}

struct virtio_transport *vhost_user_open(const struct vhost_options *options,
	const struct hosted_memory *memory, const struct io_env *env)
{
	struct vhost_user *v = env->alloc(env->ctx, sizeof *v, CACHE_LINE);
	const char *name = strrchr(options->path, '/');

	if (!v) {
		env->log(env->ctx, "virtio-net %s: refused: no memory", options->path);
		return NULL;
	}
	v->options = *options;
	v->memory = memory;
	v->transport = (struct virtio_transport){
		.ops = &user_ops,
		.env = env,
		.config_bytes = CONFIG_BYTES,
		.pairs_by_queue = true,
		.location = v->location,
	};
	snprintf(v->location, sizeof v->location, "vhost:%s", name ? name + 1 : options->path);
	if (options->has_mac)
		memcpy(v->transport.mac, options->mac, 6);
	else
		make_up_mac(v);
	if (!vhost_link_open(&v->peer.link, options->path, options->server) || !greet_at_boot(v)) {
		env->log(env->ctx, "virtio-net %s: refused: %s", v->location, v->peer.link.trouble);
		vhost_link_close(&v->peer.link);
		return NULL;
	}
	make_config(v);
	return &v->transport;
}
