/* A whole router with VLANs 5 and 7 on port 0, a host in each, for unit tests. */
#ifndef TEST_UNIT_VLAN_FIXTURE_H
#define TEST_UNIT_VLAN_FIXTURE_H

#include "test/unit/router_fixture.h"

#include <stdio.h>

#include "kernel/vlans.h"
#include "net/path/tag.h"

#define V_HOST(vid)   IP(10, 1, vid, 2)
#define V_ROUTER(vid) IP(10, 1, vid, 1)
#define SUBS_MAX      (PORTS + VLAN_MAX + 2)

static const uint8_t v_mac[6] = {2, 5, 5, 5, 5, 5};
static struct config_iface ifaces[SUBS_MAX];
static struct config config;

/* ---- frames ---- */

/* Puts a tag of any type into a frame. */
static inline void put_tag(struct frame *f, uint16_t type, uint16_t tci)
{
	memmove(f->data + 16, f->data + 12, f->len - 12);
	store_be16(f->data + 12, type);
	store_be16(f->data + 14, tci);
	f->len += 4;
}

/* Takes the tag off a frame that was sent; its TCI. */
static inline uint16_t take_tag(struct frame *f)
{
	uint16_t tci = load_be16(f->data + 14);

	assert_int_equal(load_be16(f->data + 12), 0x8100);
	memmove(f->data + 12, f->data + 16, f->len - 16);
	f->len -= 4;
	return tci;
}

/* From the host of a VLAN on port 0. */
static inline void v_udp(struct frame *f, uint16_t tci, uint32_t dst, size_t payload)
{
	frame_udp(f, dev[0]->mac, v_mac, V_HOST(tci & TAG_VID), dst, payload);
	put_tag(f, 0x8100, tci);
}

/* ---- configuration ---- */

static inline struct config_iface *add_vlan(unsigned vid)
{
	struct config_iface *i = &ifaces[config.ifaces++];

	*i = (struct config_iface){.vid = (uint16_t)vid, .addrs = 1};
	i->addr[0] = (struct iface_addr){V_ROUTER(vid), 24};
	snprintf(i->name, sizeof i->name, "eth0.%u", vid);
	memcpy(i->parent, "eth0", 5);
	return i;
}

/* The ports as always, and VLANs 5 and 7 on port 0. */
static inline void with_vlans(void)
{
	config = base_config();
	memcpy(ifaces, base_iface, sizeof base_iface);
	config.iface = ifaces;
	add_vlan(5);
	add_vlan(7);
}

static inline void learn_vlan(unsigned vid)
{
	struct frame f;

	frame_arp(&f, 1, all, v_mac, V_HOST(vid), zero_mac, V_ROUTER(vid));
	put_tag(&f, 0x8100, (uint16_t)vid);
	inject(0, &f);
	turns(4);
}

static inline int setup_vlans(void **state)
{
	start(0, 1);
	with_vlans();
	configure(&config, NULL);
	turns(3);
	learn_hosts();
	learn_vlan(5);
	learn_vlan(7);
	drain();
	turns(2);
	return 0;
}

static inline struct vlan_counters counted(unsigned number)
{
	struct vlan_counters c;

	vlans_counters(&router, number, &c);
	return c;
}

static inline void expect_drop(struct frame *f, enum drop_reason reason)
{
	uint64_t before = drops(0, reason);
	struct frame out;

	inject(0, f);
	turns(2);
	assert_int_equal(drops(0, reason) - before, 1);
	assert_int_equal(sent(0, &out) != 0, reason == DROP_NO_ROUTE); /* an ICMP error */
}

#endif
