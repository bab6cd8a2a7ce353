/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef AUTODISCOVER_PRIVATE_H
#define AUTODISCOVER_PRIVATE_H

#include "autodiscover.h"

#define AUTODISCOVER_XML "/autodiscover/autodiscover.xml"
#define AUTODISCOVER_JSON "/autodiscover/autodiscover.json"

#define AUTODISCOVER_OUTLOOK_SCHEMA \
	"http://schemas.microsoft.com/exchange/autodiscover/outlook/" \
	"responseschema/2006a"

/* [MS-OXDSCLI] 2.2.4.1.1.3.2 */
enum autodiscover_error {
	AUTODISCOVER_OK			= 0,
	/* nobody knows the address */
	AUTODISCOVER_UNKNOWN_USER	= 500,
	/* a group, a contact: there's no mailbox to be told of */
	AUTODISCOVER_NO_MAILBOX		= 501,
	AUTODISCOVER_INVALID_REQUEST	= 600,
	AUTODISCOVER_UNKNOWN_SCHEMA	= 601,
	/* target addresses that lead back to where they began */
	AUTODISCOVER_BAD_CONFIGURATION	= 602,
};

/* A mailbox as the directory knows it, or as it's made for somebody whom it
   doesn't know. Lives as long as the snapshot and the data stack frame. */
struct autodiscover_user {
	const char *username, *address, *display_name, *legacy_dn;
	/* NULL if the directory doesn't know it */
	const unsigned char *id;
	/* of the directory's object, 0 if there's none */
	uint32_t mid;
	/* who asks asks for himself */
	bool self;
};

/* Whose mailbox is asked for. username is who asks. Returns AUTODISCOVER_OK and
   either a mailbox, or the address in *redirect_r by which to ask again; else
   UNKNOWN_USER, NO_MAILBOX or BAD_CONFIGURATION. */
enum autodiscover_error
autodiscover_find(const struct autodiscover_settings *set,
		  const struct snapshot *snapshot,
		  const struct autodiscover_pox *pox, const char *username,
		  struct autodiscover_user *user_r, const char **redirect_r);

/* Answers of the XML form, on the data stack */
const char *autodiscover_xml_error(enum autodiscover_error code);
const char *autodiscover_xml_redirect(const char *address);
const char *
autodiscover_xml_settings(const struct autodiscover_settings *set,
			  const struct snapshot *snapshot, const char *host,
			  const struct autodiscover_user *user);

/* The JSON form: fields are the request's. */
void autodiscover_json(const struct autodiscover_settings *set,
		       const char *const *fields,
		       struct autodiscover_response *resp_r);

#endif
