/* Flow control of the model: XOFF when its packet buffer fills, XON when it empties, and obeyed
 * (3.7.7). */
#include <string.h>

#include "test/model/ixgbe_model_device.h"

#define QUANTUM_BITS 512u
#define THRESHOLD    0x0007FFE0u /* FCRTL, FCRTH: bytes of the packet buffer */
#define SWITCHED_ON  (1u << 31)

/* IEEE 802.3 annex 31B. */
static void send_pause(struct ixgbe_model *m, uint16_t quanta)
{
	static const uint8_t head[16] = {
		0x01, 0x80, 0xc2, 0, 0, 0x01, 0, 0, 0, 0, 0, 0, 0x88, 0x08, 0, 0x01};
	uint8_t frame[60] = {0};

	memcpy(frame, head, sizeof(head));
	memcpy(frame + 6, &REG(m, R_RAL), 4);
	memcpy(frame + 10, &REG(m, R_RAH), 2);
	frame[16] = (uint8_t)(quanta >> 8);
	frame[17] = (uint8_t)quanta;
	ixgbe_model_count(m, quanta ? R_LXOFFTXC : R_LXONTXC, 1);
	if (m->wire.transmit)
		m->wire.transmit(m->wire.ctx, frame, sizeof(frame));
}

void ixgbe_model_pause_level(struct ixgbe_model *m)
{
	uint32_t high = REG(m, R_FCRTH), low = REG(m, R_FCRTL);

	if (!(REG(m, R_FCCFG) & FCCFG_TFCE) || !(high & SWITCHED_ON))
		return;
	if (!m->choked && m->held_bytes > (high & THRESHOLD)) {
		m->choked = true;
		send_pause(m, (uint16_t)REG(m, R_FCTTV));
	} else if (m->choked && m->held_bytes <= (low & THRESHOLD)) {
		m->choked = false;
		if (low & SWITCHED_ON)
			send_pause(m, 0);
	}
}

/* 8.2.3.22.34: obeyed with RFCE, and then kept from the host with DPF; other control frames pass
 * with PMCF. */
bool ixgbe_model_pause_taken(struct ixgbe_model *m, const uint8_t *frame)
{
	uint32_t mflcn = REG(m, R_MFLCN), quanta = (uint32_t)frame[16] << 8 | frame[17];

	if (frame[12] != 0x88 || frame[13] != 0x08)
		return false;
	if (frame[14] || frame[15] != 1)
		return !(mflcn & MFLCN_PMCF);
	if (!(mflcn & MFLCN_RFCE))
		return false;
	ixgbe_model_count(m, quanta ? R_LXOFFRXC : R_LXONRXC, 1);
	m->paused_until = ixgbe_model_now(m) + quanta * QUANTUM_BITS / 10000; /* at 10 Gb/s */
	return mflcn & MFLCN_DPF;
}

bool ixgbe_model_paused(struct ixgbe_model *m)
{
	return m->paused_until && ixgbe_model_now(m) < m->paused_until;
}
