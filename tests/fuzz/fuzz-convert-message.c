/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A message from its bytes: header, structure, all properties, bodies,
   recipients, attachments and what is embedded in them. */

#include "lib.h"
#include "istream.h"
#include "unichar.h"
#include "mime-message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define MAX_DEPTH 5
/* how much may come out of a stream for each byte of the message */
#define MAX_EXPANSION 256

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	lib_init();
	return 0;
}

static uint64_t drain(struct istream *input, size_t message_size)
{
	const unsigned char *data;
	size_t size;
	uint64_t total = 0;

	while (i_stream_read_more(input, &data, &size) > 0) {
		total += size;
		i_stream_skip(input, size);
	}
	i_assert(input->stream_errno == 0);
	i_assert(total <= ((uint64_t)message_size + 1024) * MAX_EXPANSION);
	i_stream_unref(&input);
	return total;
}

static void check_value(const struct mapi_value *value)
{
	if (value->type == PTYP_STRING)
		i_assert(uni_utf8_str_is_valid(value->u.str));
}

static void read_message(struct mime_message *msg, size_t size,
			 unsigned int depth)
{
	const struct mime_structure *structure;
	const struct mime_recipient *recipients;
	struct mime_message *embedded;
	struct mapi_value value;
	struct istream *input;
	unsigned int i, j, count;
	uint32_t tag;

	for (i = 0; mime_headers_prop_at(i, &tag); i++) {
		if (mime_message_get_prop(msg, msg, tag, SIZE_MAX, &value) ==
		    MIME_PROP_FOUND)
			check_value(&value);
	}
	for (i = 0; mime_message_prop_at(i, &tag); i++) {
		if (mime_message_get_prop(msg, msg, tag, SIZE_MAX, &value) ==
		    MIME_PROP_FOUND)
			check_value(&value);
	}
	i_assert(mime_message_open_text(msg, &input) == 0);
	(void)drain(input, size);
	i_assert(mime_message_open_html(msg, &input) == 0);
	(void)drain(input, size);

	i_assert(mime_message_get_recipients(msg, &recipients, &count) == 0);
	for (i = 0; i < count; i++) {
		i_assert(recipients[i].name[0] != '\0');
		(void)mime_recipient_get_prop(&recipients[i], msg, 0x0FFF0102,
					      &value);
	}
	structure = mime_message_get_structure(msg);
	for (i = 0; i < structure->attachment_count; i++) {
		const struct mime_attachment *att = &structure->attachments[i];

		for (j = 0; mime_attachment_prop_at(j, &tag); j++) {
			if (mime_attachment_get_prop(att, msg, tag, &value) ==
			    MIME_PROP_FOUND)
				check_value(&value);
		}
		i_assert(mime_message_open_attachment(msg, att, &input) == 0);
		(void)drain(input, size);
		if (att->kind == MIME_ATTACH_MESSAGE && depth < MAX_DEPTH) {
			embedded = mime_message_init_embedded(NULL, msg, att);
			read_message(embedded, size, depth + 1);
			talloc_free(embedded);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime_message *msg;
	struct istream *input;

	input = i_stream_create_from_data(data, size);
	T_BEGIN {
		msg = mime_message_init_stream(NULL, input, 1);
		read_message(msg, size, 0);
		talloc_free(msg);
	} T_END;
	i_stream_unref(&input);
	return 0;
}
