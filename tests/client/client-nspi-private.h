/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_NSPI_PRIVATE_H
#define CLIENT_NSPI_PRIVATE_H

#include "client-nspi.h"

/* what Has... fields are where it is there */
#define NSPI_TRUE 0xFF

/* client-nspi-check.c: the parts of responses, and what's wrong with them */

void nspi_set_columns(const struct client_nspi_columns *columns,
		      uint8_t *has_r, struct mapihttp_tag_array *tags_r);
void nspi_take_mids(uint8_t has, const uint32_t *mids,
		    uint32_t count, struct client_nspi_mids *mids_r);
void nspi_take_tags(uint8_t has, const struct mapihttp_tag_array *tags,
		    struct client_nspi_columns *tags_r);
/* asked: NULL if the server chooses the columns */
void nspi_take_rows(struct client_nspi *nspi, const char *type,
		    const struct client_nspi_columns *asked, uint8_t has,
		    const struct mapihttp_tag_array *columns,
		    struct mapi_property_row *rows, uint32_t count,
		    struct client_nspi_rows *rows_r);
void nspi_check_props(struct client_nspi *nspi, const char *type,
		      const struct client_nspi_columns *asked,
		      const struct mapihttp_property_list *props);
/* Takes the STAT of an answer. -1 if there's none. */
int nspi_take_stat(struct client_nspi *nspi, const char *type, uint8_t has,
		   const struct mapihttp_stat *answer,
		   struct mapihttp_stat *stat, struct client_error *error_r);

#endif
