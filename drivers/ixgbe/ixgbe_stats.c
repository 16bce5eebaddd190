/* What the device counts (8.2.3.23). */
#include "drivers/ixgbe/ixgbe_device.h"

#define LOST true

const struct intel_counter ixgbe_counter[IXGBE_COUNTERS] = {
	/* the ring was empty */
	{"rx-no-descriptor", LOST, IXGBE_QPRDC(0), INTEL_QUEUE_STRIDE, 0, 0},
	{"rx-missed", LOST, IXGBE_MPC(0), 0, 0, 0}, /* the one packet buffer in use was full */
	{"rx-crc", LOST, IXGBE_CRCERRS, 0, 0, 0},
	{"rx-illegal-symbol", LOST, IXGBE_ILLERRC, 0, 0, 0},
	{"rx-error-byte", LOST, IXGBE_ERRBC, 0, 0, 0},
	{"rx-mac-short", LOST, IXGBE_MSPDC, 0, 0, 0},
	{"rx-length", LOST, IXGBE_RLEC, 0, 0, 0},
	{"rx-undersize", LOST, IXGBE_RUC, 0, 0, 0},
	{"rx-fragment", LOST, IXGBE_RFC, 0, 0, 0},
	{"rx-over-buffer", LOST, IXGBE_ROC, 0, 0, 0}, /* longer than MAXFRS */
	{"rx-jabber", LOST, IXGBE_RJC, 0, 0, 0},
	{"rx-frames", false, IXGBE_GPRC, 0, 0, 0},
	{"rx-bytes", false, IXGBE_GORCL, 0, IXGBE_GORCH, 0xf},
	{"tx-frames", false, IXGBE_GPTC, 0, 0, 0},
	{"tx-bytes", false, IXGBE_GOTCL, 0, IXGBE_GOTCH, 0xf},
	{"local-faults", false, IXGBE_MLFC, 0, 0, 0},
	{"remote-faults", false, IXGBE_MRFC, 0, 0, 0},
};
