/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recipient rows with columns that the input brings: a count, so many tags,
   the row. Property rows likewise if the highest bit of the count is set. */

#include "mapi-recipient.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(TALLOC_CTX *mem, struct mapi_pull *pull,
		      const uint32_t *columns, unsigned int count)
{
	struct mapi_property_row row, row2;
	struct mapi_push push;
	struct mapi_pull pull2;
	uint32_t i;

	if (!mapi_pull_property_row(pull, columns, count, &row))
		return;
	mapi_push_init(&push, mem, 0);
	if (!mapi_push_property_row(&push, &row) ||
	    mapi_property_row_size(&row) != push.size)
		abort();
	mapi_pull_init(&pull2, mem, push.data, push.size);
	if (!mapi_pull_property_row(&pull2, columns, count, &row2))
		abort();
	for (i = 0; i < row.count; i++) {
		if (!mapi_value_equal(&row.values[i], &row2.values[i]))
			abort();
	}
}

static void check_recipient(TALLOC_CTX *mem, struct mapi_pull *pull,
			    const uint32_t *columns, unsigned int count)
{
	struct mapi_recipient_row row, row2;
	struct mapi_push push;
	struct mapi_pull pull2;
	char *str = talloc_strdup(mem, "");

	if (!mapi_pull_recipient_row(pull, columns, count, &row))
		return;
	mapi_recipient_row_print(&str, &row);
	mapi_push_init(&push, mem, 0);
	if (!mapi_push_recipient_row(&push, &row))
		abort();
	mapi_pull_init(&pull2, mem, push.data, push.size);
	if (!mapi_pull_recipient_row(&pull2, columns, count, &row2) ||
	    !mapi_recipient_row_equal(&row, &row2))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_pull pull;
	uint32_t columns[127];
	unsigned int count, i;
	uint8_t first;

	mapi_pull_init(&pull, mem, data, size);
	first = mapi_pull_u8(&pull);
	count = first & 0x7f;
	for (i = 0; i < count; i++)
		columns[i] = mapi_pull_u32(&pull);
	if (!mapi_pull_ok(&pull))
		;
	else if ((first & 0x80) != 0)
		check_row(mem, &pull, columns, count);
	else
		check_recipient(mem, &pull, columns, count);
	talloc_free(mem);
	return 0;
}
