/*
 * What a test image can be asked to do wrong, so that the audit is seen to find it.
 *
 * The shell's hidden `debug` commands write a request; the worker that drives
 * the port carries it out once, at its next chance, and writes the field back
 * to 0. Only in images built with TEST_HOOKS.
 */
#ifndef KERNEL_DEBUG_H
#define KERNEL_DEBUG_H

#ifdef TEST_HOOKS

/* Each field: 0 for nothing, or the port number + 1. One request of a kind at a time. */
struct debug_request {
	volatile unsigned leak_port_plus_1;        /* lose one free buffer of the port's pool */
	volatile unsigned double_free_port_plus_1; /* put one free buffer on the stack twice */
	volatile unsigned owner_port_plus_1;       /* write a wrong owner to one free buffer */
};

extern struct debug_request debug_request; /* kernel/shell/operate.c */

#endif
#endif
