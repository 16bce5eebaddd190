/* LLDP's frames: parts of type, length and value (IEEE 802.1AB 8.4), read and written. */
#include <string.h>

#include "net/proto/internal.h"
#include "net/proto/lldp.h"

enum tlv {
	TLV_END = 0,
	TLV_CHASSIS = 1,
	TLV_PORT = 2,
	TLV_TTL = 3,
	TLV_PORT_DESCRIPTION = 4,
	TLV_NAME = 5,
	TLV_DESCRIPTION = 6,
	TLV_CAPABILITIES = 7,
	TLV_ADDRESS = 8,
};

/* IANA address family numbers, as in management addresses. */
#define FAMILY_IPV4 1u
#define FAMILY_IPV6 2u
#define FAMILY_MAC  6u

#define IFINDEX 2u /* interface numbering subtype, 8.5.9.5 */

/* ---- reading ---- */

/* The part at `at`, all inside the frame; moves *at behind it. */
struct part {
	unsigned type;
	uint32_t len;
	const uint8_t *value;
};

static bool next_part(const uint8_t *frame, uint32_t len, uint32_t *at, struct part *p)
{
	uint16_t head;

	if (*at + 2 > len)
		return false;
	head = load_be16(frame + *at);
	p->type = head >> 9;
	p->len = head & 0x1ffu;
	p->value = frame + *at + 2;
	*at += 2 + p->len;
	return *at <= len;
}

static bool read_id(const struct part *p, unsigned type, struct lldp_id *id)
{
	if (p->type != type || p->len < 2 || p->len > 1 + LLDP_ID_MAX)
		return false;
	id->subtype = p->value[0];
	id->len = (uint8_t)(p->len - 1);
	memcpy(id->byte, p->value + 1, id->len);
	return true;
}

static void read_text(const struct part *p, struct lldp_text *t)
{
	t->len = (uint8_t)(p->len < LLDP_TEXT_MAX ? p->len : LLDP_TEXT_MAX);
	memcpy(t->text, p->value, t->len);
}

/* The first one of a length we know. */
static void read_address(const struct part *p, struct lldp_message *m)
{
	uint32_t len = p->len ? p->value[0] : 0; /* of family and address */

	/* ... interface numbering and OID behind it (8.5.9) */
	if (len < 2 || p->len < 1 + len + 6 || len - 1 > sizeof m->address || m->address_family)
		return;
	m->address_family = p->value[1];
	m->address_len = (uint8_t)(len - 1);
	memcpy(m->address, p->value + 2, m->address_len);
}

static void read_optional(const struct part *p, struct lldp_message *m)
{
	switch (p->type) {
	case TLV_PORT_DESCRIPTION:
		read_text(p, &m->port_description);
		break;
	case TLV_NAME:
		read_text(p, &m->name);
		break;
	case TLV_DESCRIPTION:
		read_text(p, &m->description);
		break;
	case TLV_CAPABILITIES:
		if (p->len < 4)
			break;
		m->capabilities = load_be16(p->value);
		m->enabled = load_be16(p->value + 2);
		break;
	case TLV_ADDRESS:
		read_address(p, m);
		break;
	default: /* of an organization, or reserved */
		break;
	}
}

bool lldp_parse(const uint8_t *frame, uint32_t len, struct lldp_message *m)
{
	uint32_t at = ETH_HEADER;
	struct part p;

	memset(m, 0, sizeof *m);
	if (!next_part(frame, len, &at, &p) || !read_id(&p, TLV_CHASSIS, &m->chassis) ||
		!next_part(frame, len, &at, &p) || !read_id(&p, TLV_PORT, &m->port_id) ||
		!next_part(frame, len, &at, &p) || p.type != TLV_TTL || p.len < 2)
		return false;
	m->ttl_s = load_be16(p.value);
	while (at < len) {
		if (!next_part(frame, len, &at, &p))
			return false;
		if (p.type == TLV_END)
			return p.len == 0;
		if (p.type <= TLV_TTL)
			return false;
		read_optional(&p, m);
	}
	return true;
}

/* ---- writing ---- */

/* Where the next part goes. */
struct pen {
	uint8_t *at;
};

/* Room for the value of a part. */
static uint8_t *part(struct pen *pen, unsigned type, uint32_t len)
{
	uint8_t *value = pen->at + 2;

	store_be16(pen->at, (uint16_t)(type << 9 | len));
	pen->at = value + len;
	return value;
}

static void write_id(struct pen *pen, unsigned type, uint8_t subtype, const void *id, uint32_t len)
{
	uint8_t *value = part(pen, type, 1 + len);

	value[0] = subtype;
	memcpy(value + 1, id, len);
}

static uint32_t text_len(const char *text, uint32_t room)
{
	uint32_t n = 0;

	while (n < room && text[n])
		n++;
	return n;
}

static void write_text(struct pen *pen, unsigned type, const char *text)
{
	uint32_t len = text_len(text, LLDP_TEXT_MAX);

	memcpy(part(pen, type, len), text, len);
}

static void write_address(
	struct pen *pen, uint8_t family, const void *address, uint32_t len, unsigned port)
{
	uint8_t *value = part(pen, TLV_ADDRESS, 1 + 1 + len + 6);

	value[0] = (uint8_t)(1 + len);
	value[1] = family;
	memcpy(value + 2, address, len);
	value += 2 + len;
	value[0] = IFINDEX;
	store_be32(value + 1, port + 1);
	value[5] = 0; /* no OID */
}

/* The addresses we can be managed at; 8.5.9.4: the MAC where there is none. */
static void write_addresses(struct pen *pen, const struct iface *i)
{
	uint8_t address[16];
	bool any = i->addrs > 0;

	if (i->addrs) {
		store_be32(address, i->addr[0].address);
		write_address(pen, FAMILY_IPV4, address, 4, i->port);
	}
	for (unsigned k = 0; k < i->addrs6; k++) {
		if (i->addr6[k].state != ADDR6_VALID || ip6_is_link_local(i->addr6[k].address))
			continue;
		ip6_store(address, i->addr6[k].address);
		write_address(pen, FAMILY_IPV6, address, 16, i->port);
		any = true;
		break;
	}
	if (!any)
		write_address(pen, FAMILY_MAC, i->mac, 6, i->port);
}

uint32_t lldp_build(const struct stack *s, unsigned port, uint16_t ttl_s, uint8_t *out)
{
	static const uint8_t group[6] = LLDP_GROUP;
	const struct lldp_settings *me = &s->lldp.settings;
	const struct iface *i = &s->iface[port];
	struct pen pen = {out + ETH_HEADER};
	uint8_t *value;

	ethernet_finish(s, out, port, group, ETH_TYPE_LLDP);
	write_id(&pen, TLV_CHASSIS, LLDP_CHASSIS_MAC, s->iface[0].mac, 6);
	write_id(&pen, TLV_PORT, LLDP_PORT_NAME, i->name, text_len(i->name, IFACE_NAME_MAX));
	store_be16(part(&pen, TLV_TTL, 2), ttl_s);
	if (ttl_s) {
		write_text(&pen, TLV_PORT_DESCRIPTION, me->port_description[port]);
		write_text(&pen, TLV_NAME, me->name);
		write_text(&pen, TLV_DESCRIPTION, me->description);
		value = part(&pen, TLV_CAPABILITIES, 4);
		store_be16(value, LLDP_ROUTER);
		store_be16(value + 2, LLDP_ROUTER);
		write_addresses(&pen, i);
	}
	part(&pen, TLV_END, 0);
	return (uint32_t)(pen.at - out);
}
