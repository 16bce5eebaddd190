/* The XDP program: each frame to the socket of its RX queue, or to the kernel if there is none. */
#include <errno.h>
#include <linux/if_link.h>
#include <stddef.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "kernel/hosted/xdp.h"

#define SOCKETS_MAX 256u

/* return bpf_redirect_map(&map, ctx->rx_queue_index, XDP_PASS) */
static int load(int map)
{
	const struct bpf_insn program[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
			.dst_reg = BPF_REG_2,
			.src_reg = BPF_REG_1,
			.off = offsetof(struct xdp_md, rx_queue_index)},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
			.dst_reg = BPF_REG_1,
			.src_reg = BPF_PSEUDO_MAP_FD,
			.imm = map},
		{0}, /* the upper half of the address */
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "barewire", "BSD", program,
		sizeof program / sizeof *program, NULL);
}

/* As a link: the kernel takes the program off when the process ends, however it does. */
static int attach(int program, unsigned interface, unsigned mode)
{
	const struct bpf_link_create_opts options = {.sz = sizeof options, .flags = mode};

	return bpf_link_create(program, (int)interface, BPF_XDP, &options);
}

const char *xdp_program_attach(struct xdp_program *p, unsigned interface)
{
	int program;

	p->link = -1;
	p->map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "barewire", 4, 4, SOCKETS_MAX, NULL);
	if (p->map < 0)
		return "no map for its sockets";
	program = load(p->map);
	if (program < 0) {
		close(p->map);
		return "its XDP program is not accepted";
	}
	p->native = true;
	p->link = attach(program, interface, XDP_FLAGS_DRV_MODE);
	if (p->link < 0 && errno != EBUSY) {
		p->native = false;
		p->link = attach(program, interface, XDP_FLAGS_SKB_MODE);
	}
	close(program);
	if (p->link >= 0)
		return NULL;
	close(p->map);
	return errno == EBUSY ? "another XDP program has it" : "its XDP program is not attached";
}

bool xdp_program_bind(const struct xdp_program *p, uint32_t queue, int socket)
{
	return bpf_map_update_elem(p->map, &queue, &socket, BPF_ANY) == 0;
}
