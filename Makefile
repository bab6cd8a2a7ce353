# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One non-recursive makefile.  Every folder of C files is a library or a
# program, found by wildcard: a new file needs no line here.

PREFIX ?= /usr
DESTDIR ?=
B ?= build$(if $(SANITIZE),-asan)
CC ?= gcc
PYTHON ?= python3
SANITIZE ?=
WERROR ?= -Werror
# an included file may have a rule before "all"
.DEFAULT_GOAL := all

# --- Dovecot, as dovecot-config describes it --------------------------------
DOVECOT_CONFIG ?= $(firstword $(wildcard /usr/lib/dovecot/dovecot-config \
	/usr/lib/*/dovecot/dovecot-config /usr/local/lib/dovecot/dovecot-config))
dc_var = $(shell . $(DOVECOT_CONFIG) 2>/dev/null && echo $$$(1))
ifneq ($(DOVECOT_CONFIG),)
DC_INCLUDE := $(call dc_var,LIBDOVECOT_INCLUDE)
DC_LIBDIR := $(call dc_var,dovecot_pkglibdir)
DC_LIBEXECDIR := $(call dc_var,dovecot_pkglibexecdir)
DC_MODULEDIR := $(call dc_var,dovecot_moduledir)
endif

DIRS_WIRE = mapi-store/wire
DIRS_STORE = mapi-store/convert mapi-store/store mapi-store/rop
INCLUDES = -I$(B)/gen $(addprefix -I,$(DIRS_WIRE) $(DIRS_STORE)) -Ildap \
	-Imodule/common -Imodule/settings -Itests/client

ifneq ($(SANITIZE),)
SANFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
endif
OPT ?= -O2
WARN = -Wall -Wextra $(WERROR) -Wmissing-prototypes -Wmissing-declarations \
	-Wpointer-arith -Wformat=2 -Wno-format-nonliteral -Wno-unused-parameter \
	-Wno-missing-field-initializers
ALL_CFLAGS = -std=gnu99 -g $(OPT) -fPIC -fstack-protector-strong \
	$(if $(SANITIZE),,-D_FORTIFY_SOURCE=2) $(WARN) $(SANFLAGS) \
	-MMD -MP $(INCLUDES) $(CPPFLAGS) $(CFLAGS)
DC_CFLAGS = -DHAVE_CONFIG_H -isystem $(patsubst -I%,%,$(DC_INCLUDE))
# -z,defs: a symbol that nobody has is found here and not by an operator
ALL_LDFLAGS = $(SANFLAGS) $(LDFLAGS)
DC_LIBS = -L$(DC_LIBDIR) -Wl,-rpath,$(DC_LIBDIR) -ldovecot-storage -ldovecot
TALLOC_LIBS = -ltalloc
LDAP_LIBS = -lldap -llber
ICU_LIBS = -licui18n -licuuc
EXPAT_LIBS = -lexpat
CLIENT_LIBS = -lcurl -lresolv

srcs = $(sort $(wildcard $(1)/*.c))
objs = $(patsubst %.c,$(B)/%.o,$(call srcs,$(1)))

# --- generated wire code ----------------------------------------------------
include mapi-store/wire/gen.mk

# --- libraries --------------------------------------------------------------
WIRE_LIB = $(B)/libmapi-wire.a
CONVERT_LIB = $(B)/libmapi-convert.a
STORE_LIB = $(B)/libmapi-store.a
DIRECTORY_LIB = $(B)/libmapi-directory.a
CLIENT_LIB = $(B)/libmapi-client.a

WIRE_OBJS = $(call objs,mapi-store/wire) $(patsubst %.c,%.o,$(GEN_SRCS))
CONVERT_OBJS = $(call objs,mapi-store/convert)
STORE_OBJS = $(call objs,mapi-store/store) $(call objs,mapi-store/rop)
DIRECTORY_OBJS = $(call objs,ldap)
COMMON_OBJS = $(call objs,module/common)
CLIENT_OBJS = $(filter-out $(B)/tests/client/mapitest%,$(call objs,tests/client))
MAPITEST_OBJS = $(filter $(B)/tests/client/mapitest%,$(call objs,tests/client))

PROGRAMS = $(B)/mapi-login $(B)/mapi-sessions $(B)/mapi-addressbook \
	$(B)/mapi-directory $(B)/mapi-deferred $(B)/mapi
# with much of the store in them
STORE_PLUGINS = $(B)/modules/lib95_mapi_plugin.so \
	$(B)/modules/doveadm/lib10_doveadm_mapi_plugin.so
PLUGINS = $(B)/modules/settings/libmapi_settings.so $(STORE_PLUGINS)
TOOLS = $(B)/mapitest

all: $(PROGRAMS) $(PLUGINS) $(TOOLS)

$(WIRE_LIB): $(WIRE_OBJS)
$(CONVERT_LIB): $(CONVERT_OBJS)
$(STORE_LIB): $(STORE_OBJS)
$(DIRECTORY_LIB): $(DIRECTORY_OBJS)
$(CLIENT_LIB): $(CLIENT_OBJS)
%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

# Objects of wire and client know nothing of Dovecot.
$(B)/mapi-store/wire/%.o $(B)/gen/%.o $(B)/tests/client/%.o: EXTRA_CFLAGS =
$(B)/mapi-store/convert/%.o $(B)/mapi-store/store/%.o $(B)/mapi-store/rop/%.o \
$(B)/ldap/%.o $(B)/module/%.o $(B)/tests/unit/%.o $(B)/tests/fuzz/%.o $(B)/tests/bench/%.o: \
	EXTRA_CFLAGS = $(DC_CFLAGS)

$(B)/%.o: %.c | $(GEN_HDRS)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -c -o $@ $<
$(B)/gen/%.o: $(B)/gen/%.c | $(GEN_HDRS)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# --- programs ---------------------------------------------------------------
LINK = $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)

$(B)/mapi-login: $(call objs,module/login) $(COMMON_OBJS) \
		$(B)/module/settings/mapi-settings.o $(WIRE_LIB)
	$(LINK) $(DC_LIBS) $(TALLOC_LIBS)
$(B)/mapi-sessions: $(call objs,module/sessions) $(COMMON_OBJS) \
		$(B)/module/settings/mapi-settings.o $(WIRE_LIB)
	$(LINK) $(DC_LIBS) $(TALLOC_LIBS)
$(B)/mapi: $(call objs,module/worker) $(COMMON_OBJS) \
		$(B)/module/settings/mapi-settings.o \
		$(STORE_LIB) $(CONVERT_LIB) $(WIRE_LIB)
	$(LINK) $(DC_LIBS) $(TALLOC_LIBS) -lm
$(B)/mapi-deferred: $(call objs,module/deferred) \
		$(B)/module/common/mapi-deferred-client.o \
		$(B)/module/settings/mapi-settings.o
	$(LINK) $(DC_LIBS)
$(B)/mapi-directory: $(call objs,module/directory) \
		$(B)/module/settings/mapi-directory-settings.o \
		$(DIRECTORY_LIB) $(WIRE_LIB)
	$(LINK) $(DC_LIBS) $(LDAP_LIBS) $(ICU_LIBS) $(TALLOC_LIBS)
# Only what reads snapshots comes out of the directory library.
$(B)/mapi-addressbook: $(call objs,module/addressbook) $(COMMON_OBJS) \
		$(B)/module/settings/mapi-directory-settings.o \
		$(B)/module/settings/mapi-settings.o \
		$(CONVERT_LIB) $(DIRECTORY_LIB) $(WIRE_LIB)
	$(LINK) $(DC_LIBS) $(LDAP_LIBS) $(ICU_LIBS) $(EXPAT_LIBS) $(TALLOC_LIBS)
$(B)/modules/settings/libmapi_settings.so: $(call objs,module/settings)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -shared -o $@ $(filter %.o,$^)
ifeq ($(SANITIZE),)
# What they call of the programs that load them is found then.
$(B)/modules/lib95_mapi_plugin.so: $(call objs,module/plugin) \
		$(STORE_LIB) $(CONVERT_LIB) $(WIRE_LIB)
$(B)/modules/doveadm/lib10_doveadm_mapi_plugin.so: \
		$(call objs,module/doveadm) \
		$(B)/module/common/mapi-deferred-client.o \
		$(STORE_LIB) $(CONVERT_LIB) \
		$(WIRE_LIB)
$(STORE_PLUGINS):
	@mkdir -p $(@D)
	$(LINK) -shared -Wl,--exclude-libs,ALL $(DC_LIBS) $(TALLOC_LIBS) -lm
else
# Dovecot's own processes know no sanitizers.
$(STORE_PLUGINS): FORCE
	$(MAKE) B=$(B)/plain SANITIZE= $(@:$(B)/%=$(B)/plain/%)
	@mkdir -p $(@D)
	cp $(@:$(B)/%=$(B)/plain/%) $@
FORCE:
endif
$(B)/mapitest: $(MAPITEST_OBJS) $(CLIENT_LIB) $(WIRE_LIB)
	$(LINK) $(CLIENT_LIBS) $(EXPAT_LIBS) $(TALLOC_LIBS)

# --- unit tests: every tests/unit/test-*.c is a cmocka program --------------
UNIT_TESTS = $(patsubst tests/unit/%.c,$(B)/tests/unit/%,\
	$(filter-out %-common.c,$(sort $(wildcard tests/unit/test-*.c))))
# helpers shared by unit tests: tests/unit/*.c that are not test-*.c, and
# *-common.c
UNIT_HELPERS = $(patsubst %.c,$(B)/%.o,\
	$(filter-out tests/unit/test-%,$(call srcs,tests/unit)) \
	$(wildcard tests/unit/test-*-common.c))
$(B)/tests/unit/test-%: $(B)/tests/unit/test-%.o $(UNIT_HELPERS) \
		$(STORE_LIB) $(CONVERT_LIB) $(DIRECTORY_LIB) $(CLIENT_LIB) $(WIRE_LIB)
	$(LINK) $(DC_LIBS) -lcmocka $(CLIENT_LIBS) $(LDAP_LIBS) $(ICU_LIBS) \
		$(EXPAT_LIBS) $(TALLOC_LIBS) -lm
.SECONDARY:

check-unit: $(UNIT_TESTS)
	@set -e; for t in $(UNIT_TESTS); do \
		echo "== $$t"; CMOCKA_MESSAGE_OUTPUT=STDOUT $$t; done

# --- the rest ---------------------------------------------------------------
-include module/module.mk tests/tests.mk

clean:
	rm -rf $(B)

.PHONY: all check-unit clean FORCE
-include $(shell test -d $(B) && find $(B) -name '*.d')
