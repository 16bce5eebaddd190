/*
 * Intel's 10 GbE controllers 82599, X540 and X550, polled: no interrupts at all.
 *
 * The datasheet of the 82599 (331520, revision 3.4) is meant wherever a section
 * is cited without a name; the others are like it but for what is said.
 */
#ifndef DRIVERS_IXGBE_H
#define DRIVERS_IXGBE_H

#include <stdbool.h>

#include "drivers/intel/intel.h"

/* Is this device of Intel's one of them, is this function? Virtual functions are not. */
bool ixgbe_knows(uint16_t device_id);
bool ixgbe_match(const struct pci_function *f);

/*
 * Brings the device up to where it takes buffers: reset, EEPROM, queues with
 * memory from env->alloc, receive and transmit enabled. It gets up to
 * want->queue_pairs queue pairs, 16 at most. The link is set up by `poll`
 * afterwards, however long that takes. NULL when the device is refused, with one
 * line in env->log. dev->buffers must be set before the first rx_fill or tx.
 * Control core at boot; waits three seconds at most,
 * if everything is late, and 20 ms otherwise.
 */
struct netdev *ixgbe_probe(struct pci *pci, struct pci_function *f,
	const struct netdev_request *want, const struct io_env *env);

/* The same for a device mapped by other means. *refusal: a constant line, where NULL is returned.
 */
struct netdev *ixgbe_create(const struct intel_place *place, const struct netdev_request *want,
	const struct io_env *env, const char **refusal);

#endif
