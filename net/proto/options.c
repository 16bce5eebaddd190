/* IPv4 options (RFC 791 3.1): whether they are well formed, and which go into every fragment. */
#include "net/proto/internal.h"

#define OPTION_END  0u
#define OPTION_NOP  1u
#define OPTION_LSRR 131u /* loose source route */
#define OPTION_SSRR 137u /* strict source route */
#define OPTION_COPY 0x80u

/* Length of the option at p with `room` bytes left; 0 if it does not fit. */
static uint32_t option_len(const uint8_t *p, uint32_t room)
{
	if (p[0] == OPTION_NOP)
		return 1;
	if (room < 2 || p[1] < 2 || p[1] > room)
		return 0;
	return p[1];
}

bool options_check(const uint8_t *frame, enum drop_reason *reason)
{
	const uint8_t *ip = frame + IPV4_OFF;
	uint32_t at = IPV4_HEADER, end = ipv4_header_len(frame);

	while (at < end && ip[at] != OPTION_END) {
		uint32_t len = option_len(ip + at, end - at);

		if (len == 0) {
			*reason = DROP_IP_OPTIONS;
			return false;
		}
		if (ip[at] == OPTION_LSRR || ip[at] == OPTION_SSRR) {
			*reason = DROP_SOURCE_ROUTE; /* RFC 7126 4.3, 4.4 */
			return false;
		}
		at += len;
	}
	return true;
}

uint32_t options_fragment_header(const uint8_t *frame, uint8_t header[IPV4_HEADER_MAX])
{
	const uint8_t *ip = frame + IPV4_OFF;
	uint32_t at = IPV4_HEADER, end = ipv4_header_len(frame), out = IPV4_HEADER;

	memset(header, 0, IPV4_HEADER_MAX); /* zeros pad to a whole word: end of options */
	memcpy(header, ip, IPV4_HEADER);
	while (at < end && ip[at] != OPTION_END) {
		uint32_t len = option_len(ip + at, end - at);

		if (len == 0)
			break;
		if (ip[at] & OPTION_COPY) {
			memcpy(header + out, ip + at, len);
			out += len;
		}
		at += len;
	}
	out = (out + 3) & ~3u;
	header[0] = (uint8_t)(0x40 | out / 4);
	return out;
}
