# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Installation.  Programs and plugins go where dovecot-config says that
# Dovecot looks for them, whatever PREFIX is: it looks nowhere else.

# Dovecot's own processes know no sanitizers.
$(B)/module/settings/%.o $(B)/modules/settings/%.so: SANFLAGS =

INSTALL ?= install
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
# Debian's packages of protocols say here that they are there
PROTOCOLS_DIR ?= $(wildcard /usr/share/dovecot/protocols.d)
CONF_DIR ?= $(SYSCONFDIR)/dovecot/conf.d
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
MAN1 = $(wildcard docs/man/*.1)
# the folder of mapi_directory_cache and mapi_deferred_queue
CACHE_DIR ?= $(or $(call dc_var,dovecot_statedir),/var/lib/dovecot)/mapi

INSTALLED = \
	$(addprefix $(DC_LIBEXECDIR)/,$(notdir $(PROGRAMS))) \
	$(addprefix $(DC_MODULEDIR)/,$(PLUGINS:$(B)/modules/%=%)) \
	$(addprefix $(BINDIR)/,$(notdir $(TOOLS))) \
	$(addprefix $(MANDIR)/man1/,$(notdir $(MAN1))) \
	$(if $(PROTOCOLS_DIR),$(PROTOCOLS_DIR)/mapid.protocol)

install: all check-dovecot-config
	$(INSTALL) -d $(DESTDIR)$(DC_LIBEXECDIR) $(DESTDIR)$(BINDIR) \
		$(DESTDIR)$(DC_MODULEDIR)/settings \
		$(DESTDIR)$(DC_MODULEDIR)/doveadm $(DESTDIR)$(CONF_DIR)
	$(INSTALL) -m 755 $(PROGRAMS) $(DESTDIR)$(DC_LIBEXECDIR)/
	$(INSTALL) -m 644 $(filter $(B)/modules/settings/%,$(PLUGINS)) \
		$(DESTDIR)$(DC_MODULEDIR)/settings/
	$(INSTALL) -m 644 $(filter $(B)/modules/doveadm/%,$(PLUGINS)) \
		$(DESTDIR)$(DC_MODULEDIR)/doveadm/
	$(INSTALL) -m 644 $(filter $(B)/modules/lib%,$(PLUGINS)) \
		$(DESTDIR)$(DC_MODULEDIR)/
	$(INSTALL) -m 755 $(TOOLS) $(DESTDIR)$(BINDIR)/
ifneq ($(MAN1),)
	$(INSTALL) -d $(DESTDIR)$(MANDIR)/man1
	$(INSTALL) -m 644 $(MAN1) $(DESTDIR)$(MANDIR)/man1/
endif
# packages give it to Dovecot's user when they're installed
	$(INSTALL) -d -m 750 $(DESTDIR)$(CACHE_DIR)
	if test -z "$(DESTDIR)" && test "$$(id -u)" = 0; then \
		chown "$$(doveconf -h default_internal_user)" $(CACHE_DIR); \
	fi
# an administrator's settings are never overwritten
	if test -e $(DESTDIR)$(CONF_DIR)/20-mapi.conf; then \
		$(INSTALL) -m 644 module/conf/20-mapi.conf \
			$(DESTDIR)$(CONF_DIR)/20-mapi.conf.new; \
	else \
		$(INSTALL) -m 644 module/conf/20-mapi.conf \
			$(DESTDIR)$(CONF_DIR)/20-mapi.conf; \
	fi
ifneq ($(PROTOCOLS_DIR),)
	$(INSTALL) -d $(DESTDIR)$(PROTOCOLS_DIR)
	$(INSTALL) -m 644 module/conf/mapid.protocol \
		$(DESTDIR)$(PROTOCOLS_DIR)/
endif

# leaves the configuration
uninstall: check-dovecot-config
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))

check-dovecot-config:
	@test -n "$(DC_MODULEDIR)" || \
		{ echo "dovecot-config not found: install dovecot-dev" >&2; \
		  exit 1; }

.PHONY: install uninstall check-dovecot-config
