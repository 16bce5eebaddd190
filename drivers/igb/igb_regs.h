/*
 * Registers of the 82576 that are used here, with the chapters of its datasheet (82576EB, revision
 * 2.63) that describe them. Its descriptors are in drivers/intel/intel_port.h.
 */
#ifndef DRIVERS_IGB_REGS_H
#define DRIVERS_IGB_REGS_H

#include <stdint.h>

/* ---------------------------------------------------------------- general, 8.2 */

#define IGB_CTRL              0x00000u
#define IGB_CTRL_GIO_DIS      (1u << 2)  /* no more requests to the bus: "master disable" */
#define IGB_CTRL_SLU          (1u << 6)  /* the MAC goes by the PHY's link */
#define IGB_CTRL_FORCED       (3u << 11) /* FRCSPD, FRCDPLX: speed and duplex are not the PHY's */
#define IGB_CTRL_RST          (1u << 26) /* resets the port; clears itself */
#define IGB_CTRL_FLOW         (3u << 27) /* RFCE, TFCE: PAUSE is obeyed, and sent */
#define IGB_CTRL_VME          (1u << 30) /* takes VLAN tags off */
#define IGB_STATUS            0x00008u
#define IGB_STATUS_LU         (1u << 1)       /* link */
#define IGB_STATUS_LAN(v)     ((v) >> 2 & 1u) /* which port of the chip it is */
#define IGB_STATUS_SPEED(v)   ((v) >> 6 & 3u) /* 0: 10 Mb/s, 1: 100 Mb/s, else 1 Gb/s */
#define IGB_STATUS_GIO        (1u << 19)      /* requests to the bus may be under way */
#define IGB_CTRL_EXT          0x00018u
#define IGB_CTRL_EXT_NS_DIS   (1u << 16) /* no-snoop accesses off: buffers are in caches */
#define IGB_CTRL_EXT_DOUBLE   (1u << 26) /* extended VLAN: two tags each */
#define IGB_CTRL_EXT_DRV_LOAD (1u << 28) /* tells firmware that a driver has the port */
#define IGB_MDIC              0x00020u   /* registers of the PHY */
#define IGB_MDIC_REGISTER(r)  ((r) << 16)
#define IGB_MDIC_PHY          (1u << 21) /* number 1: the one inside */
#define IGB_MDIC_WRITE        (1u << 26)
#define IGB_MDIC_READ         (2u << 26)
#define IGB_MDIC_READY        (1u << 28)
#define IGB_MDIC_ERROR        (1u << 30)
#define IGB_VET               0x00038u
#define IGB_VET_TAG           0x8100u /* bits 15-0: a tag's EtherType */

/* ---------------------------------------------------------------- EEPROM and firmware, 8.4, 4.7 */

#define IGB_EECD             0x00010u
#define IGB_EECD_ARD         (1u << 9) /* the device has read its EEPROM */
#define IGB_EEMNGCTL         0x01010u
#define IGB_EEMNGCTL_DONE(n) (1u << (18 + (n))) /* port n: configured by firmware */
#define IGB_SWSM             0x05b50u
#define IGB_SWSM_SMBI        (1u << 0) /* reading 0 takes it */
#define IGB_SWSM_SWESMBI     (1u << 1) /* ours if it reads 1 after it was written */
#define IGB_SYNC             0x05b5cu  /* SW_FW_SYNC */
#define IGB_SYNC_PHY(n)      (1u << (1 + (n)))
#define IGB_SYNC_FIRMWARE(b) ((b) << 16) /* the same, held by firmware */

/* ---------------------------------------------------------------- interrupts, 8.8 */

#define IGB_ICR  0x000c0u
#define IGB_IMC  0x000d8u
#define IGB_EIMC 0x01528u
#define IGB_EICR 0x01580u

/* ---------------------------------------------------------------- receive, 8.10, 8.11 */

#define IGB_RCTL          0x00100u
#define IGB_RCTL_RXEN     (1u << 1)
#define IGB_RCTL_MPE      (1u << 4)  /* all multicast */
#define IGB_RCTL_LPE      (1u << 5)  /* long frames, up to RLPML */
#define IGB_RCTL_BAM      (1u << 15) /* broadcast */
#define IGB_RCTL_VFE      (1u << 18) /* filters by VFTA */
#define IGB_RCTL_SECRC    (1u << 26) /* takes the FCS off */
#define IGB_RXCSUM        0x05000u
#define IGB_RXCSUM_PCSD   (1u << 13)            /* the hash in the descriptor, not a checksum */
#define IGB_RLPML         0x05004u              /* bytes of the longest frame, with tag and FCS */
#define IGB_MTA(i)        (0x05200u + 4u * (i)) /* i < 128 */
#define IGB_RAL(i)        (0x05400u + 8u * (i) + ((i) < 16 ? 0u : 0x60u)) /* i < 24, in two places */
#define IGB_RAH(i)        (IGB_RAL(i) + 4u)
#define IGB_RAH_AV        (1u << 31)            /* the address counts */
#define IGB_VFTA(i)       (0x05600u + 4u * (i)) /* i < 128: a bit a VLAN */
#define IGB_UTA(i)        (0x0a000u + 4u * (i)) /* i < 128 */
#define IGB_MRQC          0x05818u
#define IGB_MRQC_RSS      2u /* RSS, 16 queues */
#define IGB_MRQC_IPV4_TCP (1u << 16)
#define IGB_MRQC_IPV4     (1u << 17)
#define IGB_MRQC_IPV6     (1u << 20)
#define IGB_MRQC_IPV6_TCP (1u << 21)
#define IGB_MRQC_IPV4_UDP (1u << 22)
#define IGB_MRQC_IPV6_UDP (1u << 23)
#define IGB_RSSRK(i)      (0x05c80u + 4u * (i)) /* i < 10 */
#define IGB_RETA(i)       (0x05c00u + 4u * (i)) /* i < 32: four entries each */

#define IGB_RDBAL(q)        (0x0c000u + 0x40u * (q)) /* q < 16; 128-byte aligned */
#define IGB_RDBAH(q)        (0x0c004u + 0x40u * (q))
#define IGB_RDLEN(q)        (0x0c008u + 0x40u * (q)) /* bytes, a multiple of 128 */
#define IGB_SRRCTL(q)       (0x0c00cu + 0x40u * (q))
#define IGB_SRRCTL_ROOM(b)  ((b) >> 10) /* bits 6-0: KiB a buffer has */
#define IGB_SRRCTL_ONE      (1u << 25)  /* advanced, one buffer a frame */
#define IGB_SRRCTL_DROP     (1u << 31)  /* no descriptor: this queue drops, and no other waits */
#define IGB_RDH(q)          (0x0c010u + 0x40u * (q))
#define IGB_RDT(q)          (0x0c018u + 0x40u * (q))
#define IGB_RXDCTL(q)       (0x0c028u + 0x40u * (q))
#define IGB_DCTL_PTHRESH(n) (n) /* of RXDCTL and TXDCTL alike */
#define IGB_DCTL_HTHRESH(n) ((n) << 8)
#define IGB_DCTL_WTHRESH(n) ((n) << 16)
#define IGB_DCTL_ENABLE     (1u << 25) /* poll until it reads 1 */

/* Of a received descriptor (7.1.5.2): where the 82599 has a wrong checksum of IP. */
#define IGB_RX_ERROR (1u << 31) /* RXE: the MAC found it bad */

/* ---------------------------------------------------------------- transmit, 8.12 */

#define IGB_TCTL      0x00400u
#define IGB_TCTL_EN   (1u << 1)
#define IGB_TCTL_PSP  (1u << 3)                /* pads short frames */
#define IGB_TDBAL(q)  (0x0e000u + 0x40u * (q)) /* q < 16; 128-byte aligned */
#define IGB_TDBAH(q)  (0x0e004u + 0x40u * (q))
#define IGB_TDLEN(q)  (0x0e008u + 0x40u * (q))
#define IGB_TDH(q)    (0x0e010u + 0x40u * (q))
#define IGB_TDT(q)    (0x0e018u + 0x40u * (q))
#define IGB_TXDCTL(q) (0x0e028u + 0x40u * (q))
#define IGB_TDWBAL(q) (0x0e038u + 0x40u * (q)) /* bit 0: head write-back */

/* ---------------------------------------------------------------- statistics, 8.19: cleared by
 * reading */

#define IGB_CRCERRS  0x04000u
#define IGB_ALGNERRC 0x04004u
#define IGB_SYMERRS  0x04008u
#define IGB_RXERRC   0x0400cu
#define IGB_MPC      0x04010u
#define IGB_RLEC     0x04040u
#define IGB_GPRC     0x04074u
#define IGB_GPTC     0x04080u
#define IGB_GORCL    0x04088u /* 64 bits in two registers, the lower one first */
#define IGB_GORCH    0x0408cu
#define IGB_GOTCL    0x04090u
#define IGB_GOTCH    0x04094u
#define IGB_RUC      0x040a4u
#define IGB_RFC      0x040a8u
#define IGB_ROC      0x040acu
#define IGB_RJC      0x040b0u
#define IGB_RQDPC(q) (0x0c030u + 0x40u * (q)) /* q < 16 */

_Static_assert(IGB_RXDCTL(15) == 0x0c3e8u && IGB_TXDCTL(15) == 0x0e3e8u && IGB_RAH(23) == 0x0551cu,
	"strides");

/* ---------------------------------------------------------------- the PHY, IEEE 802.3 22.2.4 */

#define IGB_PHY_CONTROL       0u
#define IGB_PHY_CONTROL_AGAIN (1u << 9)             /* negotiates anew; clears itself */
#define IGB_PHY_CONTROL_OFF   (1u << 10 | 1u << 11) /* isolated, powered down */
#define IGB_PHY_CONTROL_AN    (1u << 12)            /* negotiates */
#define IGB_PHY_OFFER         4u
#define IGB_PHY_OFFER_PAUSE   (3u << 10) /* flow control, both kinds of it */

#endif
