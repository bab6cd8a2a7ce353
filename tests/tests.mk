# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests.  Servers are started by the tests that need them, in temporary
# folders and on loopback; see tests/devserver and tests/run-integration.

# which integration tests: TESTS="test-a.sh test-b.py"; FORMATS="sdbox"
TESTS ?=
FORMATS ?=
FUZZ_SECONDS ?= 600
FUZZ_SMOKE_SECONDS ?= 5
DEMO_FLAGS ?=

RUN_INTEGRATION = MAPI_BUILD=$(abspath $(B)) $(PYTHON) tests/run-integration \
	$(if $(FORMATS),--formats "$(FORMATS)")

# the login process' parts that have no state and do no I/O
LOGIN_TEST_OBJS = $(B)/module/login/mapihttp-headers.o \
	$(B)/module/common/mapi-channel.o
$(B)/tests/unit/test-login-headers $(B)/tests/unit/test-login-channel \
$(B)/tests/fuzz/fuzz-login-headers: $(LOGIN_TEST_OBJS)
$(B)/tests/unit/test-ostream-gather: $(B)/module/common/ostream-gather.o
$(B)/tests/unit/test-login-headers.o $(B)/tests/fuzz/fuzz-login-headers.o: \
	CPPFLAGS += -Imodule/login

# loads Dovecot's quota plugin, its ACL plugin
$(B)/tests/unit/test-store-props.o $(B)/tests/unit/test-store-permissions.o: \
	CPPFLAGS += -DDOVECOT_MODULEDIR='"$(DC_MODULEDIR)"'

$(B)/tests/unit/test-deferred-queue: $(B)/module/deferred/deferred-queue.o
$(B)/tests/unit/test-deferred-queue.o: CPPFLAGS += -Imodule/deferred

# both ends of the lookup socket
$(B)/tests/unit/test-lookup-client: $(B)/module/addressbook/lookup.o \
	$(B)/module/common/addressbook-client.o
$(B)/tests/unit/test-lookup-snapshot: $(B)/module/addressbook/lookup-snapshot.o
$(B)/tests/unit/test-lookup-%.o: CPPFLAGS += -Imodule/addressbook

# the address book's service without its main()
ADDRESSBOOK_TEST_OBJS = $(filter-out %/main.o,$(call objs,module/addressbook)) \
	$(B)/module/common/mapi-channel.o \
	$(B)/module/common/mapi-sessions-client.o
$(patsubst %.c,$(B)/%,$(wildcard tests/unit/test-nspi*.c \
	tests/unit/test-addressbook*.c tests/unit/test-autodiscover.c \
	tests/fuzz/fuzz-nspi*.c tests/fuzz/fuzz-snapshot.c \
	tests/fuzz/fuzz-autodiscover.c)): $(ADDRESSBOOK_TEST_OBJS)
$(B)/tests/unit/test-nspi%.o $(B)/tests/unit/test-addressbook%.o \
$(B)/tests/unit/test-autodiscover.o $(B)/tests/fuzz/fuzz-nspi.o \
$(B)/tests/fuzz/fuzz-snapshot.o $(B)/tests/fuzz/fuzz-autodiscover.o: \
	CPPFLAGS += -Imodule/addressbook

# kills a process at a chosen system call
CRASH_SHIM = $(B)/crash-shim.so
$(CRASH_SHIM): tests/crash/crash-shim.c
	@mkdir -p $(@D)
	$(CC) -std=gnu99 -g -O1 $(WARN) -Wno-missing-prototypes \
		-Wno-missing-declarations -fPIC -shared -o $@ $< -ldl

# every call of every operation: hours
crash: all $(CRASH_SHIM)
	CRASH_SAMPLES=all $(RUN_INTEGRATION) --timeout 86400 test-crash.py \
		test-crash-between.py \
		test-plugin-bags-killed.py

# The packages first: what Makefile knows of Dovecot it has found out before,
# so the rest is another make's.
check:
	tests/install-deps
	$(MAKE) check-all

check-all: all $(CRASH_SHIM) check-unit check-integration

# Doesn't depend on "all", so that it also runs where nothing can be built.
check-integration: $(if $(wildcard $(B)/mapitest),,all) \
		$(if $(wildcard $(CRASH_SHIM)),,$(CRASH_SHIM))
	$(RUN_INTEGRATION) $(TESTS)

# a client of the LDAP server beside which the address book is measured
$(B)/ldap-load: $(B)/tests/bench/ldap-load.o
	$(LINK) $(LDAP_LIBS)

bench: all $(B)/ldap-load
	$(RUN_INTEGRATION) --bench $(TESTS)

demo:
	tests/install-deps
	$(MAKE) all
	MAPI_BUILD=$(abspath $(B)) tests/demo $(DEMO_FLAGS)

lint:
	tests/lint/run

# --- fuzzing: everything built once more by clang, in its own folder ---------
FUZZ_B = $(B)-fuzz
FUZZ_MAKE = $(MAKE) B=$(FUZZ_B) CC=clang SANITIZE=1 OPT=-O1 WERROR= \
	CFLAGS=-fsanitize=fuzzer-no-link
FUZZERS = $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,\
	$(sort $(wildcard tests/fuzz/fuzz-*.c)))
FUZZ_HELPERS = $(patsubst %.c,$(B)/%.o,\
	$(filter-out tests/fuzz/fuzz-%,$(call srcs,tests/fuzz)))

# a target of its own for one: make fuzz FUZZ=fuzz-wire-rop
FUZZ ?= $(notdir $(FUZZERS))

$(B)/tests/fuzz/fuzz-%: $(B)/tests/fuzz/fuzz-%.o $(FUZZ_HELPERS) \
		$(STORE_LIB) $(CONVERT_LIB) $(DIRECTORY_LIB) $(CLIENT_LIB) $(WIRE_LIB)
	$(LINK) -fsanitize=fuzzer $(DC_LIBS) $(CLIENT_LIBS) $(LDAP_LIBS) $(ICU_LIBS) \
		$(EXPAT_LIBS) $(TALLOC_LIBS) -lm

fuzz-programs: $(FUZZERS)

fuzz:
	$(FUZZ_MAKE) fuzz-programs
	tests/fuzz/run $(FUZZ_B) $(FUZZ_SECONDS) $(FUZZ)

fuzz-smoke:
	$(FUZZ_MAKE) fuzz-programs
	tests/fuzz/run $(FUZZ_B) $(FUZZ_SMOKE_SECONDS) $(FUZZ)

.PHONY: check check-all check-integration crash bench demo lint fuzz fuzz-smoke fuzz-programs
