/*
 * Sessions are asked for while packets are parsed, whose headers are at hand then. Of files that
 * are compiled once per form of x86-64 (lib/vec.h).
 */
#ifndef NET_PATH_TRACK_AHEAD_H
#define NET_PATH_TRACK_AHEAD_H

#include "net/path/session_ahead.h"
#include "net/path/track_simple.h"

/*
 * VEC_LANES packets of a batch from i on, plain or not: their keys, and what of them can be told if
 * they are simple. ip: the words of the IPv4 header, and the next, as in the frame; total: length
 * of the packet, bytes.
 */
VEC_INLINE void track_ahead(struct track_ask *q, unsigned i, const vec ip[6], vec total)
{
	vec src = vec_swap(ip[3]), dst = vec_swap(ip[4]), ports = vec_swap(ip[5]);
	vec protocol = ip[2] >> 8 & 0xff;
	vec whole = (vec)((ip[1] & 0xff3f0000) == 0); /* neither more to come, nor an offset */
	vec tcp = (vec)(protocol == IPV4_TCP) & ~vec_sign(total - TRACK_TCP_LEAST);
	vec udp = (vec)(protocol == IPV4_UDP) & ~vec_sign(total - TRACK_UDP_LEAST);

	vec_store(q->key.src + i, src);
	vec_store(q->key.dst + i, dst);
	vec_store(q->key.ports + i, ports);
	vec_store_octets(q->key.protocol + i, protocol);
	q->tcp |= (uint64_t)vec_signs(tcp & whole) << i;
	q->udp |= (uint64_t)vec_signs(udp & whole) << i;
	session_ahead(q->sessions, &q->hash, i, src, dst, ports, protocol);
}

#endif
