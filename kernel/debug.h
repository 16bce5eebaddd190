/*
 * Faults planted on request, to show that the audit finds them. Only in images
 * built with TEST_HOOKS; elsewhere the hooks are empty.
 */
#ifndef KERNEL_DEBUG_H
#define KERNEL_DEBUG_H

#include "kernel/router.h"

/* Requests of the shell's `debug` command: port + 1, cleared by who has carried it out. */
struct debug_request {
	volatile unsigned leak;        /* the port's worker takes a free buffer and forgets it */
	volatile unsigned double_free; /* it puts one free buffer on the stack twice */
	volatile unsigned owner;       /* it marks a free buffer as the control core's */
	volatile unsigned
		stuck;          /* the port's worker stops answering for two seconds, from now on */
	volatile unsigned hang; /* and for ever */
	volatile unsigned trespass;     /* it does what it has no right to do: */
	volatile unsigned trespass_how; /* enum trespass (platform.h) */
};

#ifdef TEST_HOOKS
extern struct debug_request debug_request;
void debug_worker_hook(struct router *r, struct worker *w);
#else
static inline void debug_worker_hook(struct router *r, struct worker *w)
{
	(void)r;
	(void)w;
}
#endif

#endif
