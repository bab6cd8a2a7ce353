/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "strfuncs.h"
#include "mapi-channel.h"
#include "autodiscover-private.h"

/* Errors are answers like others: their HTTP status is 200. What the body is said
   to be doesn't matter, clients don't agree on it; that it is a request does. */
static void
autodiscover_xml(const struct autodiscover_settings *set,
		 const struct snapshot *snapshot, const char *const *fields,
		 const unsigned char *body, size_t body_size,
		 struct autodiscover_response *resp_r)
{
	const char *username = mapi_channel_field(fields, "user");
	enum autodiscover_error error = AUTODISCOVER_OK;
	const char *redirect = NULL;
	struct autodiscover_pox pox;
	struct autodiscover_user user;

	if (username == NULL) {
		resp_r->status = 401;
		return;
	}
	/* some clients try with a GET, which has no body */
	if (autodiscover_pox_parse(body, body_size, &pox) < 0 ||
	    (pox.address == NULL && pox.legacy_dn == NULL))
		error = AUTODISCOVER_INVALID_REQUEST;
	else if (pox.schema != NULL &&
		 strcasecmp(pox.schema, AUTODISCOVER_OUTLOOK_SCHEMA) != 0)
		error = AUTODISCOVER_UNKNOWN_SCHEMA;
	else {
		error = autodiscover_find(set, snapshot, &pox, username,
					  &user, &redirect);
	}
	resp_r->content_type = "text/xml; charset=utf-8";
	if (error != AUTODISCOVER_OK)
		resp_r->body = autodiscover_xml_error(error);
	else if (redirect != NULL)
		resp_r->body = autodiscover_xml_redirect(redirect);
	else {
		resp_r->body = autodiscover_xml_settings(set, snapshot,
			mapi_channel_field(fields, "host"), &user);
	}
}

/* Without regard to case, with or without a slash at its end */
static bool path_is(const char *path, const char *name)
{
	size_t len = strlen(name);

	return strncasecmp(path, name, len) == 0 &&
		(path[len] == '\0' || strcmp(path + len, "/") == 0);
}

void autodiscover_handle(const struct autodiscover_settings *set,
			 struct snapshot *snapshot, const char *const *fields,
			 const unsigned char *body, size_t body_size,
			 struct autodiscover_response *resp_r)
{
	const char *path = mapi_channel_field(fields, "path");

	i_zero(resp_r);
	resp_r->status = 200;
	resp_r->content_type = "text/plain";
	resp_r->body = "";
	if (path == NULL)
		path = "";
	if (path_is(path, AUTODISCOVER_XML)) {
		autodiscover_xml(set, snapshot, fields, body, body_size,
				 resp_r);
	} else if (path_is(path, AUTODISCOVER_JSON) ||
		   strncasecmp(path, AUTODISCOVER_JSON"/",
			       strlen(AUTODISCOVER_JSON"/")) == 0) {
		/* .../autodiscover.json/v1.0/alice@example.org, too */
		autodiscover_json(set, fields, resp_r);
	} else {
		resp_r->status = 404;
	}
}
