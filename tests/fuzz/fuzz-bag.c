/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Property bags: what can be decoded is encoded and decoded to the same, all
   streams in it are readable, and memory is bounded by the input's size. */

#include "lib.h"
#include "buffer.h"
#include "istream.h"
#include "ostream.h"
#include "mapi-bag-codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The smallest elements make sets of their own (recipients: 20 bytes), which
   with their talloc headers are some hundred. */
#define MAX_EXPANSION 64

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	lib_init();
	return 0;
}

static struct mapi_content *
decode(struct istream *input, const char **error_r)
{
	struct mapi_content *content;

	if (mapi_bag_decode(NULL, input, &content, error_r) < 0) {
		i_assert(*error_r != NULL);
		return NULL;
	}
	i_assert(input->stream_errno == 0);
	return content;
}

static void encode(const struct mapi_content *content, buffer_t *buf)
{
	struct ostream *output = o_stream_create_buffer(buf);

	i_assert(mapi_bag_encode(content, output) == 0);
	i_assert(o_stream_finish(output) > 0);
	o_stream_unref(&output);
}

static void check(const uint8_t *data, size_t size)
{
	struct istream *input = i_stream_create_from_data(data, size);
	struct mapi_content *content, *again;
	buffer_t *first = t_buffer_create(1024), *second = t_buffer_create(1024);
	const char *error;

	content = decode(input, &error);
	i_stream_unref(&input);
	if (content == NULL)
		return;
	i_assert(talloc_total_size(content) <= size * MAX_EXPANSION + 4096);
	encode(content, first);
	input = i_stream_create_from_data(first->data, first->used);
	again = decode(input, &error);
	i_stream_unref(&input);
	if (again == NULL)
		i_fatal("%s", error);
	encode(again, second);
	i_assert(first->used == second->used &&
		 memcmp(first->data, second->data, first->used) == 0);
	talloc_free(content);
	talloc_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	T_BEGIN {
		check(data, size);
	} T_END;
	return 0;
}
