/*
 * Intel's 1 GbE controller 82576, with copper ports, polled: no interrupts at all.
 *
 * It is here because QEMU has a model of it (-device igb), so that what it shares with ixgbe, in
 * drivers/intel/, meets a device that nobody here wrote. Sections without a name are those of its
 * datasheet (82576EB, revision 2.63).
 */
#ifndef DRIVERS_IGB_H
#define DRIVERS_IGB_H

#include <stdbool.h>

#include "drivers/intel/intel.h"

/* Is this function one of them? Virtual functions are not. */
bool igb_match(const struct pci_function *f);

/*
 * Brings the device up to where it takes buffers, as ixgbe_probe does: up to want->queue_pairs
 * queue pairs, 16 at most; the link comes later, by `poll`. NULL when the device is refused, with
 * one line in env->log. Control core at boot; waits a second at most, and 20 ms otherwise.
 */
struct netdev *igb_probe(struct pci *pci, struct pci_function *f, const struct netdev_request *want,
	const struct io_env *env);

/* The same for a device mapped by other means. *refusal: a constant line, where NULL is returned.
 */
struct netdev *igb_create(const struct intel_place *place, const struct netdev_request *want,
	const struct io_env *env, const char **refusal);

#endif
