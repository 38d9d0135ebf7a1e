# SPDX-License-Identifier: BSD-2-Clause
#
# make            build both programs: build/steptrace, build/steprun
# make demo       install missing packages, build, and trace a running runner for a few seconds
# make test       install missing packages, build, run the unit and end-to-end tests
# make test-browser   install Chromium, and open the pages that steptrace writes
# make bench      measure what recording costs, as ratios within one run
# make test-otlp  read what OTLP outputs send with the official definitions of OTLP
# make lint       check formatting, run static checks
# make soak       mixed load for SOAK_SECONDS (600)
# make fuzz       run every fuzz target for FUZZ_SECONDS (60)
# make test-kernels   record in stock Debian kernels under qemu (KERNELS="6.1 7 arm64-6.1")
# make test-aarch64   test aarch64 with cross compilers and qemu
# make mutations  change the code on purpose, and expect that a test notices (MUTATIONS="WORD...")
# make install    install to PREFIX (/usr/local) below DESTDIR; SETCAP=1 sets file capabilities
# make uninstall  remove what make install with the same PREFIX and DESTDIR has installed
# make static     build build/static/steptrace, which needs few shared libraries, and say which
# make deb        build Debian packages from the files that git knows: build/deb/*.deb
# make test-deb   build, check, install, upgrade and purge the packages in fresh roots of Debian 12 and
#                 13 (DEB_SUITES="bookworm trixie"); needs root and a mirror of Debian
#
# V=1 shows the commands. CC=clang builds with clang. WERROR=1 turns warnings into errors.
# SANITIZE=address,undefined builds with these sanitizers, in a directory of its own.

CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PREFIX  ?= /usr/local
# The configuration of a program of the system is in /etc, that of any other PREFIX is below it.
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
comma   := ,
BUILD   ?= build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))

ifeq ($(V),)
.SILENT:
say = printf '  %-8s %s\n' $(1) $(patsubst $(BUILD)/%,%,$(2))
else
say = :
endif
MAKEFLAGS += --no-print-directory

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

CPPFLAGS += -Isrc -Iinclude -Iusdt -I$(BUILD)/bpf -D_GNU_SOURCE
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra $(if $(WERROR),-Werror)
COMPILE   = $(CC) -std=gnu11 $(WARNINGS) $(CFLAGS) $(SANFLAGS) $(CPPFLAGS) -MMD -MP
SANFLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
LINK      = $(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS)

# ---- sources and objects: a new file in one of these directories needs no change here

sources = $(sort $(wildcard $(1)))
objects = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))

COMMON  := $(call objects,src/common/*.c)
SCHEMAS := $(call sources,docs/schema/*.json docs/schema/safe-integers/*.json)
MIGRATIONS := $(call sources,src/runner/store/schema/*.sql)
STREAM  := $(call objects,src/steptrace/stream/*.c) $(BUILD)/gen/schemas.o
TRACER  := $(filter-out $(STREAM),$(call objects,src/steptrace/*.c src/steptrace/*/*.c)) \
	$(BUILD)/gen/pages.o
PAGES   := $(call sources,src/steptrace/*/*.css src/steptrace/*/*.js src/steptrace/*/*.html)
RUNNER  := $(call objects,src/runner/*.c src/runner/*/*.c) $(BUILD)/gen/migrations.o
SUPPORT := $(filter-out %/ai_server.o %/write_flame.o %/kafka_mock.o,$(call objects,tests/support/*.c))

TRACER_LIB := $(BUILD)/libtracer.a
STREAM_LIB := $(BUILD)/libstream.a
RUNNER_LIB := $(BUILD)/librunner.a
COMMON_LIB := $(BUILD)/libcommon.a
SUPPORT_LIB := $(if $(SUPPORT),$(BUILD)/libsupport.a)
LIBRARIES  := $(SUPPORT_LIB) $(TRACER_LIB) $(STREAM_LIB) $(RUNNER_LIB) $(COMMON_LIB)

TRACER_LIBS := -lbpf -ldw -lelf -liberty -lz -lgnutls -lcurl -lcap-ng -lseccomp -lcjson -lmicrohttpd \
	-lsodium -lncursesw -ltinfo -lrdkafka -lm
RUNNER_LIBS := -lsqlite3 -lyaml -lcurl -lpcre2-8 -lcjson -lmicrohttpd -lm -lpthread

UNIT_TESTS  := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/unit/test_*.c))
TEST_HELPERS := $(patsubst tests/targets/%.c,$(BUILD)/tests/%,\
		$(filter-out tests/targets/lib%,$(call sources,tests/targets/*.c))) \
	$(patsubst tests/targets/%.c,$(BUILD)/tests/%.so,$(call sources,tests/targets/lib*.c)) \
	$(if $(wildcard tests/support/ai_server.c),$(BUILD)/tests/ai_server) \
	$(if $(wildcard tests/support/kafka_mock.c),$(BUILD)/tests/kafka_mock) \
	$(if $(wildcard tests/support/write_flame.c),$(BUILD)/tests/write_flame) \
	$(if $(wildcard tests/oracle/template_engine.c),$(BUILD)/tests/template_engine) \
	$(if $(wildcard tests/replay/replay_hosts.c),$(BUILD)/tests/replay_hosts)
BENCHES     := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/bench/bench_*.c))
BENCH_SHARED := $(filter-out $(BUILD)/tests/bench/bench_%,$(call objects,tests/bench/*.c))
FUZZERS     := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/fuzz/fuzz_*.c))

.PHONY: all test unit-test e2e-test bench demo lint format fuzz test-kernels test-aarch64 \
	aarch64-built install uninstall clean deps check-deps
.SECONDARY:

all: $(BUILD)/steptrace $(BUILD)/steprun

# The details of the build change with every commit, so that no library contains them.
$(BUILD)/steptrace: $(TRACER) $(BUILD)/gen/build_details.o $(STREAM_LIB) $(COMMON_LIB)
	$(call say,LINK,$@)
	$(LINK) $^ -o $@ $(TRACER_LIBS)

$(BUILD)/steprun: $(RUNNER) $(COMMON_LIB)
	$(call say,LINK,$@)
	$(LINK) $^ -o $@ $(RUNNER_LIBS)

# For hosts without Debian: libraries of Debian that have a static form are linked statically. cJSON, GnuTLS
# and libcurl have none, librdkafka needs others that have none, and a static C library could not look up
# users and hosts.
STATIC_LIBS = -static-libgcc -Wl,-Bstatic -lbpf -ldw -lelf -liberty -lcap-ng -lseccomp -lmicrohttpd \
	-lsodium -lncursesw -ltinfo -lz -lbz2 -llzma $(if $(wildcard /usr/lib/*/libzstd.a),-lzstd) \
	-Wl,-Bdynamic -lcjson -lgnutls -lcurl -lrdkafka -lm

$(BUILD)/static/steptrace: $(TRACER) $(BUILD)/gen/build_details.o $(STREAM_LIB) $(COMMON_LIB)
	$(call say,LINK,$@)
	mkdir -p $(@D)
	$(LINK) $^ -o $@ $(STATIC_LIBS)

.PHONY: static
static:
	./packages install build static
	$(MAKE) $(BUILD)/static/steptrace
	src/say-needs $(BUILD)/static/steptrace

# The libraries contain all files except those with a main().
$(TRACER_LIB): $(filter-out %/main.o,$(TRACER))
$(STREAM_LIB): $(STREAM)
$(RUNNER_LIB): $(filter-out %/main.o,$(RUNNER))
$(COMMON_LIB): $(COMMON)
$(BUILD)/libsupport.a: $(SUPPORT)

$(BUILD)/%.a:
	$(call say,AR,$@)
	mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c | check-deps
	$(call say,CC,$@)
	mkdir -p $(@D)
	$(COMPILE) -c $< -o $@

# The schemas as C source, so that the program contains them.
$(BUILD)/gen/schemas.c: $(SCHEMAS) src/steptrace/stream/embed
	$(call say,EMBED,$@)
	mkdir -p $(@D)
	src/steptrace/stream/embed docs/schema >$@

# The versions of the runner's database, in the same way.
$(BUILD)/gen/migrations.c: $(MIGRATIONS) src/runner/store/embed
	$(call say,EMBED,$@)
	mkdir -p $(@D)
	src/runner/store/embed $(MIGRATIONS) >$@

# The style sheets and scripts of the pages that steptrace writes.
$(BUILD)/gen/pages.c: $(PAGES) src/steptrace/embed-page
	$(call say,EMBED,$@)
	mkdir -p $(@D)
	src/steptrace/embed-page $(PAGES) >$@

# From what the program is built. The file is replaced when its content changes.
$(BUILD)/gen/build_details.c: src/steptrace/embed-build always | check-deps
	mkdir -p $(@D)
	new=$@.$$$$; src/steptrace/embed-build "$(CC)" "$(CLANG)" "$(BPFTOOL)" >$$new && \
		if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

.PHONY: always

# The completion for bash. The programs tell their options, so they have to run on this machine.
$(BUILD)/gen/completion: src/make-completion $(BUILD)/steptrace $(BUILD)/steprun
	$(call say,EMBED,$@)
	new=$@.$$$$; src/make-completion $(BUILD)/steptrace $(BUILD)/steprun >$$new && mv $$new $@

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c | check-deps
	$(call say,CC,$@)
	$(COMPILE) -c $< -o $@

# ---- the kernel side

BPF_INCLUDES = $(shell $(CLANG) -v -E - </dev/null 2>&1 | \
	sed -n '/<...> search starts here:/,/^End/{s| \(/.*\)|-idirafter \1|p}')
BPF_FLAGS = -g -O2 -Wall -Wextra -Werror -target bpf -mcpu=v3 -Iinclude -Ivmlinux $(BPF_INCLUDES)

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.bpf.h include/steptrace/*.h vmlinux/*.h) | check-deps
	$(call say,BPF,$@)
	mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_$(ARCH) -c $< -o $@

# maps.bpf.o must come first: the linker of libbpf 1.1 misplaces a map that is declared extern before
# it is defined.
BPF_OBJECTS = $(patsubst bpf/%.c,$(BUILD)/bpf/%.o,bpf/maps.bpf.c \
	$(filter-out bpf/maps.bpf.c,$(call sources,bpf/*.bpf.c)))

$(BUILD)/bpf/steptrace.linked.o: $(BPF_OBJECTS)
	$(call say,LINK,$@)
	$(BPFTOOL) gen object $@ $^

$(BUILD)/bpf/steptrace.skel.h: $(BUILD)/bpf/steptrace.linked.o
	$(call say,SKEL,$@)
	$(BPFTOOL) gen skeleton $< name steptrace_bpf > $@.new 2>/dev/null
	mv $@.new $@

$(call objects,src/steptrace/capture/capture*.c): $(BUILD)/bpf/steptrace.skel.h

# An object of its own: only the commands that look at threads load it.
$(BUILD)/bpf/threads/%.bpf.o: bpf/threads/%.bpf.c $(wildcard include/steptrace/*.h vmlinux/*.h) | check-deps
	$(call say,BPF,$@)
	mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_$(ARCH) -c $< -o $@

$(BUILD)/bpf/threads.skel.h: $(BUILD)/bpf/threads/threads.bpf.o
	$(call say,SKEL,$@)
	$(BPFTOOL) gen skeleton $< name threads_bpf > $@.new 2>/dev/null
	mv $@.new $@

$(call objects,src/steptrace/capture/thread_times.c): $(BUILD)/bpf/threads.skel.h

# ---- tests

# Some unit tests raise the probes' semaphore themselves. Without notes no tracer attaches to them.
RAISING = $(patsubst %.c,$(BUILD)/%,$(shell grep -lE 'own_semaphore.h|usdt_fixture.h' \
	tests/unit/test_*.c))
REMOVE_NOTES = $(if $(filter $@,$(RAISING)),\
	$(shell $(CC) -print-prog-name=objcopy) --remove-section=.note.stapsdt $@)

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIBRARIES)
	$(call say,LINK,$@)
	$(LINK) $< $(LIBRARIES) -o $@ -lcmocka $(TRACER_LIBS) $(RUNNER_LIBS)
	$(REMOVE_NOTES)

# The stream needs the common library and libsodium alone: with all of its objects a program links
# with these two, and check-stream looks at what they call. Its own tests get no other library.
$(BUILD)/tests/stream_alone: $(STREAM_LIB) $(COMMON_LIB) tests/check-stream
	$(call say,CHECK,$@)
	mkdir -p $(@D)
	tests/check-stream $(STREAM_LIB)
	echo 'int main(void) { return 0; }' | $(LINK) -x c - -x none -o $@ \
		-Wl,--whole-archive $(STREAM_LIB) -Wl,--no-whole-archive $(COMMON_LIB) -lsodium

STREAM_TESTS := $(patsubst %,$(BUILD)/tests/unit/test_%,clock decode event event_text executions fields \
	held_lines json no_memory open_steps property pseudonym pseudonym_records several_processes \
	stream_doubts trace_events whole)

$(STREAM_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(STREAM_LIB) $(COMMON_LIB)
	$(call say,LINK,$@)
	$(LINK) $< $(STREAM_LIB) $(COMMON_LIB) -o $@ -lcmocka -lcjson -lsodium

# These tests contain the programs of bpf/, and stand-ins for the headers that those include. They
# link no library of the project. The programs compute addresses from NULL, which the kernel checks.
BPF_TESTS := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/unit/test_bpf_*.c))

$(addsuffix .o,$(BPF_TESTS)): CPPFLAGS := -Itests/unit/kernel -Ivmlinux $(CPPFLAGS) \
	-fno-sanitize=null,pointer-overflow
$(BPF_TESTS): %: %.o
	$(call say,LINK,$@)
	$(LINK) $< -o $@ -lcmocka

$(BUILD)/tests/unit/test_no_memory: LDFLAGS += -Wl,--wrap=realloc
$(BUILD)/tests/unit/test_flame_no_memory: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# These tests include the header alone, and link no library of the project.
USDT_TESTS := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/unit/test_usdt_*.c))

$(USDT_TESTS): $(BUILD)/%: %.c usdt/steptrace.h tests/unit/usdt_fixture.h | check-deps
	$(call say,CC,$@)
	mkdir -p $(@D)
	$(COMPILE) $< -o $@ $(LDFLAGS) -lcmocka -lpthread
	$(REMOVE_NOTES)

$(BUILD)/tests/ai_server: $(BUILD)/tests/support/ai_server.o $(LIBRARIES)
	$(call say,LINK,$@)
	$(LINK) $< $(LIBRARIES) -o $@ -lcjson -lpthread

$(BUILD)/tests/kafka_mock: $(BUILD)/tests/support/kafka_mock.o
	$(call say,LINK,$@)
	$(LINK) $< -o $@ -lrdkafka

$(BUILD)/tests/write_flame: $(BUILD)/tests/support/write_flame.o $(LIBRARIES)
	$(call say,LINK,$@)
	$(LINK) $< $(LIBRARIES) -o $@ $(TRACER_LIBS)

$(BUILD)/tests/replay_hosts: $(call objects,tests/replay/*.c) $(COMMON_LIB)
	$(call say,LINK,$@)
	$(LINK) $^ -o $@

$(BUILD)/tests/template_engine: $(BUILD)/tests/oracle/template_engine.o $(RUNNER_LIB) $(COMMON_LIB)
	$(call say,LINK,$@)
	$(LINK) $^ -o $@ $(RUNNER_LIBS)

$(BUILD)/tests/%: tests/targets/%.c usdt/steptrace.h | check-deps
	$(call say,CC,$@)
	mkdir -p $(@D)
	$(COMPILE) $< -o $@ -lpthread -ldl

$(BUILD)/tests/nothing: SANFLAGS :=
$(BUILD)/tests/nothing: CFLAGS += -static -nostdlib

$(BUILD)/tests/%.so: tests/targets/%.c usdt/steptrace.h | check-deps
	$(call say,CC,$@)
	mkdir -p $(@D)
	$(COMPILE) -fPIC -shared $< -o $@

unit-test: $(UNIT_TESTS) $(TEST_HELPERS)
	tests/run-unit $(UNIT_TESTS)

e2e-test: e2e-built
	tests/run-e2e

.PHONY: e2e-built
e2e-built: all $(TEST_HELPERS)

# A failing unit test does not keep the end-to-end tests from running.
test: deps
	$(MAKE) all tests-built
	status=0; tests/run-unit $(UNIT_TESTS) || status=1; tests/run-e2e || status=1; exit $$status

.PHONY: tests-built
tests-built: $(UNIT_TESTS) $(TEST_HELPERS) $(BUILD)/tests/stream_alone

# ---- fuzzing: FUZZ_SECONDS for each target, starting with the stored corpus

FUZZ_SECONDS ?= 60
FUZZ_FLAGS   := -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
# What a target links is in its first comment ("links:"); STREAM there is the whole stream, TEMPLATE
# the template language of the runner, and PACK what reads and checks packs.
FUZZ_STREAM  := $(call sources,src/steptrace/stream/*.c) $(BUILD)/gen/schemas.c -lsodium
FUZZ_TEMPLATE := $(call sources,src/runner/value/*.c src/runner/template/*.c)
FUZZ_PACK     := $(call sources,src/runner/pack/*.c) $(call sources,src/runner/check/*.c)
FUZZ_LINKS    = $(subst PACK,$(FUZZ_PACK),$(subst TEMPLATE,$(FUZZ_TEMPLATE), \
	$(subst STREAM,$(FUZZ_STREAM),$(shell sed -n 's|^ \* links: ||p' $<))))
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/gen/schemas.c | check-deps
	$(call say,FUZZ,$@)
	mkdir -p $(@D)
	$(CLANG) -std=gnu11 $(FUZZ_FLAGS) $(CPPFLAGS) $< $(call sources,src/common/*.c) $(FUZZ_LINKS) -o $@

fuzz:
	./packages install build fuzz
	$(MAKE) $(FUZZERS)
	tests/run-fuzz $(FUZZ_SECONDS) $(FUZZERS)

# ---- soak test

SOAK_SECONDS ?= 600

.PHONY: soak
soak: all $(TEST_HELPERS)
	tests/e2e/soak.py $(SOAK_SECONDS)

# ---- changes that a test has to notice

.PHONY: mutations
mutations:
	./packages install build tests
	$(MAKE) all tests-built
	tests/run-mutations $(MUTATIONS)

# ---- everything else

# Tools to compare with are installed if possible; otherwise the bench leaves them out.
bench:
	./packages install build tests bench || ./packages install build tests
	$(MAKE) all benches-built
	for bench in $(BENCHES); do $$bench || exit; done
	tests/bench/rate.py $(BUILD)
	tests/bench/peers.py $(BUILD)
	tests/bench/binaries.py $(BUILD)
	tests/bench/bystanders.py $(BUILD)
	tests/bench/profile.py $(BUILD)
	tests/bench/inflight.py $(BUILD)
	-command -v npm >/dev/null || ./packages install queries
	-$(MAKE) $(QUERIES)/installed
	STEPTRACE_QUERIES=$(QUERIES) tests/bench/report.py $(BUILD)
	CPPFLAGS=-DSTEPTRACE_DISABLE $(MAKE) BUILD=$(BUILD)/plain $(BUILD)/plain/steprun
	tests/bench/runner.py $(BUILD) $(BUILD)/plain/steprun

PEERS = $(BUILD)/tests/bench/loop $(if $(wildcard /usr/include/lttng/tracepoint.h \
	/usr/include/*/lttng/tracepoint.h),$(BUILD)/tests/bench/loop_lttng)

.PHONY: benches-built
benches-built: $(BENCHES) $(TEST_HELPERS) $(PEERS)

$(BUILD)/tests/bench/loop: tests/bench/peers/loop.c usdt/steptrace.h | check-deps
	$(call say,CC,$@)
	mkdir -p $(@D)
	$(COMPILE) $< -o $@ -lcjson

$(BUILD)/tests/bench/loop_lttng: tests/bench/peers/loop.c usdt/steptrace.h | check-deps
	$(call say,CC,$@)
	mkdir -p $(@D)
	$(COMPILE) -w -DWITH_LTTNG -Itests/bench/peers $< -o $@ -lcjson -llttng-ust -ldl

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(BENCH_SHARED) $(LIBRARIES)
	$(call say,LINK,$@)
	$(LINK) $< $(BENCH_SHARED) $(LIBRARIES) -o $@ $(TRACER_LIBS) $(RUNNER_LIBS)

demo: deps
	$(MAKE) all $(BUILD)/tests/ai_server
	tests/demo

lint:
	./packages install lint
	tests/lint

format:
	git ls-files '*.c' '*.h' | grep -v '^vmlinux/' | xargs clang-format -i

# For make test-queries and make bench: DuckDB and ClickHouse as packages of npm. 160 MB are downloaded
# once, and 620 MB are unpacked. If that is not possible, the test says so and is skipped, and the
# bench leaves DuckDB out.
QUERIES = build/queries
QUERY_PACKAGES = @duckdb/node-api@1.5.4-r.1 chdb@3.4.0

.PHONY: test-queries
test-queries: deps
	-command -v npm >/dev/null || ./packages install queries
	$(MAKE) all $(TEST_HELPERS)
	-$(MAKE) $(QUERIES)/installed
	STEPTRACE_QUERIES=$(QUERIES) tests/run-e2e test_queries test_scale

# The official definitions of OTLP (.proto files): the newest package of npm that has them. protoc makes a
# Python module of them, with which the tests read what the tracer sends.
OTLP = build/otlp
OTLP_PACKAGE = @opentelemetry/otlp-grpc-exporter-base@0.30.0
OTLP_PROTOS = $(OTLP)/package/build/protos

$(OTLP)/python: Makefile
	$(call say,NPM,$@)
	rm -rf $(OTLP)
	mkdir -p $@.new
	cd $(OTLP) && npm pack --silent $(OTLP_PACKAGE) >/dev/null && tar -xzf *.tgz
	cd $(OTLP_PROTOS) && protoc -I . --python_out=$(CURDIR)/$@.new $$(find opentelemetry -name '*.proto')
	mv $@.new $@

.PHONY: test-otlp
test-otlp:
	command -v npm >/dev/null || ./packages install queries
	./packages install otlp
	$(MAKE) all $(TEST_HELPERS) $(OTLP)/python
	STEPTRACE_REQUIRE_OTLP=1 tests/run-e2e test_otlp.OtlpContent test_otlp_export

# Programs that read our exports, as packages of npm: 5 MB are downloaded once.
READERS = build/readers
READER_PACKAGES = speedscope@1.25.0 @paulirish/trace_engine@0.0.65

$(QUERIES)/installed: NPM_PACKAGES = $(QUERY_PACKAGES)
$(READERS)/installed: NPM_PACKAGES = $(READER_PACKAGES)
$(QUERIES)/installed $(READERS)/installed: Makefile
	$(call say,NPM,$(@D))
	mkdir -p $(@D)
	npm install --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
		--prefix $(@D) $(NPM_PACKAGES) >/dev/null
	touch $@

# Selenium is a package of Debian's own Python. Without the packages, the tests say so and are skipped.
.PHONY: test-browser
test-browser: deps
	-./packages install browser
	-command -v npm >/dev/null || ./packages install queries
	$(MAKE) all $(TEST_HELPERS)
	-$(MAKE) $(READERS)/installed
	STEPTRACE_READERS=$(READERS) /usr/bin/python3 tests/run-e2e test_browser

test-kernels:
	./packages install build tests kernels
	$(MAKE) all $(TEST_HELPERS) $(USDT_TESTS)
	$(if $(findstring arm64-,$(KERNELS)),$(MAKE) aarch64-built)
	tests/run-kernels $(KERNELS)

# The tracer and runners for aarch64, and the aarch64 libraries that they need.
CROSS   = build/aarch64
SYSROOT = $(CURDIR)/$(CROSS)/sysroot
TRIPLET = aarch64-linux-gnu

aarch64-built:
	./packages install build aarch64
	tests/aarch64/sysroot $(SYSROOT) build/apt
	env CPPFLAGS="-isystem $(SYSROOT)/usr/include -isystem $(SYSROOT)/usr/include/$(TRIPLET)" \
		LDFLAGS="$(addprefix -L$(SYSROOT)/,usr/lib/$(TRIPLET) lib/$(TRIPLET)) \
		$(addprefix -Wl$(comma)-rpath-link$(comma)$(SYSROOT)/,usr/lib/$(TRIPLET) lib/$(TRIPLET))" \
		$(MAKE) CC=$(TRIPLET)-gcc ARCH=arm64 BUILD=$(CROSS) \
		$(addprefix $(CROSS)/tests/,spans older dlopener waiter hanging libcarrier.so) $(CROSS)/steptrace \
		$(USDT_TESTS:$(BUILD)/%=$(CROSS)/%)

test-aarch64:
	./packages install build tests aarch64
	$(MAKE) all $(BUILD)/tests/spans aarch64-built
	tests/run-aarch64

deps:
	./packages install

check-deps:
	./packages check

VERSION = $(shell sed -n 's/^.define STEPTRACE_VERSION "\(.*\)"/\1/p' include/steptrace/version.h)

# With SETCAP=1, every user who may execute steptrace may record without sudo. Restrict the
# permissions of the file if that is not wanted.
CAPABILITIES = cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search,cap_checkpoint_restore,cap_lease+ep

DOCUMENTS := README.md CHANGELOG.md CONTRIBUTING.md LICENSE usdt/README.md \
	$(wildcard docs/*.md docs/schema/*.* docs/schema/safe-integers/*.json)

# What is installed: mode, file, and the place below PREFIX.
INSTALLED = \
	755:$(BUILD)/steptrace:bin/steptrace \
	755:$(BUILD)/steprun:bin/steprun \
	644:usdt/steptrace.h:include/steptrace.h \
	644:usdt/steptrace.hpp:include/steptrace.hpp \
	644:usdt/steptrace.pc.in:share/pkgconfig/steptrace.pc \
	644:systemd/steptrace.service.in:lib/systemd/system/steptrace.service \
	644:$(BUILD)/gen/completion:share/bash-completion/completions/steptrace \
	644:$(BUILD)/gen/completion:share/bash-completion/completions/steprun \
	644:systemd/sysusers.conf:lib/sysusers.d/steptrace.conf \
	644:systemd/network.conf:share/steptrace/network.conf \
	$(foreach page,$(wildcard docs/man/*),\
		644:$(page):share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
	$(foreach file,$(DOCUMENTS),644:$(file):share/doc/steptrace/$(file))

# The configuration of the service. A file that was changed is neither replaced nor removed.
CONFIGURATION = "$(DESTDIR)$(SYSCONFDIR)/steptrace/steptrace.conf"

# In a file *.in, the places and the version are filled in.
FILL_IN = sed 's|@PREFIX@|$(PREFIX)|g; s|@SYSCONFDIR@|$(SYSCONFDIR)|g; s|@VERSION@|$(VERSION)|g'

install: all $(BUILD)/gen/completion
	set -f; for row in $(INSTALLED); do \
		IFS=:; set -- $$row; \
		install -Dm$$1 "$$2" "$(DESTDIR)$(PREFIX)/$$3" || exit 1; \
		case $$2 in *.in) $(FILL_IN) "$$2" >"$(DESTDIR)$(PREFIX)/$$3" || exit 1 ;; esac; \
	done
	test -e $(CONFIGURATION) || install -Dm644 systemd/steptrace.conf $(CONFIGURATION)
	$(if $(SETCAP),setcap $(CAPABILITIES) $(DESTDIR)$(PREFIX)/bin/steptrace)

# Directories that are empty then are removed as well, except those of the system.
uninstall:
	set -f; for row in $(INSTALLED); do \
		IFS=:; set -- $$row; \
		rm -f "$(DESTDIR)$(PREFIX)/$$3" || exit 1; \
	done
	! cmp -s systemd/steptrace.conf $(CONFIGURATION) || rm $(CONFIGURATION)
	-find $(DESTDIR)$(PREFIX)/share/doc/steptrace $(DESTDIR)$(PREFIX)/share/steptrace \
		$(DESTDIR)$(SYSCONFDIR)/steptrace -depth -type d -empty -delete 2>/dev/null

# ---- Debian packages

# A copy of the tree, so that files of the build are no part of the packages.
DEB_FOLDER = build/deb
DEB_TREE   = $(DEB_FOLDER)/steptrace-$(VERSION)
DEB_FILES  = $(if $(wildcard .git),git ls-files -z,\
	find . -path ./build -prune -o ! -type d -print0)

.PHONY: deb test-deb
deb:
	./packages install build deb
	rm -rf $(DEB_FOLDER)
	mkdir -p $(DEB_TREE)
	$(DEB_FILES) | tar --null -T - -cf - | tar -xf - -C $(DEB_TREE)
	cd $(DEB_TREE) && dpkg-buildpackage -us -uc $(DEB_FLAGS)
	ls $(DEB_FOLDER)/*.deb

DEB_SUITES ?= bookworm trixie

test-deb:
	./packages install roots
	tests/packages/run $(DEB_SUITES)

clean:
	rm -rf build

-include $(shell find $(BUILD) \( -path build/deb -o -path build/roots \) -prune -o \
	-type f -name '*.d' -print 2>/dev/null)
