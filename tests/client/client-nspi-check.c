/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Clients trust the address book's answers more than they should: more rows
   than asked for, other columns or null strings in arrays make some crash. So
   all that is looked at here. */

#include "client-nspi-private.h"

#include <string.h>

void nspi_set_columns(const struct client_nspi_columns *columns,
		      uint8_t *has_r, struct mapihttp_tag_array *tags_r)
{
	if (columns == NULL)
		return;
	*has_r = NSPI_TRUE;
	tags_r->property_tags = (uint32_t *)columns->tags;
	tags_r->property_tag_count = columns->count;
}

void nspi_take_mids(uint8_t has, const uint32_t *mids, uint32_t count,
		    struct client_nspi_mids *mids_r)
{
	memset(mids_r, 0, sizeof(*mids_r));
	if (has != 0) {
		mids_r->mids = mids;
		mids_r->count = count;
	}
}

void nspi_take_tags(uint8_t has, const struct mapihttp_tag_array *tags,
		    struct client_nspi_columns *tags_r)
{
	memset(tags_r, 0, sizeof(*tags_r));
	if (has != 0) {
		tags_r->tags = tags->property_tags;
		tags_r->count = tags->property_tag_count;
	}
}

static void
nspi_check_value(struct client_nspi *nspi, const char *type, uint32_t tag,
		 const struct mapi_value *value)
{
	/* Strings of both kinds are pointers at the same place; null ones come
	   out of the decoder as empty ones, which nobody needs either. */
	if (value->type != PTYP_MULTIPLE_STRING &&
	    value->type != PTYP_MULTIPLE_STRING8)
		return;
	for (uint32_t i = 0; i < value->u.mv.count; i++) {
		if (value->u.mv.v.str[i][0] == '\0') {
			client_http_violation(nspi->http,
				"%s: a null or empty string among the values "
				"of 0x%08x", type, tag);
			return;
		}
	}
}

static void
nspi_check_columns(struct client_nspi *nspi, const char *type,
		   const struct client_nspi_columns *asked,
		   const struct mapihttp_tag_array *columns)
{
	if (asked != NULL &&
	    (asked->count != columns->property_tag_count ||
	     memcmp(asked->tags, columns->property_tags,
		    asked->count * sizeof(asked->tags[0])) != 0)) {
		client_http_violation(nspi->http,
			"%s: other columns than those asked for", type);
	}
}

void nspi_take_rows(struct client_nspi *nspi, const char *type,
		    const struct client_nspi_columns *asked, uint8_t has,
		    const struct mapihttp_tag_array *columns,
		    struct mapi_property_row *rows, uint32_t count,
		    struct client_nspi_rows *rows_r)
{
	memset(rows_r, 0, sizeof(*rows_r));
	if (has == 0)
		return;
	rows_r->rows = rows;
	rows_r->count = count;
	nspi_check_columns(nspi, type, asked, columns);
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t j = 0; j < rows[i].count; j++) {
			nspi_check_value(nspi, type, rows[i].columns[j],
					 &rows[i].values[j]);
		}
	}
}

void nspi_check_props(struct client_nspi *nspi, const char *type,
		      const struct client_nspi_columns *asked,
		      const struct mapihttp_property_list *props)
{
	bool same = asked == NULL ||
		asked->count == props->property_value_count;

	for (uint32_t i = 0; i < props->property_value_count; i++) {
		const struct mapi_property *prop = &props->property_values[i];

		nspi_check_value(nspi, type, prop->tag, &prop->value);
		if (same && asked != NULL &&
		    MAPI_TAG_ID(asked->tags[i]) != MAPI_TAG_ID(prop->tag))
			same = false;
	}
	if (!same) {
		client_http_violation(nspi->http,
			"%s: other properties than those asked for", type);
	}
}

int nspi_take_stat(struct client_nspi *nspi, const char *type, uint8_t has,
		   const struct mapihttp_stat *answer,
		   struct mapihttp_stat *stat, struct client_error *error_r)
{
	if (has == 0) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
					"the answer has no STAT");
	}
	/* [MS-OXNSPI] 2.2.8: only GetMatches changes the container */
	if (answer->sort_type != stat->sort_type ||
	    (answer->container_id != stat->container_id &&
	     strcmp(type, "GetMatches") != 0) ||
	    answer->code_page != stat->code_page ||
	    answer->template_locale != stat->template_locale ||
	    answer->sort_locale != stat->sort_locale) {
		client_http_violation(nspi->http,
			"%s: the server has changed what's the client's in "
			"the STAT", type);
	}
	*stat = *answer;
	return 0;
}
