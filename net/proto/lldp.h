/*
 * LLDP (IEEE 802.1AB-2016): tells the station at the other end of each link who we
 * are, and remembers who it says it is.
 *
 * One frame every LLDP_INTERVAL_MS by each port that is up, and soon after a new
 * neighbour was heard. Each port has room for LLDP_NEIGHBORS; those beyond are
 * counted and not remembered (9.2.7.7.5). What a neighbour says is kept as it
 * came, cut to what is worth showing; whoever prints it sees to characters.
 */
#ifndef NET_PROTO_LLDP_H
#define NET_PROTO_LLDP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"

struct stack;

#define LLDP_INTERVAL_MS 30000u /* msgTxInterval */
#define LLDP_FAST_MS     1000u  /* msgFastTx */
#define LLDP_TTL_S       120u   /* msgTxHold 4 of them */
#define LLDP_NEIGHBORS   8u     /* of one port */
#define LLDP_ID_MAX      255u   /* bytes of a chassis or port identifier, 8.5.2.3 */
#define LLDP_TEXT_MAX    64u    /* bytes kept of a name or description */

/* Chassis and port identifiers have subtypes of their own (8.5.2.2, 8.5.3.2). */
enum lldp_chassis_subtype { LLDP_CHASSIS_MAC = 4, LLDP_CHASSIS_ADDRESS = 5 };
enum lldp_port_subtype { LLDP_PORT_MAC = 3, LLDP_PORT_ADDRESS = 4, LLDP_PORT_NAME = 5 };

#define LLDP_ROUTER 0x0010u /* system capabilities, 8.5.8.1 */

struct lldp_id {
	uint8_t subtype, len;
	uint8_t byte[LLDP_ID_MAX];
};

struct lldp_text {
	uint8_t len;
	char text[LLDP_TEXT_MAX]; /* any bytes, no zero at its end */
};

/* What an LLDPDU says (8.5). */
struct lldp_message {
	struct lldp_id chassis, port_id;
	uint16_t ttl_s; /* 0: it says goodbye */
	struct lldp_text name, description, port_description;
	uint16_t capabilities, enabled; /* LLDP_ROUTER ... */
	uint8_t address_family;         /* IANA: 1 IPv4, 2 IPv6, 6 MAC; 0: none */
	uint8_t address_len;
	uint8_t address[16];
};

struct lldp_neighbor {
	bool used;
	uint64_t due_ms; /* it is forgotten then */
	struct lldp_message said;
};

struct lldp_port {
	bool up;         /* it was, when last looked at */
	uint64_t due_ms; /* the next frame */
	struct lldp_neighbor neighbor[LLDP_NEIGHBORS];
};

/* Set by the configuration; zero-terminated, cut to LLDP_TEXT_MAX - 1. */
struct lldp_settings {
	bool enabled;
	char name[LLDP_TEXT_MAX], description[LLDP_TEXT_MAX];
	char port_description[PORT_MAX][LLDP_TEXT_MAX];
};

struct lldp {
	struct lldp_settings settings;
	struct lldp_port port[PORT_MAX];
	uint64_t sent, received, aged, refused; /* refused: neighbours there was no room for */
};

/* Boot only: off. */
void lldp_init(struct stack *s);

/* New settings. If it was on and is not any more, says goodbye on all ports. */
void lldp_configure(struct stack *s, const struct lldp_settings *settings, uint64_t now_ms);

/* The port will be down, or we: says goodbye (802.1AB 9.1.2). Speaks again if it comes to nothing.
 */
void lldp_farewell(struct stack *s, unsigned port);

/* A frame to LLDP's group. Takes the word. */
void lldp_input(struct stack *s, uint64_t word);

/* Sends what is due; forgets neighbours whose time is over, and those of ports that are down. */
void lldp_tick(struct stack *s);

/*
 * Reads the LLDPDU in a frame of len bytes. false: it is not valid (9.2.7.7.1: the
 * mandatory parts in order, once, of possible length, all inside the frame). An
 * optional part that is not valid is left out. Any core.
 */
bool lldp_parse(const uint8_t *frame, uint32_t len, struct lldp_message *m);

/* Writes a frame for a port into out (LLDP_FRAME_MAX bytes); its length. ttl_s 0: goodbye. */
#define LLDP_FRAME_MAX 512u
uint32_t lldp_build(const struct stack *s, unsigned port, uint16_t ttl_s, uint8_t *out);

#endif
