/* tools/routegen: prints a routing table like the Internet's, made from a seed. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/byteorder.h"
#include "test/model/routegen.h"

#define ROUTES_MAX 2000000u

static void usage(void)
{
	fputs("usage: routegen [-4 ROUTES] [-6 ROUTES] [-n NEXTHOPS] [-s SEED] [-i]\n"
	      "  Prints routes `PREFIX via GATEWAY`; with -i `PREFIX INDEX`. Default: -4 1000.\n"
	      "  Gateways: next hop i is 10.255.0.0 + i or fd00:ff::i.\n",
		stderr);
	exit(2);
}

static unsigned long number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || v < min || v > max)
		usage();
	return v;
}

static void print(const struct routegen_route *r, int family, int index)
{
	char text[INET6_ADDRSTRLEN];
	uint64_t wire[2] = {__builtin_bswap64(r->prefix.hi), __builtin_bswap64(r->prefix.lo)};

	inet_ntop(family, wire, text, sizeof text);
	printf("%s/%u ", text, r->length);
	if (index)
		printf("%u\n", r->nexthop - 1);
	else if (family == AF_INET)
		printf("via 10.255.%u.%u\n", r->nexthop >> 8, r->nexthop & 255);
	else
		printf("via fd00:ff::%x\n", r->nexthop);
}

int main(int argc, char **argv)
{
	unsigned long routes[2] = {0, 0}, nexthops = 64, seed = 1;
	int index = 0, option;

	while ((option = getopt(argc, argv, "4:6:n:s:i")) != -1) {
		if (option == '4' || option == '6')
			routes[option == '6'] = number(optarg, 0, ROUTES_MAX);
		else if (option == 'n')
			nexthops = number(optarg, 1, 65535);
		else if (option == 's')
			seed = number(optarg, 0, ~0ul);
		else if (option == 'i')
			index = 1;
		else
			usage();
	}
	if (optind != argc)
		usage();
	if (!routes[0] && !routes[1])
		routes[0] = 1000;
	for (int f = 0; f < 2; f++) {
		uint32_t n = (uint32_t)routes[f];
		struct routegen_route *r = calloc(n + 1ul, sizeof *r);

		if (!r) {
			perror("routegen");
			return 1;
		}
		(f ? routegen6 : routegen4)(r, n, (uint32_t)nexthops, seed);
		for (uint32_t i = 0; i < n; i++)
			print(&r[i], f ? AF_INET6 : AF_INET, index);
		free(r);
	}
	return fflush(stdout) ? 1 : 0;
}
