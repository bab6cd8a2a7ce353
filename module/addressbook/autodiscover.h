/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef AUTODISCOVER_H
#define AUTODISCOVER_H

/* Autodiscover: tells clients that have an address and a password where the
   mailbox is. The XML form ("POX", [MS-OXDSCLI]) is for users who have logged
   in; the JSON form ("v2") tells where the XML form is. */

struct snapshot;

struct autodiscover_settings {
	/* setting mapi_external_url, "" if unset */
	const char *external_url;
	const char *organization;
	/* tell users of the mailboxes that they get opened beside their own */
	bool automapping;
};

struct autodiscover_response {
	/* of HTTP */
	unsigned int status;
	const char *content_type;
	/* UTF-8 */
	const char *body;
};

/* Answers a request that mapi-login has sent on (MAPI_FRAME_SERVICE): fields
   are path, query, user (absent if nobody has logged in), host. snapshot may be
   NULL. The response is on the data stack. */
void autodiscover_handle(const struct autodiscover_settings *set,
			 struct snapshot *snapshot, const char *const *fields,
			 const unsigned char *body, size_t body_size,
			 struct autodiscover_response *resp_r);

/* What a POX request asks for; NULL what it doesn't say */
struct autodiscover_pox {
	const char *address, *legacy_dn, *schema;
};
/* Returns 0 and strings on the data stack, -1 if it isn't a request. Documents
   with a DTD, too deep or too large ones aren't. */
int autodiscover_pox_parse(const unsigned char *body, size_t size,
			   struct autodiscover_pox *pox_r);

#endif
