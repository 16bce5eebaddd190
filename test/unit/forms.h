/* The compiled forms of vector code (lib/vec.h), and which of them run here. */
#ifndef TEST_UNIT_FORMS_H
#define TEST_UNIT_FORMS_H

static const char *const forms[] = {"x86-64", "x86-64-v3", "x86-64-v4"};

/* How many of them, from the first on. */
static inline unsigned forms_here(void)
{
	if (!__builtin_cpu_supports("x86-64-v3"))
		return 1;
	return __builtin_cpu_supports("x86-64-v4") ? 3 : 2;
}

#endif
