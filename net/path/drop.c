/* Names and meanings of the drop reasons. */
#include "net/path/drop.h"

#define DROP_NAME(symbol, name, meaning) name,
static const char *const names[DROP_COUNT] = {DROP_REASONS(DROP_NAME)};
#define DROP_MEANING(symbol, name, meaning) meaning,
static const char *const meanings[DROP_COUNT] = {DROP_REASONS(DROP_MEANING)};

const char *drop_name(enum drop_reason reason)
{
	return names[reason];
}

const char *drop_meaning(enum drop_reason reason)
{
	return meanings[reason];
}
