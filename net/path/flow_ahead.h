/*
 * Flows' lines are asked for while packets are parsed: by the time they are compared, they are
 * there. Of files that are compiled once per form of x86-64 (lib/vec.h).
 */
#ifndef NET_PATH_FLOW_AHEAD_H
#define NET_PATH_FLOW_AHEAD_H

#include "lib/vec_words.h"
#include "net/path/flow_line.h"

/* Bytes of a packet without options that has ports; that is an ICMP query. */
#define FLOW_LEAST      24u
#define FLOW_LEAST_ICMP 28u

/* a * b + c * d of every other lane, times the odd secret: bits 32 to 63, where they are. */
VEC_INLINE vec_words flow_nh(vec_words a, vec_words b, vec_words c, vec_words d, uint64_t odd)
{
	vec_words sum = vec_words_product(a, b) + vec_words_product(c, d);
	vec_words low = (vec_words){0} + (odd & 0xffffffff), high = (vec_words){0} + (odd >> 32);

	return vec_words_product(sum, low) +
	       ((vec_words_product(sum >> 32, low) + vec_words_product(sum, high)) << 32);
}

/* As flow_hash: of what, source, destination, ports. */
VEC_INLINE vec flow_hash_vec(const struct flow_secret *s, vec what, vec src, vec dst, vec ports)
{
	vec a = src + s->key[0], b = ports + s->key[1], c = dst + s->key[2], d = what + s->key[3];
	vec_words even = flow_nh((vec_words)a, (vec_words)b, (vec_words)c, (vec_words)d, s->odd);
	vec_words odd = flow_nh((vec_words)a >> 32, (vec_words)b >> 32, (vec_words)c >> 32,
		(vec_words)d >> 32, s->odd);

	return (vec)(even >> 32 | (odd >> 32 << 32));
}

/* Echo requests (8) and replies (0), and what stands in place of their ports: the identifier, type
 * and code, as flow_key.h has it. */
VEC_INLINE vec flow_echo(const vec ip[7], vec total, vec *ports)
{
	vec icmp = (vec)((ip[2] & 0xff00) == IPV4_ICMP << 8);

	*ports = vec_select(icmp, (ip[6] & 0xffff) | ip[5] << 16, ip[5]);
	return icmp & (vec)((ip[5] & 0xf7) == 0) & ~vec_sign(total - FLOW_LEAST_ICMP);
}

/*
 * VEC_LANES packets of a batch from i on, plain or not: their ports and hashes, and a bit for each
 * that is TCP, UDP or ICMP echo, no fragment. ip: the words of the IPv4 header, and the next two,
 * as in the frame; total: length of the packet, bytes.
 */
VEC_INLINE uint64_t flow_ahead(
	struct flow_ask *q, unsigned i, const vec ip[7], vec total, unsigned port)
{
	const struct flows *f = q->flows;
	vec protocol = ip[2] & 0xff00, ports;
	vec good = (vec)((protocol == IPV4_TCP << 8) | (protocol == IPV4_UDP << 8));

	good &= ~vec_sign(total - FLOW_LEAST);
	good |= flow_echo(ip, total, &ports);
	good &= (vec)((ip[1] & 0xff3f0000) == 0); /* neither more to come, nor an offset */
	vec hash =
		flow_hash_vec(&f->secret, protocol | FLOW_FOUR | port << 16, ip[3], ip[4], ports);
	const char *lines = (const char *)f->line;

	vec_store(q->ports + i, ports);
	vec_store(q->hash + i, hash);
	vec_store(q->first + i, (hash >> f->shift & f->mask) * CACHE_LINE);
#pragma GCC unroll 16
	for (unsigned k = i; k < i + VEC_LANES; k++)
		__builtin_prefetch(lines + q->first[k]);
	return (uint64_t)vec_signs(good) << i;
}

#endif
