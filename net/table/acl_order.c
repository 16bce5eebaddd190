/* The order of the bits in an access list's vectors, and the sort that makes it. */
#include "net/table/acl_build.h"

/*
 * By the field that leads to a rule, then by what it says of that field, then by destination
 * port: so the bits of one range of that field are close to each other, and few words of a vector
 * are to be looked at.
 */
struct acl_key acl_rule_key(const struct acl_build *b, uint32_t i)
{
	const struct acl_rule *r = &b->rule[i];
	struct acl_key key = {.major = acl_leader(r),
		.minor = (uint64_t)(r->ports ? r->to_port[0] : 0) << 32 | i};

	if (key.major == ACL_SRC)
		key.address = r->from;
	else if (key.major == ACL_DST)
		key.address = r->to;
	else if (key.major == ACL_SPORT)
		key.address = (struct ip6){0, r->from_port[0]};
	return key;
}

bool acl_key_less(const struct acl_key *a, const struct acl_key *b)
{
	if (a->major != b->major)
		return a->major < b->major;
	if (!ip6_equal(a->address, b->address))
		return ip6_less(a->address, b->address);
	return a->minor < b->minor;
}

/* The key at `at` goes down the heap to where no child is greater. */
void acl_sift(struct acl_key *key, uint32_t at, uint32_t n)
{
	struct acl_key moved = key[at];

	for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && acl_key_less(&key[child], &key[child + 1]))
			child++;
		if (!acl_key_less(&moved, &key[child]))
			break;
		key[at] = key[child];
	}
	key[at] = moved;
}

/* Takes the greatest of a heap of n and puts it behind the n - 1 that remain. */
void acl_take_greatest(struct acl_key *key, uint32_t n)
{
	struct acl_key greatest = key[0];

	key[0] = key[n - 1];
	key[n - 1] = greatest;
	acl_sift(key, 0, n - 1);
}
