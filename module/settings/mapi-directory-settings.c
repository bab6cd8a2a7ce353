/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "settings-parser.h"
#include "mapi-directory-settings.h"

#include <stddef.h>

#undef DEF
#define DEF(type, name) \
	SETTING_DEFINE_STRUCT_##type(#name, name, \
				     struct mapi_directory_settings)

static const struct setting_define mapi_directory_setting_defines[] = {
	DEF(STR, mapi_organization),
	DEF(ENUM, mapi_directory_source),
	DEF(STR, mapi_directory_cache),
	DEF(STR, mapi_directory_locales),
	DEF(STR, mapi_directory_resolve_properties),
	DEF(ENUM, mapi_directory_preset),
	DEF(STR, mapi_directory_attributes),
	DEF(STR, mapi_directory_username_attribute),
	DEF(STR, mapi_ldif_path),
	DEF(STR, mapi_ldap_uris),
	DEF(BOOL, mapi_ldap_starttls),
	DEF(STR, mapi_ldap_base),
	DEF(STR, mapi_ldap_filter),
	DEF(STR, mapi_ldap_auth_dn),
	DEF(STR, mapi_ldap_auth_dn_password),
	DEF(STR, mapi_ldap_sasl_mechanism),
	DEF(STR, mapi_ldap_sasl_realm),
	DEF(STR, mapi_ldap_sasl_authz_id),
	DEF(STR, mapi_ldap_cert_file),
	DEF(STR, mapi_ldap_key_file),
	DEF(TIME, mapi_ldap_timeout),
	DEF(BOOL, mapi_ldap_write),
	DEF(ENUM, mapi_ldap_follow),
	DEF(TIME, mapi_ldap_refresh_interval),
	DEF(STR, ssl_client_ca_file),
	DEF(STR, ssl_client_ca_dir),
	DEF(BOOL, ssl_client_require_valid_cert),

	SETTING_DEFINE_LIST_END
};

static const struct mapi_directory_settings mapi_directory_default_settings = {
	.mapi_organization = "Dovecot",
	.mapi_directory_source = ":ldif:ldap",
	.mapi_directory_cache = "/var/lib/dovecot/mapi/directory.snapshot",
	.mapi_directory_locales = "en",
	.mapi_directory_resolve_properties =
		"PidTagGivenName PidTagSurname PidTagOfficeLocation "
		"PidTagDepartmentName",
	.mapi_directory_preset = "inetorgperson:ad:freeipa",
	.mapi_directory_attributes = "",
	.mapi_directory_username_attribute = "",
	.mapi_ldif_path = "",
	.mapi_ldap_uris = "",
	.mapi_ldap_starttls = TRUE,
	.mapi_ldap_base = "",
	.mapi_ldap_filter = "",
	.mapi_ldap_auth_dn = "",
	.mapi_ldap_auth_dn_password = "",
	.mapi_ldap_sasl_mechanism = "",
	.mapi_ldap_sasl_realm = "",
	.mapi_ldap_sasl_authz_id = "",
	.mapi_ldap_cert_file = "",
	.mapi_ldap_key_file = "",
	.mapi_ldap_timeout = 10,
	.mapi_ldap_write = FALSE,
	.mapi_ldap_follow = "auto:sync:poll",
	.mapi_ldap_refresh_interval = 10 * 60,
	.ssl_client_ca_file = "",
	.ssl_client_ca_dir = "",
	.ssl_client_require_valid_cert = TRUE,
};

const struct setting_parser_info mapi_directory_setting_parser_info = {
	.module_name = "mapi-directory",
	.defines = mapi_directory_setting_defines,
	.defaults = &mapi_directory_default_settings,

	.type_offset = SIZE_MAX,
	.struct_size = sizeof(struct mapi_directory_settings),

	.parent_offset = SIZE_MAX,
};

#undef DEF
#define DEF(type, name) \
	SETTING_DEFINE_STRUCT_##type(#name, name, \
				     struct mapi_addressbook_settings)

static const struct setting_define mapi_addressbook_setting_defines[] = {
	DEF(STR, mapi_organization),
	DEF(STR, mapi_directory_cache),
	DEF(BOOL, mapi_ldap_write),
	DEF(STR, mapi_external_url),
	DEF(BOOL, mapi_autodiscover_automapping),
	DEF(TIME, mapi_session_timeout),

	SETTING_DEFINE_LIST_END
};

static const struct mapi_addressbook_settings
mapi_addressbook_default_settings = {
	.mapi_organization = "Dovecot",
	.mapi_directory_cache = "/var/lib/dovecot/mapi/directory.snapshot",
	.mapi_ldap_write = FALSE,
	.mapi_external_url = "",
	/* what is announced is opened, and that isn't possible yet */
	.mapi_autodiscover_automapping = FALSE,
	.mapi_session_timeout = 15 * 60,
};

const struct setting_parser_info mapi_addressbook_setting_parser_info = {
	.module_name = "mapi-addressbook",
	.defines = mapi_addressbook_setting_defines,
	.defaults = &mapi_addressbook_default_settings,

	.type_offset = SIZE_MAX,
	.struct_size = sizeof(struct mapi_addressbook_settings),

	.parent_offset = SIZE_MAX,
};
