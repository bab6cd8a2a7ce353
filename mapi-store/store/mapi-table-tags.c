/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mapi-table-tags.h"

struct mapi_table_program *
mapi_table_tags_compile(struct mapi_table_source *src, TALLOC_CTX *parent,
			const uint32_t *tags, unsigned int count)
{
	struct mapi_table_program *program;

	program = talloc_zero(parent, struct mapi_table_program);
	program->tags = talloc_memdup(program, tags, count * sizeof(*tags));
	program->count = count;
	return program;
}

enum mapi_error
mapi_table_tags_begin(struct mapi_table_source *src,
		      struct mapi_table_program *const *programs,
		      unsigned int count)
{
	return EC_NONE;
}
