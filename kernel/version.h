/* Which source this image was built from. */
#ifndef KERNEL_VERSION_H
#define KERNEL_VERSION_H

/* As `git describe` says it; "unknown" outside a checkout. */
extern const char barewire_version[];

#endif
