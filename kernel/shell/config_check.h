/* What a configuration must not say, though each of its words is right. */
#ifndef KERNEL_SHELL_CONFIG_CHECK_H
#define KERNEL_SHELL_CONFIG_CHECK_H

#include "kernel/shell/config.h"

/* An address of the router, and where it was configured. */
struct config_address {
	struct iface_addr addr;
	unsigned iface; /* index in config.iface */
	const struct line *line;
};

struct config_address6 {
	struct iface_addr6 addr;
	unsigned iface; /* index in config.iface */
	const struct line *line;
};

/* A NIC bound to a name. */
struct config_binding {
	const uint8_t *mac;
	const struct line *line;
};

/* The lines behind the elements of a struct config. */
struct config_origin {
	struct config_address *address;
	struct config_address6 *address6;
	struct config_binding *binding;
	const struct line **bound; /* lines that name an access list, at their end */
	unsigned addresses, addresses6, bindings, bound_n;
	const struct line **route;    /* by config.route index */
	const struct line **route6;   /* by config.route6 index */
	const struct line **neighbor; /* by config.neighbor index */
};

/* Records a fault; returns false. */
bool config_fault_at(struct config_fault *fault, const struct line *line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An address a host can have: not of a reserved block (RFC 6890). */
bool config_check_host(struct config_fault *fault, const struct line *line, uint32_t address);

bool config_check_host6(struct config_fault *fault, const struct line *line, struct ip6 address);

/* ... and neither network nor broadcast address of its own network. */
bool config_check_own_address(
	struct config_fault *fault, const struct line *line, const struct iface_addr *addr);

/* The same for IPv6: one of a host; not the subnet-router anycast address (RFC 4291 2.6.1). */
bool config_check_own_address6(
	struct config_fault *fault, const struct line *line, const struct iface_addr6 *addr);

/* config_sessions.c: "forwarding sessions ...". */
void config_read_sessions(const struct line *line, struct config *c);

/* config_flows.c: "forwarding flow-table ...". */
void config_read_flow_table(const struct line *line, struct config *c);

/* config_acl.c: adds the rule of a line "acl NAME rule N ...". */
bool config_read_rule(struct config_fault *fault, const struct line *line, struct config *c);

/* ... lines that name access lists name those there are. */
bool config_check_bound(
	const struct config *c, const struct config_origin *o, struct config_fault *fault);

/* config_nat.c: adds the rule of a line "nat source|destination rule N ...". The interfaces are
 * there. */
bool config_read_nat(struct config_fault *fault, const struct line *line, struct config *c);

/* config_check6.c: as config_check, of IPv6. */
bool config_check6(
	const struct config *c, struct config_origin *origin, struct config_fault *fault);

/* A MAC address that one station can have. */
bool config_check_mac(struct config_fault *fault, const struct line *line, const uint8_t mac[6]);

/* A line of a class against the n before it: one class per DSCP, one way of sharing per class. */
bool config_check_class(struct config_fault *fault, const struct line *line,
	const struct config_class *k, const struct config_class *before, unsigned n);

/* Adds the range of a line "forwarding martians PREFIX permit" to *permitted. */
bool config_check_martian(struct config_fault *fault, const struct line *line, unsigned *permitted);

/* What concerns several lines: networks that overlap, names of one NIC, the router as its own
 * gateway or neighbour.
 */
bool config_check(const struct config *c, struct config_origin *origin, struct config_fault *fault);

#endif
