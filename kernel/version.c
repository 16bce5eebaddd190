/* The version, in a file of its own: a new commit compiles this and nothing else. */
#include "kernel/version.h"

#ifndef BAREWIRE_VERSION
#	define BAREWIRE_VERSION "unknown"
#endif

const char barewire_version[] = BAREWIRE_VERSION;
