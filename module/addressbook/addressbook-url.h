/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ADDRESSBOOK_URL_H
#define ADDRESSBOOK_URL_H

/* The URLs by which clients reach their mailbox and the address book,
   [MS-OXCMAPIHTTP] 3.1.1.1: Autodiscover tells them, GetMailboxUrl and
   GetAddressBookUrl do. */

enum addressbook_endpoint {
	ADDRESSBOOK_ENDPOINT_EMSMDB,
	ADDRESSBOOK_ENDPOINT_NSPI,
};

/* Who the URL is for, and where clients reach us */
struct addressbook_url_params {
	/* setting mapi_external_url: "https://mail.example.org", "" if unset */
	const char *external_url;
	/* otherwise: host (and port) as the client has asked for it; NULL, "" or
	   what can't be one = this machine's name */
	const char *host;
	/* the user's name in Dovecot */
	const char *username;
	/* [DIRECTORY_ID_SIZE] of its object; NULL = made of the username */
	const unsigned char *id;
};

/* "https://mail.example.org/mapi/emsmdb/?MailboxId=<guid>@example.org". The
   MailboxId only makes users' URLs different, as clients expect them to be;
   who asks is known by authentication. On the data stack. */
const char *addressbook_url(const struct addressbook_url_params *params,
			    enum addressbook_endpoint endpoint);
/* "<guid>@example.org" of it */
const char *addressbook_mailbox_id(const struct addressbook_url_params *params);
/* "https://mail.example.org" of it, without a slash at the end */
const char *addressbook_url_base(const struct addressbook_url_params *params);

#endif
