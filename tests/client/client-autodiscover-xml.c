/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-autodiscover.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REQUEST_SCHEMA \
	"http://schemas.microsoft.com/exchange/autodiscover/outlook/" \
	"requestschema/2006"
#define RESPONSE_SCHEMA \
	"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
#define OUTLOOK_SCHEMA \
	"http://schemas.microsoft.com/exchange/autodiscover/outlook/" \
	"responseschema/2006a"

#define XML_MAX_DEPTH 16
#define XML_MAX_PATH 512
#define XML_MAX_TEXT 4096
#define XML_MAX_PROTOCOLS 32
#define XML_MAX_MAILBOXES 1000

/* --- the request ----------------------------------------------------------*/
static char *xml_escape(TALLOC_CTX *mem, const char *str)
{
	char *out = talloc_strdup(mem, "");

	for (; *str != '\0'; str++) {
		switch (*str) {
		case '&':
			out = talloc_strdup_append_buffer(out, "&amp;");
			break;
		case '<':
			out = talloc_strdup_append_buffer(out, "&lt;");
			break;
		case '>':
			out = talloc_strdup_append_buffer(out, "&gt;");
			break;
		default:
			out = talloc_strndup_append_buffer(out, str, 1);
		}
	}
	return out;
}

/* [MS-OXDSCLI] 2.2.3 */
const char *client_autodiscover_request(TALLOC_CTX *mem, const char *address)
{
	return talloc_asprintf(mem,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		"<Autodiscover xmlns=\""REQUEST_SCHEMA"\"><Request>"
		"<EMailAddress>%s</EMailAddress>"
		"<AcceptableResponseSchema>"OUTLOOK_SCHEMA
		"</AcceptableResponseSchema></Request></Autodiscover>\n",
		xml_escape(mem, address));
}

/* --- the answer -----------------------------------------------------------*/
struct xml_answer {
	XML_Parser xml;
	struct client_autodiscover_answer *answer;
	const char *error;

	/* "/Autodiscover/Response/User", and its length at each depth */
	char path[XML_MAX_PATH];
	size_t path_len[XML_MAX_DEPTH + 1];
	unsigned int depth;
	/* the depth of a protocol that is mapiHttp, 0 if not in one */
	unsigned int mapihttp_depth;
	/* the element has no elements in it so far */
	bool is_leaf;

	char text[XML_MAX_TEXT + 1];
	size_t text_len;
};

#define PATH_ACCOUNT "/Autodiscover/Response/Account"

static void xml_fail(struct xml_answer *x, const char *error)
{
	if (x->error == NULL)
		x->error = error;
	XML_StopParser(x->xml, XML_FALSE);
}

/* Without its namespace, which must be one of a response's; NULL if not. */
static const char *xml_name(struct xml_answer *x, const char *name)
{
	const char *sep = strrchr(name, '|');
	size_t len = sep == NULL ? 0 : sep - name;

	if ((len == strlen(RESPONSE_SCHEMA) &&
	     strncmp(name, RESPONSE_SCHEMA, len) == 0) ||
	    (x->depth > 0 && len == strlen(OUTLOOK_SCHEMA) &&
	     strncmp(name, OUTLOOK_SCHEMA, len) == 0))
		return sep + 1;
	return NULL;
}

static void xml_add_protocol(struct xml_answer *x, const char *type)
{
	struct client_autodiscover_answer *answer = x->answer;

	if (answer->protocol_count == XML_MAX_PROTOCOLS) {
		xml_fail(x, "it has too many protocols");
		return;
	}
	answer->protocols = talloc_realloc(answer, answer->protocols,
					   const char *,
					   answer->protocol_count + 1);
	answer->protocols[answer->protocol_count++] =
		talloc_strdup(answer->protocols, type);
}

static void xml_add_mailbox(struct xml_answer *x)
{
	struct client_autodiscover_answer *answer = x->answer;

	if (answer->mailbox_count == XML_MAX_MAILBOXES) {
		xml_fail(x, "it has too many alternative mailboxes");
		return;
	}
	answer->mailboxes = talloc_realloc(answer, answer->mailboxes,
		struct client_autodiscover_mailbox, answer->mailbox_count + 1);
	memset(&answer->mailboxes[answer->mailbox_count++], 0,
	       sizeof(answer->mailboxes[0]));
}

/* [MS-OXDSCLI] 2.2.4.1.1.2.6: the protocol mapiHttp has its type in an
   attribute, others in an element. */
static void xml_start_protocol(struct xml_answer *x, const char **attrs)
{
	for (; attrs[0] != NULL; attrs += 2) {
		if (strcmp(attrs[0], "Type") != 0)
			continue;
		xml_add_protocol(x, attrs[1]);
		if (strcasecmp(attrs[1], "mapiHttp") == 0)
			x->mapihttp_depth = x->depth;
	}
}

static void xml_start(void *context, const char *name, const char **attrs)
{
	struct xml_answer *x = context;
	size_t len = x->path_len[x->depth];
	int ret;

	if (x->error != NULL)
		return;
	name = xml_name(x, name);
	if (x->depth == 0 && (name == NULL || strcmp(name, "Autodiscover") != 0)) {
		xml_fail(x, "it isn't an Autodiscover response");
		return;
	}
	if (x->depth == XML_MAX_DEPTH) {
		xml_fail(x, "its elements are nested too deep");
		return;
	}
	/* '?': an element of somebody else's */
	ret = snprintf(x->path + len, sizeof(x->path) - len, "/%s",
		       name == NULL ? "?" : name);
	if ((size_t)ret >= sizeof(x->path) - len) {
		xml_fail(x, "its elements' names are too long");
		return;
	}
	x->path_len[++x->depth] = len + ret;
	x->text_len = 0;
	x->is_leaf = true;
	if (strcmp(x->path, PATH_ACCOUNT"/Protocol") == 0)
		xml_start_protocol(x, attrs);
	else if (strcmp(x->path, PATH_ACCOUNT"/AlternativeMailbox") == 0)
		xml_add_mailbox(x);
}

static void xml_text(void *context, const char *data, int len)
{
	struct xml_answer *x = context;

	if (!x->is_leaf || x->error != NULL)
		return;
	if ((size_t)len > XML_MAX_TEXT - x->text_len) {
		xml_fail(x, "an element's text is too long");
		return;
	}
	memcpy(x->text + x->text_len, data, len);
	x->text_len += len;
}

struct xml_element {
	const char *path;
	size_t offset;
};
#define ANSWER(member) offsetof(struct client_autodiscover_answer, member)
#define MAILBOX(member) offsetof(struct client_autodiscover_mailbox, member)

static const struct xml_element answer_elements[] = {
	{ "/Autodiscover/Response/Error/Message", ANSWER(error_message) },
	{ "/Autodiscover/Response/Error/DebugData", ANSWER(error_debug) },
	{ "/Autodiscover/Response/User/DisplayName", ANSWER(display_name) },
	{ "/Autodiscover/Response/User/LegacyDN", ANSWER(legacy_dn) },
	{ "/Autodiscover/Response/User/AutoDiscoverSMTPAddress",
	  ANSWER(smtp_address) },
	{ "/Autodiscover/Response/User/DeploymentId", ANSWER(deployment_id) },
	{ PATH_ACCOUNT"/Action", ANSWER(action) },
	{ PATH_ACCOUNT"/RedirectUrl", ANSWER(redirect_url) },
	{ PATH_ACCOUNT"/RedirectAddr", ANSWER(redirect_addr) },
	{ NULL, 0 }
};

static const struct xml_element mapihttp_elements[] = {
	{ PATH_ACCOUNT"/Protocol/MailStore/ExternalUrl",
	  ANSWER(mailbox.external) },
	{ PATH_ACCOUNT"/Protocol/MailStore/InternalUrl",
	  ANSWER(mailbox.internal) },
	{ PATH_ACCOUNT"/Protocol/AddressBook/ExternalUrl",
	  ANSWER(addressbook.external) },
	{ PATH_ACCOUNT"/Protocol/AddressBook/InternalUrl",
	  ANSWER(addressbook.internal) },
	{ NULL, 0 }
};

static const struct xml_element mailbox_elements[] = {
	{ PATH_ACCOUNT"/AlternativeMailbox/Type", MAILBOX(type) },
	{ PATH_ACCOUNT"/AlternativeMailbox/DisplayName",
	  MAILBOX(display_name) },
	{ PATH_ACCOUNT"/AlternativeMailbox/LegacyDN", MAILBOX(legacy_dn) },
	{ PATH_ACCOUNT"/AlternativeMailbox/Server", MAILBOX(server) },
	{ PATH_ACCOUNT"/AlternativeMailbox/SmtpAddress",
	  MAILBOX(smtp_address) },
	{ PATH_ACCOUNT"/AlternativeMailbox/OwnerSmtpAddress",
	  MAILBOX(owner_smtp_address) },
	{ NULL, 0 }
};

/* The first of several elements of a name counts. */
static bool
xml_set(struct xml_answer *x, const struct xml_element *elements, void *object)
{
	const char **member;

	for (; elements->path != NULL; elements++) {
		if (strcmp(elements->path, x->path) != 0)
			continue;
		member = (const char **)((char *)object + elements->offset);
		if (*member == NULL)
			*member = talloc_strdup(x->answer, x->text);
		return true;
	}
	return false;
}

static void xml_leaf(struct xml_answer *x)
{
	struct client_autodiscover_answer *answer = x->answer;

	if (xml_set(x, answer_elements, answer) ||
	    (x->mapihttp_depth > 0 && xml_set(x, mapihttp_elements, answer)) ||
	    (answer->mailbox_count > 0 &&
	     xml_set(x, mailbox_elements,
		     &answer->mailboxes[answer->mailbox_count - 1])))
		return;
	if (strcmp(x->path, "/Autodiscover/Response/Error/ErrorCode") == 0)
		answer->error_code = strtoul(x->text, NULL, 10);
	else if (strcmp(x->path, PATH_ACCOUNT"/Protocol/Type") == 0)
		xml_add_protocol(x, x->text);
}

static void xml_end(void *context, const char *name)
{
	struct xml_answer *x = context;
	size_t start = 0;

	(void)name;
	/* expat still calls it for an empty element after it was stopped */
	if (x->error != NULL)
		return;
	if (x->is_leaf) {
		while (x->text_len > 0 &&
		       strchr(" \t\r\n", x->text[x->text_len - 1]) != NULL)
			x->text_len--;
		x->text[x->text_len] = '\0';
		start = strspn(x->text, " \t\r\n");
		memmove(x->text, x->text + start, x->text_len - start + 1);
		xml_leaf(x);
	}
	if (x->mapihttp_depth == x->depth)
		x->mapihttp_depth = 0;
	x->is_leaf = false;
	x->path[x->path_len[--x->depth]] = '\0';
}

/* Entities come by document types only, and no answer needs any. */
static void
xml_doctype(void *context, const char *name, const char *sysid,
	    const char *pubid, int has_internal_subset)
{
	(void)name; (void)sysid; (void)pubid; (void)has_internal_subset;
	xml_fail(context, "it has a document type");
}

int client_autodiscover_parse(TALLOC_CTX *mem, const void *data, size_t size,
			      struct client_autodiscover_answer **answer_r,
			      const char **error_r)
{
	struct xml_answer *x;
	int ret = 0;

	if (size == 0 || size > CLIENT_AUTODISCOVER_MAX_BODY) {
		*error_r = size == 0 ? "it is empty" : "it is too long";
		return -1;
	}
	x = talloc_zero(mem, struct xml_answer);
	x->answer = talloc_zero(mem, struct client_autodiscover_answer);
	x->xml = XML_ParserCreateNS(NULL, '|');
	if (x->xml == NULL) {
		*error_r = "out of memory";
		talloc_free(x);
		return -1;
	}
	XML_SetUserData(x->xml, x);
	XML_SetElementHandler(x->xml, xml_start, xml_end);
	XML_SetCharacterDataHandler(x->xml, xml_text);
	XML_SetStartDoctypeDeclHandler(x->xml, xml_doctype);
	if (XML_Parse(x->xml, data, size, XML_TRUE) != XML_STATUS_OK ||
	    x->error != NULL) {
		*error_r = x->error != NULL ? x->error :
			talloc_asprintf(mem, "it isn't XML: %s in line %lu",
				XML_ErrorString(XML_GetErrorCode(x->xml)),
				XML_GetCurrentLineNumber(x->xml));
		talloc_free(x->answer);
		ret = -1;
	} else {
		*answer_r = x->answer;
	}
	XML_ParserFree(x->xml);
	talloc_free(x);
	return ret;
}
