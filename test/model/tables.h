/* Tables for unit tests, in memory of the heap, so that the sanitizer sees its ends. */
#ifndef TEST_MODEL_TABLES_H
#define TEST_MODEL_TABLES_H

#include <stdint.h>

#include "net/table/nexthop.h"
#include "net/table/rib.h"

#define MODEL_ROUTES 16384u /* of a RIB, when a test does not care */

/* Empty RIBs for up to `routes` routes. The memory is full of garbage before. */
void model_rib4_init(struct rib4 *rib, uint32_t routes);
void model_rib6_init(struct rib6 *rib, uint32_t routes);
void model_rib_free(struct rib *rib);

void model_nexthops_init(struct nexthop_table *t);
void model_nexthops_free(struct nexthop_table *t);

/* 64-byte aligned, full of garbage; the size is rounded up to a multiple of 64. To be freed. */
void *model_memory(size_t bytes);

#endif
