/* The control queue of the virtio model: queue pairs and RSS (VIRTIO 1.2 5.1.6.5). */
#include <string.h>

#include "test/model/virtio_model_ring.h"

#define CLASS_MQ        4u
#define MQ_VQ_PAIRS_SET 0u
#define MQ_RSS_CONFIG   1u
#define CLASS_VLAN      2u
#define VLAN_ADD        0u
#define VLAN_DEL        1u
#define ACK_OK          0u

#define CONFIG_PAIRS_MAX  8u
#define CONFIG_RSS_KEY    17u
#define CONFIG_RSS_TABLE  18u
#define CONFIG_RSS_HASHES 20u

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

unsigned virtio_model_control_queue(const struct virtio_model *m)
{
	bool many = m->accepted & (VIRTIO_MODEL_F_MQ | VIRTIO_MODEL_F_RSS);

	return 2u * (many ? get16(m->config + CONFIG_PAIRS_MAX) : 1u);
}

/* The pairs that the driver has set up entirely. */
static unsigned pairs_enabled(const struct virtio_model *m)
{
	unsigned n = 0;

	while (n < get16(m->config + CONFIG_PAIRS_MAX) && m->queue[2 * n].enable &&
		m->queue[2 * n + 1].enable)
		n++;
	return n;
}

/* 5.1.6.5.6.1: what the driver may ask for. false: it has asked for something else. */
static bool set_pairs(struct virtio_model *m, const uint8_t *data, uint32_t bytes)
{
	if (!(m->accepted & VIRTIO_MODEL_F_MQ) || bytes != 2 || get16(data) == 0 ||
		get16(data) > pairs_enabled(m))
		return false;
	m->pairs = get16(data);
	return true;
}

/* struct virtio_net_rss_config; false: not as 5.1.6.5.7 demands. */
static bool set_rss(struct virtio_model *m, const uint8_t *data, uint32_t bytes)
{
	struct virtio_model_rss *r = &m->rss;
	unsigned pairs = pairs_enabled(m);

	if (!(m->accepted & VIRTIO_MODEL_F_RSS) || bytes < 8)
		return false;
	r->hash_types = get32(data);
	r->entries = get16(data + 4) + 1u;
	r->unclassified = get16(data + 6);
	if ((r->entries & (r->entries - 1)) != 0 || r->entries > sizeof r->table / 2 ||
		r->entries > get16(m->config + CONFIG_RSS_TABLE) || bytes < 8 + 2 * r->entries + 3)
		return false;
	memcpy(r->table, data + 8, 2ul * r->entries);
	r->tx_queues = get16(data + 8 + 2ul * r->entries);
	r->key_bytes = data[8 + 2ul * r->entries + 2];
	if (r->key_bytes > m->config[CONFIG_RSS_KEY] || r->key_bytes > sizeof r->key ||
		bytes != 8 + 2 * r->entries + 3 + r->key_bytes)
		return false;
	memcpy(r->key, data + 8 + 2ul * r->entries + 3, r->key_bytes);
	for (unsigned i = 0; i < r->entries; i++)
		if (r->table[i] >= pairs)
			return false;
	if (r->unclassified >= pairs || r->tx_queues == 0 || r->tx_queues > pairs ||
		(r->hash_types & ~get32(m->config + CONFIG_RSS_HASHES)) || !r->hash_types)
		return false;
	m->pairs = r->tx_queues;
	return true;
}

/* 5.1.6.5.3: a VLAN passes, or no more. */
static bool set_vlan(struct virtio_model *m, bool pass, const uint8_t *data, uint32_t bytes)
{
	if (!(m->accepted & VIRTIO_MODEL_F_CTRL_VLAN) || bytes != 2 || get16(data) >= 4096)
		return false;
	m->vlan[get16(data)] = pass;
	return true;
}

/* The answer to a command. */
static uint8_t obey(struct virtio_model *m, const uint8_t *command, uint32_t bytes)
{
	bool good = false, refuse = false;

	m->commands++;
	if (bytes >= 2 && command[0] == CLASS_MQ && command[1] == MQ_VQ_PAIRS_SET) {
		refuse = m->refuse_pairs;
		good = refuse || set_pairs(m, command + 2, bytes - 2);
	} else if (bytes >= 2 && command[0] == CLASS_MQ && command[1] == MQ_RSS_CONFIG) {
		refuse = m->refuse_rss;
		good = refuse || set_rss(m, command + 2, bytes - 2);
	}
	if (bytes >= 2 && command[0] == CLASS_VLAN && command[1] <= VLAN_DEL) {
		refuse = m->refuse_vlan;
		good = refuse || set_vlan(m, command[1] == VLAN_ADD, command + 2, bytes - 2);
	}
	if (!good)
		virtio_model_complain(m, "a malformed command");
	return good && !refuse ? ACK_OK : m->refusal;
}

void virtio_model_control(struct virtio_model *m)
{
	unsigned queue = virtio_model_control_queue(m);
	struct virtio_model_part part[2];
	struct virtio_model_done done = {.bytes = 1};
	uint8_t ack;

	if (m->control_mute || !(m->accepted & VIRTIO_MODEL_F_CTRL_VQ))
		return;
	done.descriptors = virtio_model_take(m, queue, part, 2, &done.id);
	if (done.descriptors == 0)
		return;
	if (done.descriptors != 2 || part[0].flags != VIRTQ_DESC_NEXT ||
		part[1].flags != VIRTQ_DESC_WRITE || part[1].bytes != 1) {
		virtio_model_complain(m, "a command of another shape");
		return;
	}
	ack = obey(m, (const uint8_t *)(uintptr_t)part[0].address, part[0].bytes);
	if (!m->control_no_ack)
		*(uint8_t *)(uintptr_t)part[1].address = ack;
	done.true_id = done.id;
	done.id += m->control_bad_id;
	virtio_model_return(m, queue, done);
	if (m->control_twice)
		virtio_model_return(m, queue, done);
}
