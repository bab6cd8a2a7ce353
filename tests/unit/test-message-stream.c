/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Property streams: reading, seeking, sizes, conversion of text. */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "mapi-codepage.h"
#include "mapi-stream.h"
#include "mapi-stream-charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void test_data(size_t size, string_t *dest)
{
	size_t i;

	for (i = 0; i < size; i++)
		str_append_c(dest, (i * 7 + i / 251) & 0xff);
}

static void assert_stream_reads(struct mapi_stream *stream, const void *data,
				size_t size, size_t chunk)
{
	uint8_t *buf = i_malloc(chunk);
	size_t len, used = 0;
	uint64_t pos;

	assert_int_equal(mapi_stream_seek(stream, 0, 0, &pos), EC_NONE);
	assert_int_equal(pos, 0);
	do {
		assert_int_equal(mapi_stream_read(stream, buf, chunk, &len),
				 EC_NONE);
		assert_true(used + len <= size);
		assert_memory_equal(buf, CONST_PTR_OFFSET(data, used), len);
		used += len;
	} while (len == chunk);
	assert_int_equal(used, size);
	/* nothing comes after the end */
	assert_int_equal(mapi_stream_read(stream, buf, chunk, &len), EC_NONE);
	assert_int_equal(len, 0);
	i_free(buf);
}

static void test_stream_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 70000, 262144, 262145,
					1000000 };
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(sizes); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		string_t *str = str_new(default_pool, sizes[i]);
		struct istream *input;
		struct mapi_stream *stream;
		uint64_t size;

		test_data(sizes[i], str);
		input = i_stream_create_from_data(str_data(str), str_len(str));
		stream = mapi_stream_create_istream(mem, NULL, input);
		i_stream_unref(&input);
		assert_stream_reads(stream, str_data(str), sizes[i], 4096);
		assert_stream_reads(stream, str_data(str), sizes[i], 65535);
		assert_int_equal(mapi_stream_size(stream, &size), EC_NONE);
		assert_int_equal(size, sizes[i]);
		talloc_free(mem);
		str_free(&str);
	}
}

static void test_stream_seek(void **state)
{
	static const struct {
		uint8_t origin;
		int64_t offset;
		enum mapi_error error;
		uint64_t pos;
	} tests[] = {
		{ 0, 10, EC_NONE, 10 },
		{ 1, 5, EC_NONE, 15 },
		{ 1, -15, EC_NONE, 0 },
		{ 1, -1, EC_STREAM_SEEK_ERROR, 0 },
		{ 2, 0, EC_NONE, 300000 },
		{ 2, -300000, EC_NONE, 0 },
		{ 2, -300001, EC_STREAM_SEEK_ERROR, 0 },
		{ 2, 7, EC_NONE, 300007 },
		{ 0, 1LL << 31, EC_NONE, 1ULL << 31 },
		{ 0, (1LL << 31) + 1, EC_STREAM_SEEK_ERROR, 0 },
		{ 1, INT64_MAX, EC_STREAM_SEEK_ERROR, 0 },
		{ 1, INT64_MIN, EC_STREAM_SEEK_ERROR, 0 },
		{ 0, -1, EC_STREAM_SEEK_ERROR, 0 },
		{ 3, 0, EC_STORAGE_INVALID_PARAMETER, 0 },
		/* failures have moved nothing */
		{ 1, 0, EC_NONE, 1ULL << 31 },
		{ 0, 299999, EC_NONE, 299999 },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	string_t *str = str_new(default_pool, 300000);
	struct istream *input;
	struct mapi_stream *stream;
	uint8_t buf[10];
	uint64_t pos;
	size_t len;
	unsigned int i;

	test_data(300000, str);
	input = i_stream_create_from_data(str_data(str), str_len(str));
	stream = mapi_stream_create_istream(mem, NULL, input);
	i_stream_unref(&input);
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		assert_int_equal(mapi_stream_seek(stream, tests[i].origin,
						  tests[i].offset, &pos),
				 tests[i].error);
		if (tests[i].error != EC_NONE)
			continue;
		assert_int_equal(pos, tests[i].pos);
	}
	assert_int_equal(mapi_stream_read(stream, buf, sizeof(buf), &len),
			 EC_NONE);
	assert_int_equal(len, 1);
	assert_int_equal(buf[0], str_data(str)[299999]);
	/* beyond the end there's nothing */
	assert_int_equal(mapi_stream_seek(stream, 0, 400000, &pos), EC_NONE);
	assert_int_equal(mapi_stream_read(stream, buf, sizeof(buf), &len),
			 EC_NONE);
	assert_int_equal(len, 0);
	talloc_free(mem);
	str_free(&str);
}

/* Two streams over the same input don't disturb each other. */
static void test_stream_shared_input(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	string_t *str = str_new(default_pool, 900000);
	struct istream *input;
	struct mapi_stream *stream1, *stream2;
	uint8_t buf1[1000], buf2[1000];
	size_t i, len;

	test_data(900000, str);
	input = i_stream_create_from_data(str_data(str), str_len(str));
	stream1 = mapi_stream_create_istream(mem, NULL, input);
	stream2 = mapi_stream_create_istream(mem, NULL, input);
	i_stream_unref(&input);
	for (i = 0; i < 900; i++) {
		assert_int_equal(mapi_stream_read(stream1, buf1, 1000, &len),
				 EC_NONE);
		assert_int_equal(len, 1000);
		assert_int_equal(mapi_stream_read(stream2, buf2, 500, &len),
				 EC_NONE);
		assert_int_equal(len, 500);
		assert_memory_equal(buf1, str_data(str) + i * 1000, 1000);
		assert_memory_equal(buf2, str_data(str) + i * 500, 500);
	}
	talloc_free(mem);
	str_free(&str);
}

static void read_all(struct istream *input, string_t *dest)
{
	const unsigned char *data;
	size_t size;

	while (i_stream_read_more(input, &data, &size) > 0) {
		/* in pieces, so that buffers fill up in odd places */
		size = I_MIN(size, 37);
		str_append_data(dest, data, size);
		i_stream_skip(input, size);
	}
	assert_int_equal(input->stream_errno, 0);
}

static void test_charset(void **state)
{
	static const struct {
		const char *charset, *input, *output;
		size_t len;
	} tests[] = {
		{ "UTF-16LE", "a\xC3\xA4\xE2\x82\xAC",
		  "a\0\xE4\0\xAC\x20", 6 },
		/* U+1F600 is a surrogate pair */
		{ "UTF-16LE", "\xF0\x9F\x98\x80", "\x3D\xD8\x00\xDE", 4 },
		/* not UTF-8 */
		{ "UTF-16LE", "a\xFF" "b", "a\0\xFD\xFF" "b\0", 6 },
		{ "UTF-16LE", "a\xC3", "a\0\xFD\xFF", 4 },
		{ "CP1252", "\xE2\x82\xAC\xC3\xA4", "\x80\xE4", 2 },
		{ "CP1252", "\xE6\x97\xA5", "?", 1 },
		{ "CP932", "\xE6\x97\xA5", "\x93\xFA", 2 },
		{ "ISO-2022-JP", "\xE6\x97\xA5", "\x1B$BF|\x1B(B", 8 },
		{ "UTF-16LE", "", "", 0 },
	};
	struct istream *input, *conv;
	string_t *str = str_new(default_pool, 128);
	unsigned int i, run;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		input = i_stream_create_from_data(tests[i].input,
						  strlen(tests[i].input));
		conv = i_stream_create_from_utf8(input, tests[i].charset);
		assert_non_null(conv);
		for (run = 0; run < 2; run++) {
			str_truncate(str, 0);
			i_stream_seek(conv, 0);
			read_all(conv, str);
			assert_int_equal(str_len(str), tests[i].len);
			assert_memory_equal(str_data(str), tests[i].output,
					    tests[i].len);
		}
		i_stream_unref(&conv);
		i_stream_unref(&input);
	}
	input = i_stream_create_from_data("", 0);
	assert_null(i_stream_create_from_utf8(input, "no-such-charset"));
	i_stream_unref(&input);
	str_free(&str);
}

/* Characters are split at every place that buffers can end. */
static void test_charset_large(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	string_t *utf8 = str_new(default_pool, 1024);
	string_t *utf16 = str_new(default_pool, 1024);
	struct istream *input, *conv;
	struct mapi_stream *stream;
	unsigned int i;

	for (i = 0; i < 100000; i++) {
		if (i % 7 == 0) {
			str_append(utf8, "x");
			str_append_data(utf16, "x\0", 2);
		}
		str_append(utf8, "\xE2\x82\xAC\xF0\x9F\x98\x80");
		str_append_data(utf16, "\xAC\x20\x3D\xD8\x00\xDE", 6);
	}
	input = i_stream_create_from_data(str_data(utf8), str_len(utf8));
	conv = i_stream_create_from_utf8(input, "UTF-16LE");
	stream = mapi_stream_create_istream(mem, NULL, conv);
	i_stream_unref(&conv);
	i_stream_unref(&input);
	assert_stream_reads(stream, str_data(utf16), str_len(utf16), 30000);
	assert_stream_reads(stream, str_data(utf16), str_len(utf16), 777);
	talloc_free(mem);
	str_free(&utf8);
	str_free(&utf16);
}

static void test_codepage(void **state)
{
	static const struct {
		uint32_t code_page;
		const char *utf8, *str8;
	} tests[] = {
		{ 1252, "plain", "plain" },
		{ 1252, "\xC3\xBC\xE2\x80\x9C", "\xFC\x93" },
		{ 1251, "\xD0\x96", "\xC6" },
		{ 932, "\xE6\x97\xA5", "\x93\xFA" },
		{ 65001, "\xE6\x97\xA5", "\xE6\x97\xA5" },
		{ 28592, "\xC5\x82", "\xB3" },
		/* letters that an accent could follow */
		{ 1255, "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
		  "\xF9\xEC\xE5\xED" },
		{ 1258, "\xC3\xAA", "\xEA" },
		/* unknown: windows-1252 */
		{ 4711, "\xC3\xBC", "\xFC" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		assert_string_equal(mapi_codepage_from_utf8(mem,
				tests[i].code_page, tests[i].utf8),
				tests[i].str8);
		assert_string_equal(mapi_codepage_to_utf8(mem,
				tests[i].code_page, tests[i].str8),
				tests[i].utf8);
	}
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_sizes),
		cmocka_unit_test(test_stream_seek),
		cmocka_unit_test(test_stream_shared_input),
		cmocka_unit_test(test_charset),
		cmocka_unit_test(test_charset_large),
		cmocka_unit_test(test_codepage),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
