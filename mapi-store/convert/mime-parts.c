/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* struct message_part_data of a parsed message. Dovecot has a function for
   this, but not with the same parameters everywhere: security updates of 2.3
   have changed it. */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "str.h"
#include "imap-bodystructure.h"
#include "message-parser.h"
#include "message-part-data.h"
#include "rfc822-parser.h"
#include "rfc2231-parser.h"
#include "mime-parts.h"
#include "mime-structure.h"

/* parameters of one field that are kept */
#define MAX_PARAMS 100

static void
parse_params(pool_t pool, struct rfc822_parser_context *parser,
	     const struct message_part_param **params_r,
	     unsigned int *count_r)
{
	struct message_part_param *params;
	const char *const *results;
	unsigned int i, count;

	*params_r = NULL;
	*count_r = 0;
	/* what is valid is returned even on failure */
	(void)rfc2231_parse(parser, &results);
	count = str_array_length(results) / 2;
	if (count == 0)
		return;
	count = I_MIN(count, MAX_PARAMS);
	params = p_new(pool, struct message_part_param, count);
	for (i = 0; i < count; i++) {
		params[i].name = p_strdup(pool, results[i*2]);
		params[i].value = p_strdup(pool, results[i*2 + 1]);
	}
	*params_r = params;
	*count_r = count;
}

static void
parse_content_type(pool_t pool, struct message_part_data *data,
		   struct rfc822_parser_context *parser)
{
	string_t *str = t_str_new(64);
	const char *value, *slash;

	(void)rfc822_parse_content_type(parser, str);
	value = str_c(str);
	if (*value == '\0')
		return;
	slash = strchr(value, '/');
	if (slash == NULL) {
		data->content_type = p_strdup(pool, value);
		data->content_subtype = "";
	} else {
		data->content_type = p_strdup_until(pool, value, slash);
		data->content_subtype = p_strdup(pool, slash + 1);
	}
	parse_params(pool, parser, &data->content_type_params,
		     &data->content_type_params_count);
}

static void
parse_content_disposition(pool_t pool, struct message_part_data *data,
			  struct rfc822_parser_context *parser)
{
	string_t *str = t_str_new(64);

	if (rfc822_parse_mime_token(parser, str) < 0)
		return;
	data->content_disposition = p_strdup(pool, str_c(str));
	parse_params(pool, parser, &data->content_disposition_params,
		     &data->content_disposition_params_count);
}

void mime_part_data_parse(pool_t pool, struct message_part_data *data,
			  const char *name, const char *value)
{
	struct rfc822_parser_context parser;

	if (strncasecmp(name, "Content-", 8) != 0)
		return;
	name += 8;
	rfc822_parser_init(&parser, (const unsigned char *)value,
			   strlen(value), NULL);
	rfc822_skip_lwsp(&parser);
	if (strcasecmp(name, "Type") == 0) {
		if (data->content_type == NULL)
			parse_content_type(pool, data, &parser);
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		if (data->content_transfer_encoding == NULL)
			data->content_transfer_encoding = p_strdup(pool, value);
	} else if (strcasecmp(name, "Disposition") == 0) {
		if (data->content_disposition == NULL)
			parse_content_disposition(pool, data, &parser);
	} else if (strcasecmp(name, "ID") == 0) {
		if (data->content_id == NULL)
			data->content_id = p_strdup(pool, value);
	} else if (strcasecmp(name, "Description") == 0) {
		if (data->content_description == NULL)
			data->content_description = p_strdup(pool, value);
	} else if (strcasecmp(name, "Location") == 0) {
		if (data->content_location == NULL)
			data->content_location = p_strdup(pool, value);
	}
	rfc822_parser_deinit(&parser);
}

static void
parse_header(pool_t pool, struct message_part *part,
	     struct message_header_line *hdr)
{
	struct message_part_data *data = part->data;
	const char *value;
	bool subject;

	subject = strcasecmp(hdr->name, "Subject") == 0 &&
		part->parent != NULL &&
		(part->parent->flags & MESSAGE_PART_FLAG_MESSAGE_RFC822) != 0;
	if (!subject && strncasecmp(hdr->name, "Content-", 8) != 0)
		return;
	if (hdr->continues) {
		/* wait for the whole of it */
		hdr->use_full_value = TRUE;
		return;
	}
	value = message_header_strdup(pool_datastack_create(),
				      hdr->full_value, hdr->full_value_len);
	if (!subject) {
		mime_part_data_parse(pool, data, hdr->name, value);
		return;
	}
	if (data->envelope == NULL) {
		data->envelope = p_new(pool, struct message_part_envelope, 1);
		data->envelope->subject = p_strdup(pool, value);
	}
}

static void parts_fill_data(pool_t pool, struct message_part *part)
{
	for (; part != NULL; part = part->next) {
		if (part->data == NULL)
			part->data = p_new(pool, struct message_part_data, 1);
		parts_fill_data(pool, part->children);
	}
}

int mime_parts_parse(pool_t pool, struct istream *input,
		     struct message_part **root_r)
{
	const struct message_parser_settings set = {
		.hdr_flags = MESSAGE_HEADER_PARSER_FLAG_SKIP_INITIAL_LWSP |
			MESSAGE_HEADER_PARSER_FLAG_DROP_CR,
		.flags = MESSAGE_PARSER_FLAG_SKIP_BODY_BLOCK,
		.max_nested_mime_parts = MIME_MAX_DEPTH,
		.max_total_mime_parts = MIME_MAX_PARTS,
	};
	struct message_parser_ctx *parser;
	struct message_block block;

	parser = message_parser_init(pool, input, &set);
	while (message_parser_parse_next_block(parser, &block) > 0) {
		if (block.hdr == NULL || block.hdr->eoh)
			continue;
		if (block.part->data == NULL) {
			block.part->data =
				p_new(pool, struct message_part_data, 1);
		}
		T_BEGIN {
			parse_header(pool, block.part, block.hdr);
		} T_END;
	}
	message_parser_deinit(&parser, root_r);
	/* a part that has no header has no data yet */
	parts_fill_data(pool, *root_r);
	return input->stream_errno != 0 ? -1 : 0;
}

int mime_parts_from_bodystructure(pool_t pool, const char *bodystructure,
				  struct message_part *root)
{
	const char *error;
	int ret;

	T_BEGIN {
		ret = imap_bodystructure_parse(bodystructure, pool, root,
					       &error);
	} T_END;
	if (ret == 0)
		parts_fill_data(pool, root);
	return ret;
}
