# Fuzzing; part of the Makefile. `make fuzz` needs clang (tools/setup --test), the replay of the seeds in `make check` does not.

FUZZ_SECONDS := 60
CLANG        := clang
FUZZERS      := $(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/fuzz_*.c))
REPLAY_BIN   := $(patsubst %,$(BUILD)/check/bin/%,$(FUZZERS))

# Warnings are gcc's business; clang 14 does not know the names of x86-64's levels.
FUZZ_PLAIN := -std=gnu11 -I. -g -O1 -MMD -MP -fno-strict-aliasing -fno-common -D_GNU_SOURCE -DIO_MODEL -DUNIT_TEST \
	-fno-omit-frame-pointer -pthread $(EXTRA)
FUZZ := $(FUZZ_PLAIN) '-D__builtin_cpu_supports(level)=0' -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
$(call stamp,$(BUILD)/fuzz.flags,fuzz $(EXTRA))

$(BUILD)/fuzz/%: CC = $(CLANG)
# Vector code is gcc's dialect. It is linked, as the rest needs it; no fuzzer comes to it.
$(foreach f,$(FORMS),$(eval $(BUILD)/fuzz/%_vec.$(f).o: CC = gcc))
$(eval $(foreach f,$(FORMS),$(call vector,fuzz,$(f),$(FUZZ_PLAIN) $(ARCH_$(f)))))

$(BUILD)/fuzz/%.o: %.c $(BUILD)/fuzz.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(FUZZ) -DBAREWIRE_VERSION='"fuzz"' -c $< -o $@

$(BUILD)/fuzz/libbarewire.a: $(CHECK_OBJ:$(BUILD)/check/%=$(BUILD)/fuzz/%)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/fuzz/bin/%: $(BUILD)/fuzz/test/fuzz/%.o $(BUILD)/fuzz/libbarewire.a
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(FUZZ) -fsanitize=fuzzer,address,undefined $^ -o $@

$(BUILD)/check/bin/fuzz_%: $(BUILD)/check/test/fuzz/fuzz_%.o $(BUILD)/check/test/fuzz/replay.o $(BUILD)/check/libbarewire.a
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(CHECK) $^ -o $@

check: $(REPLAY_BIN)

# Each fuzzer for FUZZ_SECONDS, from the seeds and what earlier runs found (build/fuzz/corpus).
.PHONY: fuzz
fuzz: $(addprefix $(BUILD)/fuzz/bin/,$(FUZZERS))
	tools/fuzz $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZERS)
