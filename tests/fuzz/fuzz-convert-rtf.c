/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* RTF to HTML and text. What comes out is UTF-8 without NULs and not too long;
   and the input, wrapped in RTF as HTML and as text, comes back: as it was but
   for what wrapping cleans, which is clean the second time. First byte: whether
   there are places for attachments. */

#include "lib.h"
#include "unichar.h"
#include "rtf-html.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The dearest is "\cell" without a table around it. */
#define MAX_GROWTH 400

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	lib_init();
	return 0;
}

static void check_output(const char *output, size_t size, size_t input_size)
{
	if (strlen(output) != size ||
	    !uni_utf8_data_is_valid((const unsigned char *)output, size) ||
	    size > (input_size + 10) * MAX_GROWTH)
		abort();
}

static void
check_round_trip(TALLOC_CTX *mem, const uint8_t *input, size_t size, bool html)
{
	char *output, *again;
	uint8_t *rtf;
	size_t rtf_size, output_size, again_size;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		(html ? rtf_from_html : rtf_from_text)(mem, input, size, &rtf,
						       &rtf_size);
		if ((html ? rtf_to_html : rtf_to_text)(mem, rtf, rtf_size,
				NULL, &again, &again_size) < 0)
			abort();
		if (i == 0) {
			output = again;
			output_size = again_size;
			input = (const uint8_t *)output;
			size = output_size;
		} else if (again_size != output_size ||
			   memcmp(again, output, output_size) != 0) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rtf_object list[] = {
		{ "image", "id@example.org" }, { "file", NULL },
	};
	struct rtf_objects objects = { list, 0 };
	TALLOC_CTX *mem;
	char *output;
	size_t output_size;

	if (size == 0)
		return 0;
	objects.count = data[0] % 3;
	data++;
	size--;
	mem = talloc_new(NULL);
	if (rtf_to_html(mem, data, size, &objects, &output, &output_size) == 0)
		check_output(output, output_size, size);
	if (rtf_to_text(mem, data, size, &objects, &output, &output_size) == 0)
		check_output(output, output_size, size);
	check_round_trip(mem, data, size, TRUE);
	check_round_trip(mem, data, size, FALSE);
	talloc_free(mem);
	return 0;
}
