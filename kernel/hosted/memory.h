/* The memory that all rings and buffers of the process lie in. */
#ifndef KERNEL_HOSTED_MEMORY_H
#define KERNEL_HOSTED_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct hosted_memory {
	void *base;
	uint64_t bytes;
	int fd;         /* a file that others can map; -1 if no port needs that */
	bool one_piece; /* one page: no buffer of it lies in two places of the machine's memory */
};

/* The boot arena, as the options want it. false: errno says why. */
bool hosted_memory_open(void);
const struct hosted_memory *hosted_memory(void);

#endif
