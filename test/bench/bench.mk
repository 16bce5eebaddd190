# Benchmarks; part of the Makefile.

BENCH     := $(BUILD)/bench

# The same program four times: whole, without looking at packets, with every stage timed, and with a
# clock that can be stopped.
BENCH_OBJ := $(filter-out $(BUILD)/hosted/kernel/main.o $(BUILD)/hosted/kernel/hosted/main.o,$(HOSTED_OBJ)) \
	     $(call obj,hosted,test/bench/nic.c)
STAGES    := path_forward parse_batch fib4_lookup fib6_lookup sched_take buffers_free_run pool_lend worker_turn
WRAP      := -Wl,--wrap=

$(BENCH)/voq: $(BENCH_OBJ) $(call obj,hosted,test/bench/voq.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) $^ $(XDPLIBS) -o $@

$(BENCH)/voq-io: $(BENCH_OBJ) $(call obj,hosted,test/bench/voq.c test/bench/handover.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) $(WRAP)path_forward $^ $(XDPLIBS) -o $@

$(BENCH)/voq-stages: $(BENCH_OBJ) $(call obj,hosted,test/bench/voq.c test/bench/stages.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) $(addprefix $(WRAP),$(STAGES)) $^ $(XDPLIBS) -o $@

$(BENCH)/voq-clock: $(BENCH_OBJ) test/bench/voq.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) -DBENCH_CLOCK -MF $@.d $(WRAP)platform_tsc $^ $(XDPLIBS) -o $@

bench-voq: $(BENCH)/voq $(BENCH)/voq-io $(BENCH)/voq-stages $(BENCH)/voq-clock
	tools/bench-voq $(BENCH)

# The ixgbe driver alone, its device side excluded: instructions and cycles per packet.
IXGBE_OBJ := $(call obj,hosted,$(filter-out %_pci.c,$(wildcard drivers/ixgbe/*.c drivers/intel/*.c)) lib/pool.c lib/words.c \
	     test/bench/ixgbe.c)

$(BENCH)/ixgbe: $(IXGBE_OBJ) $(filter %/words_vec.plain.o %/words_vec.v3.o %/words_vec.v4.o,$(HOSTED_OBJ))
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) $^ -o $@

bench-ixgbe: $(BENCH)/ixgbe
	$(BENCH)/ixgbe

# How long the image takes to its first packet, under QEMU's emulator.
bench-boot: $(IMAGE)
	tools/bench-boot $(IMAGE)

# Our tables against DPDK's; the one part that wants DPDK, for which it installs it.
BENCH_FIB    := $(call obj,hosted,$(LIB) $(filter net/table/%,$(NET)) test/model/tables.c test/model/routegen.c \
	        $(filter-out %/rivals.c,$(wildcard test/bench/fib/*.c)))
DPDK_LIBS    := -lrte_fib -lrte_rib -lrte_eal

$(BENCH)/rivals.o: test/bench/fib/rivals.c $(BUILD)/hosted.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(HOST) $$(pkg-config --cflags libdpdk | sed 's/-I/-isystem /g') -c $< -o $@

$(BENCH)/fib: $(BENCH_FIB) $(BENCH)/rivals.o
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $^ $(DPDK_LIBS) -lm -o $@

bench-fib:
	tools/setup --bench
	$(MAKE) $(BENCH)/fib
	tools/bench-fib $(BENCH)/fib $(ROUTES)

# What the traffic generator offers and absorbs, against a device that does next to nothing.
$(BENCH)/vhost-peer: $(call obj,native,test/bench/pktgen/peer.c test/model/vhost_front.c)
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(NATIVE) $^ -o $@

bench-pktgen: $(BUILD)/pktgen $(BENCH)/vhost-peer
	tools/bench-pktgen $(BUILD)/pktgen $(BENCH)/vhost-peer

# DPDK's programs on the same NIC; its own build is tools/peers.
PEERS     := $(BENCH)/peers
PEERS_OBJ := $(filter-out $(BUILD)/hosted/kernel/main.o $(BUILD)/hosted/kernel/hosted/main.o,$(HOSTED_OBJ)) \
	     $(PEERS)/mem.o $(PEERS)/run.o

# The emulated NIC is compiled for this machine on both sides.
$(PEERS)/%.o: test/bench/peers/%.c $(BUILD)/hosted.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(HOST) -O3 -march=native -c $< -o $@

$(PEERS)/ours: $(PEERS_OBJ) $(call obj,hosted,test/bench/peers/ours.c)
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $^ $(XDPLIBS) -o $@

$(PEERS)/ours-io: $(PEERS_OBJ) test/bench/peers/ours.c $(call obj,hosted,test/bench/handover.c)
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) -DBENCH_IO_ONLY -MF $@.d $(WRAP)path_forward $^ $(XDPLIBS) -o $@

$(PEERS)/ours-stages: $(PEERS_OBJ) $(call obj,hosted,test/bench/peers/ours.c test/bench/stages.c)
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $(addprefix $(WRAP),$(STAGES)) $^ $(XDPLIBS) -o $@

$(PEERS)/flows: $(call obj,hosted,test/bench/peers/flows.c test/model/routegen.c lib/checksum.c)
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $^ -lm -o $@

$(PEERS)/roundtrip: $(call obj,hosted,test/bench/peers/roundtrip.c)
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $^ -o $@

bench-peers:
	tools/setup --bench
	$(MAKE) $(addprefix $(PEERS)/,ours ours-io ours-stages flows roundtrip) $(BENCH)/linux-send all pktgen
	tools/peers
	tools/bench-peers $(PEERS)

# Flows, access lists and NAT: the whole path, and the tables alone against DPDK's. What the path
# forwarded before it had any of them is built from the commit FLOW_BEFORE, in a tree of its own.
FLOW        := $(BENCH)/flow
FLOW_BEFORE := c3fbe16
FLOW_OBJ    := $(filter-out $(BUILD)/hosted/kernel/main.o $(BUILD)/hosted/kernel/hosted/main.o,$(HOSTED_OBJ)) \
	       $(call obj,hosted,test/model/aclgen.c test/model/routegen.c test/bench/flow/flows.c) $(FLOW)/nic.o

$(FLOW)/nic.o: test/bench/flow/nic.c $(BUILD)/hosted.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(HOST) -O3 -march=native -c $< -o $@

$(FLOW)/path: $(FLOW_OBJ) $(call obj,hosted,test/bench/flow/path.c)
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $^ $(XDPLIBS) -lm -o $@

$(FLOW)/rivals.o: test/bench/flow/rivals.c $(BUILD)/hosted.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(HOST) $$(pkg-config --cflags libdpdk | sed 's/-I/-isystem /g') -c $< -o $@

$(FLOW)/tables: $(call obj,hosted,$(LIB) $(filter net/table/%,$(NET)) test/model/aclgen.c test/model/routegen.c \
		$(filter net/path/session%,$(NET)) \
		test/bench/flow/flows.c test/bench/flow/tables.c test/bench/flow/hash.c) $(FLOW)/rivals.o
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $^ -lrte_acl -lrte_hash -lrte_eal -lm -o $@

# The commit's own rules and flags, with the bench of this one. Its dependencies are none of ours.
$(FLOW)/before: $(wildcard test/bench/flow/*.[ch]) test/bench/rings.h test/bench/bench.mk
	@rm -rf $@-tree && mkdir -p $@-tree
	git archive $(FLOW_BEFORE) | tar -x -C $@-tree
	@cp -r test/bench/flow $@-tree/test/bench/ && cp test/bench/rings.h test/bench/bench.mk $@-tree/test/bench/
	@cp test/model/aclgen.[ch] $@-tree/test/model/ && cp net/table/acl.h $@-tree/net/table/
	$(MAKE) -C $@-tree $(FLOW)/path
	@mv $@-tree/$(FLOW)/path $@ && rm -rf $@-tree

bench-flow:
	tools/setup --bench
	$(MAKE) $(addprefix $(FLOW)/,path tables before)
	tools/bench-flow $(FLOW) $(if $(QUICK),--quick)

# The picture in README.md: latency over load, of the process.
bench-plot: $(PEERS)/flows hosted pktgen
	tools/setup --bench
	tools/bench-peers $(PEERS) --plot test/bench/latency.png

# Linux's way of a packet beside ours. It needs namespaces and perf, and so root.
$(BENCH)/linux-send: $(call obj,hosted,test/bench/linux/send.c lib/checksum.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) $^ -o $@

bench-linux: $(BENCH)/linux-send $(BENCH)/voq $(BENCH)/voq-stages
	tools/setup --bench-linux
	tools/bench-linux $(BENCH)
