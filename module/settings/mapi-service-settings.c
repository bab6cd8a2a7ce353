/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Services and listeners, as Dovecot's master process starts them when "mapi"
   is among its protocols: part of libmapi_settings.so only. */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "settings-parser.h"
#include "service-settings.h"
#include "mapi-settings.h"
#include "mapi-directory-settings.h"

/* The config process looks these symbols up by name: see
   config_parse_load_modules(). */
extern const char *mapi_settings_version;
extern struct service_settings *mapi_settings_service_settings_array[];
extern const struct setting_parser_info *mapi_settings_set_roots[];

/* mapi-login: TLS and HTTP. Unprivileged, sees no mail. A process serves many
   connections, since an HTTP client opens and closes them as it likes; no
   listener by default other than HTTPS, whose port is usually some other
   server's. */
static struct inet_listener_settings mapi_login_inet_listeners_array[] = {
	{ .name = "mapi-https", .address = "", .port = 0, .ssl = TRUE },
	{ .name = "mapi-http", .address = "", .port = 0 },
};
static struct inet_listener_settings *mapi_login_inet_listeners[] = {
	&mapi_login_inet_listeners_array[0],
	&mapi_login_inet_listeners_array[1],
};
static buffer_t mapi_login_inet_listeners_buf = {
	{ { mapi_login_inet_listeners, sizeof(mapi_login_inet_listeners) } }
};

static struct service_settings mapi_login_service_settings = {
	.name = "mapi-login",
	.protocol = "mapi",
	.type = "login",
	.executable = "mapi-login",
	.user = "$default_login_user",
	.group = "",
	.privileged_group = "",
	.extra_groups = "",
	.chroot = "login",

	.drop_priv_before_exec = FALSE,

	.process_min_avail = 0,
	.process_limit = 2,
	.client_limit = 0,
	.service_count = 0,
	.idle_kill = UINT_MAX,
	.vsz_limit = UOFF_T_MAX,

	.unix_listeners = ARRAY_INIT,
	.fifo_listeners = ARRAY_INIT,
	.inet_listeners = { { &mapi_login_inet_listeners_buf,
			      sizeof(mapi_login_inet_listeners[0]) } }
};

/* mapi-sessions: which worker has which session. The workers, which run as
   mail users, reach it through the internal group. */
static struct file_listener_settings mapi_sessions_unix_listeners_array[] = {
	{ "mapi-sessions", 0660, "", "$default_internal_group" },
	{ "login/mapi-sessions", 0600, "$default_login_user", "" },
};
static struct file_listener_settings *mapi_sessions_unix_listeners[] = {
	&mapi_sessions_unix_listeners_array[0],
	&mapi_sessions_unix_listeners_array[1],
};
static buffer_t mapi_sessions_unix_listeners_buf = {
	{ { mapi_sessions_unix_listeners,
	    sizeof(mapi_sessions_unix_listeners) } }
};

static struct service_settings mapi_sessions_service_settings = {
	.name = "mapi-sessions",
	.protocol = "mapi",
	.type = "",
	.executable = "mapi-sessions",
	.user = "$default_internal_user",
	.group = "",
	.privileged_group = "",
	.extra_groups = "",
	.chroot = "empty",

	.drop_priv_before_exec = FALSE,

	.process_min_avail = 0,
	.process_limit = 1,
	.client_limit = 0,
	.service_count = 0,
	.idle_kill = UINT_MAX,
	.vsz_limit = UOFF_T_MAX,

	.unix_listeners = { { &mapi_sessions_unix_listeners_buf,
			      sizeof(mapi_sessions_unix_listeners[0]) } },
	.fifo_listeners = ARRAY_INIT,
	.inet_listeners = ARRAY_INIT,

	.process_limit_1 = TRUE,
};

/* mapi-addressbook: the address book and Autodiscover of all users, from the
   directory's snapshot that all processes map. */
static struct file_listener_settings mapi_addressbook_unix_listeners_array[] = {
	{ "login/mapi-addressbook", 0600, "$default_login_user", "" },
	/* for workers, which run as mail users: answers nothing but who has
	   an address */
	{ "mapi-addressbook-lookup", 0666, "", "" },
};
static struct file_listener_settings *mapi_addressbook_unix_listeners[] = {
	&mapi_addressbook_unix_listeners_array[0],
	&mapi_addressbook_unix_listeners_array[1],
};
static buffer_t mapi_addressbook_unix_listeners_buf = {
	{ { mapi_addressbook_unix_listeners,
	    sizeof(mapi_addressbook_unix_listeners) } }
};

static struct service_settings mapi_addressbook_service_settings = {
	.name = "mapi-addressbook",
	.protocol = "mapi",
	.type = "",
	.executable = "mapi-addressbook",
	.user = "$default_internal_user",
	.group = "",
	.privileged_group = "",
	.extra_groups = "",
	.chroot = "",

	.drop_priv_before_exec = FALSE,

	.process_min_avail = 0,
	.process_limit = 4,
	.client_limit = 0,
	.service_count = 0,
	.idle_kill = 0,
	/* the address book's file is mapped, two of them while a new one comes */
	.vsz_limit = 4ULL * 1024 * 1024 * 1024,

	.unix_listeners = { { &mapi_addressbook_unix_listeners_buf,
			      sizeof(mapi_addressbook_unix_listeners[0]) } },
	.fifo_listeners = ARRAY_INIT,
	.inet_listeners = ARRAY_INIT,
};

/* mapi-directory: reads the directory and writes its snapshot. It is there all
   the time; it answers what an administrator asks it. */
static struct file_listener_settings mapi_directory_unix_listeners_array[] = {
	{ "mapi-directory", 0600, "$default_internal_user", "" },
};
static struct file_listener_settings *mapi_directory_unix_listeners[] = {
	&mapi_directory_unix_listeners_array[0],
};
static buffer_t mapi_directory_unix_listeners_buf = {
	{ { mapi_directory_unix_listeners,
	    sizeof(mapi_directory_unix_listeners) } }
};

static struct service_settings mapi_directory_service_settings = {
	.name = "mapi-directory",
	.protocol = "mapi",
	.type = "",
	.executable = "mapi-directory",
	.user = "$default_internal_user",
	.group = "",
	.privileged_group = "",
	.extra_groups = "",
	.chroot = "",

	.drop_priv_before_exec = FALSE,

	.process_min_avail = 1,
	.process_limit = 1,
	.client_limit = 0,
	.service_count = 0,
	.idle_kill = UINT_MAX,
	/* besides, what the file is made of: 1.5 GB for 500,000 objects */
	.vsz_limit = 8ULL * 1024 * 1024 * 1024,

	.unix_listeners = { { &mapi_directory_unix_listeners_buf,
			      sizeof(mapi_directory_unix_listeners[0]) } },
	.fifo_listeners = ARRAY_INIT,
	.inet_listeners = ARRAY_INIT,

	.process_limit_1 = TRUE,
};

/* mapi-deferred: when users' mail is to be sent that isn't to be sent yet. It is
   there all the time. The workers, which run as mail users, reach it through the
   internal group. */
static struct file_listener_settings mapi_deferred_unix_listeners_array[] = {
	{ "mapi-deferred", 0660, "", "$default_internal_group" },
};
static struct file_listener_settings *mapi_deferred_unix_listeners[] = {
	&mapi_deferred_unix_listeners_array[0],
};
static buffer_t mapi_deferred_unix_listeners_buf = {
	{ { mapi_deferred_unix_listeners,
	    sizeof(mapi_deferred_unix_listeners) } }
};

static struct service_settings mapi_deferred_service_settings = {
	.name = "mapi-deferred",
	.protocol = "mapi",
	.type = "",
	.executable = "mapi-deferred",
	.user = "$default_internal_user",
	.group = "",
	.privileged_group = "",
	.extra_groups = "",
	.chroot = "",

	.drop_priv_before_exec = FALSE,

	.process_min_avail = 1,
	.process_limit = 1,
	.client_limit = 0,
	.service_count = 0,
	.idle_kill = UINT_MAX,
	.vsz_limit = UOFF_T_MAX,

	.unix_listeners = { { &mapi_deferred_unix_listeners_buf,
			      sizeof(mapi_deferred_unix_listeners[0]) } },
	.fifo_listeners = ARRAY_INIT,
	.inet_listeners = ARRAY_INIT,

	.process_limit_1 = TRUE,
};

/* mapi: one process for each session, as the user; and for each user who has mail
   that is to be sent now */
static struct file_listener_settings mapi_unix_listeners_array[] = {
	{ "login/mapi", 0666, "", "" },
	{ "mapi-submit", 0600, "$default_internal_user", "" },
};
static struct file_listener_settings *mapi_unix_listeners[] = {
	&mapi_unix_listeners_array[0],
	&mapi_unix_listeners_array[1],
};
static buffer_t mapi_unix_listeners_buf = {
	{ { mapi_unix_listeners, sizeof(mapi_unix_listeners) } }
};

static struct service_settings mapi_service_settings = {
	.name = "mapi",
	.protocol = "mapi",
	.type = "",
	.executable = "mapi",
	.user = "",
	.group = "",
	.privileged_group = "",
	.extra_groups = "$default_internal_group",
	.chroot = "",

	.drop_priv_before_exec = FALSE,

	.process_min_avail = 0,
	.process_limit = 1024,
	.client_limit = 1,
	.service_count = 1,
	.idle_kill = 0,
	.vsz_limit = UOFF_T_MAX,

	.unix_listeners = { { &mapi_unix_listeners_buf,
			      sizeof(mapi_unix_listeners[0]) } },
	.fifo_listeners = ARRAY_INIT,
	.inet_listeners = ARRAY_INIT
};

const char *mapi_settings_version = DOVECOT_ABI_VERSION;

struct service_settings *mapi_settings_service_settings_array[] = {
	&mapi_login_service_settings,
	&mapi_sessions_service_settings,
	&mapi_addressbook_service_settings,
	&mapi_directory_service_settings,
	&mapi_deferred_service_settings,
	&mapi_service_settings,
	NULL
};

const struct setting_parser_info *mapi_settings_set_roots[] = {
	&mapi_login_setting_parser_info,
	&mapi_setting_parser_info,
	&mapi_deferred_setting_parser_info,
	&mapi_directory_setting_parser_info,
	&mapi_addressbook_setting_parser_info,
	NULL
};
