/* The rules that the model holds a driver to, and the record of those broken. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "test/model/ixgbe_model_device.h"

/*
 * The first part holds for any driver: Linux's and iPXE's keep to it. What
 * the datasheet asks for and one of these does otherwise, and works, stands
 * in the second part and binds the driver of this project.
 */
const struct ixgbe_model_rule ixgbe_model_rules[] = {
	{"access-width", false, "8.2.1", "registers are 32 bits, aligned, inside the BAR"},
	{"write-read-only", false, "8.2", "a read-only register or a statistic is written"},
	{"reset-access", false, "8.2.3.1.1", "an access within 1 ms of CTRL.RST"},
	{"ring-alignment", false, "8.2.3.8.1", "a ring begins at a multiple of 128 bytes"},
	{"ring-length", false, "8.2.3.8.3", "a ring is multiples of 128 bytes, at most 512 KiB"},
	{"ring-moved", false, "4.6.7.1", "a ring's place is written while its queue is enabled"},
	{"ring-head", false, "8.2.3.8.4", "a head is hardware's but for 0 before enabling"},
	{"rdt-before-enable", false, "4.6.7.1", "RDT is written before RXDCTL.ENABLE"},
	{"rdt-beyond-ring", false, "8.2.3.8.5", "RDT is not inside the ring"},
	{"rdt-overrun", false, "7.1.9", "RDT passes RDH: descriptors given twice"},
	{"tdt-before-enable", false, "4.6.8.1", "TDT is written before TXDCTL.ENABLE"},
	{"tdt-beyond-ring", false, "8.2.3.9.9", "TDT is not inside the ring"},
	{"tdt-overrun", false, "7.2.3.4", "TDT passes TDH: the ring was full"},
	{"rx-buffer-size-zero", false, "8.2.3.8.7", "SRRCTL.BSIZEPACKET is 0"},
	{"rx-descriptor-changed", false, "7.1.9", "a receive descriptor of the device is written"},
	{"tx-descriptor-changed", false, "7.2.3.4",
		"a transmit descriptor of the device is written"},
	{"dma-unmapped", false, "7.1.5", "a ring or buffer is where no memory is"},
	{"tx-descriptor-type", false, "7.2.3.2.4", "an unknown DTYP"},
	{"tx-context-missing", false, "7.2.3.2.3", "an offload without a context"},
	{"tx-paylen", false, "7.2.3.2.4", "PAYLEN is not the sum of the buffers"},
	{"tx-size", false, "7.2.1.1", "a frame is below 17 bytes, or too long"},
	{"tx-headers", false, "7.2.3.2.3", "header lengths or MSS do not fit the packet"},
	{"mtqc-arbiter", false, "8.2.3.9.15", "MTQC is written without RTTDCS.ARBDIS"},
	{"arbiter-left-off", false, "4.6.8", "TDT moves while RTTDCS.ARBDIS is set"},
	{"sync-without-swsm", false, "10.5.4", "SW_FW_SYNC is written without SWSM"},
	{"sync-stolen", false, "10.5.4", "a bit is taken that firmware has"},
	{"i2c-without-semaphore", false, "10.5.4", "I2CCTL is used without the PHY's semaphore"},
	{"mdio-without-semaphore", false, "10.5.4", "MSCA is used without the PHY's semaphore"},
	{"nvm-without-semaphore", false, "X540 11.7.5", "EERD is used without its semaphore"},
	{"mdio-busy", false, "8.2.3.22.11", "MSCA is written during a command"},
	{"eerd-busy", false, "8.2.3.2.2", "EERD is written during a read"},
	{"not-modelled", false, "-", "a function that this model does not have"},

	{"rx-dd-left", true, "7.1.6.1", "DD is set in a receive descriptor given"},
	{"unknown-register", true, "8.2.2", "the datasheet has no such register, or the model"},
	{"reserved-bits", true, "8.2", "reserved bits are not written as they are after reset"},
	{"reset-settle", true, "4.6.3.2", "an access within 10 ms of CTRL.RST"},
	{"reset-without-master-off", true, "5.2.5.3.2", "a reset before STATUS told of GIO_DIS"},
	{"autoread-unawaited", true, "4.6.3", "traffic is enabled before EEC.ARD was read as 1"},
	{"config-unawaited", true, "4.6.3", "the same for EEMNGCTL.CFG_DONE"},
	{"dma-init-unawaited", true, "4.6.3", "the same for RDRXCTL.DMAIDONE"},
	{"interrupt-enabled", true, "design", "EIMS is written: this driver polls"},
	{"crc-strip-halves", true, "8.2.3.8.8", "RDRXCTL.CRCStrip is not as HLREG0.RXCRCSTRP"},
	{"rsc-bits", true, "8.2.3.8.8", "RSCFRSTSIZE is not 0, or RSCACKC, FCOE_WRFIX not 1"},
	{"fcrth-zero", true, "4.6.3.2", "FCRTH[0] is set, with flow control or without"},
	{"ftqf-left", true, "8.2.3.7.19",
		"FTQF is undefined after power on: enabled filters are left"},
	{"tx-threshold", true, "4.6.11.3.4", "TXPBTHRESH leaves no room for the longest packet"},
	{"fctrl-late", true, "8.2.3.7.1", "FCTRL is changed while RXEN is set"},
	{"host-threshold", true, "8.2.3.9.10", "TXDCTL has PTHRESH and no HTHRESH"},
	{"rxen-before-rings", true, "4.6.7", "RXEN is set and no receive queue is enabled"},
	{"rxen-path-running", true, "4.6.7", "RXEN is set without SECRXCTRL.RX_DIS"},
	{"ns-dis-missing", true, "4.6.7", "a frame arrives and CTRL_EXT.NS_DIS is clear"},
	{"dca-rxctrl-bit12", true, "8.2.3.11.1", "a frame arrives and DCA_RXCTRL has bit 12"},
	{"rdt-unpolled", true, "4.6.7.1", "RDT is written before RXDCTL.ENABLE was read as 1"},
	{"tdt-unpolled", true, "4.6.8.1", "TDT is written before TXDCTL.ENABLE was read as 1"},
	{"txdctl-before-te", true, "4.6.8", "a transmit queue is enabled before DMATXCTL.TE"},
	{"rss-late", true, "4.6.7", "RSS is changed while RXEN is set"},
	{"tx-no-fcs", true, "7.2.3.2.4", "IFCS is clear: the last four bytes would be the FCS"},
	{"semaphore-kept", true, "10.5.4", "a semaphore is held for more than a second"},
	{"statistic-twice", true, "8.2.3.23", "the second of two reads gets 0: a loss, if summed"},
	{"octets-order", true, "8.2.3.23.33",
		"of 36 bits, the low half is read first, then the high"},
};

const unsigned ixgbe_model_rules_count = sizeof(ixgbe_model_rules) / sizeof(ixgbe_model_rules[0]);

static void record(struct ixgbe_model *m, const char *rule, const char *form, va_list args)
{
	char what[sizeof(m->first_what)];

	vsnprintf(what, sizeof(what), form, args);
	if (m->broken++ == 0) {
		m->first = rule;
		memcpy(m->first_what, what, sizeof(what));
	}
	if (m->wire.broke)
		m->wire.broke(m->wire.ctx, rule, what);
}

void ixgbe_model_broke(struct ixgbe_model *m, const char *rule, const char *form, ...)
{
	va_list args;

	va_start(args, form);
	record(m, rule, form, args);
	va_end(args);
}

void ixgbe_model_house(struct ixgbe_model *m, const char *rule, const char *form, ...)
{
	va_list args;

	if (!m->options.house)
		return;
	va_start(args, form);
	record(m, rule, form, args);
	va_end(args);
}

unsigned ixgbe_model_broken(const struct ixgbe_model *m)
{
	return m->broken;
}

const char *ixgbe_model_first_broken(const struct ixgbe_model *m, const char **what)
{
	if (what)
		*what = m->first_what;
	return m->first;
}

void ixgbe_model_forgive(struct ixgbe_model *m)
{
	m->broken = 0;
	m->first = NULL;
	m->first_what[0] = '\0';
}
