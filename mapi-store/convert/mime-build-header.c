/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A message's header.

   A message that was received has its header as a property,
   PidTagTransportMessageHeaders. What its fields say that properties say, too,
   is taken from the properties: but where a field is read to the same values as
   what would be written, the field stays as it was (its comments, its time zone,
   the other addresses in From). All other fields are carried over in their
   order: Received, DKIM-Signature, List-Id. */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "str.h"
#include "mime-build-private.h"
#include "mime-header-source.h"
#include "mime-recipients.h"
#include "mime-text.h"

/* more fields of a received header aren't looked at */
#define MAX_OLD_FIELDS 10000
/* [RFC5322] 2.1.1 */
#define MAX_LINE_LEN 998
/* PS_INTERNET_HEADERS */
#define MAX_NAMED_FIELDS 1000

struct old_field {
	const char *name;
	/* all lines, with CRLF */
	const char *raw;
	/* after the colon */
	const char *value;
	/* raw can be written as it is only if it's ascii, and not odd: lines
	   that are too long, blanks before the colon */
	bool ascii, odd;
};

/* What is written for a property */
struct new_field {
	struct mime_build_field field;
	/* what the property says, then what is written for it */
	string_t *text;
	/* text has been written */
	bool written;
};

struct header_ctx {
	struct mime_build *build;
	const struct mapi_content *content;
	ARRAY(struct old_field) old_fields;
	ARRAY(struct new_field) fields;
};

/* --- the received header ---------------------------------------------------- */

const char *mime_build_field_lines(const char *text, string_t *dest,
				   bool *long_line_r)
{
	size_t i, len, end;

	*long_line_r = FALSE;
	do {
		len = end = strcspn(text, "\n");
		while (end > 0 && text[end-1] == '\r')
			end--;
		/* a line of blanks is read as the header's end by some */
		if (strspn(text, " \t\r") < end) {
			/* and a CR alone as a line's end; we don't see it */
			for (i = 0; i < end; i++) {
				if (text[i] != '\r')
					str_append_c(dest, text[i]);
			}
			str_append(dest, "\r\n");
			if (end > MAX_LINE_LEN)
				*long_line_r = TRUE;
		}
		text += len;
		if (*text == '\n')
			text++;
	} while (*text == ' ' || *text == '\t');
	return text;
}

static bool lines_are_ascii(const char *str)
{
	for (; *str != '\0'; str++) {
		if ((unsigned char)*str >= 0x7f ||
		    ((unsigned char)*str < 0x20 && *str != '\t' &&
		     *str != '\r' && *str != '\n'))
			return FALSE;
	}
	return TRUE;
}

static void old_fields_parse(struct header_ctx *ctx, const char *text)
{
	struct old_field field;
	string_t *raw;
	const char *colon;

	while (*text != '\0' && *text != '\n' && strncmp(text, "\r\n", 2) != 0 &&
	       array_count(&ctx->old_fields) < MAX_OLD_FIELDS) {
		i_zero(&field);
		raw = t_str_new(128);
		text = mime_build_field_lines(text, raw, &field.odd);
		field.raw = str_c(raw);
		colon = strchr(field.raw, ':');
		if (colon == NULL)
			continue;
		field.name = t_str_rtrim(t_strdup_until(field.raw, colon),
					 " \t");
		field.value = colon + 1;
		if (strlen(field.name) != (size_t)(colon - field.raw))
			field.odd = TRUE;
		field.ascii = lines_are_ascii(field.raw);
		if (mime_build_field_name_is_valid(field.name))
			array_push_back(&ctx->old_fields, &field);
	}
}

/* Only the name's case and blanks before the colon may differ */
static bool is_one_of(const struct mime_build_field *field, const char *name)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(field->names) && field->names[i] != NULL;
	     i++) {
		if (strcasecmp(field->names[i], name) == 0)
			return TRUE;
	}
	return FALSE;
}

/* All lines of the old fields that say what field does. FALSE if there are none,
   or they can't be kept. */
static bool
old_fields_get(struct header_ctx *ctx, const struct mime_build_field *field,
	       string_t *dest)
{
	const struct old_field *old;
	bool ret = FALSE;

	array_foreach(&ctx->old_fields, old) {
		if (!is_one_of(field, old->name))
			continue;
		if (!old->ascii || old->odd)
			return FALSE;
		str_append(dest, old->raw);
		ret = TRUE;
	}
	return ret;
}

/* --- comparing -------------------------------------------------------------- */

static struct mime_header_source *
source_create(TALLOC_CTX *mem, const string_t *text)
{
	struct mime_header_source *source;
	struct istream *input;

	input = i_stream_create_from_data(text->data, text->used);
	source = mime_header_source_init(mem, input, 0);
	i_stream_unref(&input);
	i_assert(source != NULL);
	return source;
}

static bool
same_prop(struct mime_header_source *a, struct mime_header_source *b,
	  TALLOC_CTX *mem, uint32_t tag)
{
	struct mapi_value avalue, bvalue;
	enum mime_prop_result aret, bret;

	aret = mime_headers_get_prop(a, mem, tag, &avalue);
	bret = mime_headers_get_prop(b, mem, tag, &bvalue);
	return aret == bret && (aret != MIME_PROP_FOUND ||
				mapi_value_equal(&avalue, &bvalue));
}

static void
get_addresses(struct mime_header_source *source, TALLOC_CTX *mem,
	      const char *name, ARRAY_TYPE(mime_address) *dest)
{
	const char *const *values;

	if (source->get_raw(source, name, &values) <= 0)
		return;
	for (; *values != NULL; values++) {
		mime_addresses_parse(mem, *values, MIME_MAX_RECIPIENTS, dest);
	}
}

static bool
same_addresses(struct mime_header_source *a, struct mime_header_source *b,
	       TALLOC_CTX *mem, const char *name)
{
	ARRAY_TYPE(mime_address) aaddrs, baddrs;
	const struct mime_address *aaddr, *baddr;
	unsigned int i, acount, bcount;

	t_array_init(&aaddrs, 16);
	t_array_init(&baddrs, 16);
	get_addresses(a, mem, name, &aaddrs);
	get_addresses(b, mem, name, &baddrs);
	aaddr = array_get(&aaddrs, &acount);
	baddr = array_get(&baddrs, &bcount);
	if (acount != bcount)
		return FALSE;
	for (i = 0; i < acount; i++) {
		if (strcmp(aaddr[i].name, baddr[i].name) != 0 ||
		    strcmp(aaddr[i].address, baddr[i].address) != 0)
			return FALSE;
	}
	return TRUE;
}

static bool
same_text(struct mime_header_source *a, struct mime_header_source *b,
	  const char *name)
{
	const char *avalue, *bvalue;

	(void)mime_header_first(a, name, &avalue);
	avalue = avalue == NULL ? "" : t_mime_text_decode(avalue);
	(void)mime_header_first(b, name, &bvalue);
	bvalue = bvalue == NULL ? "" : t_mime_text_decode(bvalue);
	return strcmp(avalue, bvalue) == 0;
}

static bool
same_values(const struct mime_build_field *field, const string_t *a,
	    const string_t *b)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct mime_header_source *asource = source_create(tmp, a);
	struct mime_header_source *bsource = source_create(tmp, b);
	bool ret = FALSE;

	switch (field->compare) {
	case MIME_BUILD_COMPARE_TAGS:
		ret = same_prop(asource, bsource, tmp, field->tag) &&
			(field->other_tag == 0 ||
			 same_prop(asource, bsource, tmp, field->other_tag));
		break;
	case MIME_BUILD_COMPARE_ADDRESSES:
		ret = same_addresses(asource, bsource, tmp, field->names[0]);
		break;
	case MIME_BUILD_COMPARE_TEXT:
		ret = same_text(asource, bsource, field->names[0]);
		break;
	}
	talloc_free(tmp);
	return ret;
}

static bool is_thread_field(const struct mime_build_field *field)
{
	return field->tag == PIDTAG_CONVERSATION_TOPIC ||
		field->tag == PIDTAG_CONVERSATION_INDEX;
}

static bool
says_prop(struct mime_header_source *source, const struct mapi_propset *props,
	  TALLOC_CTX *mem, uint32_t tag)
{
	const struct mapi_value *wanted = mapi_propset_get(props, tag);
	struct mapi_value value;

	return wanted != NULL &&
		mime_headers_get_prop(source, mem, tag, &value) ==
			MIME_PROP_FOUND &&
		mapi_value_equal(&value, wanted);
}

/* Old fields that say exactly what the properties do, though new ones couldn't:
   broken addresses */
static bool
says_props(const struct mime_build_field *field, const string_t *old,
	   const struct mapi_propset *props)
{
	TALLOC_CTX *tmp;
	struct mime_header_source *source;
	bool ret;

	if (field->compare != MIME_BUILD_COMPARE_TAGS ||
	    is_thread_field(field))
		return FALSE;
	tmp = talloc_new(NULL);
	source = source_create(tmp, old);
	ret = says_prop(source, props, tmp, field->tag) &&
		(field->other_tag == 0 ||
		 says_prop(source, props, tmp, field->other_tag));
	talloc_free(tmp);
	return ret;
}

/* --- new fields ------------------------------------------------------------- */

/* What the topic is made from where nothing says it, as it will be written */
static void append_thread_context(struct header_ctx *ctx, string_t *dest)
{
	const struct new_field *field;

	array_foreach(&ctx->fields, field) {
		if (field->field.tag == PIDTAG_SUBJECT ||
		    field->field.tag == PIDTAG_CLIENT_SUBMIT_TIME ||
		    field->field.tag == PIDTAG_INTERNET_MESSAGE_ID ||
		    field->field.tag == PIDTAG_CONVERSATION_TOPIC)
			str_append_str(dest, field->text);
	}
}

/* The old fields instead of text, if they are read as text is */
static void keep_old(struct header_ctx *ctx, const struct new_field *field)
{
	string_t *old = t_str_new(256), *old_all, *new_all;
	bool have_old;

	have_old = old_fields_get(ctx, &field->field, old);
	if (!have_old && !is_thread_field(&field->field))
		return;
	old_all = t_str_new(1024);
	new_all = t_str_new(1024);
	if (is_thread_field(&field->field)) {
		append_thread_context(ctx, old_all);
		append_thread_context(ctx, new_all);
	}
	str_append_str(old_all, old);
	str_append_str(new_all, field->text);
	if (same_values(&field->field, old_all, new_all) ||
	    says_props(&field->field, old, ctx->content->props)) {
		str_truncate(field->text, 0);
		str_append_str(field->text, old);
	}
}

static bool keeps_delivery_report_to(struct header_ctx *ctx,
				     const struct mime_build_field *field)
{
	return field->compare == MIME_BUILD_COMPARE_ADDRESSES &&
		strcmp(field->names[0], "Reply-To") != 0 &&
		strcmp(field->names[0], "Bcc") != 0 &&
		mime_build_class_is_delivery_report(ctx->content);
}

static void
add_new_field(struct header_ctx *ctx, const struct mime_build_field *field)
{
	struct new_field new_field;
	string_t *old;

	i_zero(&new_field);
	new_field.field = *field;
	new_field.text = str_new(default_pool, 128);
	T_BEGIN {
		field->add(ctx->build, ctx->content, field, new_field.text);
		if (array_count(&ctx->old_fields) == 0) {
			/* a new message */
		} else if (keeps_delivery_report_to(ctx, field)) {
			old = t_str_new(256);
			if (old_fields_get(ctx, field, old)) {
				str_truncate(new_field.text, 0);
				str_append_str(new_field.text, old);
			}
		} else if (strcmp(field->names[0], "Bcc") != 0 ||
			   ctx->build->params->with_bcc) {
			keep_old(ctx, &new_field);
		}
	} T_END;
	array_push_back(&ctx->fields, &new_field);
}

static struct new_field *new_field_find(struct header_ctx *ctx, const char *name)
{
	struct new_field *field;

	array_foreach_modifiable(&ctx->fields, field) {
		if (is_one_of(&field->field, name))
			return field;
	}
	return NULL;
}

/* What the body is is said by its structure. */
static bool name_is_structure(const char *name)
{
	return strcasecmp(name, "MIME-Version") == 0 ||
		(strncasecmp(name, "Content-", 8) == 0 &&
		 strcasecmp(name, "Content-Class") != 0);
}

static void
add_named(struct mime_build *ctx, const struct mapi_content *content,
	  const struct mime_build_field *field, string_t *dest)
{
	const struct mapi_content_prop *prop =
		mapi_propset_find(content->props, field->tag);

	mime_build_add_text(dest, field->names[0], prop->value.u.str);
}

/* [MS-OXCMAIL] 2.1.3.2.32 */
static void add_named_fields(struct header_ctx *ctx)
{
	const struct mapi_propset *props = ctx->content->props;
	struct mime_build_field field;
	unsigned int i, count = 0;

	i_zero(&field);
	field.add = add_named;
	field.compare = MIME_BUILD_COMPARE_TEXT;
	for (i = 0; i < props->count && count < MAX_NAMED_FIELDS; i++) {
		const struct mapi_content_prop *prop = &props->props[i];

		if (prop->name == NULL || prop->value.type != PTYP_STRING ||
		    prop->name->kind != MAPI_NAME_STRING ||
		    memcmp(&prop->name->guid, &PS_INTERNET_HEADERS,
			   sizeof(PS_INTERNET_HEADERS)) != 0 ||
		    !mime_build_field_name_is_valid(prop->name->name) ||
		    name_is_structure(prop->name->name) ||
		    new_field_find(ctx, prop->name->name) != NULL)
			continue;
		field.names[0] = prop->name->name;
		field.tag = prop->tag;
		add_new_field(ctx, &field);
		count++;
	}
}

/* --- the header ------------------------------------------------------------- */

static void write_new_field(struct new_field *field, string_t *dest)
{
	if (!field->written)
		str_append_str(dest, field->text);
	field->written = TRUE;
}

static void write_old_field(const struct old_field *old, string_t *dest)
{
	if (!old->ascii)
		mime_build_add_text(dest, old->name,
				    t_mime_text_decode(old->value));
	else if (old->odd)
		mime_build_add_raw(dest, old->name, old->value);
	else
		str_append(dest, old->raw);
}

void mime_build_header(struct mime_build *build,
		       const struct mapi_content *content, string_t *dest)
{
	struct header_ctx ctx;
	const struct old_field *old;
	struct new_field *field;
	const char *text;
	unsigned int i;

	i_zero(&ctx);
	ctx.build = build;
	ctx.content = content;
	t_array_init(&ctx.old_fields, 32);
	i_array_init(&ctx.fields, mime_build_fields_count);
	text = mapi_propset_get_string(content->props,
				       PIDTAG_TRANSPORT_MESSAGE_HEADERS);
	if (text != NULL)
		old_fields_parse(&ctx, text);
	for (i = 0; i < mime_build_fields_count; i++)
		add_new_field(&ctx, &mime_build_fields[i]);
	add_named_fields(&ctx);

	array_foreach(&ctx.old_fields, old) T_BEGIN {
		field = new_field_find(&ctx, old->name);
		if (field != NULL)
			write_new_field(field, dest);
		else if (!name_is_structure(old->name))
			write_old_field(old, dest);
	} T_END;
	array_foreach_modifiable(&ctx.fields, field) {
		write_new_field(field, dest);
		str_free(&field->text);
	}
	array_free(&ctx.fields);
}
