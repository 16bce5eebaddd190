/* show lldp neighbors: who is at the other end of each link. */
#include <stdio.h>

#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "lib/byteorder.h"
#include "lib/text.h"
#include "lib/text6.h"

#define ID_TEXT (LLDP_TEXT_MAX + 1u) /* as much of an identifier as is shown */

_Static_assert(ID_TEXT >= TEXT_IPV6_MAX && ID_TEXT >= TEXT_MAC_MAX, "an address fits");

/* What a station says is not to be trusted with a terminal. */
static void print_bytes(char out[ID_TEXT], const void *bytes, unsigned len)
{
	const unsigned char *p = bytes;
	unsigned n = len < ID_TEXT ? len : ID_TEXT - 1;

	for (unsigned i = 0; i < n; i++)
		out[i] = (char)(p[i] >= ' ' && p[i] <= '~' ? p[i] : '?');
	out[n] = 0;
}

/* An address of a family by IANA's numbers; as text if it is of none we know. */
static void print_address(char out[ID_TEXT], unsigned family, const uint8_t *byte, unsigned len)
{
	if (family == 1 && len == 4)
		text_print_ipv4(out, load_be32(byte));
	else if (family == 2 && len == 16)
		text_print_ipv6(out, load_be64(byte), load_be64(byte + 8));
	else if (family == 6 && len == 6)
		text_print_mac(out, byte);
	else
		print_bytes(out, byte, len);
}

static void print_id(
	char out[ID_TEXT], const struct lldp_id *id, unsigned mac_subtype, unsigned address_subtype)
{
	if (id->subtype == mac_subtype && id->len == 6)
		text_print_mac(out, id->byte);
	else if (id->subtype == address_subtype)
		print_address(out, id->byte[0], id->byte + 1, id->len - 1u);
	else
		print_bytes(out, id->byte, id->len);
}

/* Letters as vendors print them: repeater, bridge, access point, router, telephone, station. */
static void print_capabilities(char out[8], unsigned enabled)
{
	static const struct {
		uint16_t bit;
		char letter;
	} known[] = {{1u << 1, 'P'}, {1u << 2, 'B'}, {1u << 3, 'W'}, {LLDP_ROUTER, 'R'},
		{1u << 5, 'T'}, {1u << 7, 'S'}};
	unsigned n = 0;

	for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
		if (enabled & known[i].bit)
			out[n++] = known[i].letter;
	if (n == 0)
		out[n++] = '-';
	out[n] = 0;
}

static void show_neighbor(
	struct output *o, unsigned port, const struct lldp_neighbor *n, uint64_t now_ms)
{
	const struct lldp_message *m = &n->said;
	char text[ID_TEXT], letters[8];

	output_row(o);
	output_text(o, NULL, "%s", shell_port_name(port));
	print_bytes(text, m->name.text, m->name.len);
	output_text(o, NULL, "%s", m->name.len ? text : "-");
	print_id(text, &m->chassis, LLDP_CHASSIS_MAC, LLDP_CHASSIS_ADDRESS);
	output_text(o, NULL, "%s", text);
	print_id(text, &m->port_id, LLDP_PORT_MAC, LLDP_PORT_ADDRESS);
	output_text(o, NULL, "%s", text);
	print_capabilities(letters, m->enabled);
	output_text(o, NULL, "%s", letters);
	print_address(text, m->address_family, m->address, m->address_len);
	output_text(o, NULL, "%s", m->address_len ? text : "-");
	output_number(o, NULL, n->due_ms > now_ms ? (n->due_ms - now_ms + 999) / 1000 : 0);
	print_bytes(text, m->description.text, m->description.len);
	output_text(o, NULL, "%s", m->description.len ? text : "-");
	output_close(o);
}

bool show_lldp_neighbors(struct call *call)
{
	static const struct column columns[] = {{"interface", -10}, {"system", -16},
		{"chassis", -18}, {"port", -18}, {"capabilities", -13}, {"address", -16},
		{"ttl_s", 6}, {"description", -1}};
	const struct router *r = call->env->router;
	uint64_t now_ms = call->env->now_us(call->env->ctx) / 1000;

	if (call->step == 0)
		output_table(
			call->out, "lldp_neighbors", columns, sizeof columns / sizeof *columns);
	if (call->step < r->ports)
		for (unsigned k = 0; k < LLDP_NEIGHBORS; k++) {
			const struct lldp_neighbor *n = &r->stack.lldp.port[call->step].neighbor[k];

			if (n->used)
				show_neighbor(call->out, call->step, n, now_ms);
		}
	if (call->step + 1 < r->ports)
		return false;
	output_close(call->out);
	return true;
}
