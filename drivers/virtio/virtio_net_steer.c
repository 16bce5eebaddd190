/*
 * How a device with several queues spreads received frames over them (VIRTIO 1.2 5.1.6.5.5
 * to 5.1.6.5.7).
 *
 * By RSS where it can: a hash of addresses and ports picks an entry of a table,
 * the entry names a queue. Else in the device's own way, which keeps a flow on
 * one queue as well as it can.
 */
#include <string.h>

#include "drivers/virtio/virtio_net_device.h"

#define CLASS_MQ        4u /* 5.1.6.5.5 */
#define MQ_VQ_PAIRS_SET 0u
#define MQ_RSS_CONFIG   1u

/*
 * Hash types (5.1.6.4.3.1). A fragment has no ports and is hashed by its
 * addresses alone, so it may pass an unfragmented datagram of its flow, never
 * another fragment.
 */
#define HASH_IPV4  (1u << 0)
#define HASH_TCPV4 (1u << 1)
#define HASH_UDPV4 (1u << 2)
#define HASH_IPV6  (1u << 3)
#define HASH_TCPV6 (1u << 4)
#define HASH_UDPV6 (1u << 5)
#define HASHES     (HASH_IPV4 | HASH_TCPV4 | HASH_UDPV4 | HASH_IPV6 | HASH_TCPV6 | HASH_UDPV6)

#define RSS_TABLE 128u /* entries; every device takes as many (5.1.4.1) */
#define RSS_KEY   40u  /* bytes; likewise */

/* struct virtio_net_rss_config (5.1.6.5.7.1), with a table and a key of these lengths. */
struct rss_config {
	uint32_t hash_types;
	uint16_t table_mask;
	uint16_t unclassified_queue;
	uint16_t table[RSS_TABLE]; /* RX queues, counted from 0 */
	uint16_t tx_queues;        /* used at most */
	uint8_t key_bytes;
	uint8_t key[RSS_KEY];
} __attribute__((packed));

_Static_assert(sizeof(struct rss_config) == 8 + 2 * RSS_TABLE + 3 + RSS_KEY, "5.1.6.5.7.1");
_Static_assert(sizeof(struct rss_config) <= VIRTIO_CONTROL_DATA_MAX, "it fits a command");

bool virtio_net_rss_fits(const struct virtio_net *net)
{
	uint8_t key = 0;

	return virtio_read_bytes(net->transport, VIRTIO_NET_CONFIG_RSS_KEY, &key, 1) &&
	       key >= RSS_KEY &&
	       virtio_read16(net->transport, VIRTIO_NET_CONFIG_RSS_TABLE) >= RSS_TABLE &&
	       (virtio_read32(net->transport, VIRTIO_NET_CONFIG_RSS_HASHES) & HASH_IPV4);
}

/*
 * The Toeplitz hash is the exclusive-or of key bits, those that start where the
 * input has ones. With a key of period 16 bits, swapping two addresses or two
 * ports changes nothing, so both directions of a flow come to one worker.
 */
static void rss_fill(const struct virtio_net *net, struct rss_config *c)
{
	unsigned queues = net->dev.rx_queues;

	memset(c, 0, sizeof *c);
	c->hash_types = virtio_read32(net->transport, VIRTIO_NET_CONFIG_RSS_HASHES) & HASHES;
	c->table_mask = RSS_TABLE - 1;
	for (unsigned i = 0; i < RSS_TABLE; i++)
		c->table[i] = (uint16_t)(i % queues);
	c->tx_queues = net->dev.tx_queues;
	c->key_bytes = RSS_KEY;
	for (unsigned i = 0; i < RSS_KEY; i += 2) {
		c->key[i] = 0x6d;
		c->key[i + 1] = 0x5a;
	}
}

static enum virtio_answer ask_rss(struct virtio_net *net, const struct io_env *env)
{
	struct rss_config config;

	rss_fill(net, &config);
	return virtio_control_command(
		&net->control, env, CLASS_MQ, MQ_RSS_CONFIG, &config, sizeof config);
}

static enum virtio_answer ask_pairs(struct virtio_net *net, const struct io_env *env)
{
	uint16_t pairs = net->dev.rx_queues;

	return virtio_control_command(
		&net->control, env, CLASS_MQ, MQ_VQ_PAIRS_SET, &pairs, sizeof pairs);
}

const char *virtio_net_steer(struct virtio_net *net, const struct io_env *env)
{
	enum virtio_answer answer = VIRTIO_ANSWER_REFUSED;

	if (net->features & VIRTIO_NET_F_RSS)
		answer = ask_rss(net, env);
	net->dev.steering = "rss";
	if (answer == VIRTIO_ANSWER_REFUSED && (net->features & VIRTIO_NET_F_MQ)) {
		answer = ask_pairs(net, env);
		net->dev.steering = "device";
	}
	if (answer == VIRTIO_ANSWER_OK)
		return NULL;
	net->dev.steering = NULL;
	return answer == VIRTIO_ANSWER_REFUSED ? "it refuses more queue pairs"
					       : "no sound answer on its control queue";
}
