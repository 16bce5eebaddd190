# barewire: `make help` lists the targets.

BUILD  := build
CC     := gcc
AR     := ar
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
# `make V=1` shows the commands.
Q := $(if $(V),,@)

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

# ---------------------------------------------------------------- sources, by room
# NAME_vec.c is compiled once per form of x86-64 (lib/vec.h); its objects are NAME_vec.FORM.o.
FORMS   := plain v3 v4
forms    = $(filter-out %_vec.c,$(1)) $(foreach f,$(FORMS),$(patsubst %.c,%.$(f).c,$(filter %_vec.c,$(1))))
LIB     := $(call forms,$(wildcard lib/*.c))
NET     := $(call forms,$(wildcard net/path/*.c net/proto/*.c net/table/*.c))
DRIVERS := $(wildcard drivers/*.c drivers/virtio/*.c drivers/intel/*.c drivers/ixgbe/*.c drivers/igb/*.c)
MEMDEV  := $(wildcard drivers/mem/*.c)
KERNEL  := $(wildcard kernel/*.c kernel/shell/*.c)
X86     := $(wildcard kernel/x86/*.c kernel/x86/*.S boot/*.c boot/*.S)
HOSTED  := $(wildcard kernel/hosted/*.c)
# AF_XDP ports where libxdp's headers are (tools/setup --test); elsewhere the process refuses them.
XDP     := $(if $(wildcard /usr/include/xdp/xsk.h),yes)
XDPLIBS := $(if $(XDP),-lxdp -lbpf)
ifndef XDP
HOSTED  := $(filter-out kernel/hosted/xdp_%,$(HOSTED))
endif
# The vhost-user transport is part of the process and of the unit tests.
VHOST   := $(wildcard kernel/hosted/vhost_*.c)
# Pure parsers of what firmware and loaders say: part of the image, and of the unit tests.
PURE    := kernel/x86/pagetable.c kernel/x86/portset.c kernel/x86/acpi.c kernel/x86/dsdt.c kernel/x86/smbios.c kernel/x86/srat.c kernel/x86/wdat.c kernel/x86/uart_place.c kernel/x86/cmdline.c kernel/x86/memmap.c kernel/x86/mtrr.c \
	   boot/view.c boot/bootinfo.c boot/multiboot1.c boot/multiboot2.c boot/pvh.c \
	   boot/efi.c boot/efi_map.c boot/efi/dhcp.c boot/efi/http.c
# The EFI application, and what it shares with the kernel that it carries.
EFI     := $(wildcard boot/efi/*.c) boot/bootinfo.c boot/efi_map.c boot/view.c
# The traffic generator and what it uses of the tree.
PKTGEN  := $(wildcard tools/pktgen/*.c)
PKTGEN_LIB := lib/checksum.c lib/histogram.c lib/text.c lib/text6.c net/table/route_text.c
MODEL   := $(wildcard test/model/*.c)
# The model of Intel's cards as a process, for virtual machines.
IXGBE_SIM := $(wildcard tools/ixgbe-sim/*.c test/model/ixgbe_model*.c)
TESTS   := $(wildcard test/unit/test_*.c)

# ---------------------------------------------------------------- flags
comma   := ,
WARN    := -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	   -Wpointer-arith -Wwrite-strings -Wvla -Wno-unused-parameter -Wno-sign-conversion
COMMON  := -std=gnu11 -I. $(WARN) -g -fno-strict-aliasing -fno-common -MMD -MP $(EXTRA)

NEWLIB  := $(BUILD)/newlib/x86_64-elf
# newlib objects are built the same way (tools/setup): no red zone, so that an exception may use the stack.
# No host, but a C library (newlib): the compiler may know what its functions do, and copy a few bytes itself.
TARGET  := $(COMMON) -O2 -ffreestanding -fbuiltin -nostdinc \
	   -isystem $(NEWLIB)/include -isystem $(shell $(CC) -print-file-name=include 2>/dev/null) -U__linux__ -U__unix__ -Ulinux -Uunix \
	   -m64 -mno-red-zone -mcmodel=small -fno-pic -fno-pie -fcf-protection=none \
	   -fno-stack-protector -fno-asynchronous-unwind-tables -fno-omit-frame-pointer
HOST    := $(COMMON) -O2 -D_GNU_SOURCE -pthread $(if $(XDP),-DHAVE_XDP)
# For the machine it is built on: the generator must be faster than what it measures.
NATIVE  := $(COMMON) -O3 -march=native -D_GNU_SOURCE -pthread
CHECK   := $(COMMON) -O1 -D_GNU_SOURCE -DIO_MODEL -DUNIT_TEST -fsanitize=address,undefined \
	   -fno-sanitize-recover=all -fno-omit-frame-pointer -pthread

# gnu-efi's headers and flags; calls of the firmware by the compiler's own knowledge of its convention.
# strlen must not become a call of itself.
EFIFLAGS := $(COMMON) -O2 -ffreestanding -fno-tree-loop-distribute-patterns -fpic -fshort-wchar -mno-red-zone -maccumulate-outgoing-args \
	   -fcf-protection=none -fno-stack-protector -fno-asynchronous-unwind-tables -DGNU_EFI_USE_MS_ABI \
	   -isystem /usr/include/efi -isystem /usr/include/efi/x86_64

# Writes $(2) to the file $(1) if that says anything else: what depends on the file is then made anew.
stamp = $(shell mkdir -p $(dir $(1)); echo '$(2)' | cmp -s - $(1) || echo '$(2)' >$(1))

# GCC 12 does not know fences under TSan; what they order is ordered by acquire and release as well.
TSAN    := $(COMMON) -O1 -D_GNU_SOURCE -DIO_MODEL -DUNIT_TEST -fsanitize=thread -Wno-tsan \
	   -fno-omit-frame-pointer -pthread

obj = $(patsubst %,$(BUILD)/$(1)/%.o,$(basename $(2)))

# `make TEST_HOOKS=1` builds an image with the debug commands of the tests (leaks, stuck workers) into its own folder.
X86DIR  := x86
IMAGE   := $(BUILD)/barewire.elf
ifdef TEST_HOOKS
X86DIR  := x86-hooks
IMAGE   := $(BUILD)/barewire-hooks.elf
TARGET  += -DTEST_HOOKS
endif

$(call stamp,$(BUILD)/version,$(VERSION))
$(call stamp,$(BUILD)/$(X86DIR).flags,$(TARGET))
$(call stamp,$(BUILD)/hosted.flags,$(HOST))
$(call stamp,$(BUILD)/efi.flags,$(EFIFLAGS))
$(call stamp,$(BUILD)/native.flags,$(NATIVE))
$(call stamp,$(BUILD)/check.flags,$(CHECK))
$(call stamp,$(BUILD)/tsan.flags,$(TSAN))

# `make FIB='ROUTES...' CONFIG=FILE` links a ready forwarding table and a configuration into image and process.
FIB     :=
CONFIG  :=
STEM    := $(IMAGE:.elf=)
LINKED  := $(if $(FIB),$(STEM).fib.o) $(if $(CONFIG),$(STEM).config.o)
$(call stamp,$(STEM).linked,$(FIB) / $(CONFIG))
$(call stamp,$(BUILD)/hosted.linked,$(FIB) / $(CONFIG))

# A number with K or M, 0 if none is given.
number = $(if $($(1)),$(or $(shell numfmt --from=si '$($(1))'),$(error $(1) is a number, such as 64K or 1M)),0)

# `make FLOWS=1M` makes each worker's flow cache for so many flows of IPv4; `make SESSIONS=1M` reserves memory for so
# many tracked connections of all workers (kernel/flows.h, kernel/sessions.h).
FLOWS      :=
SESSIONS   :=
FLOWS_N    := $(call number,FLOWS)
SESSIONS_N := $(call number,SESSIONS)
$(call stamp,$(BUILD)/flows,$(FLOWS_N))
$(call stamp,$(BUILD)/sessions,$(SESSIONS_N))

X86_OBJ    := $(call obj,$(X86DIR),$(LIB) $(NET) $(DRIVERS) $(KERNEL) $(X86))
HOSTED_OBJ := $(call obj,hosted,$(LIB) $(NET) $(MEMDEV) \
	      $(filter-out %_pci.c,$(wildcard drivers/virtio/*.c drivers/intel/*.c drivers/ixgbe/*.c)) \
	      $(KERNEL) $(HOSTED))
CHECK_OBJ  := $(call obj,check,$(LIB) $(NET) $(DRIVERS) $(MEMDEV) $(filter-out kernel/main.c,$(KERNEL)) \
	      $(PURE) $(VHOST) $(MODEL))
# An archive of its own: the generator and the router have functions of the same names.
PKTGEN_OBJ := $(call obj,check,$(filter-out tools/pktgen/main.c,$(PKTGEN)))
TEST_BIN   := $(patsubst test/unit/%.c,$(BUILD)/check/bin/%,$(TESTS))
# The units with threads.
TSAN_BIN   := $(patsubst test/unit/%.c,$(BUILD)/tsan/bin/%,$(shell grep -l pthread.h $(TESTS)))

# $(call vector,FOLDER,FORM,FLAGS,ORDER): how NAME_vec.FORM.o is made below build/FOLDER.
define vector
$(BUILD)/$(1)/%_vec.$(2).o: %_vec.c $(BUILD)/$(1).flags | $(4)
	@mkdir -p $$(@D)
	@echo "  CC $$@"
	$$(Q)$$(CC) $(3) -DVEC_FORM=$(2) -c $$< -o $$@

endef
ARCH_plain :=
ARCH_v3    := -march=x86-64-v3
ARCH_v4    := -march=x86-64-v4
$(eval $(foreach f,$(FORMS),$(call vector,$(X86DIR),$(f),$(TARGET) $(ARCH_$(f)),$(NEWLIB)/lib/libc.a)))
$(eval $(foreach f,$(FORMS),$(call vector,hosted,$(f),$(HOST) $(ARCH_$(f)))))
$(eval $(foreach f,$(FORMS),$(call vector,check,$(f),$(CHECK) $(ARCH_$(f)))))
$(eval $(foreach f,$(FORMS),$(call vector,tsan,$(f),$(TSAN) $(ARCH_$(f)))))

# ---------------------------------------------------------------- targets
.PHONY: help all kernel image hosted pktgen ixgbe-sim hooks run check check-tsan check-debug bench-voq bench-flow bench-ixgbe bench-boot bench-fib bench-peers bench-plot bench-linux bench-pktgen test test-hosted test-ixgbe test-long soak lint fmt gdb clean setup

help:
	@echo 'barewire targets:'
	@echo '  make            the kernel build/barewire.elf and the Linux process build/barewire'
	@echo '  make kernel     build/barewire.elf alone'
	@echo '  make image      the kernel as build/barewire.elf (multiboot, PVH), .efi (EFI application), .iso (CD, USB)'
	@echo '  make pktgen     the traffic generator build/pktgen (tools/pktgen/README.md)'
	@echo '  make ixgbe-sim  the process build/ixgbe-sim: a model of the Intel 82599 for virtual machines (tools/ixgbe-sim/README.md)'
	@echo '  make run        set-up, build, a router between two Linux hosts, a demonstration, its console'
	@echo '  make check      hosted unit tests under ASan and UBSan (seconds)'
	@echo '  make check-tsan the units with threads under TSan'
	@echo '  make check-debug  the units with every owner checked and free buffers poisoned'
	@echo '  make fuzz       what firmware, loaders, devices and people may say, FUZZ_SECONDS=60 each (test/fuzz)'
	@echo '  make bench-voq  cycles per packet from RX ring over VOQ to TX ring, by stage'
	@echo '  make bench-flow cycles per packet with access lists, flows and NAT; against rte_acl and rte_hash (QUICK=1: short)'
	@echo '  make bench-ixgbe  instructions and cycles per packet of the ixgbe driver alone'
	@echo '  make bench-boot from kernel entry to receive rings posted, ms by phase'
	@echo '  make test       set-up, then check + lint + end-to-end tests against the booted image'
	@echo '  make test-long  units and the end-to-end test of the FIB with 900,000 routes; 80,000 frames against Linux; 70 cores'
	@echo '  make test-hosted  all end-to-end tests that can, against the Linux process (a quarter of an hour)'
	@echo '  make test-ixgbe   the drivers of Intel'"'"'s cards, iPXE'"'"'s and Linux'"'"'s against models, in a QEMU that set-up fetches'
	@echo '  make soak       ten minutes of traffic and changes, audited each second'
	@echo '  make bench-fib  look-ups and updates against DPDK'"'"'s tables; ROUTES=... names files of routes'
	@echo '  make bench-pktgen  what the traffic generator offers and verifies, packets/s'
	@echo '  make bench-peers  cycles per packet, and packets/s, beside DPDK'"'"'s l3fwd, which it builds'
	@echo '  make bench-plot draws latency over load of the process'
	@echo '  make bench-linux  what Linux forwards on one core, and where its cycles go'
	@echo '  make lint       format, clang-tidy, cppcheck, include directions'
	@echo '  make fmt        formats the sources'
	@echo '  make gdb        QEMU stopped at entry, gdb attached with symbols'
	@echo '  make clean      removes build/ but the C library'
	@echo 'Variables: EXTRA=-D... adds compiler flags (-DDEBUG_BUFFERS: see lib/pool.h); TEST_HOOKS=1 builds build/barewire-hooks.elf;'
	@echo '  FIB="ROUTES..." links a ready forwarding table, CONFIG=FILE a configuration; IMAGE=FILE.elf names the image; FLOWS=1M sizes the flow caches; SESSIONS=1M reserves memory for connections'

all: kernel hosted pktgen
kernel: $(IMAGE)
image: $(IMAGE) $(STEM).efi $(STEM).iso
hosted: $(BUILD)/barewire
pktgen: $(BUILD)/pktgen
ixgbe-sim: $(BUILD)/ixgbe-sim
hooks:
	$(MAKE) TEST_HOOKS=1 kernel

setup:
	tools/setup

$(NEWLIB)/lib/libc.a:
	tools/setup --newlib

$(foreach d,$(X86DIR) hosted,$(BUILD)/$(d)/kernel/flows.o): $(BUILD)/flows
$(foreach d,$(X86DIR) hosted,$(BUILD)/$(d)/kernel/flows.o): EXTRA_VERSION = -DFLOWS=$(FLOWS_N)u
$(foreach d,$(X86DIR) hosted,$(BUILD)/$(d)/kernel/sessions.o): $(BUILD)/sessions
$(foreach d,$(X86DIR) hosted,$(BUILD)/$(d)/kernel/sessions.o): EXTRA_VERSION = -DSESSIONS=$(SESSIONS_N)u
# The one file that knows the version.
$(foreach d,$(X86DIR) hosted check tsan,$(BUILD)/$(d)/kernel/version.o): $(BUILD)/version
$(foreach d,$(X86DIR) hosted check tsan,$(BUILD)/$(d)/kernel/version.o): EXTRA_VERSION = -DBAREWIRE_VERSION='"$(VERSION)"'

# Objects wait for the C library's headers.
$(BUILD)/$(X86DIR)/%.o: %.c $(BUILD)/$(X86DIR).flags | $(NEWLIB)/lib/libc.a
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(TARGET) $(EXTRA_VERSION) $(CPL0_FLAGS) -c $< -o $@

$(BUILD)/$(X86DIR)/%.o: %.S $(BUILD)/$(X86DIR).flags | $(NEWLIB)/lib/libc.a
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(TARGET) -D__ASSEMBLY__ -c $< -o $@

# What runs at CPL 0 uses no vector registers (kernel/x86/privileged.h).
CPL0 := cpu gate idt lapic memtypes pagetable paging
$(patsubst %,$(BUILD)/$(X86DIR)/kernel/x86/%.o,$(CPL0)): CPL0_FLAGS = -mgeneral-regs-only

# Two passes: the second carries the symbol table made from the first, for back traces. What a debugger
# wants stays beside the image in NAME.debug: the network carries the image itself.
LINK = $(Q)$(CC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -T linker.ld $(X86_OBJ) $(LINKED)
LIBS = -L$(NEWLIB)/lib -lc -lgcc

$(IMAGE): $(X86_OBJ) $(LINKED) $(STEM).linked linker.ld tools/mksyms
	@echo "  LD $@"
	$(LINK) $(LIBS) -o $@.pass1
	$(Q)tools/mksyms $@.pass1 > $@.syms.S
	$(Q)$(CC) $(TARGET) -D__ASSEMBLY__ -c $@.syms.S -o $@.syms.o
	$(LINK) $@.syms.o $(LIBS) -o $(STEM).debug
	$(Q)objcopy --strip-debug $(STEM).debug $@
	@rm -f $@.pass1 $@.syms.*

# What lies in memory from 1 MiB on, its multiboot1 header first.
$(STEM).bin: $(IMAGE)
	$(Q)objcopy -O binary $< $@

# Asked for only here: all else is built without gnu-efi.
/usr/include/efi/efi.h:
	@echo 'gnu-efi is not installed (tools/setup --image)' >&2; exit 1

$(call obj,efi,$(EFI)): | /usr/include/efi/efi.h
$(BUILD)/efi/boot/efi/main.o: $(BUILD)/version

$(BUILD)/efi/%.o: %.c $(BUILD)/efi.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(EFIFLAGS) -DBAREWIRE_VERSION='"$(VERSION)"' -c $< -o $@

# The kernel inside it: an object for each image.
$(STEM).enter.o: boot/efi/enter.S boot/efi/loaded.h $(STEM).bin $(BUILD)/efi.flags
	@echo "  CC $@"
	$(Q)$(CC) $(filter-out -MMD -MP,$(EFIFLAGS)) -D__ASSEMBLY__ -DKERNEL_CONTENTS='"$(STEM).bin"' -c $< -o $@

# gnu-efi's way: a shared object that relocates itself, its sections put into a PE file.
$(STEM).efi: $(call obj,efi,$(EFI)) $(STEM).enter.o
	@echo "  LD $@"
	$(Q)ld -nostdlib -znocombreloc -shared -Bsymbolic --no-undefined --build-id=none --no-warn-rwx-segments \
		-T /usr/lib/elf_x86_64_efi.lds /usr/lib/crt0-efi-x86_64.o $^ -L/usr/lib -lefi -lgnuefi -o $@.so
	$(Q)objcopy -j .text -j .sdata -j .data -j .dynamic -j .dynsym -j .rel -j .rela -j '.rel.*' -j '.rela.*' \
		-j .reloc --target=efi-app-x86_64 --subsystem=10 $@.so $@
	@rm -f $@.so

$(STEM).iso: $(IMAGE) tools/mkiso boot/grub/grub.cfg
	@echo "  ISO $@"
	$(Q)tools/mkiso $< $@

# A multiboot1 header wins over the PVH note in QEMU: without it, the same image enters by PVH.
$(IMAGE:.elf=-pvh.elf): $(IMAGE)
	$(Q)objcopy --remove-section=.multiboot1 $< $@

$(BUILD)/hosted/%.o: %.c $(BUILD)/hosted.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(HOST) $(EXTRA_VERSION) -c $< -o $@

$(BUILD)/routegen: tools/routegen.c test/model/routegen.c
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $^ -lm -o $@

$(BUILD)/aclgen: tools/aclgen.c test/model/aclgen.c test/model/routegen.c
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $^ -lm -o $@

$(STEM).fib.o: $(FIB) $(STEM).linked $(BUILD)/fibgen tools/fibgen tools/embed
	@echo "  FIB $@"
	$(Q)tools/fibgen $(FIB) -o $@

$(STEM).config.o: $(CONFIG) $(STEM).linked tools/embed
	$(Q)tools/embed linked_config $(CONFIG) $@

$(BUILD)/fibgen: $(call obj,hosted,tools/fibgen.c $(LIB) $(filter net/table/%,$(NET)))
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $^ -o $@

$(BUILD)/barewire: $(HOSTED_OBJ) $(LINKED) $(BUILD)/hosted.linked
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $(HOSTED_OBJ) $(LINKED) $(XDPLIBS) -o $@

$(BUILD)/ixgbe-sim: $(call obj,hosted,$(IXGBE_SIM))
	@echo "  LD $@"
	$(Q)$(CC) $(HOST) $^ -o $@

# The same under ASan and UBSan, for clients that do not behave.
$(BUILD)/check/ixgbe-sim: $(call obj,check,$(IXGBE_SIM))
	@echo "  LD $@"
	$(Q)$(CC) $(CHECK) $^ -o $@

$(BUILD)/native/%.o: %.c $(BUILD)/native.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(NATIVE) -c $< -o $@

$(BUILD)/pktgen: $(call obj,native,$(PKTGEN) $(PKTGEN_LIB))
	@echo "  LD $@"
	$(Q)$(CC) $(NATIVE) $^ -lm -o $@

$(BUILD)/check/%.o: %.c $(BUILD)/check.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(CHECK) $(EXTRA_VERSION) -c $< -o $@

$(BUILD)/check/libbarewire.a: $(CHECK_OBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(CHECK_OBJ)

# A test makes calls of these functions fail.
$(BUILD)/check/bin/test_commit_whole: WRAP = $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc \
	rib_add rib4_add rib6_add nexthop_get nexthop_get6 nexthop_get_key nexthop_get_group \
	nexthop_get_recursive_key)

$(BUILD)/check/libpktgen.a: $(PKTGEN_OBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/check/bin/test_pktgen_%: $(BUILD)/check/test/unit/test_pktgen_%.o $(BUILD)/check/libpktgen.a \
		$(BUILD)/check/libbarewire.a
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(CHECK) $^ -lcmocka -lm -o $@

$(BUILD)/check/bin/%: $(BUILD)/check/test/unit/%.o $(BUILD)/check/libbarewire.a
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(CHECK) $(WRAP) $< $(BUILD)/check/libbarewire.a -lcmocka -o $@

include test/fuzz/fuzz.mk

check: $(TEST_BIN)
	tools/run-units $(TEST_BIN) $(REPLAY_BIN)

# Every move of a buffer checked, free buffers poisoned.
check-debug:
	$(MAKE) BUILD=$(BUILD)/debug EXTRA="-DDEBUG_BUFFERS $(EXTRA)" check

$(BUILD)/tsan/%.o: %.c $(BUILD)/tsan.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(TSAN) $(EXTRA_VERSION) -c $< -o $@

$(BUILD)/tsan/libbarewire.a: $(CHECK_OBJ:$(BUILD)/check/%=$(BUILD)/tsan/%)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/tsan/bin/%: $(BUILD)/tsan/test/unit/%.o $(BUILD)/tsan/libbarewire.a
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(TSAN) $^ -lcmocka -o $@

check-tsan: $(TSAN_BIN)
	tools/run-units $(TSAN_BIN)

include test/bench/bench.mk

lint:
	tools/lint

fmt:
	git ls-files '*.c' '*.h' | xargs clang-format -i

run:
	tools/setup
	$(MAKE) all
	tools/demo

test:
	tools/setup --test
	tools/run-tests

test-long: all hooks ixgbe-sim $(BUILD)/check/bin/test_fib_full $(BUILD)/check/bin/test_flow_same
	LONG=1 $(BUILD)/check/bin/test_fib_full
	LONG=1 $(BUILD)/check/bin/test_flow_same
	LONG=1 /usr/bin/python3 -m pytest -p no:cacheprovider -q test/e2e/test_fib.py test/e2e/test_differential.py test/e2e/test_netboot.py test/e2e/test_ixgbe_oracles.py \
		test/e2e/test_boot.py::test_more_cores_than_are_used

# Needs root, and Debian's mirror the first time.
test-ixgbe: all hooks ixgbe-sim $(BUILD)/check/ixgbe-sim
	tools/setup --qemu-vfio-user
	/usr/bin/python3 -m pytest -p no:cacheprovider -q -rfEs --durations=8 $(wildcard test/e2e/test_ixgbe*.py) test/e2e/test_igb.py

# All files but those of what a process has not: firmware, several queues, nodes, a test image.
test-hosted: all hooks
	BAREWIRE_LAB=hosted /usr/bin/python3 -m pytest -p no:cacheprovider -q -rfEs $(filter-out \
		$(patsubst %,test/e2e/test_%.py,audit boot boot_ways console hosted igb ixgbe ixgbe_oracles ixgbe_server lab netboot numa odd pktgen ports pxe soak watchdog),$(wildcard test/e2e/test_*.py))

soak: all hooks
	SOAK_S=600 /usr/bin/python3 -m pytest -p no:cacheprovider -q test/e2e/test_soak.py

gdb: $(IMAGE)
	tools/gdb $(IMAGE)

clean:
	rm -rf $(BUILD)/x86 $(BUILD)/x86-hooks $(BUILD)/efi $(BUILD)/hosted $(BUILD)/native $(BUILD)/check $(BUILD)/tsan $(BUILD)/debug $(BUILD)/fuzz $(BUILD)/bench $(BUILD)/barewire* $(BUILD)/fibgen $(BUILD)/routegen $(BUILD)/aclgen $(BUILD)/pktgen $(BUILD)/ixgbe-sim

-include $(shell find $(BUILD) -name '*.d' -type f 2>/dev/null)
.SECONDARY:
