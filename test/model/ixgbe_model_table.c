/* The model's register file: every register it knows, how it is accessed, and its value after
 * reset. */
#include <string.h>

#include "test/model/ixgbe_model_device.h"

#define ANY 0xFFFFFFFFu

/* Undefined after power on: what a driver that does not clear its tables gets. */
#define GARBAGE 0xA5C3F00Du

#define IRQ   ixgbe_model_irq_read, ixgbe_model_irq_write
#define RING  ixgbe_model_ring_read, ixgbe_model_ring_write
#define PLAIN NULL, NULL

/* first, count, stride, access, writable bits, read-only bits, reset value, handlers */
const struct ixgbe_model_range ixgbe_model_ranges[] = {
	/* 8.2.3.1 general */
	{R_CTRL, 1, 4, ACCESS_RW, CTRL_MASTER_OFF | CTRL_LINK_RESET | CTRL_RESET, 0, 0,
		ixgbe_model_ctrl_read, ixgbe_model_ctrl_write},
	{R_STATUS, 1, 4, ACCESS_RO, 0, 0, STATUS_MASTER_ON, ixgbe_model_status_read, NULL},
	{R_CTRL_EXT, 1, 4, ACCESS_RW, 0x14034000u, 0, 0, PLAIN},
	{R_ESDP, 1, 4, ACCESS_RW, 0x03FFFFFFu, 0, 0, ixgbe_model_esdp_read, NULL},
	{R_I2CCTL, 1, 4, ACCESS_RW, I2C_CLOCK_OUT | I2C_DATA_OUT, I2C_CLOCK_IN | I2C_DATA_IN,
		I2C_CLOCK_OUT | I2C_DATA_OUT, ixgbe_model_i2c_read, ixgbe_model_i2c_write},
	{0x00048u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},           /* FRTIMER */
	{0x0004Cu, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},           /* TCPTIMER */
	{0x00200u, 1, 4, ACCESS_RW, ANY, 0, 0x01000500u, PLAIN}, /* LEDCTL */
	/* 8.2.3.2 EEPROM, 8.2.3.4 PCIe, 8.2.3.11 direct cache access */
	{R_EEC, 1, 4, ACCESS_RW, ANY, EEC_PRESENT | EEC_AUTOREAD, 0, ixgbe_model_eec_read, NULL},
	{R_EERD, 1, 4, ACCESS_RW, 0xFFFDu, 0xFFFF0002u, 0, ixgbe_model_eerd_read,
		ixgbe_model_eerd_write},
	{0x1001Cu, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* FLA */
	{R_EEMNGCTL, 1, 4, ACCESS_RW, ANY, 0, 0, ixgbe_model_eemngctl_read, NULL},
	{R_SWSM, 1, 4, ACCESS_RW, 0x7u, 0, 0, ixgbe_model_swsm_read, ixgbe_model_swsm_write},
	{R_FWSM, 1, 4, ACCESS_RO, 0, 0, FWSM_VALID, ixgbe_model_fwsm_read, NULL},
	{R_FACTPS, 1, 4, ACCESS_RO, 0, 0, 0, PLAIN},
	{R_SW_FW_SYNC, 1, 4, ACCESS_RW, ANY, 0, 0, ixgbe_model_sync_read, ixgbe_model_sync_write},
	{0x11000u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},   /* GCR */
	{0x11050u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},   /* GCR_EXT */
	{0x11064u, 1, 4, ACCESS_RO, 0, 0, 1, PLAIN},     /* MREVID */
	{0x11070u, 1, 4, ACCESS_RO, 0, 0, 0, PLAIN},     /* DCA_ID */
	{0x11074u, 1, 4, ACCESS_RW, 0x1Fu, 0, 1, PLAIN}, /* DCA_CTRL: disabled */
	/* 8.2.3.5 interrupts */
	{R_EICR, 1, 4, ACCESS_RW, ANY, 0, 0, IRQ},
	{R_EICS, 1, 4, ACCESS_RW, ANY, 0, 0, IRQ},
	{R_EIAC, 1, 4, ACCESS_RW, ANY, 0, 0, IRQ},
	{R_EIMS, 1, 4, ACCESS_RW, ANY, 0, 0, IRQ},
	{R_EIMC, 1, 4, ACCESS_RW, ANY, 0, 0, IRQ},
	{R_EIAM, 1, 4, ACCESS_RW, ANY, 0, 0, IRQ},
	{R_EICS_EX, 2, 4, ACCESS_RW, ANY, 0, 0, IRQ},
	{R_EIMS_EX, 2, 4, ACCESS_RW, ANY, 0, 0, IRQ},
	{R_EIMC_EX, 2, 4, ACCESS_RW, ANY, 0, 0, IRQ},
	{R_EIAM_EX, 2, 4, ACCESS_RW, ANY, 0, 0, IRQ},
	{R_EITR, 24, 4, ACCESS_RW, ANY, 0, 0, PLAIN},
	{R_EITR_HIGH, 105, 4, ACCESS_RW, ANY, 0, 0, PLAIN},
	{R_GPIE, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},
	{R_IVAR, 64, 4, ACCESS_RW, 0xBFBFBFBFu, 0, 0, PLAIN},
	{R_IVAR_MISC, 1, 4, ACCESS_RW, 0xBFBFu, 0, 0, PLAIN},
	{0x00894u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* EITRSEL */
	/* 8.2.3.3 flow control */
	{R_FCTTV, 4, 4, ACCESS_RW, ANY, 0, 0, PLAIN},         /* FCTTV */
	{R_FCRTL, 8, 4, ACCESS_RW, 0x8007FFE0u, 0, 0, PLAIN}, /* FCRTL */
	{R_FCRTH, 8, 4, ACCESS_RW, 0x8007FFE0u, 0, 0, PLAIN}, /* FCRTH */
	{0x032A0u, 1, 4, ACCESS_RW, 0xFFFFu, 0, 0, PLAIN},    /* FCRTV */
	{R_FCCFG, 1, 4, ACCESS_RW, 0x18u, 0, 0, PLAIN},       /* FCCFG */
	{0x0CE00u, 1, 4, ACCESS_RO, 0, 0, 0, PLAIN},          /* TFCS */
	{R_MFLCN, 1, 4, ACCESS_RW, 0x0FFFu, 0, 0, PLAIN},
	/* 8.2.3.7 receive */
	{R_FCTRL, 1, 4, ACCESS_RW, 0x0000F702u, 0, 0, NULL, ixgbe_model_fctrl_write},
	{R_VLNCTRL, 1, 4, ACCESS_RW, 0x7000FFFFu, 0, 0x8100u, PLAIN},
	{R_MCSTCTRL, 1, 4, ACCESS_RW, 0x7u, 0, 0, PLAIN},
	{R_RXCSUM, 1, 4, ACCESS_RW, 0x3000u, 0, 0, PLAIN},
	{0x05008u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},   /* RFCTL */
	{0x05128u, 8, 4, ACCESS_RW, ANY, 0, 0, PLAIN},   /* ETQF */
	{0x0EC00u, 8, 4, ACCESS_RW, ANY, 0, 0, PLAIN},   /* ETQS */
	{0x0EC30u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},   /* SYNQF */
	{0x0EC70u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},   /* RQTC */
	{0x051B0u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},   /* VT_CTL */
	{0x051E0u, 2, 4, ACCESS_RW, ANY, 0, 0, PLAIN},   /* VFRE */
	{0x0F100u, 64, 4, ACCESS_RW, ANY, 0, 0, PLAIN},  /* VLVF */
	{0x0F200u, 128, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* VLVFB */
	{0x0F400u, 128, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* UTA */
	{0x0F000u, 64, 4, ACCESS_RW, ANY, 0, 0, PLAIN},  /* VMOLR */
	{0x0E000u, 384, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* SAQF, DAQF, SDPQF */
	{R_FTQF, 128, 4, ACCESS_TABLE, ANY, 0, 0, PLAIN},
	{0x0E800u, 128, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* L34T_IMIR */
	{R_MTA, 128, 4, ACCESS_TABLE, ANY, 0, 0, PLAIN},
	{R_VFTA, 128, 4, ACCESS_TABLE, ANY, 0, 0, PLAIN},
	{R_RAL, 128, 8, ACCESS_RW, ANY, 0, 0, PLAIN},
	{R_RAH, 128, 8, ACCESS_RW, 0x803FFFFFu, 0, 0, PLAIN},
	{R_MPSAR, 256, 4, ACCESS_TABLE, ANY, 0, 0, PLAIN},
	{R_PSRTYPE, 64, 4, ACCESS_RW, ANY, 0, 0, PLAIN},
	{R_RETA, 32, 4, ACCESS_TABLE, ANY, 0, 0, NULL, ixgbe_model_rss_write},
	{R_RSSRK, 10, 4, ACCESS_TABLE, ANY, 0, 0, NULL, ixgbe_model_rss_write},
	{R_MRQC, 1, 4, ACCESS_RW, 0xFFFFE00Fu, 0, 0, NULL, ixgbe_model_rss_write},
	{R_FDIRCTRL, 1, 4, ACCESS_RW, ANY, 0, 0, NULL, ixgbe_model_fdirctrl_write},
	{0x0EE04u, 31, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* the flow director's others */
	{R_ERETA, 96, 4, ACCESS_TABLE, ANY, 0, 0, NULL, ixgbe_model_rss_write},
	/* 8.2.3.8 receive DMA */
	{R_RDRXCTL, 1, 4, ACCESS_RW, 0x37BF00A2u, 0x0000FF0Du, 0x00108801u,
		ixgbe_model_rdrxctl_read, NULL},
	{R_RXCTRL, 1, 4, ACCESS_RW, RXCTRL_RXEN, 0, 0, NULL, ixgbe_model_rxctrl_write},
	{R_RXPBSIZE, 8, 4, ACCESS_RW, 0x000FFC00u, 0, 0x00080000u, PLAIN},
	{0x03D04u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* DROPEN */
	{0x02F04u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* QDE */
	{0x02F20u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* RDDCC */
	{0x03028u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* RSCDBU */
	{0x03190u, 1, 4, ACCESS_RO, 0, 0, 0, PLAIN},   /* RXMEMWRAP */
	{R_SECRXCTRL, 1, 4, ACCESS_RW, 0x3u, 0, 0, PLAIN},
	{R_SECRXSTAT, 1, 4, ACCESS_RO, 0, 0, SEC_FUSED_OFF, ixgbe_model_sec_read, NULL},
	{R_SECTXCTRL, 1, 4, ACCESS_RW, 0x7u, 0, 0, PLAIN},
	{R_SECTXSTAT, 1, 4, ACCESS_RO, 0, 0, SEC_FUSED_OFF, ixgbe_model_sec_read, NULL},
	{0x08808u, 1, 4, ACCESS_RW, ANY, 0, 0x250u, PLAIN}, /* SECTXBUFFAF */
	{0x08810u, 1, 4, ACCESS_RW, ANY, 0, 1, PLAIN},      /* SECTXMINIFG */
	{R_RXQ + Q_BAL, 64, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_RXQ + Q_BAH, 64, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_RXQ + Q_LEN, 64, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_RXQ + Q_DCA, 64, 0x40, ACCESS_RW, 0xFF00B2E0u, 0, 0x0000B200u, PLAIN},
	{R_RXQ + Q_HEAD, 64, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_RXQ + Q_SRRCTL, 64, 0x40, ACCESS_RW, 0x1FC03F1Fu, 0, 0x00000402u, PLAIN},
	{R_RXQ + Q_TAIL, 64, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_RXQ + Q_CTL, 64, 0x40, ACCESS_RW, 0x4600FFFFu, 0, 0, RING},
	{R_RXQ + Q_RSCCTL, 64, 0x40, ACCESS_RW, 0xFu, 0, 0, PLAIN},
	{R_RXQ_HIGH + Q_BAL, 64, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_RXQ_HIGH + Q_BAH, 64, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_RXQ_HIGH + Q_LEN, 64, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_RXQ_HIGH + Q_DCA, 64, 0x40, ACCESS_RW, 0xFF00B2E0u, 0, 0x0000B200u, PLAIN},
	{R_RXQ_HIGH + Q_HEAD, 64, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_RXQ_HIGH + Q_SRRCTL, 64, 0x40, ACCESS_RW, 0x1FC03F1Fu, 0, 0x00000402u, PLAIN},
	{R_RXQ_HIGH + Q_TAIL, 64, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_RXQ_HIGH + Q_CTL, 64, 0x40, ACCESS_RW, 0x4600FFFFu, 0, 0, RING},
	{R_RXQ_HIGH + Q_RSCCTL, 64, 0x40, ACCESS_RW, 0xFu, 0, 0, PLAIN},
	/* 8.2.3.9 transmit */
	{R_DMATXCTL, 1, 4, ACCESS_RW, 0xFFFF006Bu, 0x4u, 0x81000000u, NULL,
		ixgbe_model_dmatxctl_write},
	{0x04A88u, 1, 4, ACCESS_RW, 0x0FFF0FFFu, 0, 0x0FF60FF6u, PLAIN}, /* DTXTCPFLGL */
	{0x04A8Cu, 1, 4, ACCESS_RW, 0x0FFFu, 0, 0x0F7Fu, PLAIN},         /* DTXTCPFLGH */
	{R_TXQ + Q_BAL, 128, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_TXQ + Q_BAH, 128, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_TXQ + Q_LEN, 128, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_TXQ + Q_DCA, 128, 0x40, ACCESS_RW, 0xFF002A20u, 0, 0x00002A00u, PLAIN},
	{R_TXQ + Q_HEAD, 128, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_TXQ + Q_TAIL, 128, 0x40, ACCESS_RW, ANY, 0, 0, RING},
	{R_TXQ + Q_CTL, 128, 0x40, ACCESS_RW, 0x067F7F7Fu, 0, 0, RING},
	{R_TXQ + Q_WBAL, 128, 0x40, ACCESS_RW, 0xFFFFFFFDu, 0, 0, PLAIN},
	{R_TXQ + Q_WBAH, 128, 0x40, ACCESS_RW, ANY, 0, 0, PLAIN},
	{0x08100u, 1, 4, ACCESS_RW, 0x0FFFu, 0, 0x10u, PLAIN}, /* DTXMXSZRQ */
	{0x08110u, 2, 4, ACCESS_RW, ANY, 0, 0, PLAIN},         /* VFTE */
	{R_MTQC, 1, 4, ACCESS_RW, ANY, 0, 0, NULL, ixgbe_model_mtqc_write},
	{R_TXPBSIZE, 8, 4, ACCESS_RW, 0x000FFC00u, 0, 0x00028000u, PLAIN},
	{R_TXPBTHRESH, 8, 4, ACCESS_RW, 0x3FFu, 0, 0x96u, PLAIN},
	{0x0CD10u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* MNGTXMAP */
	/* 8.2.3.10 data centre bridging: kept, not obeyed */
	{R_RTTDCS, 1, 4, ACCESS_RW, 0x80C00073u, 0, 0x00C00000u, PLAIN},
	{0x04904u, 3, 4, ACCESS_RW, ANY, 0, 0, PLAIN},           /* RTTDQSEL, RTTDT1C, RTTDT1S */
	{0x04910u, 16, 4, ACCESS_RW, ANY, 0, 0, PLAIN},          /* RTTDT2C, RTTDT2S */
	{0x04980u, 5, 4, ACCESS_RW, ANY, 0, 0, PLAIN},           /* RTTBCN.. */
	{0x02430u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},           /* RTRPCS */
	{0x03020u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},           /* RTRUP2TC */
	{0x02140u, 16, 4, ACCESS_RW, ANY, 0, 0, PLAIN},          /* RTRPT4C, RTRPT4S */
	{0x0C800u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},           /* RTTUP2TC */
	{0x0CD00u, 1, 4, ACCESS_RW, ANY, 0, 0x89000000u, PLAIN}, /* RTTPCS */
	{0x0CD20u, 16, 4, ACCESS_RW, ANY, 0, 0, PLAIN},          /* RTTPT2C, RTTPT2S */
	/* 8.2.3.22 MAC and link */
	{R_HLREG0, 1, 4, ACCESS_RW, 0x1FFFFC07u, 0x3F8u, 0x08012C0Bu, PLAIN},
	{R_MAXFRS, 1, 4, ACCESS_RW, 0xFFFF0000u, 0, 0x05EE0000u, PLAIN},
	{R_MSCA, 1, 4, ACCESS_RW, ANY, 0, 0, ixgbe_model_msca_read, ixgbe_model_msca_write},
	{R_MSRWD, 1, 4, ACCESS_RW, 0xFFFFu, 0xFFFF0000u, 0, PLAIN},
	{R_AUTOC, 1, 4, ACCESS_RW, ANY, 0, 0, NULL, ixgbe_model_autoc_write},
	{R_AUTOC2, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},
	{R_LINKS, 1, 4, ACCESS_RO, 0, 0, 0, ixgbe_model_links_read, NULL},
	{0x04324u, 1, 4, ACCESS_RO, 0, 0, 0, PLAIN}, /* LINKS2 */
	{R_ANLP1, 1, 4, ACCESS_RO, 0, 0, 0, ixgbe_model_anlp1_read, NULL},
	{0x042B4u, 1, 4, ACCESS_RO, 0, 0, 0, PLAIN},             /* ANLP2 */
	{0x04330u, 1, 4, ACCESS_RW, ANY, 0, 0x001A0000u, PLAIN}, /* MACC */
	{0x04208u, 8, 4, ACCESS_RW, ANY, 0, 0, PLAIN},           /* PCS_1G */
	{0x0CB00u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},           /* TIPG */
	{0x14F00u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN},           /* CORECTL */
	/* 8.2.3.23 statistics */
	{R_CRCERRS, 5, 4, ACCESS_COUNT, 0, 0, 0, PLAIN}, /* to MSPDC */
	{0x04034u, 2, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},  /* MLFC, MRFC */
	{0x04040u, 1, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},  /* RLEC */
	{R_LXONTXC, 3, 4, ACCESS_COUNT, 0, 0, 0, PLAIN}, /* LXONTXC, LXOFFTXC */
	{R_LXONRXC, 2, 4, ACCESS_COUNT, 0, 0, 0, PLAIN}, /* and LXOFFRXC */
	{0x04140u, 16, 4, ACCESS_COUNT, 0, 0, 0, PLAIN}, /* PXONRXC, PXOFFRXC */
	{0x03240u, 8, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},  /* PXON2OFFC */
	{0x03F00u, 16, 4, ACCESS_COUNT, 0, 0, 0, PLAIN}, /* PXONTXC, PXOFFTXC */
	{R_MPC, 16, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},    /* and RNBC */
	{R_PRC64, 10, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},  /* to GPTC */
	{R_GORCL, 4, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},   /* and GOTC */
	{R_RUC, 6, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},     /* to MNGPDC */
	{0x0CF90u, 1, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},  /* MNGPTC */
	{R_TORL, 2, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},
	{R_TPR, 10, 4, ACCESS_COUNT, 0, 0, 0, PLAIN}, /* to BPTC */
	{R_XEC, 1, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},
	{0x08780u, 1, 4, ACCESS_COUNT, 0, 0, 0, PLAIN}, /* SSVPC */
	{0x041C0u, 2, 4, ACCESS_COUNT, 0, 0, 0, PLAIN}, /* to and from management */
	{0x02F90u, 1, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},
	{0x087B0u, 1, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},
	{0x0EE50u, 4, 4, ACCESS_COUNT, 0, 0, 0, PLAIN}, /* flow director */
	{R_QPRC, 16, 0x40, ACCESS_COUNT, 0, 0, 0, PLAIN},
	{R_QBRCL, 16, 0x40, ACCESS_COUNT, 0, 0, 0, PLAIN},
	{R_QBRCL + 4, 16, 0x40, ACCESS_COUNT, 0, 0, 0, PLAIN},
	{R_QPRDC, 16, 0x40, ACCESS_COUNT, 0, 0, 0, PLAIN},
	{R_QPTC, 16, 0x40, ACCESS_COUNT, 0, 0, 0, PLAIN},
	{R_QBTCL, 32, 4, ACCESS_COUNT, 0, 0, 0, PLAIN},
	{R_RQSMR, 32, 4, ACCESS_RW, 0x0F0F0F0Fu, 0, 0, PLAIN},
	{R_TQSM, 32, 4, ACCESS_RW, 0x0F0F0F0Fu, 0, 0, PLAIN},
	/* 8.2.3.24 wake up, 8.2.3.25 time stamps: kept, not obeyed */
	{0x05800u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* WUC */
	{0x05808u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* WUFC */
	{0x05810u, 1, 4, ACCESS_RW, ANY, 0, 0, PLAIN}, /* WUS */
	{0x08C00u, 8, 4, ACCESS_RW, ANY, 0, 0, PLAIN},
};

const unsigned ixgbe_model_ranges_count =
	sizeof(ixgbe_model_ranges) / sizeof(ixgbe_model_ranges[0]);

/* Old place, registers, bytes from one to the next; new place, the same. */
static const struct {
	uint32_t old;
	unsigned count, old_stride;
	uint32_t at;
	unsigned stride;
} aliases[] = {
	{0x00004u, 1, 4, R_CTRL, 4},
	{0x02100u, 16, 4, R_RXQ + Q_SRRCTL, 0x40},
	{0x02200u, 16, 4, R_RXQ + Q_DCA, 0x40},
	{0x05400u, 32, 4, R_RAL, 4},
	{0x05480u, 16, 4, R_PSRTYPE, 4},
	{0x05818u, 1, 4, R_MRQC, 4},
	{0x05C00u, 32, 4, R_RETA, 4},
	{0x05C80u, 10, 4, R_RSSRK, 4},
};

uint32_t ixgbe_model_alias(uint32_t at)
{
	for (unsigned i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		uint32_t n = (at - aliases[i].old) / aliases[i].old_stride;

		if (at >= aliases[i].old && n < aliases[i].count)
			return aliases[i].at + n * aliases[i].stride;
	}
	return at;
}

/* Loopback and reset do not touch what lies in RAM: MTA, VFTA, RETA and kin (4.6.7). */
void ixgbe_model_table_reset(struct ixgbe_model *m, bool power_on)
{
	for (unsigned i = 0; i < ixgbe_model_ranges_count; i++) {
		const struct ixgbe_model_range *r = &ixgbe_model_ranges[i];

		if (r->access == ACCESS_TABLE && !power_on)
			continue;
		for (unsigned n = 0; n < r->count; n++) {
			uint32_t at = r->first + n * r->stride;

			REG(m, at) = r->access == ACCESS_TABLE ? GARBAGE ^ at : r->reset;
			m->range[at / 4] = (uint16_t)(i + 1);
		}
	}
	for (unsigned i = 1; i < 8; i++) /* 8.2.3.9.16 */
		REG(m, R_TXPBTHRESH + 4 * i) = 0;
}
