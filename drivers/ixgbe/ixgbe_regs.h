/* Registers and descriptors of the 82599 that are used here, with their sections (331520). */
#ifndef DRIVERS_IXGBE_REGS_H
#define DRIVERS_IXGBE_REGS_H

#include <stdint.h>

/* ---------------------------------------------------------------- general, 8.2.3.1 */

#define IXGBE_CTRL              0x00000u        /* 8.2.3.1.1 */
#define IXGBE_CTRL_GIO_DIS      (1u << 2)       /* no more requests to the bus: "master disable" */
#define IXGBE_CTRL_LRST         (1u << 3)       /* resets the MAC and the link; clears itself */
#define IXGBE_CTRL_RST          (1u << 26)      /* resets the device; clears itself */
#define IXGBE_STATUS            0x00008u        /* 8.2.3.1.2 */
#define IXGBE_STATUS_LAN(v)     ((v) >> 2 & 3u) /* which port of the chip it is */
#define IXGBE_STATUS_GIO        (1u << 19)      /* requests to the bus may be under way */
#define IXGBE_CTRL_EXT          0x00018u        /* 8.2.3.1.3 */
#define IXGBE_CTRL_EXT_NS_DIS   (1u << 16)      /* no-snoop accesses off: buffers are in caches */
#define IXGBE_CTRL_EXT_DRV_LOAD (1u << 28)      /* tells firmware that a driver has the port */
#define IXGBE_ESDP              0x00020u        /* 8.2.3.1.4 */
#define IXGBE_ESDP_LASER_OFF    (1u << 3)       /* SDP3: TX_DISABLE of the module */
#define IXGBE_ESDP_OUT(pin)     ((pin) << 8)
#define IXGBE_I2CCTL            0x00028u /* 8.2.3.1.5 */
#define IXGBE_I2C_CLOCK_OUT     (1u << 1)
#define IXGBE_I2C_DATA_IN       (1u << 2)
#define IXGBE_I2C_DATA_OUT      (1u << 3)

/* ---------------------------------------------------------------- EEPROM, 8.2.3.2 */

#define IXGBE_EEC              0x10010u
#define IXGBE_EEC_ARD          (1u << 9) /* the device has read it */
#define IXGBE_EERD             0x10014u
#define IXGBE_EERD_START       (1u << 0)
#define IXGBE_EERD_DONE        (1u << 1)
#define IXGBE_EERD_ADDRESS(w)  ((uint32_t)(w) << 2)
#define IXGBE_EERD_DATA(v)     ((uint16_t)((v) >> 16))
#define IXGBE_EEMNGCTL         0x10110u
#define IXGBE_EEMNGCTL_DONE(n) (1u << (18 + (n))) /* port n: configured by firmware */

/* Arbitration between drivers and firmware, 10.5.4. */
#define IXGBE_SWSM             0x10140u
#define IXGBE_SWSM_SMBI        (1u << 0) /* reading 0 takes it */
#define IXGBE_SWSM_SWESMBI     (1u << 1) /* ours if it reads 1 after it was written */
#define IXGBE_SYNC             0x10160u  /* SW_FW_SYNC */
#define IXGBE_SYNC_NVM         (1u << 0)
#define IXGBE_SYNC_PHY(n)      (1u << (1 + (n)))
#define IXGBE_SYNC_CSR         (1u << 3)  /* registers of the MAC: AUTOC */
#define IXGBE_SYNC_FIRMWARE(b) ((b) << 5) /* the same, held by firmware */
#define IXGBE_SYNC_HARDWARE    (1u << 4)  /* X540: the flash, held by hardware */
#define IXGBE_SYNC_REGSMP      (1u << 31) /* X540, X550: reading 0 takes it */

/* ---------------------------------------------------------------- bus, 8.2.3.4;
 * interrupts, 8.2.3.5 */

#define IXGBE_GCR_EXT       0x11050u
#define IXGBE_GCR_EXT_CLEAR (1u << 30) /* Buffers_Clear_Func: 5.2.5.3.2 */
#define IXGBE_EICR          0x00800u
#define IXGBE_EIMC          0x00888u
#define IXGBE_EIMC_EX(i)    (0x00ab0u + 4u * (i)) /* i < 2 */
#define IXGBE_GPIE          0x00898u

/* ---------------------------------------------------------------- receive, 8.2.3.7 */

#define IXGBE_FCTRL         0x05080u              /* 8.2.3.7.1 */
#define IXGBE_FCTRL_MPE     (1u << 8)             /* all multicast */
#define IXGBE_FCTRL_BAM     (1u << 10)            /* broadcast */
#define IXGBE_VLNCTRL       0x05088u              /* 8.2.3.7.2 */
#define IXGBE_VLNCTRL_VET   0x8100u               /* bits 15-0: the tag's EtherType */
#define IXGBE_VLNCTRL_VFE   (1u << 30)            /* filters by VFTA */
#define IXGBE_RXCSUM        0x05000u              /* 8.2.3.7.5 */
#define IXGBE_RXCSUM_PCSD   (1u << 13)            /* the hash in the descriptor, not a checksum */
#define IXGBE_RFCTL         0x05008u              /* 8.2.3.7.6 */
#define IXGBE_RFCTL_RSC_DIS (1u << 5)             /* frames are never put together */
#define IXGBE_MTA(i)        (0x05200u + 4u * (i)) /* 8.2.3.7.7, i < 128 */
#define IXGBE_RAL(i)        (0x0a200u + 8u * (i)) /* 8.2.3.7.8, i < 128 */
#define IXGBE_RAH(i)        (0x0a204u + 8u * (i)) /* 8.2.3.7.9 */
#define IXGBE_RAH_AV        (1u << 31)            /* the address counts */
#define IXGBE_VFTA(i)       (0x0a000u + 4u * (i)) /* 8.2.3.7.11, i < 128: a bit a VLAN */
#define IXGBE_MRQC          0x05818u              /* 8.2.3.7.12 */
#define IXGBE_FTQF(i)       (0x0e600u + 4u * (i)) /* 8.2.3.7.19, i < 128: undefined at power on */
#define IXGBE_MRQC_RSS      1u                    /* MRQE: RSS, 16 queues */
#define IXGBE_MRQC_IPV4_TCP (1u << 16)
#define IXGBE_MRQC_IPV4     (1u << 17)
#define IXGBE_MRQC_IPV6     (1u << 20)
#define IXGBE_MRQC_IPV6_TCP (1u << 21)
#define IXGBE_MRQC_IPV4_UDP (1u << 22)
#define IXGBE_MRQC_IPV6_UDP (1u << 23)
#define IXGBE_RSSRK(i)      (0x05c80u + 4u * (i)) /* 8.2.3.7.14, i < 10 */
#define IXGBE_RETA(i)       (0x05c00u + 4u * (i)) /* 8.2.3.7.15, i < 32: four entries each */
#define IXGBE_ERETA(i)      (0x0ee80u + 4u * (i)) /* X550: i < 96, the entries from 128 on */

/* ---------------------------------------------------------------- receive DMA, 8.2.3.8; q < 64 */

#define IXGBE_RDBAL(q)         (0x01000u + 0x40u * (q)) /* 8.2.3.8.1, 128-byte aligned */
#define IXGBE_RDBAH(q)         (0x01004u + 0x40u * (q))
#define IXGBE_RDLEN(q)         (0x01008u + 0x40u * (q)) /* bytes, a multiple of 128 */
#define IXGBE_DCA_RXCTRL(q)    (0x0100cu + 0x40u * (q)) /* 8.2.3.11.1 */
#define IXGBE_RDH(q)           (0x01010u + 0x40u * (q))
#define IXGBE_SRRCTL(q)        (0x01014u + 0x40u * (q)) /* 8.2.3.8.7 */
#define IXGBE_RDT(q)           (0x01018u + 0x40u * (q))
#define IXGBE_RXDCTL(q)        (0x01028u + 0x40u * (q)) /* 8.2.3.8.6 */
#define IXGBE_RXDCTL_ENABLE    (1u << 25)               /* poll until it reads 1 */
#define IXGBE_RXDCTL_VME       (1u << 30)               /* takes VLAN tags off */
#define IXGBE_SRRCTL_ROOM(b)   ((b) >> 10)              /* bits 4-0: KiB a buffer has */
#define IXGBE_SRRCTL_ONE       (1u << 25)               /* advanced, one buffer a frame */
#define IXGBE_SRRCTL_DROP      (1u << 28) /* no descriptor: this queue drops, and no other waits */
#define IXGBE_RDRXCTL          0x02f00u   /* 8.2.3.8.8 */
#define IXGBE_RDRXCTL_CRC      (1u << 1)  /* takes the FCS off; as HLREG0 says */
#define IXGBE_RDRXCTL_DMAIDONE (1u << 3)
#define IXGBE_RDRXCTL_FIRST    (0x1fu << 17)         /* RSCFRSTSIZE: must be 0 */
#define IXGBE_RDRXCTL_ACKC     (1u << 25)            /* RSCACKC: must be 1 */
#define IXGBE_RDRXCTL_FCOE     (1u << 26)            /* FCOE_WRFIX: must be 1 */
#define IXGBE_RXPBSIZE(i)      (0x03c00u + 4u * (i)) /* 8.2.3.8.9, i < 8; KiB << 10 */
#define IXGBE_RXCTRL           0x03000u              /* 8.2.3.8.10 */
#define IXGBE_RXCTRL_RXEN      (1u << 0)
#define IXGBE_SECRXCTRL        0x08d00u /* 8.2.3.12 */
#define IXGBE_SECRXCTRL_RX_DIS (1u << 1)
#define IXGBE_SECRXSTAT        0x08d04u
#define IXGBE_SECRXSTAT_READY  (1u << 0)

/* Of a received descriptor (7.1.6.2); all else of them is in drivers/intel/intel_port.h. */
#define IXGBE_RX_ERROR (1u << 29) /* RXE: the MAC found it bad */

/* ---------------------------------------------------------------- transmit, 8.2.3.9; q < 128 */

#define IXGBE_DMATXCTL          0x04a80u                 /* 8.2.3.9.2 */
#define IXGBE_DMATXCTL_TE       (1u << 0)                /* transmits */
#define IXGBE_TDBAL(q)          (0x06000u + 0x40u * (q)) /* 8.2.3.9.5, 128-byte aligned */
#define IXGBE_TDBAH(q)          (0x06004u + 0x40u * (q))
#define IXGBE_TDLEN(q)          (0x06008u + 0x40u * (q))
#define IXGBE_DCA_TXCTRL(q)     (0x0600cu + 0x40u * (q)) /* 8.2.3.11.2 */
#define IXGBE_TDH(q)            (0x06010u + 0x40u * (q))
#define IXGBE_TDT(q)            (0x06018u + 0x40u * (q))
#define IXGBE_TXDCTL(q)         (0x06028u + 0x40u * (q)) /* 8.2.3.9.10 */
#define IXGBE_TXDCTL_PTHRESH(n) (n)
#define IXGBE_TXDCTL_HTHRESH(n) ((n) << 8)
#define IXGBE_TXDCTL_WTHRESH(n) ((n) << 16)
#define IXGBE_TXDCTL_ENABLE     (1u << 25)
#define IXGBE_TDWBAL(q)         (0x06038u + 0x40u * (q)) /* bit 0: head write-back */
#define IXGBE_DTXMXSZRQ         0x08100u                 /* 8.2.3.9.1 */
#define IXGBE_MTQC              0x08120u                 /* 8.2.3.9.15 */
#define IXGBE_TXPBSIZE(i)       (0x0cc00u + 4u * (i))    /* 8.2.3.9.13, i < 8; KiB << 10 */
#define IXGBE_TXPBTHRESH(i)     (0x04950u + 4u * (i))    /* 8.2.3.9.16; KiB */
#define IXGBE_RTTDCS            0x04900u                 /* 8.2.3.10.2 */
#define IXGBE_RTTDCS_ARBDIS     (1u << 6)

/* Direct cache access, 8.2.3.11. The processor's tag is in bits 31-24 of both. */
#define IXGBE_DCA_RX_DESC       (1u << 5)
#define IXGBE_DCA_RX_DATA       (1u << 7)
#define IXGBE_DCA_RX_RESERVED   (1u << 12) /* reads 1 after reset, must be written 0 (4.6.7) */
#define IXGBE_DCA_RX_DATA_RO    (1u << 13) /* relaxed ordering of what is received */
#define IXGBE_DCA_RX_HEAD_RO    (1u << 15)
#define IXGBE_DCA_TX_DESC       (1u << 5)
#define IXGBE_DCA_TX_BACK_RO    (1u << 11) /* relaxed ordering of descriptors written back */
#define IXGBE_DCA_TAG(t)        ((uint32_t)(t) << 24)
#define IXGBE_DCA_CTRL          0x11074u
#define IXGBE_DCA_CTRL_OFF      (1u << 0)
#define IXGBE_DCA_CTRL_MODE_1_0 (1u << 1) /* DCA 1.0, against the older one */

/* ---------------------------------------------------------------- MAC, 8.2.3.22 */

#define IXGBE_HLREG0           0x04240u /* 8.2.3.22.8 */
#define IXGBE_HLREG0_TXCRCEN   (1u << 0)
#define IXGBE_HLREG0_RXCRCSTRP (1u << 1)
#define IXGBE_HLREG0_JUMBOEN   (1u << 2)
#define IXGBE_HLREG0_TXPADEN   (1u << 10)
#define IXGBE_HLREG0_LPBK      (1u << 15)
#define IXGBE_MAXFRS           0x04268u /* 8.2.3.22.13 */
#define IXGBE_MAXFRS_MFS(b)    ((b) << 16)
#define IXGBE_AUTOC            0x042a0u /* 8.2.3.22.19 */
#define IXGBE_AUTOC_RESTART    (1u << 12)
#define IXGBE_AUTOC_LMS        (7u << 13) /* link mode */
#define IXGBE_AUTOC_LMS_1G_AN  (2u << 13) /* 1 Gb/s, negotiated as clause 37 has it */
#define IXGBE_AUTOC_LMS_SERIAL (3u << 13) /* 10 Gb/s, one lane */
#define IXGBE_LINKS            0x042a4u   /* 8.2.3.22.20 */
#define IXGBE_LINKS_UP         (1u << 30)
#define IXGBE_LINKS_SPEED(v)   ((v) >> 28 & 3u) /* 1: 100 Mb/s, 2: 1 Gb/s, 3: 10 Gb/s */
#define IXGBE_LINKS_ODD        (1u << 27)       /* X550: another speed than that says */
#define IXGBE_AUTOC2           0x042a8u
#define IXGBE_AUTOC2_SERIAL    (3u << 16) /* kind of the one lane */
#define IXGBE_AUTOC2_SFI       (2u << 16)
#define IXGBE_AUTOC2_OFF       (7u << 28)            /* links disabled, by the EEPROM */
#define IXGBE_MFLCN            0x04294u              /* 8.2.3.22.34 */
#define IXGBE_MFLCN_DPF        (1u << 1)             /* PAUSE frames do not come in */
#define IXGBE_MFLCN_RFCE       (1u << 3)             /* and are obeyed */
#define IXGBE_FCCFG            0x03d00u              /* 8.2.3.3.7 */
#define IXGBE_FCCFG_TFCE       (1u << 3)             /* PAUSE frames are sent */
#define IXGBE_FCTTV(i)         (0x03200u + 4u * (i)) /* 8.2.3.3.2, i < 4: for how long */
#define IXGBE_FCRTL(i)                                                                             \
	(0x03220u + 4u * (i))       /* 8.2.3.3.3, i < 8: packet buffer empty enough, bytes */
#define IXGBE_FCRTL_XONE (1u << 31) /* tells the peer then */
#define IXGBE_FCRTH(i)   (0x03260u + 4u * (i)) /* 8.2.3.3.4, i < 8: too full */
#define IXGBE_FCRTH_FCEN (1u << 31)
#define IXGBE_FCRTV      0x032a0u /* 8.2.3.3.5: a PAUSE is renewed after so long */

/* ---------------------------------------------------------------- statistics, 8.2.3.23: cleared by
 * reading */

#define IXGBE_CRCERRS  0x04000u
#define IXGBE_ILLERRC  0x04004u
#define IXGBE_ERRBC    0x04008u
#define IXGBE_MSPDC    0x04010u
#define IXGBE_MPC(i)   (0x03fa0u + 4u * (i)) /* i < 8: packet buffers */
#define IXGBE_MLFC     0x04034u
#define IXGBE_MRFC     0x04038u
#define IXGBE_RLEC     0x04040u
#define IXGBE_GPRC     0x04074u
#define IXGBE_GORCL    0x04088u /* 36 bits in two registers, the lower one first */
#define IXGBE_GORCH    0x0408cu
#define IXGBE_GPTC     0x04080u
#define IXGBE_GOTCL    0x04090u
#define IXGBE_GOTCH    0x04094u
#define IXGBE_RUC      0x040a4u
#define IXGBE_RFC      0x040a8u
#define IXGBE_ROC      0x040acu
#define IXGBE_RJC      0x040b0u
#define IXGBE_QPRDC(q) (0x01430u + 0x40u * (q)) /* q < 16 */

_Static_assert(IXGBE_RXDCTL(63) == 0x01fe8u && IXGBE_QPRDC(15) == 0x017f0u &&
		       IXGBE_TXDCTL(127) == 0x07fe8u && IXGBE_VFTA(127) == 0x0a1fcu,
	"strides");

#endif
