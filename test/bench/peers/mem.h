/* A perfect NIC (perfect.h) as a network device of ours. */
#ifndef TEST_BENCH_PEERS_MEM_H
#define TEST_BENCH_PEERS_MEM_H

#include "drivers/netdev.h"

/* Makes port `number`, with one queue pair. Frames received are those of the run (run.h). */
struct netdev *mem_create(unsigned number);

#endif
