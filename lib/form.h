/* The choice of a compiled form of vector code (vec.h), by the name that the platform has for it.
 */
#ifndef LIB_FORM_H
#define LIB_FORM_H

#include <string.h>

/* NAME_v4 for "x86-64-v4", NAME_v3 for "x86-64-v3", NAME_plain for anything else. */
#define FORM(name, isa)                                                                            \
	(strcmp((isa), "x86-64-v4") == 0          ? name##_v4                                      \
		: strcmp((isa), "x86-64-v3") == 0 ? name##_v3                                      \
						  : name##_plain)

#endif
