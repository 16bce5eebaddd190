/* What is shared with firmware and the other port (10.5.4), and the EEPROM's checksum (6.3). */
#include "drivers/ixgbe/ixgbe_device.h"

#define CHECK_US   2000000u /* for all of the EEPROM */
#define EERD_US    5000u    /* for a word of it */
#define SYNC_US    500000u
#define RELEASE_US 10000u

/* Words of the EEPROM (6.2, 6.3). */
#define SECTION_FIRST  0x03u /* pointers to sections, */
#define SECTION_LAST   0x0eu
#define SECTION_PHY    0x04u /* of which the X540 leaves out these two */
#define SECTION_ROM    0x05u
#define CHECKSUM       0x3fu
#define CHECKSUM_TOTAL 0xbabau /* what all of it adds up to */

/* ---------------------------------------------------------------- semaphores */

/* Takes the register of semaphores itself, from the other port and from firmware. */
static bool lock(const struct ixgbe *x)
{
	if (ixgbe_read(x, IXGBE_SWSM) & IXGBE_SWSM_SMBI)
		return false;
	if (x->kind != IXGBE_82599) {
		if (!(ixgbe_read(x, IXGBE_SYNC) & IXGBE_SYNC_REGSMP))
			return true;
	} else {
		ixgbe_write(x, IXGBE_SWSM, IXGBE_SWSM_SMBI | IXGBE_SWSM_SWESMBI);
		if (ixgbe_read(x, IXGBE_SWSM) & IXGBE_SWSM_SWESMBI)
			return true;
	}
	ixgbe_write(x, IXGBE_SWSM, 0);
	return false;
}

static void unlock(const struct ixgbe *x)
{
	if (x->kind != IXGBE_82599)
		ixgbe_write(x, IXGBE_SYNC, ixgbe_read(x, IXGBE_SYNC) & ~IXGBE_SYNC_REGSMP);
	ixgbe_write(x, IXGBE_SWSM, 0);
}

bool ixgbe_sync_try(const struct ixgbe *x, uint32_t what)
{
	uint32_t others = what | IXGBE_SYNC_FIRMWARE(what), sync;
	bool free;

	if (x->kind != IXGBE_82599 && (what & IXGBE_SYNC_NVM))
		others |= IXGBE_SYNC_HARDWARE;
	if (!lock(x))
		return false;
	sync = ixgbe_read(x, IXGBE_SYNC);
	free = !(sync & others);
	if (free)
		ixgbe_write(x, IXGBE_SYNC, sync | what);
	unlock(x);
	return free;
}

void ixgbe_sync_release(const struct ixgbe *x, uint32_t what)
{
	uint64_t start = ixgbe_now(x);

	while (!lock(x))
		if (ixgbe_now(x) - start > RELEASE_US)
			return; /* whoever has it for so long will not give it back */
	ixgbe_write(x, IXGBE_SYNC, ixgbe_read(x, IXGBE_SYNC) & ~what);
	unlock(x);
}

/* ---------------------------------------------------------------- EEPROM */

struct nvm_sum {
	const struct ixgbe *x;
	uint64_t start_us;
	uint16_t sum;
	bool silent; /* a word could not be read */
};

static uint16_t nvm_word(struct nvm_sum *s, uint32_t at)
{
	const struct ixgbe *x = s->x;

	if (s->silent)
		return 0;
	ixgbe_write(x, IXGBE_EERD, IXGBE_EERD_ADDRESS(at) | IXGBE_EERD_START);
	s->silent = !ixgbe_wait(x, IXGBE_EERD, IXGBE_EERD_DONE, IXGBE_EERD_DONE, EERD_US) ||
		    ixgbe_now(x) - s->start_us > CHECK_US;
	return IXGBE_EERD_DATA(ixgbe_read(x, IXGBE_EERD));
}

static void nvm_add(struct nvm_sum *s, uint32_t first, uint32_t words)
{
	for (uint32_t i = 0; i < words && !s->silent; i++)
		s->sum = (uint16_t)(s->sum + nvm_word(s, first + i));
}

/* A section is its length, which does not count, and so many words. */
static void nvm_add_section(struct nvm_sum *s, uint32_t pointer)
{
	uint32_t at = nvm_word(s, pointer), length;

	if (at == 0 || at == 0xffff)
		return;
	length = nvm_word(s, at);
	if (length != 0 && length != 0xffff)
		nvm_add(s, at + 1, length);
}

/* The header, the sections that it points to, and the checksum, which makes the sum right. */
static const char *nvm_sum(const struct ixgbe *x)
{
	struct nvm_sum s = {.x = x, .start_us = ixgbe_now(x)};

	nvm_add(&s, 0, CHECKSUM + 1);
	for (uint32_t p = SECTION_FIRST; p <= SECTION_LAST; p++)
		if (x->kind == IXGBE_82599 || (p != SECTION_PHY && p != SECTION_ROM))
			nvm_add_section(&s, p);
	if (s.silent)
		return "its EEPROM does not answer (EERD.DONE)";
	return s.sum == CHECKSUM_TOTAL ? NULL : "the checksum of its EEPROM is wrong";
}

/* The X550's is reached through its firmware, which checks it. */
const char *ixgbe_nvm_check(const struct ixgbe *x)
{
	uint64_t start = ixgbe_now(x);
	const char *refusal;

	if (x->kind == IXGBE_X550)
		return NULL;
	while (!ixgbe_sync_try(x, IXGBE_SYNC_NVM)) {
		if (ixgbe_now(x) - start < SYNC_US)
			continue;
		x->port.env.log(x->port.env.ctx,
			"ixgbe %s: its EEPROM is not free (SW_FW_SYNC), and so not checked",
			x->port.dev.location);
		return NULL;
	}
	refusal = nvm_sum(x);
	ixgbe_sync_release(x, IXGBE_SYNC_NVM);
	return refusal;
}
