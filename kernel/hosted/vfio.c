/* Ports by VFIO (Linux: Documentation/driver-api/vfio.rst): container, group, device. */
#include "kernel/hosted/vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drivers/ixgbe/ixgbe.h"
#include "drivers/pci_regs.h"

#define VENDOR_INTEL 0x8086u

/* One for all ports: our memory is pinned and mapped once. All of it ends with the process. */
static int container = -1;
static bool memory_mapped;

struct vfio_port {
	int device;      /* file descriptor */
	uint64_t config; /* where configuration space is in it */
};

bool vfio_is_location(const char *text)
{
	static const char form[] = "xxxx:xx:xx.x";
	static const char hex[] = "0123456789abcdef";

	if (strlen(text) != sizeof form - 1)
		return false;
	for (unsigned i = 0; form[i]; i++)
		if (form[i] == 'x' ? !strchr(hex, text[i]) : text[i] != form[i])
			return false;
	return true;
}

/* ---------------------------------------------------------------- container and group */

/* The number of a function's IOMMU group, which is what vfio-pci gives away; -1: none. */
static int group_number(const char *location)
{
	char path[64], target[256];
	ssize_t n;

	snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/iommu_group", location);
	n = readlink(path, target, sizeof target - 1);
	if (n <= 0)
		return -1;
	target[n] = '\0';
	return atoi(strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

static const char *open_container(void)
{
	if (container >= 0)
		return NULL;
	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (container < 0)
		return "no /dev/vfio/vfio (modprobe vfio-pci)";
	if (ioctl(container, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
		!ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU))
		return "VFIO without an IOMMU of type 1";
	return NULL;
}

static const char *open_group(const char *location, int *group)
{
	struct vfio_group_status status = {.argsz = sizeof status};
	int number = group_number(location);
	char path[32];

	if (number < 0)
		return "no such function, or no IOMMU (intel_iommu=on)";
	snprintf(path, sizeof path, "/dev/vfio/%d", number);
	*group = open(path, O_RDWR | O_CLOEXEC);
	if (*group < 0)
		return "its group cannot be opened: is it bound to vfio-pci?";
	if (ioctl(*group, VFIO_GROUP_GET_STATUS, &status) != 0 ||
		!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return "others of its IOMMU group are not bound to vfio-pci";
	if (ioctl(*group, VFIO_GROUP_SET_CONTAINER, &container) != 0)
		return "its group is in use";
	return NULL;
}

/* Buses know our memory by the addresses that we know it by. */
static const char *map_memory(const struct hosted_memory *memory)
{
	struct vfio_iommu_type1_dma_map map = {.argsz = sizeof map,
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory->base,
		.iova = (uintptr_t)memory->base,
		.size = memory->bytes};

	if (memory_mapped)
		return NULL;
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) != 0)
		return "the IOMMU is refused";
	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map) != 0)
		return errno == ENOMEM ? "our memory cannot be pinned (ulimit -l)"
				       : "our memory cannot be mapped for it";
	memory_mapped = true;
	return NULL;
}

/* ---------------------------------------------------------------- device */

static bool read_region(int device, unsigned index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){.argsz = sizeof *info, .index = index};
	return ioctl(device, VFIO_DEVICE_GET_REGION_INFO, info) == 0;
}

static const char *map_registers(int device, volatile uint8_t **registers)
{
	struct vfio_region_info bar;
	void *p;

	if (!read_region(device, VFIO_PCI_BAR0_REGION_INDEX, &bar) || bar.size < INTEL_BAR_BYTES ||
		!(bar.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return "its registers cannot be mapped (BAR 0)";
	p = mmap(NULL, INTEL_BAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		(off_t)bar.offset);
	if (p == MAP_FAILED)
		return "its registers cannot be mapped (BAR 0)";
	*registers = p;
	return NULL;
}

/* Sets or clears bits of its command register. */
static bool command(const struct vfio_port *port, uint16_t set, uint16_t clear)
{
	off_t at = (off_t)port->config + PCI_COMMAND;
	uint16_t v;

	if (pread(port->device, &v, sizeof v, at) != sizeof v)
		return false;
	v = (uint16_t)((v | set) & ~clear);
	return pwrite(port->device, &v, sizeof v, at) == sizeof v;
}

static void cut_off(void *ctx)
{
	(void)command(ctx, 0, PCI_COMMAND_MASTER);
}

/* Its ids, from configuration space. */
static const char *identify(struct vfio_port *port, uint16_t *device_id)
{
	struct vfio_region_info config;
	uint16_t id[2];

	if (!read_region(port->device, VFIO_PCI_CONFIG_REGION_INDEX, &config))
		return "it has no configuration space";
	port->config = config.offset;
	if (pread(port->device, id, sizeof id, (off_t)port->config + PCI_ID) != sizeof id)
		return "its configuration space cannot be read";
	if (id[0] != VENDOR_INTEL || !ixgbe_knows(id[1]))
		return "not one of the ixgbe driver's devices";
	*device_id = id[1];
	return NULL;
}

/* All that comes before the driver. */
static const char *take(
	struct vfio_port *port, struct intel_place *place, const struct hosted_memory *memory)
{
	const char *refusal = open_container();
	int group = -1;

	if (!refusal)
		refusal = open_group(place->location, &group);
	if (!refusal)
		refusal = map_memory(memory);
	if (refusal)
		return refusal;
	port->device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, place->location);
	if (port->device < 0)
		return "it is not in its group: is it bound to vfio-pci?";
	refusal = identify(port, &place->device_id);
	if (!refusal)
		refusal = map_registers(port->device, &place->registers);
	if (!refusal && !command(port, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0))
		refusal = "its configuration space cannot be written";
	return refusal;
}

struct netdev *vfio_port_open(const char *location, const struct hosted_memory *memory,
	const struct netdev_request *want, const struct io_env *env)
{
	struct vfio_port *port = env->alloc(env->ctx, sizeof *port, _Alignof(struct vfio_port));
	struct intel_place place = {
		.location = location, .slots = RING_SLOTS_MAX, .cut_off = cut_off, .ctx = port};
	const char *refusal = port ? take(port, &place, memory) : "no memory";

	if (!refusal)
		return ixgbe_create(&place, want, env, &refusal);
	env->log(env->ctx, "ixgbe %s: refused: %s", location, refusal);
	return NULL;
}
