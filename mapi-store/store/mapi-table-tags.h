/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_TABLE_TAGS_H
#define MAPI_TABLE_TAGS_H

/* For sources of tables that read a row's properties by their tags: what they
   compile a set of columns to is just these. A file that includes this can't
   have another struct mapi_table_program. */

#include "mapi-table-private.h"

struct mapi_table_program {
	uint32_t *tags;
	unsigned int count;
};

/* mapi_table_source_vfuncs.compile: copies the tags. */
struct mapi_table_program *
mapi_table_tags_compile(struct mapi_table_source *src, TALLOC_CTX *parent,
			const uint32_t *tags, unsigned int count);
/* mapi_table_source_vfuncs.begin: there's nothing to prepare. */
enum mapi_error
mapi_table_tags_begin(struct mapi_table_source *src,
		      struct mapi_table_program *const *programs,
		      unsigned int count);

#endif
