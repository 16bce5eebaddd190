/* Received VLAN tags: which subinterface a frame is of (IEEE 802.1Q 9.6). */
#include "net/path/parse.h"
#include "net/path/tag.h"

bool parse_is_tagged(const uint8_t *f, uint32_t len)
{
	return len >= ETH_HEADER && tag_is_type(load_be16(f + ETH_TYPE));
}

/* The subinterface gets the frame, as it was on the link. */
void parse_count_vlan(const struct lane *lane, unsigned vlan, uint64_t word)
{
	struct vlan_counters *c = &lane->counters->vlan[vlan];

	counter_add(&c->rx_packets, 1);
	counter_add(&c->rx_bytes, packet_len(word));
}

unsigned parse_vlan(const struct lane *lane, const uint8_t *f, uint32_t len)
{
	if (len < ETH_HEADER + PACKET_TAG || load_be16(f + ETH_TYPE) != ETH_TYPE_VLAN ||
		tag_is_type(load_be16(f + ETH_TYPE + PACKET_TAG)))
		return VLAN_NONE;
	return vlan_find(lane->tables->vlans, lane->port, load_be16(f + ETH_HEADER) & TAG_VID);
}

uint16_t parse_tag(const struct lane *lane, struct batch *b, unsigned i, uint32_t *max_frame)
{
	const uint8_t *f = b->data[i];
	const struct vlans *vlans = lane->tables->vlans;
	unsigned vlan = VLAN_NONE, vid;

	if (load_once(&lane->disabled))
		return verdict_drop(DROP_PORT_DISABLED);
	if (load_be16(f + ETH_TYPE) == ETH_TYPE_QINQ)
		return verdict_drop(DROP_VLAN_STACKED);
	if (packet_len(b->word[i]) < ETH_HEADER + PACKET_TAG)
		return verdict_drop(DROP_VLAN_TRUNCATED);
	if (tag_is_type(load_be16(f + ETH_TYPE + PACKET_TAG)))
		return verdict_drop(DROP_VLAN_STACKED);
	*max_frame = load_once(&lane->max_frame);
	vid = load_be16(f + ETH_HEADER) & TAG_VID;
	if (vid != 0) { /* else: only a priority, the port's own */
		vlan = vlan_find(vlans, lane->port, vid);
		if (vlan == VLAN_NONE)
			return verdict_drop(DROP_VLAN_UNKNOWN);
		parse_count_vlan(lane, vlan, b->word[i]);
		*max_frame = load_once(&vlans->vlan[vlan].max_frame);
		if (*max_frame == 0)
			return verdict_drop(DROP_PORT_DISABLED);
	}
	b->data[i] = tag_pop(b->data[i], (uint16_t)(vid ? vlan + 1 : 0));
	b->word[i] = packet_pop(b->word[i]);
	return VERDICT_ROUTE;
}
