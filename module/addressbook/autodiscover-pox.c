/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "strfuncs.h"
#include "autodiscover.h"

#include <expat.h>

#define POX_MAX_SIZE (64 * 1024)
#define POX_MAX_DEPTH 16
#define POX_MAX_TEXT 1024
/* [MS-OXDSCLI] 2.2.3: requests of Outlook and of mobile clients differ in the
   year only, elements have the same names */
#define POX_NAMESPACE \
	"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/"

struct pox_parser {
	XML_Parser xml;
	unsigned int depth;
	bool failed;
	/* of the element that is being read */
	string_t *text;
	bool reading;
	struct autodiscover_pox *pox;
};

static void pox_fail(struct pox_parser *parser)
{
	parser->failed = TRUE;
	(void)XML_StopParser(parser->xml, XML_FALSE);
}

/* The name without its namespace if that is a request's; else NULL */
static const char *pox_name(const char *name)
{
	const char *local = strrchr(name, '|');

	return local != NULL && str_begins(name, POX_NAMESPACE) ?
		local + 1 : NULL;
}

static const char **
pox_element(struct autodiscover_pox *pox, const char *name)
{
	if (strcmp(name, "EMailAddress") == 0)
		return &pox->address;
	if (strcmp(name, "LegacyDN") == 0)
		return &pox->legacy_dn;
	if (strcmp(name, "AcceptableResponseSchema") == 0)
		return &pox->schema;
	return NULL;
}

static void
pox_start(void *context, const char *name, const char **attrs ATTR_UNUSED)
{
	struct pox_parser *parser = context;

	if (++parser->depth > POX_MAX_DEPTH) {
		pox_fail(parser);
		return;
	}
	name = pox_name(name);
	/* Autodiscover, Request, then these */
	parser->reading = name != NULL && parser->depth == 3 &&
		pox_element(parser->pox, name) != NULL;
	str_truncate(parser->text, 0);
}

static void pox_end(void *context, const char *name)
{
	struct pox_parser *parser = context;
	const char *value;

	if (parser->reading) {
		value = t_str_trim(str_c(parser->text), " \t\r\n");
		/* an empty element is as good as none */
		if (*value != '\0')
			*pox_element(parser->pox, pox_name(name)) = value;
	}
	parser->reading = FALSE;
	parser->depth--;
}

static void pox_text(void *context, const char *data, int len)
{
	struct pox_parser *parser = context;

	if (!parser->reading)
		return;
	if (str_len(parser->text) + len > POX_MAX_TEXT)
		pox_fail(parser);
	else
		str_append_data(parser->text, data, len);
}

/* Nobody needs a DTD here, and entities come only by one. */
static void
pox_doctype(void *context, const char *name ATTR_UNUSED,
	    const char *sysid ATTR_UNUSED, const char *pubid ATTR_UNUSED,
	    int has_internal_subset ATTR_UNUSED)
{
	pox_fail(context);
}

int autodiscover_pox_parse(const unsigned char *body, size_t size,
			   struct autodiscover_pox *pox_r)
{
	struct pox_parser parser;
	bool ok;

	i_zero(pox_r);
	if (size == 0 || size > POX_MAX_SIZE)
		return -1;
	i_zero(&parser);
	parser.pox = pox_r;
	parser.text = t_str_new(256);
	parser.xml = XML_ParserCreateNS(NULL, '|');
	if (parser.xml == NULL)
		return -1;
	XML_SetUserData(parser.xml, &parser);
	XML_SetElementHandler(parser.xml, pox_start, pox_end);
	XML_SetCharacterDataHandler(parser.xml, pox_text);
	XML_SetStartDoctypeDeclHandler(parser.xml, pox_doctype);
	ok = XML_Parse(parser.xml, (const char *)body, size, XML_TRUE) ==
		XML_STATUS_OK && !parser.failed;
	XML_ParserFree(parser.xml);
	return ok ? 0 : -1;
}
