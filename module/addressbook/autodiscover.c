/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "json-parser.h"
#include "sha1.h"
#include "str.h"
#include "strfuncs.h"
#include "time-util.h"
#include "mapi-channel.h"
#include "mapi-legacy-dn.h"
#include "mapi-wire.h"
#include "snapshot.h"
#include "addressbook-url.h"
#include "autodiscover.h"

#include <time.h>

#define AUTODISCOVER_XML "/autodiscover/autodiscover.xml"
#define AUTODISCOVER_JSON "/autodiscover/autodiscover.json"

#define AUTODISCOVER_RESPONSE_SCHEMA \
	"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
#define AUTODISCOVER_OUTLOOK_SCHEMA \
	"http://schemas.microsoft.com/exchange/autodiscover/outlook/" \
	"responseschema/2006a"

/* [MS-OXDSCLI] 2.2.4.1.1.2.2 */
enum autodiscover_error {
	AUTODISCOVER_UNKNOWN_USER	= 500,
	AUTODISCOVER_INVALID_REQUEST	= 600,
	AUTODISCOVER_UNKNOWN_SCHEMA	= 601,
};

/* Whose mailbox is asked for */
struct autodiscover_user {
	const char *username, *address, *display_name, *legacy_dn;
	/* NULL if the directory doesn't know it */
	const unsigned char *id;
};

static void xml_escape(string_t *dest, const char *str)
{
	for (; *str != '\0'; str++) {
		switch (*str) {
		case '&':
			str_append(dest, "&amp;");
			break;
		case '<':
			str_append(dest, "&lt;");
			break;
		case '>':
			str_append(dest, "&gt;");
			break;
		case '"':
			str_append(dest, "&quot;");
			break;
		default:
			/* control characters can't be in XML at all */
			if ((unsigned char)*str >= 0x20)
				str_append_c(dest, *str);
		}
	}
}

static void xml_element(string_t *dest, const char *name, const char *value)
{
	str_printfa(dest, "<%s>", name);
	xml_escape(dest, value);
	str_printfa(dest, "</%s>\n", name);
}

/* --- XML ------------------------------------------------------------------------- */

/* Errors are answers like others: their HTTP status is 200. */
static void
pox_error(enum autodiscover_error code, const char *message,
	  struct autodiscover_response *resp_r)
{
	string_t *str = t_str_new(512);

	str_append(str, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		   "<Autodiscover xmlns=\""AUTODISCOVER_RESPONSE_SCHEMA"\">\n"
		   "<Response>\n");
	str_printfa(str, "<Error Time=\"%s.%06u0\" Id=\"%u\">\n",
		    t_strflocaltime("%H:%M:%S", ioloop_time),
		    (unsigned int)ioloop_timeval.tv_usec,
		    (unsigned int)ioloop_time);
	str_printfa(str, "<ErrorCode>%d</ErrorCode>\n", code);
	xml_element(str, "Message", message);
	str_append(str, "<DebugData />\n</Error>\n</Response>\n"
		   "</Autodiscover>\n");
	resp_r->body = str_c(str);
}

/* The directory's object with this MId as a user, if it has a mailbox here */
static bool
user_from_object(const struct snapshot *snapshot, uint32_t mid,
		 struct autodiscover_user *user_r)
{
	struct snapshot_object object;

	if (mid == 0 || !snapshot_get(snapshot, mid, &object) ||
	    object.username == NULL)
		return FALSE;
	user_r->username = object.username;
	user_r->address = object.address != NULL ? object.address :
		object.username;
	user_r->display_name = object.display_name;
	user_r->legacy_dn = object.legacy_dn;
	user_r->id = object.id;
	return TRUE;
}

/* A user whom the directory doesn't know */
static void
user_make(const struct autodiscover_settings *set, const char *username,
	  struct autodiscover_user *user_r)
{
	char *prefix = mapi_legacy_dn_prefix(NULL, set->organization);

	user_r->username = user_r->address = username;
	user_r->display_name = t_strcut(username, '@');
	user_r->legacy_dn = t_strconcat(prefix, username, NULL);
	user_r->id = NULL;
	talloc_free(prefix);
}

/* Outlook asks about its user's own mailbox and, with the user's own
   credentials, about others that are opened beside it. Which of those may be
   opened is seen when it's tried; that they are here is in the address book. */
static bool
user_find(const struct autodiscover_settings *set,
	  const struct snapshot *snapshot, const struct autodiscover_pox *pox,
	  const char *username, struct autodiscover_user *user_r)
{
	uint32_t mid = 0;
	struct autodiscover_user self;

	if (snapshot != NULL) {
		mid = pox->legacy_dn != NULL ?
			snapshot_find_legacy_dn(snapshot, pox->legacy_dn) :
			snapshot_find_address(snapshot, pox->address);
		if (user_from_object(snapshot, mid, user_r))
			return TRUE;
	}
	user_make(set, username, &self);
	if (pox->legacy_dn != NULL ?
	    strcasecmp(pox->legacy_dn, self.legacy_dn) != 0 :
	    strcasecmp(pox->address, username) != 0)
		return FALSE;
	if (snapshot == NULL ||
	    !user_from_object(snapshot,
			      snapshot_find_username(snapshot, username),
			      user_r))
		*user_r = self;
	return TRUE;
}

/* The same for the whole installation, since the organisation is */
static const char *deployment_id(const struct autodiscover_settings *set)
{
	unsigned char digest[SHA1_RESULTLEN];
	struct mapi_guid guid;
	char *buf = t_malloc0(MAPI_GUID_STRING_SIZE);

	sha1_get_digest(set->organization, strlen(set->organization), digest);
	memcpy(guid.bytes, digest, sizeof(guid.bytes));
	return mapi_guid_format(&guid, buf);
}

/* [MS-OXDSCLI] 2.2.4.1.1.2.6. There's no RPC here, so the only protocol is
   mapiHttp, whether or not the client has said that it knows it. */
static void
pox_settings(const struct autodiscover_settings *set, const char *host,
	     const struct autodiscover_user *user,
	     struct autodiscover_response *resp_r)
{
	struct addressbook_url_params params;
	string_t *str = t_str_new(2048);
	const char *url;

	i_zero(&params);
	params.external_url = set->external_url;
	params.host = host;
	params.username = user->username;
	params.id = user->id;

	str_append(str, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		   "<Autodiscover xmlns=\""AUTODISCOVER_RESPONSE_SCHEMA"\">\n"
		   "<Response xmlns=\""AUTODISCOVER_OUTLOOK_SCHEMA"\">\n"
		   "<User>\n");
	xml_element(str, "DisplayName", user->display_name);
	xml_element(str, "LegacyDN", user->legacy_dn);
	xml_element(str, "AutoDiscoverSMTPAddress", user->address);
	xml_element(str, "DeploymentId", deployment_id(set));
	str_append(str, "</User>\n<Account>\n"
		   "<AccountType>email</AccountType>\n"
		   "<Action>settings</Action>\n"
		   "<MicrosoftOnline>False</MicrosoftOnline>\n"
		   "<ConsumerMailbox>False</ConsumerMailbox>\n"
		   "<Protocol Type=\"mapiHttp\" Version=\"1\">\n<MailStore>\n");
	url = addressbook_url(&params, ADDRESSBOOK_ENDPOINT_EMSMDB);
	xml_element(str, "InternalUrl", url);
	xml_element(str, "ExternalUrl", url);
	str_append(str, "</MailStore>\n<AddressBook>\n");
	url = addressbook_url(&params, ADDRESSBOOK_ENDPOINT_NSPI);
	xml_element(str, "InternalUrl", url);
	xml_element(str, "ExternalUrl", url);
	str_append(str, "</AddressBook>\n</Protocol>\n</Account>\n"
		   "</Response>\n</Autodiscover>\n");
	resp_r->body = str_c(str);
}

static void
autodiscover_pox(const struct autodiscover_settings *set,
		 const struct snapshot *snapshot, const char *const *fields,
		 const unsigned char *body, size_t body_size,
		 struct autodiscover_response *resp_r)
{
	const char *username = mapi_channel_field(fields, "user");
	struct autodiscover_pox pox;
	struct autodiscover_user user;

	if (username == NULL) {
		resp_r->status = 401;
		return;
	}
	resp_r->content_type = "text/xml; charset=utf-8";
	/* some clients try with a GET, which has no body */
	if (autodiscover_pox_parse(body, body_size, &pox) < 0 ||
	    (pox.address == NULL && pox.legacy_dn == NULL)) {
		pox_error(AUTODISCOVER_INVALID_REQUEST, "Invalid Request",
			  resp_r);
	} else if (pox.schema != NULL &&
		   strcasecmp(pox.schema, AUTODISCOVER_OUTLOOK_SCHEMA) != 0) {
		pox_error(AUTODISCOVER_UNKNOWN_SCHEMA,
			  "Provider is not available", resp_r);
	} else if (!user_find(set, snapshot, &pox, username, &user)) {
		pox_error(AUTODISCOVER_UNKNOWN_USER,
			  "The email address can't be found.", resp_r);
	} else {
		pox_settings(set, mapi_channel_field(fields, "host"), &user,
			     resp_r);
	}
}

/* --- JSON ------------------------------------------------------------------------ */

static const char *query_param(const char *query, const char *name)
{
	const char *const *part = t_strsplit(query, "&");
	size_t len = strlen(name);

	for (; *part != NULL; part++) {
		if (strncasecmp(*part, name, len) == 0 && (*part)[len] == '=')
			return *part + len + 1;
	}
	return NULL;
}

static void
json_object(const char *name1, const char *value1, const char *name2,
	    const char *value2, struct autodiscover_response *resp_r)
{
	string_t *str = t_str_new(256);

	str_printfa(str, "{\"%s\":\"", name1);
	json_append_escaped(str, value1);
	str_printfa(str, "\",\"%s\":\"", name2);
	json_append_escaped(str, value2);
	str_append(str, "\"}");
	resp_r->content_type = "application/json; charset=utf-8";
	resp_r->body = str_c(str);
}

static void
autodiscover_json(const struct autodiscover_settings *set,
		  const char *const *fields,
		  struct autodiscover_response *resp_r)
{
	const char *query = mapi_channel_field(fields, "query");
	const char *protocol = query_param(query == NULL ? "" : query,
					   "Protocol");
	struct addressbook_url_params params;

	if (protocol == NULL || *protocol == '\0') {
		resp_r->status = 400;
		json_object("ErrorCode", "MandatoryParameterMissing",
			    "ErrorMessage", "A valid value must be provided "
			    "for the query parameter 'Protocol'.", resp_r);
	} else if (strcasecmp(protocol, "AutodiscoverV1") != 0) {
		resp_r->status = 400;
		json_object("ErrorCode", "ProtocolNotSupported",
			    "ErrorMessage", "The given protocol value is "
			    "invalid. Supported values are: 'AutodiscoverV1'.",
			    resp_r);
	} else {
		i_zero(&params);
		params.external_url = set->external_url;
		params.host = mapi_channel_field(fields, "host");
		params.username = "";
		json_object("Protocol", "AutodiscoverV1", "Url",
			    t_strconcat(addressbook_url_base(&params),
					AUTODISCOVER_XML, NULL), resp_r);
	}
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
	if (path != NULL && strcasecmp(path, AUTODISCOVER_XML) == 0) {
		autodiscover_pox(set, snapshot, fields, body, body_size,
				 resp_r);
	} else if (path != NULL &&
		   strncasecmp(path, AUTODISCOVER_JSON,
			       strlen(AUTODISCOVER_JSON)) == 0) {
		autodiscover_json(set, fields, resp_r);
	} else {
		resp_r->status = 404;
	}
}
