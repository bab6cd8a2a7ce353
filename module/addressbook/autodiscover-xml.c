/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "sha1.h"
#include "str.h"
#include "strfuncs.h"
#include "time-util.h"
#include "unichar.h"
#include "mapi-wire.h"
#include "snapshot.h"
#include "addressbook-url.h"
#include "autodiscover-private.h"

#include <talloc.h>

#define XML_BEGIN \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" \
	"<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/" \
	"autodiscover/responseschema/2006\">\n"
#define XML_RESPONSE \
	XML_BEGIN "<Response xmlns=\"" AUTODISCOVER_OUTLOOK_SCHEMA "\">\n"
#define XML_END "</Response>\n</Autodiscover>\n"

/* What XML 1.0 (2.2) has no way to write, even escaped */
static bool xml_can_have(unichar_t chr)
{
	return chr >= 0x20 && chr != 0x7f && chr != 0xfffe && chr != 0xffff;
}

static void xml_escape(string_t *dest, const char *str)
{
	const unsigned char *p = (const unsigned char *)str;
	unichar_t chr;
	int len;

	for (; *p != '\0'; p += len) {
		len = uni_utf8_get_char((const char *)p, &chr);
		if (len <= 0) {
			/* the snapshot has only what is valid, the request
			   needn't */
			len = 1;
			str_append(dest, UNICODE_REPLACEMENT_CHAR_UTF8);
			continue;
		}
		switch (chr) {
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
			if (xml_can_have(chr))
				str_append_data(dest, p, len);
		}
	}
}

static void xml_element(string_t *dest, const char *name, const char *value)
{
	str_printfa(dest, "<%s>", name);
	xml_escape(dest, value);
	str_printfa(dest, "</%s>\n", name);
}

static const char *error_message(enum autodiscover_error code)
{
	switch (code) {
	case AUTODISCOVER_OK:
		break;
	case AUTODISCOVER_UNKNOWN_USER:
		return "The email address can't be found.";
	case AUTODISCOVER_NO_MAILBOX:
		return "There's no mailbox at this email address.";
	case AUTODISCOVER_INVALID_REQUEST:
		return "Invalid Request";
	case AUTODISCOVER_UNKNOWN_SCHEMA:
		return "Provider is not available";
	case AUTODISCOVER_BAD_CONFIGURATION:
		return "The directory forwards this email address to itself.";
	}
	i_unreached();
}

/* [MS-OXDSCLI] 2.2.4.1.1.3 */
const char *autodiscover_xml_error(enum autodiscover_error code)
{
	string_t *str = t_str_new(512);

	str_append(str, XML_BEGIN "<Response>\n");
	str_printfa(str, "<Error Time=\"%s.%06u0\" Id=\"%u\">\n",
		    t_strflocaltime("%H:%M:%S", ioloop_time),
		    (unsigned int)ioloop_timeval.tv_usec,
		    (unsigned int)ioloop_time);
	str_printfa(str, "<ErrorCode>%d</ErrorCode>\n", code);
	xml_element(str, "Message", error_message(code));
	str_append(str, "<DebugData />\n</Error>\n" XML_END);
	return str_c(str);
}

/* 2.2.4.1.1.2.8, example in 4.2 */
const char *autodiscover_xml_redirect(const char *address)
{
	string_t *str = t_str_new(512);

	str_append(str, XML_RESPONSE "<Account>\n"
		   "<Action>redirectAddr</Action>\n");
	xml_element(str, "RedirectAddr", address);
	str_append(str, "</Account>\n" XML_END);
	return str_c(str);
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

/* 2.2.4.1.1.2.6. A server has mapiHttp for clients that announce it by
   X-MapiHttpCapability (2.2.2.1), with a version no higher than theirs, and
   EXCH and EXPR for the others. There is one version of it, and EXCH and EXPR
   are RPC, which isn't here; so the header has nothing to choose from. A client
   that doesn't know mapiHttp ignores the element and has found no protocol,
   which is true; one that does and hasn't said so can go on. */
static void
xml_protocol(string_t *str, const struct autodiscover_settings *set,
	     const char *host, const struct autodiscover_user *user)
{
	struct addressbook_url_params params;
	const char *url;

	i_zero(&params);
	params.external_url = set->external_url;
	params.host = host;
	params.username = user->username;
	params.id = user->id;

	str_append(str, "<Protocol Type=\"mapiHttp\" Version=\"1\">\n"
		   "<MailStore>\n");
	url = addressbook_url(&params, ADDRESSBOOK_ENDPOINT_EMSMDB);
	xml_element(str, "InternalUrl", url);
	xml_element(str, "ExternalUrl", url);
	str_append(str, "</MailStore>\n<AddressBook>\n");
	url = addressbook_url(&params, ADDRESSBOOK_ENDPOINT_NSPI);
	xml_element(str, "InternalUrl", url);
	xml_element(str, "ExternalUrl", url);
	str_append(str, "</AddressBook>\n</Protocol>\n");
}

/* 2.2.4.1.1.2.5. Clients open these by themselves, so only who asks for his own
   mailbox is told of them: otherwise whoever has a mailbox opened would get all
   that its owner has, too. */
static void
xml_alternatives(string_t *str, const struct snapshot *snapshot,
		 const struct autodiscover_user *user)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct snapshot_object object;
	const uint32_t *mids;
	unsigned int count = 0;

	if (snapshot_get(snapshot, user->mid, &object)) {
		count = snapshot_object_backlinks(&object,
			DIRECTORY_LINK_AUTOMAPPING, mem, &mids);
	}
	for (unsigned int i = 0; i < count; i++) {
		/* by its address the client will ask for it here */
		if (mids[i] == user->mid ||
		    !snapshot_get(snapshot, mids[i], &object) ||
		    object.username == NULL || object.address == NULL)
			continue;
		str_append(str, "<AlternativeMailbox>\n"
			   "<Type>Delegate</Type>\n");
		xml_element(str, "DisplayName", object.display_name);
		xml_element(str, "SmtpAddress", object.address);
		xml_element(str, "OwnerSmtpAddress", object.address);
		str_append(str, "</AlternativeMailbox>\n");
	}
	talloc_free(mem);
}

const char *
autodiscover_xml_settings(const struct autodiscover_settings *set,
			  const struct snapshot *snapshot, const char *host,
			  const struct autodiscover_user *user)
{
	string_t *str = t_str_new(2048);

	str_append(str, XML_RESPONSE "<User>\n");
	xml_element(str, "DisplayName", user->display_name);
	xml_element(str, "LegacyDN", user->legacy_dn);
	xml_element(str, "AutoDiscoverSMTPAddress", user->address);
	xml_element(str, "DeploymentId", deployment_id(set));
	str_append(str, "</User>\n<Account>\n"
		   "<AccountType>email</AccountType>\n"
		   "<Action>settings</Action>\n"
		   "<MicrosoftOnline>False</MicrosoftOnline>\n"
		   "<ConsumerMailbox>False</ConsumerMailbox>\n");
	xml_protocol(str, set, host, user);
	if (set->automapping && user->self && user->mid != 0)
		xml_alternatives(str, snapshot, user);
	str_append(str, "</Account>\n" XML_END);
	return str_c(str);
}
