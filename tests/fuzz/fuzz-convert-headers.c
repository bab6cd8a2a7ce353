/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties of a header; and that a table asks for no field that it hasn't
   told by mime_headers_wanted(). */

#include "lib.h"
#include "istream.h"
#include "unichar.h"
#include "mapi-props.h"
#include "mime-headers.h"
#include "mime-recipients.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct strict_source {
	struct mime_header_source source, *parent;
	uint32_t tag;
	const char *name;
	bool wanted;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	lib_init();
	return 0;
}

static void wanted(const char *name, void *context)
{
	struct strict_source *strict = context;

	if (strcasecmp(name, strict->name) == 0)
		strict->wanted = TRUE;
}

static int
strict_get_raw(struct mime_header_source *source, const char *name,
	       const char *const **values_r)
{
	struct strict_source *strict =
		container_of(source, struct strict_source, source);

	strict->name = name;
	strict->wanted = FALSE;
	mime_headers_wanted(&strict->tag, 1, wanted, strict);
	i_assert(strict->wanted);
	return strict->parent->get_raw(strict->parent, name, values_r);
}

static int
strict_get_header(struct mime_header_source *source, struct istream **input_r)
{
	struct strict_source *strict =
		container_of(source, struct strict_source, source);

	return strict->parent->get_header(strict->parent, input_r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strict_source strict;
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING,
		.guid = PS_PUBLIC_STRINGS,
		.name = "Keywords",
	};
	const struct mime_recipient *recipients;
	struct mapi_value value;
	struct istream *input;
	TALLOC_CTX *mem = talloc_new(NULL);
	unsigned int i, count;

	i_zero(&strict);
	strict.source.get_raw = strict_get_raw;
	strict.source.get_header = strict_get_header;
	input = i_stream_create_from_data(data, size);
	strict.parent = mime_header_source_init(mem, input, 0);
	i_assert(strict.parent != NULL);

	for (i = 0; mime_headers_prop_at(i, &strict.tag); i++) {
		if (mime_headers_get_prop(&strict.source, mem, strict.tag,
					  &value) == MIME_PROP_FOUND &&
		    value.type == PTYP_STRING)
			i_assert(uni_utf8_str_is_valid(value.u.str));
	}
	(void)mime_headers_get_named(strict.parent, mem, &name, &value);
	i_assert(mime_recipients_get(strict.parent, mem, &recipients, &count));
	for (i = 0; i < count; i++)
		i_assert(recipients[i].name[0] != '\0');
	talloc_free(mem);
	i_stream_unref(&input);
	return 0;
}
