/*
 * One run of a program that forwards on perfect NICs: what it sends is first verified, then timed.
 *
 * The drivers of both sides report what they send. Every flow is verified once as it leaves;
 * then the run warms up, then cycles are counted by windows, and at the end the process prints
 * one line of JSON and exits: how many frames it still held tells whether any were lost. One
 * thread.
 */
#ifndef TEST_BENCH_PEERS_RUN_H
#define TEST_BENCH_PEERS_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "test/bench/peers/perfect.h"

/* What is expected of the frames that come out. */
enum run_kind {
	RUN_FORWARD, /* routed: port by destination, both MAC addresses, TTL, checksum, the rest */
	RUN_IO,      /* as received, at the other port */
	RUN_MACSWAP, /* the MAC addresses changed places, at the other port */
};

struct run_options {
	const char *flows; /* file; the ports expected are in the file of this name and .ports */
	enum run_kind kind;
	double seconds; /* of timed windows */
};

struct run {
	struct perfect_source source;
	uint64_t sent, next; /* frames so far; how many when something is due */
	bool verifying;
};

/* The one run of the process. */
extern struct run run;

/* Reads the files. Ends the process with a word on stderr if that fails. */
void run_begin(const struct run_options *options);

/* "forward", "io" or "macswap". false: none of them. */
bool run_kind_of(const char *word, enum run_kind *kind);

/* 6 bytes each: of port p, and of the neighbour behind it. */
void run_port_mac(unsigned p, uint8_t *mac);
void run_neighbor_mac(unsigned p, uint8_t *mac);

/* While run.verifying: looks at a frame that port p sends. */
void run_verify(unsigned p, const uint8_t *frame, uint32_t bytes);

/* What is due when run.sent has reached run.next. Returns unless that was the end. */
void run_due(void);

/* If set: told of each timed window, how many frames; prints words of its own into the line. */
extern void (*run_window)(uint64_t frames);
extern void (*run_print_more)(void);

/* n frames were sent. */
static inline void run_sent(unsigned n)
{
	run.sent += n;
	if (__builtin_expect(run.sent >= run.next, 0))
		run_due();
}

#endif
