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
	/* "ldif", "ldap", or "" for none */
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

	/* source "ldap", ldap-connection.h and source-ldap.h */
	/* space separated */
	const char *mapi_ldap_uris;
	bool mapi_ldap_starttls;
	const char *mapi_ldap_base;
	/* "" = the preset's */
	const char *mapi_ldap_filter;
	const char *mapi_ldap_auth_dn;
	const char *mapi_ldap_auth_dn_password;
	/* "" = simple bind */
	const char *mapi_ldap_sasl_mechanism;
	const char *mapi_ldap_sasl_realm;
	const char *mapi_ldap_sasl_authz_id;
	/* paths, unlike ssl_client_cert */
	const char *mapi_ldap_cert_file;
	const char *mapi_ldap_key_file;
	/* [seconds] */
	unsigned int mapi_ldap_timeout;
	/* clients may change what the directory lets their users change */
	bool mapi_ldap_write;
	/* "auto", "sync" or "poll" */
	const char *mapi_ldap_follow;
	/* [seconds] */
	unsigned int mapi_ldap_refresh_interval;

	/* Dovecot's, for connections to other servers */
	const char *ssl_client_ca_file;
	const char *ssl_client_ca_dir;
	bool ssl_client_require_valid_cert;
};

/* mapi-addressbook, module "mapi-addressbook" */
struct mapi_addressbook_settings {
	const char *mapi_organization;
	const char *mapi_directory_cache;
	bool mapi_ldap_write;
	/* "https://mail.example.org": what clients reach mapi-login by; "" = as
	   the request says */
	const char *mapi_external_url;
	/* Autodiscover tells users of the mailboxes that the directory wants
	   opened beside their own */
	bool mapi_autodiscover_automapping;
	/* a session without any request for this long is expired [seconds] */
	unsigned int mapi_session_timeout;
};

extern const struct setting_parser_info mapi_directory_setting_parser_info;
extern const struct setting_parser_info mapi_addressbook_setting_parser_info;

#endif
