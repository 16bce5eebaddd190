/* The registers of PCI config space that are used here (PCI 3.0 chapter 6, PCIe 5.0 7.5.1). */
#ifndef DRIVERS_PCI_REGS_H
#define DRIVERS_PCI_REGS_H

#define PCI_ID               0x00u /* vendor 15-0, device 31-16; vendor 0xffff: no function */
#define PCI_COMMAND          0x04u
#define PCI_COMMAND_MEMORY   0x0002u /* answers in memory space */
#define PCI_COMMAND_IO       0x0001u /* answers in port space */
#define PCI_COMMAND_MASTER   0x0004u /* may do DMA */
#define PCI_COMMAND_INTX_OFF 0x0400u /* raises no INTx */
#define PCI_STATUS           0x06u
#define PCI_STATUS_CAP_LIST  0x0010u /* PCI_CAP_POINTER is valid */
#define PCI_CLASS            0x08u   /* class code in bits 31-8 */
#define PCI_CLASS_HOST       0x0600u /* class and subclass of a host bridge */
#define PCI_CLASS_NETWORK    0x02u   /* class */
#define PCI_HEADER           0x0eu
#define PCI_HEADER_MULTI     0x80u /* functions 1 to 7 may exist */
#define PCI_HEADER_DEVICE    0u
#define PCI_HEADER_BRIDGE    1u
#define PCI_BAR0             0x10u /* six of them in a device, two in a bridge */
#define PCI_BAR_IO           0x1u
#define PCI_BAR_TYPE         0x6u /* 0: 32 bits, 2: below 1 MiB (old), 4: 64 bits, 6: reserved */
#define PCI_BAR_TYPE_64      0x4u
#define PCI_CAP_POINTER      0x34u
#define PCI_CAP_FIRST        0x40u /* capabilities lie above the header */
#define PCI_CAP_VENDOR       0x09u

/* Bridges. */
#define PCI_BUS_SECONDARY       0x19u
#define PCI_MEMORY_BASE         0x20u       /* 16 bits: address bits 31-20 in 15-4 */
#define PCI_MEMORY_LIMIT        0x22u       /* the same, of the last MiB that passes */
#define PCI_PREFETCH_BASE       0x24u       /* bit 0: PCI_PREFETCH_UPPER is there */
#define PCI_PREFETCH_CLOSED     0x0000fff0u /* base and limit as one register: nothing passes */
#define PCI_PREFETCH_LAST       0x26u
#define PCI_PREFETCH_BASE_UPPER 0x28u /* address bits 63-32 */
#define PCI_PREFETCH_LAST_UPPER 0x2cu

#define PCI_CONFIG_ADDRESS 0xcf8u /* ports: bit 31 | bus | device | function | register */
#define PCI_CONFIG_PORTS   8u     /* from there, with the data */
#define PCI_CONFIG_DATA    0xcfcu

#endif
