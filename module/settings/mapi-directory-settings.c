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
	DEF(TIME, mapi_directory_refresh_interval),
	DEF(STR, mapi_ldif_path),
	DEF(STR, mapi_ldap_uris),
	DEF(STR, mapi_ldap_base),
	DEF(STR, mapi_ldap_filter),
	DEF(BOOL, mapi_ldap_starttls),
	DEF(STR, mapi_ldap_ca_file),
	DEF(STR, mapi_ldap_cert_file),
	DEF(STR, mapi_ldap_key_file),
	DEF(STR, mapi_ldap_bind_dn),
	DEF(STR, mapi_ldap_bind_password),
	DEF(STR, mapi_ldap_sasl_mechanism),
	DEF(TIME, mapi_ldap_timeout),
	DEF(UINT, mapi_ldap_page_size),
	DEF(ENUM, mapi_ldap_write),

	SETTING_DEFINE_LIST_END
};

static const struct mapi_directory_settings mapi_directory_default_settings = {
	.mapi_organization = "Dovecot",
	.mapi_directory_source = ":ldap:ldif",
	.mapi_directory_cache = "/var/lib/dovecot/mapi-directory.snapshot",
	.mapi_directory_locales = "en",
	.mapi_directory_resolve_properties =
		"PidTagGivenName PidTagSurname PidTagOfficeLocation "
		"PidTagDepartmentName",
	.mapi_directory_preset = "inetorgperson:ad:freeipa",
	.mapi_directory_attributes = "",
	.mapi_directory_username_attribute = "",
	.mapi_directory_refresh_interval = 5 * 60,
	.mapi_ldif_path = "",
	.mapi_ldap_uris = "",
	.mapi_ldap_base = "",
	.mapi_ldap_filter = "",
	.mapi_ldap_starttls = FALSE,
	.mapi_ldap_ca_file = "",
	.mapi_ldap_cert_file = "",
	.mapi_ldap_key_file = "",
	.mapi_ldap_bind_dn = "",
	.mapi_ldap_bind_password = "",
	.mapi_ldap_sasl_mechanism = "",
	.mapi_ldap_timeout = 30,
	.mapi_ldap_page_size = 500,
	.mapi_ldap_write = "no:proxy",
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
	DEF(STR, mapi_external_url),
	DEF(TIME, mapi_session_timeout),

	SETTING_DEFINE_LIST_END
};

static const struct mapi_addressbook_settings
mapi_addressbook_default_settings = {
	.mapi_organization = "Dovecot",
	.mapi_directory_cache = "/var/lib/dovecot/mapi-directory.snapshot",
	.mapi_external_url = "",
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
