/*
 * Sends 60-byte UDP packets (64 with the FCS) out of a Linux interface, as many as it takes.
 *
 *   linux-send                                  prints the cycles of the TSC in a second
 *   linux-send INTERFACE MAC HOSTS              sends to MAC until it is killed
 *   linux-send INTERFACE MAC HOSTS PACKETS US   so many packets, one by one, US microseconds apart
 *
 * An XDP program of our own is run by the kernel over frames that never were received, and sends
 * each out by the interface (BPF_F_TEST_XDP_LIVE_FRAMES). So a frame costs the sender a tenth of
 * what an AF_PACKET socket takes, and comes to the router as from a NIC's driver: a page, and no
 * sk_buff yet. Frames are recycled, so the program writes all that a router changes. From 10.9.9.9
 * to 198.18.1.0/24 as in bench-voq, to a random one of its first HOSTS addresses each (a power of
 * two, 256 at most).
 */
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"

#define FRAME_BYTES 60u
#define IP          14u        /* where the header begins */
#define BURST       256u       /* the kernel's most; so many pages go round */
#define AT_ONCE     (1u << 20) /* packets of one system call */
#define PAUSE       64u        /* random numbers drawn for each packet, of 5 ns or so */

/* Where the fields stand that a router writes, or that differ. */
#define TTL      (IP + 8)
#define SUM      (IP + 10)
#define DST_LOW  (IP + 18)
#define PROTOCOL 17u
#define TTL_SENT 64u

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t tsc_per_second(void)
{
	struct timespec begin, end, wait = {.tv_nsec = 200000000};

	clock_gettime(CLOCK_MONOTONIC_RAW, &begin);
	uint64_t tsc = __rdtsc();

	nanosleep(&wait, NULL);
	clock_gettime(CLOCK_MONOTONIC_RAW, &end);
	tsc = __rdtsc() - tsc;
	double took =
		(double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;

	return (uint64_t)((double)tsc / took);
}

/* The frame to host 0 of the destinations. */
static void make_frame(uint8_t *f, const char *mac)
{
	unsigned octet[6];

	if (sscanf(mac, "%x:%x:%x:%x:%x:%x", octet, octet + 1, octet + 2, octet + 3, octet + 4,
		    octet + 5) != 6) {
		fprintf(stderr, "linux-send: no MAC address: %s\n", mac);
		exit(2);
	}
	memset(f, 0, FRAME_BYTES);
	for (unsigned i = 0; i < 6; i++)
		f[i] = (uint8_t)octet[i];
	memset(f + 6, 2, 6);
	store_be16(f + 12, 0x0800);
	f[IP] = 0x45;
	store_be16(f + IP + 2, FRAME_BYTES - IP);
	f[TTL] = TTL_SENT;
	f[TTL + 1] = PROTOCOL;
	store_be32(f + IP + 12, 0x0a090909);
	store_be32(f + IP + 16, 0xc6120100);
	store_be16(f + IP + 22, 9); /* to the discard port, without a checksum */
	store_be16(f + IP + 24, FRAME_BYTES - IP - 20);
	uint16_t sum = checksum(f + IP, 20); /* in wire order */

	memcpy(f + SUM, &sum, 2);
}

/* An instruction of BPF: r1 is the argument, r0 the answer. */
#define INSN(opcode, to, from, offset, value)                                                      \
	{                                                                                          \
		.code = (opcode), .dst_reg = (to), .src_reg = (from), .off = (offset),             \
		.imm = (int32_t)(value)                                                            \
	}
#define CALL(helper)         INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT()               INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define SET(r, value)        INSN(BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, value)
#define COPY(r, from)        INSN(BPF_ALU64 | BPF_MOV | BPF_X, r, from, 0, 0)
#define ALU(op, r, value)    INSN(BPF_ALU64 | (op) | BPF_K, r, 0, 0, value)
#define ADD(r, from)         INSN(BPF_ALU64 | BPF_ADD | BPF_X, r, from, 0, 0)
#define LOAD32(r, from, at)  INSN(BPF_LDX | BPF_MEM | BPF_W, r, from, at, 0)
#define STORE16(r, at, from) INSN(BPF_STX | BPF_MEM | BPF_H, r, from, at, 0)
#define PUT16(r, at, value)  INSN(BPF_ST | BPF_MEM | BPF_H, r, 0, at, value)
#define PUT32(r, at, value)  INSN(BPF_ST | BPF_MEM | BPF_W, r, 0, at, value)
#define SKIP_ABOVE(r, b, n)  INSN(BPF_JMP | BPF_JGT | BPF_X, r, b, n, 0)
#define SKIP_UNLESS_0(r, n)  INSN(BPF_JMP | BPF_JNE | BPF_K, r, 0, n, 0)

static uint16_t half(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, 2);
	return value;
}

static uint32_t word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, 4);
	return value;
}

/*
 * Writes addresses, TTL, destination and checksum, and sends. Words as they stand in memory: the
 * Internet checksum is the same in either byte order (RFC 1071 2 (B)). The host's byte is the
 * upper one of such a half word; adding it to the sum takes it off the checksum. The pause before:
 * a sender that offers ten times what is taken gives back as much, over the pool's lock, which the
 * router needs for every packet it frees.
 */
static int load_program(const uint8_t *f, unsigned hosts)
{
	uint16_t sum = (uint16_t)~half(f + SUM);
	struct bpf_insn program[] = {
		COPY(6, 1),
		SET(7, PAUSE),
		CALL(BPF_FUNC_get_prandom_u32),
		ALU(BPF_SUB, 7, 1),
		SKIP_UNLESS_0(7, -3),
		ALU(BPF_AND, 0, (hosts - 1) << 8),
		LOAD32(2, 6, offsetof(struct xdp_md, data)),
		LOAD32(3, 6, offsetof(struct xdp_md, data_end)),
		COPY(4, 2),
		ALU(BPF_ADD, 4, FRAME_BYTES),
		SKIP_ABOVE(4, 3, 16), /* to the last two; the verifier wants to see it */
		PUT32(2, 0, word(f)),
		PUT16(2, 4, half(f + 4)),
		PUT32(2, 6, word(f + 6)),
		PUT16(2, 10, half(f + 10)),
		PUT16(2, TTL, half(f + TTL)),
		COPY(5, 0),
		ALU(BPF_OR, 5, half(f + DST_LOW)),
		STORE16(2, DST_LOW, 5),
		ALU(BPF_ADD, 0, sum),
		COPY(5, 0),
		ALU(BPF_RSH, 5, 16),
		ADD(0, 5), /* the carry; there is no second one */
		ALU(BPF_XOR, 0, 0xffff),
		STORE16(2, SUM, 0),
		SET(0, XDP_TX),
		EXIT(),
		SET(0, XDP_DROP),
		EXIT(),
	};
	static char log[1 << 14];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insn_cnt = sizeof program / sizeof *program,
		.insns = (uintptr_t)program,
		.license = (uintptr_t) "GPL",
		.log_buf = (uintptr_t)log,
		.log_size = sizeof log,
		.log_level = 1,
	};
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);

	if (fd < 0) {
		fputs(log, stderr);
		fail("linux-send: BPF_PROG_LOAD");
	}
	return fd;
}

static void transmit(int program, const char *interface, uint8_t *frame, unsigned packets)
{
	struct xdp_md context = {
		.data_end = FRAME_BYTES, .ingress_ifindex = if_nametoindex(interface)};
	union bpf_attr attr = {
		.test = {.prog_fd = (uint32_t)program,
			.data_in = (uintptr_t)frame,
			.data_size_in = FRAME_BYTES,
			.ctx_in = (uintptr_t)&context,
			.ctx_size_in = sizeof context,
			.repeat = packets,
			.flags = BPF_F_TEST_XDP_LIVE_FRAMES,
			.batch_size = packets < BURST ? packets : BURST},
	};

	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof attr))
		fail("linux-send: BPF_PROG_TEST_RUN");
}

int main(int argc, char **argv)
{
	uint8_t frame[FRAME_BYTES];

	if (argc == 1) {
		printf("%llu\n", (unsigned long long)tsc_per_second());
		return 0;
	}
	unsigned hosts = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;

	if ((argc != 4 && argc != 6) || hosts == 0 || hosts > 256 || hosts & (hosts - 1)) {
		fputs("usage: linux-send [INTERFACE MAC HOSTS [PACKETS US]]\n", stderr);
		return 2;
	}
	make_frame(frame, argv[2]);
	int program = load_program(frame, hosts);

	if (argc == 4)
		for (;;)
			transmit(program, argv[1], frame, AT_ONCE);
	for (long left = strtol(argv[4], NULL, 10); left > 0; left--) {
		transmit(program, argv[1], frame, 1);
		usleep((useconds_t)strtoul(argv[5], NULL, 10));
	}
	return 0;
}
