/*
 * The configuration as data: what 'set' lines mean. Made by the shell's parser
 * from a candidate, applied as a whole by config_apply.
 */
#ifndef KERNEL_CONFIG_H
#define KERNEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/nat.h"
#include "kernel/router.h"
#include "kernel/sessions.h"
#include "lib/limits.h"
#include "net/path/meter.h"
#include "net/path/urpf.h"
#include "net/table/iface.h"
#include "net/table/static_route.h"

struct netdev;

struct config_iface {
	char name[IFACE_NAME_MAX];   /* "eth0"; of a VLAN subinterface "eth0.100", */
	char parent[IFACE_NAME_MAX]; /* and "eth0", */
	uint16_t vid;                /* and 100; else 0 */
	uint32_t mtu;                /* 0: not set (1500 or what the device can; the parent's) */
	bool disabled;
	bool flow_control;
	enum rx_spread rx_spread;
	enum urpf urpf;
	char acl_in[ACL_NAME_MAX], acl_out[ACL_NAME_MAX]; /* names of lists; "": none */
	struct meter_limit police;                        /* of what it receives */
	bool has_mac; /* `mac` binds the name to a NIC; at boot only */
	uint8_t mac[6];
	unsigned addrs;
	struct iface_addr addr[IFACE_ADDR_MAX];
	unsigned addrs6;
	struct iface_addr6 addr6[IFACE_ADDR_MAX];
	bool router_advert;
	char description[LLDP_TEXT_MAX]; /* cut; "": not set */
};

struct config_route {
	struct static_route route;
	char dev[IFACE_NAME_MAX]; /* "" unless given */
};

struct config_neighbor {
	char iface[IFACE_NAME_MAX];
	uint32_t address;    /* IPv4, or */
	struct ip6 address6; /* IPv6 */
	bool six;
	uint8_t mac[6];
};

/* One line of `queues IF class`: a range of DSCPs or 802.1p priorities, and how its class shares
 * the output. */
struct config_class {
	char iface[IFACE_NAME_MAX];
	bool pcp; /* first to last are priorities, not DSCPs */
	uint8_t class, first, last;
	bool strict;
	uint16_t weight; /* unless strict */
};

struct config_shape {
	char iface[IFACE_NAME_MAX];
	uint64_t bps; /* bits a second */
};

/* An access list: its rules, by number, are config.rule and config.match from `first` on. */
struct config_acl {
	char name[ACL_NAME_MAX];
	unsigned first, rules;
};

/* What a rule of an access list does; what it matches is in config.match. */
struct config_rule {
	unsigned number;
	bool permit, log;
};

/* Whether the flow cache is asked; auto: where it is faster than what it stands for. */
enum flow_table { FLOW_TABLE_AUTO, FLOW_TABLE_ON, FLOW_TABLE_OFF };

/* Vectors are malloc'd and owned by the struct. */
struct config {
	char hostname[HOSTNAME_MAX];
	unsigned workers;                    /* 0: not set */
	bool relaxed;                        /* idle cores sleep */
	unsigned watchdog;                   /* seconds; 0: off */
	bool lldp;                           /* spoken and heard */
	bool count_nexthops;                 /* packets by next hop */
	enum flow_table flow_table;          /* decisions are kept by flow */
	unsigned flow_shadow;                /* one of so many hits is decided again; 0: none */
	unsigned martians;                   /* MARTIAN_ ranges that are forwarded */
	uint32_t control_rate[POLICE_KINDS]; /* handed up a second; 0: not set */
	struct config_sessions sessions;     /* what is tracked */
	struct config_iface *iface;
	struct config_route *route;  /* IPv4's, by prefix, length, kind and gateway */
	struct config_route *route6; /* likewise */
	struct config_neighbor *neighbor;
	struct config_acl *acl;   /* by name */
	struct config_rule *rule; /* of all access lists */
	struct acl_rule *match;   /* what each of them matches */
	struct config_class *class;
	struct config_shape *shape;
	struct config_nat *nat; /* sources and destinations, each by number */
	unsigned nats;
	unsigned ifaces, routes, routes6, neighbors, classes, shapes, acls, rules;
};

void config_free(struct config *c);

/* ---- for config_apply: apply6.c ---- */

/* The IPv6 addresses an interface with this MAC shall have; with any, a link-local one as well.
 * c: NULL for none. Returns how many. */
unsigned config_addresses6(
	const struct config_iface *c, const uint8_t *mac, struct iface_addr6 addr[IFACE_ADDR6_MAX]);
bool config_same_addresses6(const struct iface *i, const struct iface_addr6 *addr, unsigned n);

/* One static neighbour of either family. */
MUST_CHECK enum err config_set_neighbor(
	struct router *r, unsigned port, const struct config_neighbor *n);
void config_clear_neighbor(struct router *r, unsigned port, const struct config_neighbor *n);

/* Makes classes, rates and receive spreading of all ports be as configured. Never fails. Control
 * core; a grace period follows. */
void config_apply_queues(struct router *r, const struct config *c);

/* A hash of all that: router.queues is that of what was applied last. */
uint64_t config_queues_digest(const struct router *r, const struct config *c);

/* What is configured of each of the router's interfaces, by number; NULL: nothing. */
struct config_match {
	const struct config_iface *of[IFACE_MAX];
};

/* Finds that, in slices: control_yield. */
void config_match(struct config_match *m, struct router *r, const struct config *c);

/* Makes uRPF of all interfaces be as configured; whether it is another then. Never fails. Control
 * core. */
/* PAUSE frames on or off; apply_check has seen that devices can. */
void config_apply_flow_control(struct router *r, const struct config_match *m);

void config_apply_urpf(struct router *r, const struct config_match *m);
bool config_urpf_changes(const struct router *r, const struct config_match *m);

/* The same of policing of inputs. A grace period follows. */
void config_apply_meters(struct router *r, const struct config_match *m);
bool config_meters_change(const struct router *r, const struct config_match *m);

/* Makes what is counted be as configured. Never fails. Control core. */
void config_apply_counting(struct router *r, const struct config *c);

/* Makes the flow cache be as configured and as the access lists in force ask for; after them.
 * Never fails. Control core. */
void config_apply_flows(struct router *r, const struct config *c);

/* Makes martians, rates of what is handed up, and LLDP be as configured. Never fails. Control core.
 */
void config_apply_protocols(struct router *r, const struct config *c);

/*
 * Checks all of `c`, then makes the router be so; or changes nothing and puts
 * one line into error ("error: " not included). Interfaces that are not present
 * are skipped. Control core.
 */
bool config_apply(struct router *r, const struct config *c, char *error, unsigned error_size);

/* Boot, before router_init: orders the probed devices by the configuration's 'mac' bindings. */
void config_bind_ports(const struct config *c, struct netdev **dev, unsigned n);

#endif
