/* MSI-X vectors: who listens to which, and how it is told. */
#include "tools/ixgbe-sim/irqs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <string.h>
#include <unistd.h>

void irqs_init(struct irqs *q)
{
	memset(q, 0, sizeof *q);
	for (unsigned i = 0; i < CONFIG_VECTORS; i++)
		q->event[i] = -1;
}

static void listen_by(struct irqs *q, unsigned vector, int fd)
{
	if (q->event[vector] >= 0)
		close(q->event[vector]);
	q->event[vector] = fd;
}

void irqs_clear(struct irqs *q)
{
	for (unsigned i = 0; i < CONFIG_VECTORS; i++)
		listen_by(q, i, -1);
}

void irqs_raise(struct irqs *q, unsigned vector)
{
	if (vector >= CONFIG_VECTORS || q->event[vector] < 0)
		return;
	ssize_t ignored = write(q->event[vector], &(uint64_t){1}, sizeof(uint64_t));

	(void)ignored; /* full, or gone: nobody there counts */
}

/* A file for each vector, or none: then nobody listens any more. */
static int listen_all(struct irqs *q, const struct vfio_user_irq_set *w, int *fd, unsigned fds)
{
	if (fds != 0 && fds != w->count)
		return EINVAL;
	for (unsigned i = 0; i < w->count; i++) {
		int mine = i < fds ? fd[i] : -1;

		/* Whoever gave it may let it fill up. */
		if (mine >= 0 && fcntl(mine, F_SETFL, O_NONBLOCK) < 0)
			return errno;
		listen_by(q, w->start + i, mine);
		if (i < fds)
			fd[i] = -1;
	}
	return 0;
}

int irqs_set(struct irqs *q, const struct vfio_user_irq_set *w, const uint8_t *data, uint32_t bytes,
	int *fd, unsigned fds)
{
	const uint32_t kind = w->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;

	/* MSI-X is masked in its table, not by messages. */
	if (w->index != VFIO_PCI_MSIX_IRQ_INDEX ||
		(w->flags & ~kind) != VFIO_IRQ_SET_ACTION_TRIGGER || w->start > CONFIG_VECTORS ||
		w->count > CONFIG_VECTORS - w->start)
		return EINVAL;
	if (kind == VFIO_IRQ_SET_DATA_EVENTFD)
		return listen_all(q, w, fd, fds);
	if (fds != 0)
		return EINVAL;
	if (kind == VFIO_IRQ_SET_DATA_NONE && w->count == 0 && w->start == 0) {
		irqs_clear(q);
		return 0;
	}
	if (kind != VFIO_IRQ_SET_DATA_NONE && (kind != VFIO_IRQ_SET_DATA_BOOL || bytes < w->count))
		return EINVAL;
	for (unsigned i = 0; i < w->count; i++)
		if (kind == VFIO_IRQ_SET_DATA_NONE || data[i])
			irqs_raise(q, w->start + i);
	return 0;
}

void irqs_table_read(const struct irqs *q, uint64_t at, uint8_t *data, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		data[i] = at + i < sizeof q->table ? q->table[at + i] : 0;
}

void irqs_table_write(struct irqs *q, uint64_t at, const uint8_t *data, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes && at + i < sizeof q->table; i++)
		q->table[at + i] = data[i];
}
