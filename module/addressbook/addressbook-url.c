/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "sha1.h"
#include "hostpid.h"
#include "http-url.h"
#include "mapi-wire.h"
#include "directory-object.h"
#include "addressbook-url.h"

/* The Host header is the client's: what can't be a host and a port isn't given
   back to it. */
static bool addressbook_url_host_is_valid(const char *host)
{
	if (host == NULL || *host == '\0')
		return FALSE;
	for (; *host != '\0'; host++) {
		if (!i_isalnum(*host) && strchr("-._:[]", *host) == NULL)
			return FALSE;
	}
	return TRUE;
}

const char *addressbook_url_base(const struct addressbook_url_params *params)
{
	const char *url = params->external_url;
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	if (len > 0)
		return t_strndup(url, len);
	if (addressbook_url_host_is_valid(params->host))
		return t_strconcat("https://", params->host, NULL);
	return t_strconcat("https://", my_hostname, NULL);
}

/* The host of a base URL, without a port */
static const char *addressbook_url_host(const char *base)
{
	const char *p = strstr(base, "://");

	p = p == NULL ? base : p + 3;
	if (*p == '[')
		return t_strcut(p + 1, ']');
	return t_strndup(p, strcspn(p, ":/"));
}

const char *addressbook_mailbox_id(const struct addressbook_url_params *params)
{
	unsigned char digest[SHA1_RESULTLEN];
	char guid_str[MAPI_GUID_STRING_SIZE];
	struct mapi_guid guid;
	const char *domain;
	string_t *str = t_str_new(80);

	if (params->id != NULL) {
		memcpy(guid.bytes, params->id, sizeof(guid.bytes));
	} else {
		sha1_get_digest(params->username, strlen(params->username),
				digest);
		memcpy(guid.bytes, digest, sizeof(guid.bytes));
	}
	domain = strrchr(params->username, '@');
	if (domain != NULL && domain[1] != '\0')
		domain++;
	else
		domain = addressbook_url_host(addressbook_url_base(params));
	str_append(str, mapi_guid_format(&guid, guid_str));
	str_append_c(str, '@');
	/* usernames may have any characters */
	http_url_escape_param(str, domain);
	return str_c(str);
}

const char *addressbook_url(const struct addressbook_url_params *params,
			    enum addressbook_endpoint endpoint)
{
	return t_strdup_printf("%s/mapi/%s/?MailboxId=%s",
			       addressbook_url_base(params),
			       endpoint == ADDRESSBOOK_ENDPOINT_EMSMDB ?
			       "emsmdb" : "nspi",
			       addressbook_mailbox_id(params));
}
