/*
 * uRPF, unicast reverse path forwarding (RFC 3704 2.2, 2.4): who sends must be where
 * the routes to the source of the packet lead.
 *
 * A stage between parsing and looking up, of lanes whose port or one of whose
 * VLANs asks for it; others pay one test a batch. All that is routed passes it,
 * also what ends on the control core: that needs no check of its own.
 *
 * Both modes: a default route counts as any other; our own address, a broadcast
 * address and routes that only refuse lead nowhere. Strict: of several next hops
 * one is enough, and a recursive one leads where what it stands for does. Not
 * checked: link-local sources, which are in no RIB, and what is to a group or a
 * link-local address, which stays on its link.
 */
#ifndef NET_PATH_URPF_H
#define NET_PATH_URPF_H

/* Of an interface. */
enum urpf {
	URPF_OFF,
	URPF_LOOSE,  /* some route leads to the source */
	URPF_STRICT, /* the best route to the source leads out of the interface it came in by */
};

struct lane;
struct batch;

/* Turns the verdict on packets with wrong sources into a drop. A parsed batch; the lane's actor. */
void urpf_check(const struct lane *lane, struct batch *b);

#endif
