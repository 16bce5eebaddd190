# Benchmarks; part of the Makefile.

BENCH     := $(BUILD)/bench

# The same program four times: whole, without looking at packets, with every stage timed, and with a
# clock that can be stopped.
BENCH_OBJ := $(filter-out $(BUILD)/hosted/kernel/main.o $(BUILD)/hosted/kernel/hosted/main.o,$(HOSTED_OBJ)) \
	     $(call obj,hosted,test/bench/nic.c)
STAGES    := path_forward parse_batch fib4_lookup fib6_lookup sched_take buffers_free pool_lend worker_turn
WRAP      := -Wl,--wrap=

$(BENCH)/voq: $(BENCH_OBJ) $(call obj,hosted,test/bench/voq.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) $^ -o $@

$(BENCH)/voq-io: $(BENCH_OBJ) test/bench/voq.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) -DBENCH_IO_ONLY -MF $@.d $(WRAP)path_forward $^ -o $@

$(BENCH)/voq-stages: $(BENCH_OBJ) $(call obj,hosted,test/bench/voq.c test/bench/stages.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) $(addprefix $(WRAP),$(STAGES)) $^ -o $@

$(BENCH)/voq-clock: $(BENCH_OBJ) test/bench/voq.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) -DBENCH_CLOCK -MF $@.d $(WRAP)platform_tsc $^ -o $@

bench-voq: $(BENCH)/voq $(BENCH)/voq-io $(BENCH)/voq-stages $(BENCH)/voq-clock
	tools/bench-voq $(BENCH)

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


# Linux's way of a packet beside ours. It needs namespaces and perf, and so root.
$(BENCH)/linux-send: $(call obj,hosted,test/bench/linux/send.c lib/checksum.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) $^ -o $@

bench-linux: $(BENCH)/linux-send $(BENCH)/voq $(BENCH)/voq-stages
	tools/setup --bench-linux
	tools/bench-linux $(BENCH)
