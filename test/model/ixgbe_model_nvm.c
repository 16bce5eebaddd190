/* The model's EEPROM, and the semaphores that software shares with firmware (6.3, 10.5.4). */
#include <string.h>

#include "test/model/ixgbe_model_device.h"

#define EERD_US  20u
#define KEEP_US  1000000u /* 10.5.4: not longer than a second */
#define NVM_SIZE 6u       /* EEC: 64 words << 6 */

/* Word addresses of sections. */
#define AT_ANALOG 0x100u
#define AT_CORE   0x110u
#define AT_PHY    0x120u /* the modules that may be, and what to write for each */
#define AT_WRITES 0x140u
#define AT_FW     0x160u
#define AT_PATCH  0x170u

/* 6.3.6.3: firmware, new enough for the link to come. */
static void fill_firmware(uint16_t *w)
{
	w[0x0F] = AT_FW;
	for (unsigned i = 0; i < 8; i++)
		w[AT_FW + i] = 0xFFFF;
	w[AT_FW + 4] = AT_PATCH;
	w[AT_PATCH + 7] = 0x0600;
}

/* 6.3.5.4: for both kinds of modules on either port, a list that ends in ones. */
static void fill_phy_init(uint16_t *w)
{
	uint16_t *entry = &w[AT_PHY + 1];

	w[0x2B] = AT_PHY;
	w[AT_PHY] = 9; /* words that follow */
	for (uint16_t id = 3; id <= 6; id++) {
		*entry++ = id;
		*entry++ = AT_WRITES;
	}
	*entry = 0xFFFF;
	w[AT_WRITES] = 2;
	w[AT_WRITES + 1] = 0x1234;
	w[AT_WRITES + 2] = 0x5678;
	w[AT_WRITES + 3] = 0xFFFF;
}

/* 6.2.1: words 0 to 0x3E, and what pointers 3 to 0x0E point to, sum up with word 0x3F. */
static uint16_t checksum(const uint16_t *w)
{
	uint16_t sum = 0;

	for (unsigned i = 0; i < 0x3F; i++)
		sum = (uint16_t)(sum + w[i]);
	for (unsigned i = AT_ANALOG + 1; i <= AT_ANALOG + w[AT_ANALOG]; i++)
		sum = (uint16_t)(sum + w[i]);
	for (unsigned i = AT_CORE + 1; i <= AT_CORE + w[AT_CORE]; i++)
		sum = (uint16_t)(sum + w[i]);
	return (uint16_t)(0xBABA - sum);
}

void ixgbe_model_nvm_fill(struct ixgbe_model *m)
{
	uint16_t *w = m->nvm;

	memset(w, 0xFF, sizeof(m->nvm));
	w[0x00] = 0x0040;
	w[0x01] = 0;
	w[0x15] = 0x1234; /* parts number */
	w[0x16] = 0x5678;
	w[0x2C] = 0x0080; /* capabilities: no FCoE; modules of Intel only */
	w[0x2D] = 0x0001;
	w[0x2E] = 0x8000;
	w[0x03] = AT_ANALOG;
	w[AT_ANALOG] = 2;
	w[AT_ANALOG + 1] = 0x1111;
	w[AT_ANALOG + 2] = 0x2222;
	w[0x09] = AT_CORE;
	w[AT_CORE] = 3;
	memcpy(&w[AT_CORE + 1], m->options.mac, 6);
	fill_firmware(w);
	fill_phy_init(w);
	w[0x3F] = checksum(w);
}

static bool autoread_done(struct ixgbe_model *m)
{
	return !m->options.autoread_stuck && !m->resetting && ixgbe_model_now(m) >= m->ready_at;
}

uint32_t ixgbe_model_eec_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t v =
		(REG(m, at) & ~(0xFu << EEC_SIZE_SHIFT)) | EEC_PRESENT | NVM_SIZE << EEC_SIZE_SHIFT;

	if (autoread_done(m)) {
		v |= EEC_AUTOREAD;
		m->saw_autoread = true;
	}
	return v;
}

uint32_t ixgbe_model_eemngctl_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t v = REG(m, at);

	if (autoread_done(m)) {
		v |= EEMNGCTL_DONE0 | EEMNGCTL_DONE1;
		m->saw_config = true;
	}
	return v;
}

uint32_t ixgbe_model_fwsm_read(struct ixgbe_model *m, uint32_t at)
{
	return REG(m, at) | (m->options.checksum_bad ? FWSM_CHECKSUM : 0);
}

static void eerd_settle(struct ixgbe_model *m)
{
	unsigned word = REG(m, R_EERD) >> 2 & 0x3FFF;
	uint16_t v = word < IXGBE_MODEL_NVM ? m->nvm[word] : 0xFFFF;

	if (!m->eerd_at || m->options.eerd_stuck || ixgbe_model_now(m) < m->eerd_at)
		return;
	if (word == 0x3F && m->options.checksum_bad)
		v ^= 0x0100;
	m->eerd_at = 0;
	REG(m, R_EERD) = (uint32_t)v << 16 | word << 2 | EERD_DONE;
}

/* A look takes time, too: a driver that only counts its looks gets there. */
uint32_t ixgbe_model_eerd_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t v;

	eerd_settle(m);
	v = REG(m, at);
	if (m->eerd_at > 10)
		m->eerd_at -= 10;
	return v;
}

void ixgbe_model_eerd_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	eerd_settle(m);
	if (m->eerd_at)
		ixgbe_model_broke(m, "eerd-busy", "EERD 0x%08x", v);
	if (m->kind != KIND_82599 && !(REG(m, R_SW_FW_SYNC) & SYNC_NVM))
		ixgbe_model_broke(m, "nvm-without-semaphore", "EERD 0x%08x", v);
	REG(m, at) = v & 0xFFFCu;
	if (v & EERD_START)
		m->eerd_at = ixgbe_model_now(m) + EERD_US;
}

/* When index i was taken or given back; 0: SWSM, 1 on: bits of SW_FW_SYNC. */
static void sync_time(struct ixgbe_model *m, unsigned i, bool taken)
{
	if (!taken)
		m->sync_at[i] = 0;
	else if (!m->sync_at[i])
		m->sync_at[i] = ixgbe_model_now(m) | 1;
}

void ixgbe_model_sync_age(struct ixgbe_model *m)
{
	uint64_t now = ixgbe_model_now(m);

	for (unsigned i = 0; i < sizeof(m->sync_at) / sizeof(m->sync_at[0]); i++) {
		if (!m->sync_at[i] ||
			now < m->sync_at[i] + (m->options.keep_us ? m->options.keep_us : KEEP_US))
			continue;
		ixgbe_model_house(
			m, "semaphore-kept", "%s %u", i ? "SW_FW_SYNC bit" : "SWSM", i ? i - 1 : 0);
		m->sync_at[i] = now | 1;
	}
}

/* 8.2.3.4: SMBI reads 0 to the first who asks, and is then taken. */
uint32_t ixgbe_model_swsm_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t v = REG(m, at);

	if (m->options.semaphore_stuck)
		return v | SWSM_SMBI;
	REG(m, at) |= SWSM_SMBI;
	if (!(v & SWSM_SMBI))
		sync_time(m, 0, true);
	return v;
}

void ixgbe_model_swsm_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	REG(m, at) = v & 0x7u;
	if (m->options.semaphore_stuck)
		REG(m, at) &= ~SWSM_SWESMBI;
	if (!(v & SWSM_SMBI))
		sync_time(m, 0, false);
}

/* X540 10.5.4: REGSMP, read as 0, is taken by that. */
uint32_t ixgbe_model_sync_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t v = REG(m, at);

	if (m->options.semaphore_stuck)
		v |= SYNC_SOFTWARE << 5;
	if (m->kind != KIND_82599)
		REG(m, at) |= SYNC_REGSMP;
	return v;
}

static bool may_write_sync(struct ixgbe_model *m)
{
	uint32_t swsm = REG(m, R_SWSM);

	if (m->kind != KIND_82599)
		return REG(m, R_SW_FW_SYNC) & SYNC_REGSMP;
	return (swsm & SWSM_SMBI) && (swsm & SWSM_SWESMBI);
}

void ixgbe_model_sync_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	uint32_t taken = v & ~REG(m, at) & SYNC_SOFTWARE;

	if (!may_write_sync(m))
		ixgbe_model_broke(
			m, "sync-without-swsm", "SW_FW_SYNC 0x%x, SWSM 0x%x", v, REG(m, R_SWSM));
	if (m->options.semaphore_stuck && taken)
		ixgbe_model_broke(m, "sync-stolen", "SW_FW_SYNC 0x%x", v);
	REG(m, at) = v;
	if (m->kind == KIND_82599)
		REG(m, at) &= ~SYNC_REGSMP;
	for (unsigned i = 0; i < 5; i++)
		sync_time(m, i + 1, v >> i & 1);
}
