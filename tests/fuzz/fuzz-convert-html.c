/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The converters of body text. What comes out must not depend on how the input
   is cut into pieces. First byte: which converter, and the size of pieces. */

#include "lib.h"
#include "buffer.h"
#include "mime-charset.h"
#include "mime-text-filters.h"
#include "mime-transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	lib_init();
	return 0;
}

static struct mime_filter *filter_create(unsigned int kind)
{
	switch (kind) {
	case 0:
		return mime_text_to_html_filter(TRUE);
	case 1:
		return mime_text_lines_filter(TRUE, TRUE);
	case 2:
		return mime_text_lines_filter(FALSE, FALSE);
	case 3:
		return mime_transfer_filter(MIME_TRANSFER_BASE64);
	case 4:
		return mime_transfer_filter(MIME_TRANSFER_QUOTED_PRINTABLE);
	case 5:
		return mime_transfer_filter(MIME_TRANSFER_UUENCODE);
	case 6:
		return mime_charset_filter("UTF-8");
	case 7:
		return mime_charset_filter("GB18030");
	default:
		return mime_html_to_text_filter();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime_filter *filter;
	buffer_t *whole, *pieces;
	unsigned int kind, step;
	size_t i;

	if (size == 0)
		return 0;
	kind = *data & 15;
	step = (*data >> 4) + 1;
	data++;
	size--;

	whole = buffer_create_dynamic(default_pool, 256);
	pieces = buffer_create_dynamic(default_pool, 256);
	mime_filter_run(filter_create(kind), data, size, whole);

	filter = filter_create(kind);
	for (i = 0; i < size; i += step) {
		filter->feed(filter, data + i, I_MIN(step, size - i), pieces);
	}
	filter->finish(filter, pieces);
	if (kind != 6 && kind != 7)
		i_assert(buffer_cmp(whole, pieces));

	/* and again after a reset */
	filter->reset(filter);
	buffer_set_used_size(pieces, 0);
	filter->feed(filter, data, size, pieces);
	filter->finish(filter, pieces);
	i_assert(buffer_cmp(whole, pieces));
	filter->free(filter);

	i_assert(whole->used <= (size + 16) * 64);
	buffer_free(&whole);
	buffer_free(&pieces);
	return 0;
}
