# SPDX-License-Identifier: BSD-3-Clause
#
#   make run      install what is missing, build, start a server on ./data
#   make test     tidy, unit tests, end-to-end tests
#   make help     all targets
#
# BUILD names the output folder; SAN=asan or SAN=tsan build a variant beside
# the normal one, in build-asan or build-tsan.

SAN      ?=
BUILD    ?= build$(if $(SAN),-$(SAN))
PREFIX   ?= /usr/local
DESTDIR  ?=
MINUTES  ?= 5
SUITE    ?=
PEERS    ?=
ONLY     ?=
V        ?=
RUN_ARGS ?=

CC       ?= gcc
AR       ?= ar

# --- flags ------------------------------------------------------------------

# Baseline x86-64: faster instructions are chosen at run time (checksum.c).
CPPFLAGS += -D_GNU_SOURCE -I.
CFLAGS   += -std=gnu11 -g -Wall -Wextra -Werror -fno-strict-aliasing \
	    -fno-omit-frame-pointer -fstack-protector-strong \
	    -fcf-protection -fPIE
LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed
LDLIBS   += -lzstd -llzf -lcrypto -lpthread -lm

ifeq ($(SAN),)
CFLAGS   += -O2
CPPFLAGS += -D_FORTIFY_SOURCE=2
LDLIBS   += -ljemalloc
else
# The sanitizers bring their own malloc.
CPPFLAGS += -DREDOUBT_NO_JEMALLOC
CFLAGS   += -O1 -Wno-maybe-uninitialized
ifeq ($(SAN),asan)
SAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all
else ifeq ($(SAN),tsan)
SAN_FLAGS := -fsanitize=thread -Wno-tsan
else
$(error SAN is asan, tsan or nothing)
endif
CFLAGS   += $(SAN_FLAGS)
LDFLAGS  += $(SAN_FLAGS)
endif

# For every program under a sanitizer, also those of the end-to-end tests.
export ASAN_OPTIONS  ?= detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS ?= print_stacktrace=1
export TSAN_OPTIONS  ?= halt_on_error=1:allocator_may_return_null=1

# V=1 shows whole command lines.
Q   := $(if $(V),,@)
SAY := @$(if $(V),true,echo) " "

# --- what is built ----------------------------------------------------------

LIBRARY  := $(BUILD)/libredoubt.a
LIB_SRC  := $(filter-out net/main.c,$(wildcard base/*.c types/*.c wal/*.c \
	      snapshot/*.c engine/*.c net/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/obj/%.o)

# redoubt-x is tools/redoubt_x.c and, if it has parts, tools/redoubt_x_*.c.
LOG_SRC  := $(wildcard tools/redoubt_log.c tools/redoubt_log_*.c)
MAIN_SRC := $(wildcard net/main.c)
BINARIES := $(if $(MAIN_SRC),$(BUILD)/redoubt-server) \
	    $(if $(LOG_SRC),$(BUILD)/redoubt-log)

TEST_SRC    := $(wildcard tests/*_test.c)
TESTS       := $(TEST_SRC:tests/%.c=$(BUILD)/tests/%)
SUPPORT_SRC := $(wildcard tests/support/*.c)
SUPPORT_OBJ := $(SUPPORT_SRC:%.c=$(BUILD)/obj/%.o)
CHECK_LIBS   = $(shell pkg-config --libs check)

.PHONY: all help deps deps-build deps-compat run test test-units test-e2e \
	tidy format install bench bench-commands bench-micro torture fuzz compat clean tests \
	torture-programs fuzz-programs test-fuzz
.DELETE_ON_ERROR:
.SECONDARY:

all: $(LIBRARY) $(BINARIES)

help:
	@sed -n 's/^#   make/make/p' Makefile
	@echo "also: deps all tidy format install clean"
	@echo "      test-units test-fuzz test-e2e test-toy bench bench-commands"
	@echo "      torture fuzz compat"
	@echo "      (MINUTES=n SUITE=name PEERS=paths ONLY=rows SAN=asan|tsan)"

$(LIBRARY): $(LIB_OBJ)
	@mkdir -p $(@D) && rm -f $@
	$(SAY) AR $@
	$(Q)$(AR) rcs $@ $(LIB_OBJ)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/redoubt-server: $(BUILD)/obj/net/main.o $(LIBRARY)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/redoubt-log: $(LOG_SRC:%.c=$(BUILD)/obj/%.o) $(LIBRARY)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(SUPPORT_OBJ) $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(LDLIBS)

tests: $(TESTS)

# Torture programs: build/torture/x is tests/torture/x.c if that has a main;
# the other files there are parts that every program may use.
TORTURE_MAIN := $(shell grep -l '^int main' tests/torture/*.c 2>/dev/null)
TORTURE      := $(TORTURE_MAIN:tests/torture/%.c=$(BUILD)/torture/%)
TORTURE_PART := $(patsubst %.c,$(BUILD)/obj/%.o, $(filter-out $(TORTURE_MAIN), \
		  $(wildcard tests/torture/*.c tests/torture/support/*.c)))

# What is loaded in front of the server's libraries.
FAIL_ALLOC := $(BUILD)/torture/fail_alloc.so

torture-programs: $(TORTURE) $(FAIL_ALLOC)

$(FAIL_ALLOC): tests/torture/preload/fail_alloc.c \
	       tests/torture/support/fail_control.h
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) -D_GNU_SOURCE -I. -std=gnu11 -g -O2 -Wall -Wextra -Werror -fPIC \
		-shared -o $@ $<

$(BUILD)/libtorture.a: $(TORTURE_PART)
	@mkdir -p $(@D) && rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/torture/%: $(BUILD)/obj/tests/torture/%.o $(BUILD)/libtorture.a \
		    $(SUPPORT_OBJ) $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(LDLIBS)

# Fuzz targets: build/fuzz/x is tests/fuzz/fuzz_x.c behind a main that replays
# inputs; tests/fuzz/run puts the fuzzer's main in its place.
FUZZ_SRC  := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ      := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(BUILD)/fuzz/%)
FUZZ_MAIN ?= $(BUILD)/obj/tests/fuzz/replay.o

fuzz-programs: $(FUZZ)

# A target gets only what it needs: the fuzzer looks at every branch in it.
$(BUILD)/libfuzz.a: $(BUILD)/obj/tests/fuzz/edit.o \
		    $(BUILD)/obj/tests/fuzz/engine.o $(SUPPORT_OBJ)
	@mkdir -p $(@D) && rm -f $@
	$(Q)$(AR) rcs $@ $^

# Names in a configuration are the fuzzer's: no file of this machine.
$(BUILD)/fuzz/config: FUZZ_WRAP := -Wl,--wrap=open,--wrap=glob

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o \
		 $(FUZZ_MAIN) $(BUILD)/libfuzz.a $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(FUZZ_LINK) $(FUZZ_WRAP) -o $@ $^ $(CHECK_LIBS) \
		$(LDLIBS)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- packages ---------------------------------------------------------------

DEPS_BUILD := build-essential pkg-config libzstd-dev liblzf-dev \
	      libxxhash-dev libjemalloc-dev libssl-dev redis-tools
DEPS_TEST  := check libsubunit-dev libhiredis-dev python3 python3-redis \
	      clang libclang-rt-14-dev llvm clang-format universal-ctags \
	      e2fsprogs redis-server

# Nothing to do takes no time; only what is missing is installed.
define install_missing
@command -v dpkg >/dev/null || { \
	echo "not a Debian system; needed: $(1)"; exit 0; }; \
missing=$$(for p in $(1); do echo $$p; done | \
	grep -vxF "$$(dpkg-query -W -f='$${db:Status-Status} $${Package}\n' \
	$(1) 2>/dev/null | sed -n 's/^installed //p')"); \
[ -z "$$missing" ] && exit 0; \
sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
echo "installing:" $$missing; \
$$sudo apt-get update -q && \
$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy \
	--no-install-recommends $$missing
endef

deps:
	$(call install_missing,$(DEPS_BUILD) $(DEPS_TEST))

deps-build:
	$(call install_missing,$(DEPS_BUILD))

# --- running ----------------------------------------------------------------

# What only `make compat` needs.
deps-compat:
	$(call install_missing,tcl)

compat: deps-compat

run: deps-build
	@$(MAKE) --no-print-directory all
	$(BUILD)/redoubt-server --dir ./data $(RUN_ARGS)

test: deps
	@$(MAKE) --no-print-directory all
	@tests/tally $(MAKE) --no-print-directory -k tidy test-units test-fuzz test-e2e \
		test-toy

test-units: $(TESTS)
	@BUILD=$(BUILD) tests/run_units $(TESTS)

# What fuzzing has found interesting.
test-fuzz: $(FUZZ)
	@status=0; for f in $(FUZZ); do \
		$$f tests/fuzz/corpus/$${f##*/}.corpus || status=1; \
	done; exit $$status

# Does docs/ARCHITECTURE.md tell all it takes to add a type?
test-toy:
	@tests/toy_type.sh

# Clients in C for the end-to-end tests.
E2E_CLIENTS := $(BUILD)/tests/e2e/hiredis_client

$(BUILD)/tests/e2e/hiredis_client: tests/e2e/hiredis_client.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -lhiredis

test-e2e: all $(E2E_CLIENTS)
	@[ ! -x tests/e2e/run ] || BUILD=$(BUILD) tests/e2e/run

tidy:
	@tools/tidy.py

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

bench torture fuzz compat: deps
	@$(MAKE) --no-print-directory all \
		$(if $(filter bench,$@),$(BUILD)/bench/set_load)
	@run=$(if $(filter bench,$@),tools/bench/run,tests/$@/run); \
	BUILD=$(BUILD) MINUTES=$(MINUTES) SUITE="$(SUITE)" \
	PEERS="$(PEERS)" $$run

# What every command costs beside the peers, worst ratio first.
bench-commands: deps
	@$(MAKE) --no-print-directory all $(BUILD)/bench/commands_load
	@BUILD=$(BUILD) PEERS="$(PEERS)" tools/bench/commands.py --only "$(ONLY)"

# Small benches of one module each: build/bench/x_bench is tools/bench/x_bench.c.
MICRO := $(patsubst tools/bench/%.c,$(BUILD)/bench/%, \
	   $(wildcard tools/bench/*_bench.c))

bench-micro: $(MICRO)

$(BUILD)/bench/%: $(BUILD)/obj/tools/bench/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

install: all
	$(if $(strip $(BINARIES)),install -D -t $(DESTDIR)$(PREFIX)/bin \
		$(BINARIES))

clean:
	rm -rf build build-asan build-tsan build-fuzz build-cover
