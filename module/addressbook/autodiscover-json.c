/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "json-parser.h"
#include "str.h"
#include "strfuncs.h"
#include "mapi-channel.h"
#include "addressbook-url.h"
#include "autodiscover-private.h"

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

/* Nobody has logged in here. So the address that is asked for isn't looked at:
   the answer would tell anybody who there is. Who has to ask elsewhere learns it
   from the XML form, to which all are sent. */
void autodiscover_json(const struct autodiscover_settings *set,
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
