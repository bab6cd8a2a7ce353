/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_DIRECTORY_SETTINGS_H
#define MAPI_DIRECTORY_SETTINGS_H

/* Settings of the address book: mapi-directory, which reads the directory, and
   mapi-addressbook, which answers from what that has read. As with
   mapi-settings.h, what each means for the administrator is in
   module/conf/20-mapi.conf. */

struct setting_parser_info;

/* mapi-directory, module "mapi-directory" */
struct mapi_directory_settings {
	/* organisation in the legacyExchangeDNs that we make up */
	const char *mapi_organization;
	/* "ldif", or "" for none */
	const char *mapi_directory_source;
	/* file with the snapshot, which is also what a restart begins with */
	const char *mapi_directory_cache;
	/* space separated BCP 47 locales to sort names for */
	const char *mapi_directory_locales;
	/* space separated names of properties by which names are resolved
	   besides display name, addresses and username */
	const char *mapi_directory_resolve_properties;
	/* "inetorgperson", "ad" or "freeipa"; directory-map.h has the others */
	const char *mapi_directory_preset;
	const char *mapi_directory_attributes;
	const char *mapi_directory_username_attribute;

	/* source "ldif" */
	const char *mapi_ldif_path;
};

/* mapi-addressbook, module "mapi-addressbook" */
struct mapi_addressbook_settings {
	const char *mapi_organization;
	const char *mapi_directory_cache;
	/* "https://mail.example.org": what clients reach mapi-login by; "" = as
	   the request says */
	const char *mapi_external_url;
	/* a session without any request for this long is expired [seconds] */
	unsigned int mapi_session_timeout;
};

extern const struct setting_parser_info mapi_directory_setting_parser_info;
extern const struct setting_parser_info mapi_addressbook_setting_parser_info;

#endif
