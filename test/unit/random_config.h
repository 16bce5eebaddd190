/* Random configuration lines for the shell of shell_fixture.h: seeded, small ranges, so they meet.
 */
#ifndef TEST_UNIT_RANDOM_CONFIG_H
#define TEST_UNIT_RANDOM_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#define RANDOM_LINE_MAX 200u

static uint64_t random_state;

/* 0 .. n - 1 (xorshift64*). */
static inline unsigned any(unsigned n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (unsigned)(random_state * 0x2545f4914f6cdd1dull >> 33) % n;
}

/* Link-local and other gateways, on a network, by way of another route, or of none. */
static inline void random_route6(char out[RANDOM_LINE_MAX])
{
	static const char *const kinds[] = {"blackhole", "unreachable", "prohibit"};
	unsigned net = any(16), port = any(3);
	int n = snprintf(out, RANDOM_LINE_MAX, "routes 2001:db8:%x::/48 ", net);
	char *end = out + n;
	size_t room = RANDOM_LINE_MAX - (size_t)n;

	switch (any(6)) {
	case 0:
		snprintf(end, room, "%s", kinds[any(3)]);
		return;
	case 1:
		snprintf(end, room, "via 2001:db8:%x::%x", any(16), 1 + any(3));
		return;
	case 2:
		snprintf(end, room, "via fe80::%x dev eth%u", 2 + any(4), port);
		return;
	case 3:
		snprintf(end, room, "via fd00:0:0:%x::%x weight %u", port, 2 + any(5), 1 + any(9));
		return;
	default:
		snprintf(end, room, "via fd00:0:0:%x::%x", port, 2 + any(5));
	}
}

static inline void random_route(char out[RANDOM_LINE_MAX])
{
	static const char *const kinds[] = {"blackhole", "unreachable", "prohibit"};
	unsigned length = any(4) ? 24u : 16u;
	unsigned net = 2 + any(4), a = any(4), b = length == 24 ? any(4) : 0;

	if (any(3) == 0)
		random_route6(out);
	else if (any(4) == 0)
		snprintf(out, RANDOM_LINE_MAX, "routes %u0.%u.%u.0/%u %s", net, a, b, length,
			kinds[any(3)]);
	else if (any(4) == 0) /* by way of another route, or of none */
		snprintf(out, RANDOM_LINE_MAX, "routes %u0.%u.%u.0/%u via %u0.%u.0.%u", net, a, b,
			length, 2 + any(4), any(4), 1 + any(3));
	else if (any(3) == 0)
		snprintf(out, RANDOM_LINE_MAX, "routes %u0.%u.%u.0/%u via 10.0.%u.%u weight %u",
			net, a, b, length, any(3), 2 + any(5), 1 + any(9));
	else
		snprintf(out, RANDOM_LINE_MAX, "routes %u0.%u.%u.0/%u via 10.0.%u.%u", net, a, b,
			length, any(3), 2 + any(5));
}

/* Rules that have all there is; some that a commit refuses. */
static inline void random_rule(char out[RANDOM_LINE_MAX])
{
	static const char *const match[] = {"", " from 20.0.0.0/8", " proto tcp to-port 80-90",
		" proto udp from 2001:db8::/32 from-port 53 log", " proto icmp icmp-type 8/0",
		" proto 47 to 10.0.0.0/8 log", " proto icmp6 icmp-type 128", " established",
		" proto tcp to 10.0.0.0/8 established log"};
	static const char *const wrong[] = {
		" to-port 80", " proto tcp from 10.0.0.0/8 to fd00::/8"};

	snprintf(out, RANDOM_LINE_MAX, "acl %c rule %u %s%s", 'A' + (char)any(2), 10 * (1 + any(5)),
		any(2) ? "permit" : "deny",
		any(20) ? match[any(sizeof match / sizeof *match)] : wrong[any(2)]);
}

/* The same of NAT. */
static inline void random_nat(char out[RANDOM_LINE_MAX])
{
	static const char *const source[] = {"masquerade", "masquerade ports 2000-2999",
		"to 20.0.0.0/8 exempt", "to 30.0.0.0/8 proto udp to-address 192.0.2.1-192.0.2.9",
		"proto 47 to-address 192.0.2.7", "to-address 192.0.2.8 ports 1024"};
	static const char *const destination[] = {"proto tcp to 192.0.2.1 port 80 to-address",
		"proto udp to 192.0.2.1 port 5000-5009 to-address", "to 192.0.2.3 to-address",
		"proto icmp to 192.0.2.2 to-address"};
	static const char *const wrong[] = {"source rule 50 out eth0 from fd00::/8 masquerade",
		"source rule 50 out eth9 from 10.0.0.0/8 masquerade",
		"destination rule 50 in eth0 to 192.0.2.1 port 80 to-address 10.0.0.9"};

	if (any(20) == 0)
		snprintf(out, RANDOM_LINE_MAX, "nat %s", wrong[any(3)]);
	else if (any(2))
		snprintf(out, RANDOM_LINE_MAX, "nat source rule %u out eth%u from 10.0.%u.0/24 %s",
			10 * (1 + any(4)), any(3), any(3), source[any(6)]);
	else
		snprintf(out, RANDOM_LINE_MAX, "nat destination rule %u in eth%u %s 10.0.%u.9",
			10 * (1 + any(4)), any(3), destination[any(4)], any(3));
}

static inline void random_interface(char out[RANDOM_LINE_MAX])
{
	unsigned port = any(3); /* the last of them is not there */

	if (any(10) == 0) {
		snprintf(out, RANDOM_LINE_MAX, "interfaces eth%u acl %s %c", port,
			any(2) ? "in" : "out", any(8) ? 'A' : 'B');
		return;
	}
	switch (any(11)) {
	case 0: /* the least of them is refused with IPv6 */
		snprintf(
			out, RANDOM_LINE_MAX, "interfaces eth%u mtu %u", port, 1200 + any(4) * 100);
		return;
	case 1:
		snprintf(out, RANDOM_LINE_MAX, "interfaces eth%u description \"a %u\"", port,
			any(9));
		return;
	case 2:
		snprintf(out, RANDOM_LINE_MAX, "interfaces eth%u disabled", port);
		return;
	case 3:
		snprintf(out, RANDOM_LINE_MAX, "interfaces eth%u rx-spread %s", port,
			any(2) ? "on" : "off");
		return;
	case 4:
	case 5:
		snprintf(out, RANDOM_LINE_MAX, "interfaces eth%u address fd00:0:0:%x::%x/%u", port,
			any(5) ? port : any(3), 1 + any(2), any(9) ? 64u : 127u);
		return;
	case 6:
		if (any(2))
			snprintf(out, RANDOM_LINE_MAX, "interfaces eth%u router-advert", port);
		else
			snprintf(out, RANDOM_LINE_MAX, "interfaces eth%u urpf %s", port,
				any(2) ? "strict" : "loose");
		return;
	case 7:
		if (any(2))
			snprintf(out, RANDOM_LINE_MAX, "interfaces eth%u police %umbit burst %uk",
				port, 1 + any(3), 2 + any(2));
		else
			snprintf(out, RANDOM_LINE_MAX, "interfaces eth%u police packets %u", port,
				1 + any(3));
		return;
	default: /* mostly each on its own network; sometimes not, which a commit may refuse */
		snprintf(out, RANDOM_LINE_MAX, "interfaces eth%u address 10.0.%u.1/%u", port,
			any(5) ? port : any(3), any(9) ? 24u : 25u);
	}
}

/* The words of a configuration line, without `set`. */
static inline void random_line(char out[RANDOM_LINE_MAX])
{
	switch (any(12)) {
	case 11:
		random_nat(out);
		return;
	case 10:
		random_rule(out);
		return;
	case 0:
		if (any(4) == 0)
			snprintf(out, RANDOM_LINE_MAX, "forwarding counters next-hop");
		else if (any(4) == 0)
			snprintf(out, RANDOM_LINE_MAX, "forwarding flow-table %s%s",
				any(2)   ? "on"
				: any(2) ? "off"
					 : "auto",
				any(2) ? "" : " shadow 3");
		else if (any(4) == 0)
			snprintf(out, RANDOM_LINE_MAX, "forwarding sessions %s %u",
				any(2) ? "limit-per-source" : "timeout tcp-closing", 1 + any(9));
		else if (any(4) == 0)
			snprintf(out, RANDOM_LINE_MAX, "forwarding control-plane %s rate %u",
				any(2) ? "arp" : "transit", 1 + any(3));
		else
			snprintf(out, RANDOM_LINE_MAX, "system hostname r%u", any(5));
		return;
	case 1:
		if (any(3) == 0)
			snprintf(out, RANDOM_LINE_MAX, "system watchdog %u", 5 + any(3));
		else
			snprintf(out, RANDOM_LINE_MAX, "system idle %s",
				any(2) ? "poll" : "relaxed");
		return;
	case 2:
		if (any(2)) {
			snprintf(out, RANDOM_LINE_MAX,
				"neighbors eth%u fd00:0:0:%x::%x 02:00:00:00:01:0%u", any(3),
				any(3), 2 + any(4), 1 + any(8));
			return;
		}
		snprintf(out, RANDOM_LINE_MAX, "neighbors eth%u 10.0.%u.%u 02:00:00:00:00:0%u",
			any(3), any(3), 2 + any(4), 1 + any(8));
		return;
	case 3:
		snprintf(out, RANDOM_LINE_MAX, "queues eth%u shape %umbit", any(3), 1 + any(4));
		return;
	case 4:
		snprintf(out, RANDOM_LINE_MAX, "queues eth%u class %u dscp %u %s", any(3), any(4),
			any(8), any(2) ? "priority" : "weight 4");
		return;
	case 5:
	case 6:
		random_interface(out);
		return;
	default:
		random_route(out);
	}
}

#endif
