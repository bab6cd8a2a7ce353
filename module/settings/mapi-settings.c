/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "settings-parser.h"
#include "mail-storage-settings.h"
#include "smtp-submit-settings.h"
#include "mapi-settings.h"

#include <stddef.h>

static bool mapi_settings_verify(void *_set, pool_t pool,
				 const char **error_r);

#undef DEF
#define DEF(type, name) \
	SETTING_DEFINE_STRUCT_##type(#name, name, struct mapi_login_settings)

static const struct setting_define mapi_login_setting_defines[] = {
	DEF(STR, mapi_http_realm),
	DEF(STR, mapi_external_url),
	DEF(STR, mapi_auth_charsets),
	DEF(TIME, mapi_session_timeout),
	DEF(TIME, mapi_pending_period),
	DEF(SIZE, mapi_max_request_size),
	DEF(ENUM, ssl),
	DEF(STR, login_trusted_networks),
	DEF(BOOL, disable_plaintext_auth),
	DEF(UINT, mail_max_userip_connections),

	SETTING_DEFINE_LIST_END
};

static const struct mapi_login_settings mapi_login_default_settings = {
	.mapi_http_realm = "Dovecot",
	.mapi_external_url = "",
	.mapi_auth_charsets = "windows-1252",
	.mapi_session_timeout = 15 * 60,
	.mapi_pending_period = 30,
	.mapi_max_request_size = 1024 * 1024,
	.ssl = "yes:no:required",
	.login_trusted_networks = "",
	.disable_plaintext_auth = TRUE,
	/* Outlook leaves sessions behind when its network changes. */
	.mail_max_userip_connections = 100,
};

const struct setting_parser_info mapi_login_setting_parser_info = {
	.module_name = "mapi-login",
	.defines = mapi_login_setting_defines,
	.defaults = &mapi_login_default_settings,

	.type_offset = SIZE_MAX,
	.struct_size = sizeof(struct mapi_login_settings),

	.parent_offset = SIZE_MAX,
};

#undef DEF
#define DEF(type, name) \
	SETTING_DEFINE_STRUCT_##type(#name, name, struct mapi_settings)

static const struct setting_define mapi_setting_defines[] = {
	DEF(BOOL, verbose_proctitle),
	DEF(STR, mapi_organization),
	DEF(STR, mapi_companion_mailbox),
	DEF(STR_VARS, mapi_display_name),
	DEF(STR_VARS, mapi_email_address),
	DEF(STR_VARS, mapi_send_as),
	DEF(STR_VARS, mapi_send_on_behalf),
	DEF(ENUM, mapi_read_receipts),
	DEF(BOOL, mapi_shared_mailboxes),
	DEF(UINT, mapi_max_open_objects),
	DEF(TIME, mapi_session_timeout),
	DEF(TIME, mapi_notification_wait),
	DEF(TIME, mapi_deleted_retention),

	SETTING_DEFINE_LIST_END
};

static const struct mapi_settings mapi_default_settings = {
	.verbose_proctitle = FALSE,
	.mapi_organization = "Dovecot",
	.mapi_companion_mailbox = "mapi-internal",
	.mapi_display_name = "",
	.mapi_email_address = "%u",
	.mapi_send_as = "",
	.mapi_send_on_behalf = "",
	.mapi_read_receipts = "sender:yes:no",
	.mapi_shared_mailboxes = FALSE,
	.mapi_max_open_objects = 10000,
	.mapi_session_timeout = 15 * 60,
	.mapi_notification_wait = 5 * 60,
	/* as Exchange has it */
	.mapi_deleted_retention = 14 * 24 * 60 * 60,
};

/* The config process gives mail settings to a service only if that service's
   settings depend on them. */
static const struct setting_parser_info *mapi_setting_dependencies[] = {
	&mail_user_setting_parser_info,
	&smtp_submit_setting_parser_info,
	NULL
};

const struct setting_parser_info mapi_setting_parser_info = {
	.module_name = "mapi",
	.defines = mapi_setting_defines,
	.defaults = &mapi_default_settings,

	.type_offset = SIZE_MAX,
	.struct_size = sizeof(struct mapi_settings),

	.parent_offset = SIZE_MAX,

	.check_func = mapi_settings_verify,
	.dependencies = mapi_setting_dependencies
};

static bool
mapi_settings_verify(void *_set, pool_t pool ATTR_UNUSED, const char **error_r)
{
	const struct mapi_settings *set = _set;

	if (*set->mapi_organization == '\0' ||
	    strchr(set->mapi_organization, '/') != NULL) {
		*error_r = "mapi_organization must be a name without '/'";
		return FALSE;
	}
	if (*set->mapi_companion_mailbox == '\0') {
		*error_r = "mapi_companion_mailbox must not be empty";
		return FALSE;
	}
	if (set->mapi_max_open_objects == 0) {
		*error_r = "mapi_max_open_objects must not be 0";
		return FALSE;
	}
	if (set->mapi_session_timeout == 0) {
		*error_r = "mapi_session_timeout must not be 0";
		return FALSE;
	}
	return TRUE;
}

#undef DEF
#define DEF(type, name) \
	SETTING_DEFINE_STRUCT_##type(#name, name, struct mapi_deferred_settings)

static const struct setting_define mapi_deferred_setting_defines[] = {
	DEF(STR, mapi_deferred_queue),

	SETTING_DEFINE_LIST_END
};

static const struct mapi_deferred_settings mapi_deferred_default_settings = {
	.mapi_deferred_queue = "/var/lib/dovecot/mapi/deferred",
};

const struct setting_parser_info mapi_deferred_setting_parser_info = {
	.module_name = "mapi-deferred",
	.defines = mapi_deferred_setting_defines,
	.defaults = &mapi_deferred_default_settings,

	.type_offset = SIZE_MAX,
	.struct_size = sizeof(struct mapi_deferred_settings),

	.parent_offset = SIZE_MAX,
};
