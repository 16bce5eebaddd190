/* The word by which the kernel knows the EFI application: in EAX at its entry; C and assembly. */
#ifndef BOOT_EFI_LOADED_H
#define BOOT_EFI_LOADED_H

#define BOOT_EFI_LOADED 0x46455742 /* "BWEF"; EBX: physical address of a struct bootinfo */

#endif
