/* Interrupts on their way to the client: MSI-X vectors as event file descriptors. */
#ifndef IXGBE_SIM_IRQS_H
#define IXGBE_SIM_IRQS_H

#include <stdint.h>

#include "tools/ixgbe-sim/config.h"
#include "tools/ixgbe-sim/proto.h"

#define MSIX_ENTRY 16u /* bytes in the table */

struct irqs {
	int event[CONFIG_VECTORS]; /* -1: nobody listens */
	/* What a client wrote there; one that is a hypervisor keeps the guest's table itself. */
	uint8_t table[CONFIG_VECTORS * MSIX_ENTRY];
};

void irqs_init(struct irqs *q);
void irqs_clear(struct irqs *q);

/*
 * As a message of SET_IRQS asks. data: `bytes` behind it; fd: its files, which are taken over where
 * their place in the array becomes -1. 0 or an errno.
 */
int irqs_set(struct irqs *q, const struct vfio_user_irq_set *wanted, const uint8_t *data,
	uint32_t bytes, int *fd, unsigned fds);

void irqs_raise(struct irqs *q, unsigned vector);

/* The table as memory, zeros behind it; at + bytes <= CONFIG_BAR4_BYTES. */
void irqs_table_read(const struct irqs *q, uint64_t at, uint8_t *data, uint32_t bytes);
void irqs_table_write(struct irqs *q, uint64_t at, const uint8_t *data, uint32_t bytes);

#endif
