/*
 * Registers and bits of the 82599 that the model knows, named after its datasheet
 * (331520, chapter 8). On purpose not the driver's header: where the two
 * disagree, one of them was misread.
 */
#ifndef TEST_MODEL_IXGBE_MODEL_REGS_H
#define TEST_MODEL_IXGBE_MODEL_REGS_H

/* 8.2.3.1 general control */
#define R_CTRL           0x00000u
#define CTRL_MASTER_OFF  (1u << 2)
#define CTRL_LINK_RESET  (1u << 3)
#define CTRL_RESET       (1u << 26)
#define R_STATUS         0x00008u
#define STATUS_LINK      (1u << 7)
#define STATUS_MASTER_ON (1u << 19)
#define R_CTRL_EXT       0x00018u
#define CTRL_EXT_NS_DIS  (1u << 16)
#define R_ESDP           0x00020u
#define ESDP_MODULE      (1u << 2) /* input: a module is in the cage */
#define ESDP_LASER_OFF   (1u << 3)
#define ESDP_LASER_OUT   (1u << 11) /* pin 3 is an output */
#define R_I2CCTL         0x00028u
#define I2C_CLOCK_IN     (1u << 0)
#define I2C_CLOCK_OUT    (1u << 1)
#define I2C_DATA_IN      (1u << 2)
#define I2C_DATA_OUT     (1u << 3)

/* 8.2.3.2 EEPROM, 8.2.3.4 semaphores */
#define R_EEC          0x10010u
#define EEC_PRESENT    (1u << 8)
#define EEC_AUTOREAD   (1u << 9)
#define EEC_SIZE_SHIFT 11
#define R_EERD         0x10014u
#define EERD_START     (1u << 0)
#define EERD_DONE      (1u << 1)
#define R_EEMNGCTL     0x10110u
#define EEMNGCTL_DONE0 (1u << 18)
#define EEMNGCTL_DONE1 (1u << 19)
#define R_SWSM         0x10140u
#define SWSM_SMBI      (1u << 0)
#define SWSM_SWESMBI   (1u << 1)
#define R_FWSM         0x10148u
#define FWSM_CHECKSUM  (1u << 19) /* EXT_ERR_IND: the EEPROM's is wrong */
#define FWSM_VALID     (1u << 15)
#define R_FACTPS       0x10150u
#define R_SW_FW_SYNC   0x10160u
#define SYNC_NVM       (1u << 0) /* software's bits; firmware's are 5 higher */
#define SYNC_PHY0      (1u << 1)
#define SYNC_SOFTWARE  0x0000001Fu
#define SYNC_REGSMP    (1u << 31) /* X540 on: taken by reading it */

/* 8.2.3.5 interrupts */
#define R_EICR       0x00800u
#define R_EICS       0x00808u
#define R_EIAC       0x00810u
#define R_EITR       0x00820u
#define R_EIMS       0x00880u
#define R_EIMC       0x00888u
#define R_EIAM       0x00890u
#define R_GPIE       0x00898u
#define GPIE_MSIX    (1u << 4)
#define GPIE_OCD     (1u << 5)
#define GPIE_EIAME   (1u << 30)
#define R_IVAR       0x00900u
#define R_IVAR_MISC  0x00A00u
#define IVAR_VALID   0x80u
#define R_EICS_EX    0x00A90u
#define R_EIMS_EX    0x00AA0u
#define R_EIMC_EX    0x00AB0u
#define R_EIAM_EX    0x00AD0u
#define R_EITR_HIGH  0x12300u /* vectors 24 on */
#define EICR_RX_MISS (1u << 17)
#define EICR_LSC     (1u << 20)

/* 8.2.3.7 receive, 8.2.3.8 receive DMA */
#define R_FCTRL           0x05080u
#define FCTRL_SBP         (1u << 1)
#define FCTRL_MPE         (1u << 8)
#define FCTRL_UPE         (1u << 9)
#define FCTRL_BAM         (1u << 10)
#define R_VLNCTRL         0x05088u
#define VLNCTRL_VFE       (1u << 30)
#define R_MCSTCTRL        0x05090u
#define MCSTCTRL_MFE      (1u << 2)
#define R_RXCSUM          0x05000u
#define RXCSUM_PCSD       (1u << 13)
#define R_MTA             0x05200u
#define R_VFTA            0x0A000u
#define R_RAL             0x0A200u
#define R_RAH             0x0A204u
#define RAH_VALID         (1u << 31)
#define R_MPSAR           0x0A600u
#define R_PSRTYPE         0x0EA00u
#define R_FTQF            0x0E600u
#define FTQF_ENABLE       (1u << 31)
#define R_RETA            0x0EB00u
#define R_RSSRK           0x0EB80u
#define R_MRQC            0x0EC80u
#define MRQC_MODE         0xFu
#define MRQC_TCP4         (1u << 16)
#define MRQC_IP4          (1u << 17)
#define MRQC_IP6          (1u << 20)
#define MRQC_TCP6         (1u << 21)
#define MRQC_UDP4         (1u << 22)
#define MRQC_UDP6         (1u << 23)
#define R_ERETA           0x0EE80u /* X550: entries 128 on */
#define R_RDRXCTL         0x02F00u
#define RDRXCTL_CRC_STRIP (1u << 1)
#define RDRXCTL_RSC_FIRST (31u << 17) /* to be 0 */
#define RDRXCTL_RSC_ONES  (3u << 25)  /* RSCACKC, FCOE_WRFIX: to be 1 */
#define RDRXCTL_INIT_DONE (1u << 3)
#define R_RXCTRL          0x03000u
#define RXCTRL_RXEN       (1u << 0)
#define R_RXPBSIZE        0x03C00u
#define R_SECRXCTRL       0x08D00u
#define SECRXCTRL_RX_DIS  (1u << 1)
#define R_SECRXSTAT       0x08D04u
#define R_SECTXCTRL       0x08800u
#define SECTXCTRL_TX_DIS  (1u << 1)
#define R_SECTXSTAT       0x08804u
#define SEC_READY         (1u << 0)
#define SEC_FUSED_OFF     (1u << 1)

/* Queue registers: offsets in a block of 0x40 bytes. */
#define R_RXQ             0x01000u /* queues 0 to 63 */
#define R_RXQ_HIGH        0x0D000u /* 64 to 127 */
#define R_TXQ             0x06000u /* 0 to 127 */
#define Q_BAL             0x00u
#define Q_BAH             0x04u
#define Q_LEN             0x08u
#define Q_DCA             0x0Cu
#define Q_HEAD            0x10u
#define Q_SRRCTL          0x14u
#define Q_TAIL            0x18u
#define Q_CTL             0x28u
#define Q_RSCCTL          0x2Cu
#define Q_WBAL            0x38u
#define Q_WBAH            0x3Cu
#define CTL_ENABLE        (1u << 25)
#define CTL_FLUSH         (1u << 26)
#define CTL_VME           (1u << 30)
#define DCA_RX_BIT12      (1u << 12)
#define SRRCTL_KB         0x1Fu
#define SRRCTL_TYPE_SHIFT 25
#define SRRCTL_DROP       (1u << 28)

/* 8.2.3.9 transmit */
#define R_TXPBTHRESH  0x04950u
#define R_DMATXCTL    0x04A80u
#define DMATXCTL_TE   (1u << 0)
#define R_RTTDCS      0x04900u
#define RTTDCS_ARBDIS (1u << 6)
#define R_MTQC        0x08120u
#define R_TXPBSIZE    0x0CC00u

/* 8.2.3.22 MAC and link */
#define R_HLREG0         0x04240u
#define HLREG0_CRC_STRIP (1u << 1)
#define HLREG0_JUMBO     (1u << 2)
#define HLREG0_PAD       (1u << 10)
#define HLREG0_LOOPBACK  (1u << 15)
#define R_MAXFRS         0x04268u
#define R_MSCA           0x0425Cu
#define MSCA_COMMAND     (1u << 30)
#define R_MSRWD          0x04260u
#define R_FCTTV          0x03200u
#define R_FCRTL          0x03220u
#define R_FCRTH          0x03260u
#define R_FCCFG          0x03D00u
#define FCCFG_TFCE       (1u << 3)
#define R_MFLCN          0x04294u
#define MFLCN_PMCF       (1u << 0)
#define MFLCN_DPF        (1u << 1)
#define MFLCN_RFCE       (1u << 3)
#define R_AUTOC          0x042A0u
#define AUTOC_FORCE_UP   (1u << 0)
#define AUTOC_RESTART    (1u << 12)
#define AUTOC_MODE_SHIFT 13
#define AUTOC_KX4        (1u << 7)
#define R_LINKS          0x042A4u
#define LINKS_LATCHED    (1u << 7)
#define LINKS_10G        (3u << 28)
#define LINKS_1G         (2u << 28)
#define LINKS_UP         (1u << 30)
#define LINKS_AN_DONE    (1u << 31)
#define R_ANLP1          0x042B0u
#define ANLP1_STATE      (5u << 16)
#define R_AUTOC2         0x042A8u
#define AUTOC2_SFI       (2u << 16)
#define R_FDIRCTRL       0x0EE00u
#define FDIRCTRL_DONE    (1u << 3)
#define R_FDIRHASH       0x0EE28u

/* 8.2.3.23 statistics */
#define R_CRCERRS  0x04000u
#define R_MPC      0x03FA0u
#define R_ROC      0x040ACu
#define R_RUC      0x040A4u
#define R_RFC      0x040A8u
#define R_RJC      0x040B0u
#define R_PRC64    0x0405Cu
#define R_GPRC     0x04074u
#define R_BPRC     0x04078u
#define R_MPRC     0x0407Cu
#define R_GPTC     0x04080u
#define R_GORCL    0x04088u
#define R_GOTCL    0x04090u
#define R_TORL     0x040C0u
#define R_TPR      0x040D0u
#define R_TPT      0x040D4u
#define R_PTC64    0x040D8u
#define R_MPTC     0x040F0u
#define R_BPTC     0x040F4u
#define R_XEC      0x04120u
#define R_LXONTXC  0x03F60u
#define R_LXOFFTXC 0x03F68u
#define R_LXONRXC  0x041A4u
#define R_LXOFFRXC 0x041A8u
#define R_QPRC     0x01030u /* stride 0x40, as the next three */
#define R_QBRCL    0x01034u
#define R_QPRDC    0x01430u
#define R_QPTC     0x06030u
#define R_QBTCL    0x08700u /* stride 8 */
#define R_RQSMR    0x02300u
#define R_TQSM     0x08600u

/* 7.1.6 receive descriptors, written back */
#define RXD_DD          (1u << 0)
#define RXD_EOP         (1u << 1)
#define RXD_VP          (1u << 3)
#define RXD_UDPCS       (1u << 4)
#define RXD_L4CS        (1u << 5)
#define RXD_IPCS        (1u << 6)
#define RXD_PIF         (1u << 7)
#define RXD_ERR_RX      (1u << 29)
#define RXD_ERR_L4      (1u << 30)
#define RXD_ERR_IP      (1u << 31)
#define RXD_IP4         (1u << 4) /* packet type, first dword */
#define RXD_IP4_OPTIONS (1u << 5)
#define RXD_IP6         (1u << 6)
#define RXD_IP6_EXT     (1u << 7)
#define RXD_TCP         (1u << 8)
#define RXD_UDP         (1u << 9)
#define RXD_SCTP        (1u << 10)

/* 7.2.3.2 transmit descriptors: dword 2 (command) and dword 3 (status) */
#define TXD_EOP     (1u << 24)
#define TXD_IFCS    (1u << 25)
#define TXD_IC      (1u << 26) /* legacy */
#define TXD_RS      (1u << 27)
#define TXD_DEXT    (1u << 29)
#define TXD_VLE     (1u << 30)
#define TXD_TSE     (1u << 31)
#define TXD_TYPE    0x00F00000u
#define TXD_CONTEXT 0x00200000u
#define TXD_DATA    0x00300000u
#define TXD_DD      (1u << 0)
#define TXD_INDEX   (1u << 4)
#define TXD_CC      (1u << 7)
#define TXD_IXSM    (1u << 8)
#define TXD_TXSM    (1u << 9)
#define TXC_IP4     (1u << 10)
#define TXC_TCP     (1u << 11)
#define TXC_SCTP    (1u << 12)

#endif
