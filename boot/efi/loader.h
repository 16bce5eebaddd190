/*
 * The parts of barewire.efi, the kernel as an EFI application.
 *
 * All runs on the boot processor while boot services do; waits and limits are
 * the firmware's. An error has been said on the EFI console before a status is
 * returned. Of the firmware nothing is believed that can be checked.
 */
#ifndef BOOT_EFI_LOADER_H
#define BOOT_EFI_LOADER_H

#include <efi.h>
#include <efilib.h>
#include <stdbool.h>

#include "boot/bootinfo.h"

/* One line on the EFI console, after "barewire: ". Formats as gnu-efi's Print: %a is a string of
 * char, %d, %lx. */
#define LOADER_SAY(...) (Print(L"barewire: "), Print(__VA_ARGS__), Print(L"\r\n"))

/* memory.c */

/*
 * Makes sure that the kernel can go to physical [first, end) once boot services have ended:
 * reserves it, or finds that those alone are in it.
 */
EFI_STATUS memory_reserve(uint64_t first, uint64_t end);

/* Whole pages below 4 GiB, not in what memory_reserve was given, executable if `code`; not cleared.
 * NULL: there are none, said. They stay when boot services have ended. */
void *memory_take(uint64_t bytes, bool code);

/* Gives back all of it: the application failed. */
void memory_release(void);

/*
 * Ends boot services and appends the memory map to b. After EFI_SUCCESS no service may be called;
 * on an error only memory services and the console are sure to work still.
 */
EFI_STATUS memory_leave(EFI_HANDLE image, struct bootinfo *b);

/* files.c */

struct file {
	void *data; /* of memory_take; NULL: there is no such file, or it is empty */
	uint64_t bytes;
};

/*
 * Notes where the application came from: beside it are its files. A file system that cannot be
 * opened is an error.
 */
EFI_STATUS files_init(const EFI_LOADED_IMAGE *loaded);

/*
 * Reads a file that need not be there. What is there and cannot be read is an
 * error: a router must not come up as if it had no configuration.
 */
EFI_STATUS files_read(const char *name, struct file *f);

/* Memory for the f->bytes bytes of a file. An error: there are too many, or there is not so much.
 */
EFI_STATUS files_room(struct file *f);

/* pxe.c: the same, by TFTP from the server that the firmware loaded the application from. */
void pxe_init(const EFI_LOADED_IMAGE *loaded);
bool pxe_loaded(void);
EFI_STATUS pxe_read(const char *name, struct file *f);

/* enter.S: code that runs wherever it is copied, below 4 GiB. */
extern const uint8_t enter_kernel[];
extern const uint64_t enter_bytes;

/*
 * What that code is: leaves long mode, puts `bytes` bytes from `contents` to `place` and jumps to
 * `entry`, which does not return, and finds `bootinfo` in EBX and BOOT_EFI_LOADED in EAX. All below
 * 4 GiB.
 */
typedef void enter_function(uint32_t bootinfo, uint32_t contents, uint32_t bytes, uint32_t place,
	uint32_t entry) __attribute__((sysv_abi));

#endif
