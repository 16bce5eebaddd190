/*
 * The control core's loop: console, punted packets, timers, links, publication.
 *
 * Every task is short (1 ms at most) so that none delays the others, nor, with
 * one core, forwarding.
 */
#ifndef KERNEL_CONTROL_H
#define KERNEL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/router.h"

/* Starts the stack and makes the FIBs, empty. Before the workers start. false: no memory. */
bool control_init(struct router *r);

/* One turn of all tasks but the console. true: a worker had handed something up, or a slice of
 * work has another behind it. */
bool control_turn(struct router *r);

/* The RIB changed: next hops by way of other routes follow it. (The FIB does so by itself.) */
void control_routes_changed(struct router *r);

/* Waits (bounded) until the FIBs have followed the RIBs and all workers passed. false: in vain. */
bool control_sync(struct router *r);

/*
 * For work of the control core that takes longer than a task may: called often, it
 * returns at once, but now and then lets the other tasks have a turn; `more` too,
 * which may be set (the console's input; with one core, forwarding). While frozen
 * only that: nothing else looks at RIBs and interfaces.
 */
void control_yield(struct router *r);
void control_freeze(bool frozen);
void control_on_yield(void (*more)(void));

/*
 * The links are told that the router goes (stack_farewell); then every device is
 * reset, so that none writes to memory while the machine restarts or is switched
 * off; ports stay dead. Waits, bounded, for workers and devices.
 */
void control_stop_devices(struct router *r);

/* What the shell's ping and traceroute listen to; NULL: nobody. One listener. */
typedef void control_icmp_fn(
	void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp, uint32_t icmp_len);
void control_listen_icmp(control_icmp_fn *fn, void *ctx);
void control_listen_icmp6(control_icmp_fn *fn, void *ctx);

#endif
