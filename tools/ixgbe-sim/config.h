/* Configuration space of the function: what software may read and write there (82599
 * datasheet 9.3). */
#ifndef IXGBE_SIM_CONFIG_H
#define IXGBE_SIM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_BYTES      4096u
#define CONFIG_BAR4_BYTES 0x4000u /* MSI-X: its table, and from half on the pending bits */
#define CONFIG_BAR4_PBA   0x2000u
#define CONFIG_VECTORS    64u

struct config {
	uint8_t value[CONFIG_BYTES];
	uint8_t writable[CONFIG_BYTES]; /* bits that take what is written */
	uint8_t clears[CONFIG_BYTES];   /* bits that a one clears */
};

/* What a write meant for the device behind. */
enum config_effect { CONFIG_NOTHING, CONFIG_RESET };

/* As after power on. bar0_bytes: a power of two. */
void config_init(struct config *c, uint16_t device_id, uint32_t bar0_bytes);

/* at + bytes <= CONFIG_BYTES. */
void config_read(const struct config *c, uint64_t at, void *data, uint32_t bytes);
enum config_effect config_write(struct config *c, uint64_t at, const uint8_t *data, uint32_t bytes);

bool config_bus_master(const struct config *c);
bool config_memory(const struct config *c); /* BARs answer */

#endif
