/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "str.h"
#include "message-header-parser.h"
#include "mime-charset.h"
#include "mime-header-source.h"
#include "mime-text.h"

struct stream_header {
	const char *name, *value;
};

struct stream_header_source {
	struct mime_header_source source;
	struct stream_header *headers;
	unsigned int count;
	/* the header itself, for get_header() */
	char *raw;
	size_t raw_len;
	struct istream *input;
};

int mime_header_read(struct istream *input, uint64_t offset, string_t *dest)
{
	const unsigned char *data, *p;
	size_t size, line_len = 0, i;

	i_stream_seek(input, offset);
	while (i_stream_read_more(input, &data, &size) > 0) {
		size = I_MIN(size, MIME_MAX_HEADER_SIZE - str_len(dest));
		for (i = 0; i < size; i++) {
			if (data[i] == '\n') {
				if (line_len == 0) {
					/* the empty line */
					break;
				}
				line_len = 0;
			} else if (data[i] != '\r') {
				line_len++;
			}
		}
		str_append_data(dest, data, i);
		i_stream_skip(input, i);
		if (i < size || str_len(dest) >= MIME_MAX_HEADER_SIZE)
			break;
	}
	/* the empty line's CR */
	p = str_data(dest);
	if (str_len(dest) > 0 && p[str_len(dest)-1] == '\r')
		str_truncate(dest, str_len(dest)-1);
	return input->stream_errno != 0 ? -1 : 0;
}

static int
stream_get_raw(struct mime_header_source *_source, const char *name,
	       const char *const **values_r)
{
	struct stream_header_source *source =
		container_of(_source, struct stream_header_source, source);
	ARRAY_TYPE(const_string) values;
	unsigned int i;
	int ret;

	t_array_init(&values, 4);
	for (i = 0; i < source->count; i++) {
		if (strcasecmp(source->headers[i].name, name) == 0)
			array_push_back(&values, &source->headers[i].value);
	}
	ret = array_count(&values) > 0 ? 1 : 0;
	array_append_zero(&values);
	*values_r = array_front(&values);
	return ret;
}

static int
stream_get_header(struct mime_header_source *_source, struct istream **input_r)
{
	struct stream_header_source *source =
		container_of(_source, struct stream_header_source, source);

	if (source->input == NULL) {
		source->input = i_stream_create_from_data(source->raw,
							  source->raw_len);
	}
	i_stream_seek(source->input, 0);
	*input_r = source->input;
	return 0;
}

static int stream_header_source_free(struct stream_header_source *source)
{
	i_stream_unref(&source->input);
	return 0;
}

static void parse_headers(struct stream_header_source *source)
{
	struct message_header_parser_ctx *parser;
	struct message_header_line *hdr;
	struct istream *input;
	ARRAY(struct stream_header) headers;
	struct stream_header *header;

	t_array_init(&headers, 32);
	input = i_stream_create_from_data(source->raw, source->raw_len);
	parser = message_parse_header_init(input, NULL,
		MESSAGE_HEADER_PARSER_FLAG_SKIP_INITIAL_LWSP |
		MESSAGE_HEADER_PARSER_FLAG_DROP_CR);
	while (message_parse_header_next(parser, &hdr) > 0) {
		if (hdr->eoh)
			break;
		if (hdr->continues) {
			hdr->use_full_value = TRUE;
			continue;
		}
		header = array_append_space(&headers);
		header->name = mime_strdup(source, hdr->name);
		header->value = mime_strdup(source, message_header_strdup(
			pool_datastack_create(), hdr->full_value,
			hdr->full_value_len));
	}
	message_parse_header_deinit(&parser);
	i_stream_unref(&input);

	source->count = array_count(&headers);
	if (source->count > 0) {
		source->headers = mime_check_alloc(talloc_memdup(source,
			array_front(&headers),
			source->count * sizeof(struct stream_header)));
	}
}

struct mime_header_source *
mime_header_source_init(TALLOC_CTX *parent, struct istream *input,
			uint64_t offset)
{
	struct stream_header_source *source;
	string_t *raw = str_new(default_pool, 4096);

	if (mime_header_read(input, offset, raw) < 0) {
		str_free(&raw);
		return NULL;
	}
	source = mime_check_alloc(talloc_zero(parent,
					      struct stream_header_source));
	source->source.get_raw = stream_get_raw;
	source->source.get_header = stream_get_header;
	source->raw_len = str_len(raw);
	source->raw = mime_check_alloc(talloc_memdup(source, str_c(raw),
						     source->raw_len + 1));
	str_free(&raw);
	T_BEGIN {
		parse_headers(source);
	} T_END;
	talloc_set_destructor(source, stream_header_source_free);
	return &source->source;
}

int mime_header_first(struct mime_header_source *source, const char *name,
		      const char **value_r)
{
	const char *const *values;
	int ret;

	ret = source->get_raw(source, name, &values);
	*value_r = ret > 0 ? values[0] : NULL;
	return ret > 0 && values[0] == NULL ? 0 : ret;
}
