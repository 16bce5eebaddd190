/* From a machine with memory and cores to a running router; both platforms end here. */
#include "kernel/main.h"
