/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "base64.h"
#include "buffer.h"
#include "str.h"
#include "source-ldif.h"

/* Of different names. No schema has nearly as many; each is looked for among
   the others. */
#define LDIF_MAX_ATTRIBUTES 1000

ARRAY_DEFINE_TYPE(binary, struct mapi_binary);

struct ldif_attribute {
	const char *name;
	ARRAY_TYPE(binary) values;
};

struct ldif_parser {
	const unsigned char *p, *end;
	/* of the line that is being parsed, and of the next one */
	unsigned int line, next_line;
	/* the line with its continuations */
	buffer_t *text;

	/* of the record */
	pool_t pool;
	const char *dn;
	ARRAY(struct ldif_attribute) attributes;

	void (*callback)(void *context, const struct directory_entry *entry);
	void *context;
	const char *error;
};

/* Reads a line with those that go on with it. Returns FALSE at the end. */
static bool ldif_read_line(struct ldif_parser *parser)
{
	const unsigned char *nl, *line_end;

	if (parser->p == parser->end)
		return FALSE;
	buffer_set_used_size(parser->text, 0);
	parser->line = parser->next_line;
	for (;;) {
		nl = memchr(parser->p, '\n', parser->end - parser->p);
		line_end = nl == NULL ? parser->end : nl;
		if (line_end > parser->p && line_end[-1] == '\r')
			line_end--;
		buffer_append(parser->text, parser->p, line_end - parser->p);
		parser->p = nl == NULL ? parser->end : nl + 1;
		parser->next_line++;
		/* an empty line ends a record, it isn't gone on with */
		if (parser->text->used == 0 || parser->p == parser->end ||
		    *parser->p != ' ')
			return TRUE;
		parser->p++;
	}
}

static bool ldif_fail(struct ldif_parser *parser, const char *error)
{
	parser->error = t_strdup_printf("line %u: %s", parser->line, error);
	return FALSE;
}

/* "name:value", "name: value", "name:: base64" */
static bool
ldif_parse_line(struct ldif_parser *parser, const char **name_r,
		struct mapi_binary *value_r)
{
	const char *text = parser->text->data, *colon;
	size_t len = parser->text->used, name_len;
	buffer_t *decoded;

	colon = memchr(text, ':', len);
	if (colon == NULL || colon == text)
		return ldif_fail(parser, "This isn't 'attribute: value'");
	name_len = colon - text;
	if (memchr(text, '\0', name_len) != NULL)
		return ldif_fail(parser, "There's a NUL in a name");
	/* options such as ";binary" aren't part of the name */
	*name_r = p_strdup(parser->pool, t_strcut(
		t_str_lcase(t_strndup(text, name_len)), ';'));
	text += name_len + 1;
	len -= name_len + 1;
	if (len > 0 && *text == '<')
		return ldif_fail(parser, "Values in other files (':<') aren't "
				 "read");
	if (len > 0 && *text == ':') {
		text++;
		len--;
		while (len > 0 && *text == ' ') {
			text++;
			len--;
		}
		decoded = buffer_create_dynamic(parser->pool, len + 1);
		if (base64_decode(text, len, NULL, decoded) < 0)
			return ldif_fail(parser, "This isn't base64");
		value_r->data = decoded->data;
		value_r->len = decoded->used;
		return TRUE;
	}
	while (len > 0 && *text == ' ') {
		text++;
		len--;
	}
	/* p_memdup() can't copy nothing */
	value_r->data = len == 0 ? (const unsigned char *)"" :
		p_memdup(parser->pool, text, len);
	value_r->len = len;
	return TRUE;
}

static bool
ldif_add_value(struct ldif_parser *parser, const char *name,
	       const struct mapi_binary *value)
{
	struct ldif_attribute *attr;

	array_foreach_modifiable(&parser->attributes, attr) {
		if (strcmp(attr->name, name) == 0) {
			array_push_back(&attr->values, value);
			return TRUE;
		}
	}
	if (array_count(&parser->attributes) == LDIF_MAX_ATTRIBUTES)
		return ldif_fail(parser, "The entry has too many attributes");
	attr = array_append_space(&parser->attributes);
	attr->name = name;
	p_array_init(&attr->values, parser->pool, 2);
	array_push_back(&attr->values, value);
	return TRUE;
}

static void ldif_record_begin(struct ldif_parser *parser)
{
	p_clear(parser->pool);
	parser->dn = NULL;
	p_array_init(&parser->attributes, parser->pool, 16);
}

static void ldif_record_end(struct ldif_parser *parser)
{
	const struct ldif_attribute *attr;
	struct directory_attribute *attributes;
	struct directory_entry entry;

	if (parser->dn == NULL)
		return;
	if (parser->callback != NULL) {
		i_zero(&entry);
		entry.dn = parser->dn;
		attributes = p_new(parser->pool, struct directory_attribute,
				   array_count(&parser->attributes) + 1);
		array_foreach(&parser->attributes, attr) {
			struct directory_attribute *dest =
				&attributes[entry.attributes_count++];

			dest->name = attr->name;
			dest->values = array_get(&attr->values, &dest->count);
		}
		entry.attributes = attributes;
		parser->callback(parser->context, &entry);
	}
	ldif_record_begin(parser);
}

static bool ldif_record_line(struct ldif_parser *parser)
{
	struct mapi_binary value;
	const char *name;

	if (!ldif_parse_line(parser, &name, &value))
		return FALSE;
	if (parser->dn != NULL) {
		if (strcmp(name, "changetype") == 0) {
			return ldif_fail(parser, "This is a change and not an "
					 "entry");
		}
		return ldif_add_value(parser, name, &value);
	}
	if (strcmp(name, "version") == 0)
		return TRUE;
	if (strcmp(name, "dn") != 0)
		return ldif_fail(parser, "An entry begins with 'dn:'");
	if (memchr(value.data, '\0', value.len) != NULL)
		return ldif_fail(parser, "There's a NUL in a DN");
	parser->dn = p_strndup(parser->pool, value.data, value.len);
	return TRUE;
}

static bool ldif_parse_all(struct ldif_parser *parser)
{
	bool ret = TRUE;

	ldif_record_begin(parser);
	while (ret && ldif_read_line(parser)) T_BEGIN {
		const char *text = parser->text->data;

		if (parser->text->used == 0)
			ldif_record_end(parser);
		else if (*text != '#')
			ret = ldif_record_line(parser);
	} T_END_PASS_STR_IF(!ret, &parser->error);
	if (ret)
		ldif_record_end(parser);
	return ret;
}

int ldif_parse(const unsigned char *data, size_t size,
	       void (*callback)(void *context,
				const struct directory_entry *entry),
	       void *context, const char **error_r)
{
	struct ldif_parser parser;
	bool ret;

	/* first whether all of it is right */
	for (unsigned int pass = 0; pass < 2; pass++) {
		i_zero(&parser);
		parser.p = data;
		parser.end = data + size;
		parser.next_line = 1;
		parser.text = buffer_create_dynamic(default_pool, 1024);
		parser.pool = pool_alloconly_create("ldif", 4096);
		parser.callback = pass == 0 ? NULL : callback;
		parser.context = context;
		ret = ldif_parse_all(&parser);
		buffer_free(&parser.text);
		pool_unref(&parser.pool);
		if (!ret) {
			i_assert(pass == 0);
			*error_r = parser.error;
			return -1;
		}
	}
	return 0;
}
