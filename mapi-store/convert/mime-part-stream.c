/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "istream.h"
#include "istream-concat.h"
#include "message-header-parser.h"
#include "message-part.h"
#include "mime-filter.h"
#include "mime-header-source.h"
#include "mime-part-info.h"
#include "mime-part-stream.h"

static struct istream *
open_range(struct istream *message, uoff_t offset, uoff_t size)
{
	struct istream *input;

	i_stream_seek(message, offset);
	input = i_stream_create_limit(message, size);
	return input;
}

static struct istream *
open_body(const struct message_part *part, struct istream *message)
{
	return open_range(message, part->physical_pos +
			  part->header_size.physical_size,
			  part->body_size.physical_size);
}

/* Dovecot's stream for this can't seek backwards. */
struct crlf_filter {
	struct mime_filter filter;
	bool last_cr;
};

static void
crlf_feed(struct mime_filter *filter, const unsigned char *data, size_t size,
	  buffer_t *dest)
{
	struct crlf_filter *f = container_of(filter, struct crlf_filter,
					     filter);
	const unsigned char *lf;
	size_t len;

	while (size > 0) {
		lf = memchr(data, '\n', size);
		len = lf == NULL ? size : (size_t)(lf - data);
		buffer_append(dest, data, len);
		if (len > 0)
			f->last_cr = data[len-1] == '\r';
		if (lf == NULL)
			break;
		if (!f->last_cr)
			buffer_append_c(dest, '\r');
		buffer_append_c(dest, '\n');
		f->last_cr = FALSE;
		data += len + 1;
		size -= len + 1;
	}
}

static void crlf_finish(struct mime_filter *filter, buffer_t *dest)
{
}

static void crlf_reset(struct mime_filter *filter)
{
	struct crlf_filter *f = container_of(filter, struct crlf_filter,
					     filter);

	f->last_cr = FALSE;
}

static void crlf_free(struct mime_filter *filter)
{
	struct crlf_filter *f = container_of(filter, struct crlf_filter,
					     filter);

	i_free(f);
}

struct istream *mime_stream_with_crlf(struct istream *input)
{
	static const struct mime_filter vfuncs = {
		crlf_feed, crlf_finish, crlf_reset, crlf_free
	};
	struct crlf_filter *f = i_new(struct crlf_filter, 1);

	f->filter = vfuncs;
	mime_filter_push(&input, &f->filter);
	return input;
}

struct istream *
mime_part_open_decoded(const struct message_part *part,
		       struct istream *message)
{
	enum mime_transfer transfer = mime_part_transfer(part);
	struct istream *input = open_body(part, message);
	struct mime_filter *filter;

	/* What isn't encoded byte by byte consists of lines, and these end
	   with CRLF ([RFC2045] 6.7, 6.8) however the storage has kept them. */
	if (transfer == MIME_TRANSFER_IDENTITY ||
	    transfer == MIME_TRANSFER_QUOTED_PRINTABLE)
		input = mime_stream_with_crlf(input);
	filter = mime_transfer_filter(transfer);
	if (filter != NULL)
		mime_filter_push(&input, filter);
	return input;
}

struct istream *
mime_part_open_raw(const struct message_part *part, struct istream *message)
{
	return mime_stream_with_crlf(open_body(part, message));
}

static void
append_mime_header(struct istream *input, string_t *dest)
{
	struct message_header_parser_ctx *parser;
	struct message_header_line *hdr;

	parser = message_parse_header_init(input, NULL, 0);
	while (message_parse_header_next(parser, &hdr) > 0) {
		if (hdr->eoh ||
		    (strncasecmp(hdr->name, "Content-", 8) != 0 &&
		     strcasecmp(hdr->name, "MIME-Version") != 0))
			continue;
		if (str_len(dest) + hdr->name_len + hdr->value_len >
		    MIME_MAX_HEADER_SIZE)
			break;
		message_header_line_write(dest, hdr);
	}
	message_parse_header_deinit(&parser);
}

struct istream *
mime_part_open_entity(const struct message_part *part,
		      struct istream *message)
{
	struct istream *inputs[3], *input;
	string_t *header = str_new(default_pool, 1024);
	unsigned int i;

	input = open_range(message, part->physical_pos,
			   part->header_size.physical_size);
	append_mime_header(input, header);
	i_stream_unref(&input);
	str_append(header, "\r\n");

	inputs[0] = i_stream_create_copy_from_data(str_data(header),
						   str_len(header));
	inputs[1] = open_body(part, message);
	inputs[2] = NULL;
	str_free(&header);
	input = i_stream_create_concat(inputs);
	for (i = 0; inputs[i] != NULL; i++)
		i_stream_unref(&inputs[i]);
	return mime_stream_with_crlf(input);
}
