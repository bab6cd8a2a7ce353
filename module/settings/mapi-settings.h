/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_SETTINGS_H
#define MAPI_SETTINGS_H

/* Settings of dovecot-mapi. They are compiled into the executables, which ask
   the config process for them, and into libmapi_settings.so, from which the
   config process knows them (modules/settings in Dovecot's library folder).
   What each means for the administrator is in module/conf/20-mapi.conf. */

struct setting_parser_info;

/* mapi-login, module "mapi-login"; [seconds], [bytes] */
struct mapi_login_settings {
	const char *mapi_http_realm;
	/* "https://mail.example.org" as clients reach us; "" = as they ask */
	const char *mapi_external_url;
	/* Code pages in which to try a password that didn't work as it was
	   sent, space separated iconv names */
	const char *mapi_auth_charsets;
	/* A session without any request for this long is expired. */
	unsigned int mapi_session_timeout;
	/* How often a long request says that it is still being worked on
	   (X-PendingPeriod) */
	unsigned int mapi_pending_period;
	/* Largest body of a request */
	uoff_t mapi_max_request_size;

	/* Dovecot's own settings, which apply as to its other login processes */
	const char *ssl;
	const char *login_trusted_networks;
	bool disable_plaintext_auth;
	/* sessions that a user may have from an address */
	unsigned int mail_max_userip_connections;
};

/* mapi, module "mapi" */
struct mapi_settings {
	bool verbose_proctitle;
	/* organisation in the legacyExchangeDNs that we make up */
	const char *mapi_organization;
	/* reserved parent mailbox of the companion tree */
	const char *mapi_companion_mailbox;
	/* the user's display name; "" = part of the username before @ */
	const char *mapi_display_name;
	/* the user's SMTP address */
	const char *mapi_email_address;
	/* addresses that the user may send as, or on behalf of */
	const char *mapi_send_as;
	const char *mapi_send_on_behalf;
	/* "sender", "yes", "no" */
	const char *mapi_read_receipts;
	/* users may log on to others' mailboxes as far as ACLs let them */
	bool mapi_shared_mailboxes;
	/* objects that a session may have open at a time */
	unsigned int mapi_max_open_objects;
	/* [seconds] */
	unsigned int mapi_session_timeout;
	/* how long a NotificationWait is held [seconds] */
	unsigned int mapi_notification_wait;
	/* how long deleted messages can be recovered; 0: not at all [seconds] */
	unsigned int mapi_deleted_retention;
};

/* mapi-deferred, module "mapi-deferred" */
struct mapi_deferred_settings {
	/* file that says when users' mail is to be sent; "": none is held */
	const char *mapi_deferred_queue;
};

extern const struct setting_parser_info mapi_deferred_setting_parser_info;
extern const struct setting_parser_info mapi_login_setting_parser_info;
extern const struct setting_parser_info mapi_setting_parser_info;

#endif
