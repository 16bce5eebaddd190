/* An access list's look-up in the form that the cores have. */
#include "net/table/acl.h"

#include "lib/form.h"
#include "net/table/acl_table.h"

static acl_lookup4_fn *lookup4 = acl_lookup4_plain;
static acl_lookup6_fn *lookup6 = acl_lookup6_plain;

void acl_select(const char *isa)
{
	lookup4 = FORM(acl_lookup4, isa);
	lookup6 = FORM(acl_lookup6, isa);
}

void acl_lookup4(const struct acl *acl, const uint32_t *src, const uint32_t *dst,
	const uint32_t *ports, const uint16_t *kind, uint16_t *rule, unsigned n)
{
	lookup4(acl, src, dst, ports, kind, rule, n);
}

void acl_lookup6(const struct acl *acl, const struct ip6 *src, const struct ip6 *dst,
	const uint32_t *ports, const uint16_t *kind, uint16_t *rule, unsigned n)
{
	lookup6(acl, src, dst, ports, kind, rule, n);
}

size_t acl_bytes(const struct acl *acl)
{
	return acl->bytes;
}
