/* What a DHCP reply says of where the boot file came from. */
#ifndef BOOT_EFI_DHCP_H
#define BOOT_EFI_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP_PATH_MAX 192u

struct dhcp_source {
	uint8_t server[4];
	char folder[DHCP_PATH_MAX]; /* of the boot file: "" or ends in a slash */
};

/*
 * Reads a reply of `bytes` bytes (RFC 2131, figure 1, from `op` on). Pure. false: it names no
 * server or no boot file, or their folder is too long.
 */
bool dhcp_find_source(const uint8_t *reply, size_t bytes, struct dhcp_source *s);

#endif
