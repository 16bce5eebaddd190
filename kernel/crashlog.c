/* A crash's report in memory: written line by line, believed only if its sum is right. */
#include "kernel/crashlog.h"

#define MAGIC     0x68736172632e7762ull /* "bw.crash" */
#define SUM_FIRST 0xcbf29ce484222325ull /* FNV-1a, 64 bits */
#define SUM_PRIME 0x00000100000001b3ull

static uint64_t sum_add(uint64_t sum, char c)
{
	return (sum ^ (uint8_t)c) * SUM_PRIME;
}

void crashlog_begin(struct crashlog *c)
{
	c->magic = MAGIC;
	c->sum = SUM_FIRST;
	c->bytes = 0;
}

void crashlog_append(struct crashlog *c, const char *s, size_t n)
{
	for (size_t i = 0; i < n && c->bytes < CRASHLOG_TEXT; i++) {
		if (s[i] == '\r')
			continue;
		c->text[c->bytes++] = s[i];
		c->sum = sum_add(c->sum, s[i]);
	}
}

const char *crashlog_text(const struct crashlog *c, size_t *bytes)
{
	uint64_t n = c->bytes, sum = SUM_FIRST;

	if (c->magic != MAGIC || n == 0 || n > CRASHLOG_TEXT)
		return NULL;
	for (uint64_t i = 0; i < n; i++)
		sum = sum_add(sum, c->text[i]);
	if (sum != c->sum)
		return NULL;
	*bytes = n;
	return c->text;
}

void crashlog_clear(struct crashlog *c)
{
	c->magic = 0;
	c->bytes = 0;
}
