/*
 * The configuration that a router without a disk gets over the network at boot, as
 * the command line asks:
 *
 *   config=tftp://SERVER[/FOLDER]  a file of FOLDER, by the first name that is there:
 *                                  aa-bb-cc-dd-ee-ff.conf (the MAC of the interface),
 *                                  SERIAL.conf (the machine's serial number), default.conf
 *   if=ethN | if=MAC               the interface, default eth0; MAC with : or -
 *   ip=ADDR/LEN | ip=ADDR/MASK     an address for it
 *   gw=ADDR                        a default route
 *
 * Control core.
 */
#ifndef KERNEL_AUTOLOAD_H
#define KERNEL_AUTOLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/transfer.h"
#include "lib/limits.h"

struct router;

/* What the words say. */
struct autoload_words {
	bool wanted; /* config= */
	struct transfer_place folder;
	bool by_mac; /* if=MAC */
	uint8_t mac[6];
	char iface[IFACE_NAME_MAX]; /* if=ethN; else "" */
	bool addressed;             /* ip= */
	uint32_t address;           /* host byte order */
	unsigned length;
	uint32_t gateway; /* 0: none */
};

/* Other words are not looked at; those without a value count as not said, and of several the last
 * one holds. false: *wrong is the word that is wrong. */
#define AUTOLOAD_WORD_MAX 160u
bool autoload_parse(const char *cmdline, struct autoload_words *out, char wrong[AUTOLOAD_WORD_MAX]);

/* The i-th name to be tried, 0 to 2; false: the machine has none of that kind, or it is too long.
 */
#define AUTOLOAD_NAMES 3u
bool autoload_name(unsigned i, const struct transfer_place *folder, const uint8_t mac[6],
	const char *serial, struct transfer_place *out);

/*
 * Does what the command line asks, after boot's configuration is in force and the
 * workers run; takes up to 30 s if the server is not there. turn: lets the others have
 * theirs. before: what a configuration found replaces, or NULL. Every outcome is
 * logged; nothing is changed by halves.
 */
void autoload_run(struct router *r, void (*turn)(void), const char *before);

#endif
