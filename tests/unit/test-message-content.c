/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is in messages: attachments, embedded messages, bodies. */

#include "lib.h"
#include "str.h"
#include "mapi-props.h"
#include "mapi-stream.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

static const char *stream_text(struct mapi_stream *stream)
{
	uint8_t buf[65536];
	size_t len;

	assert_int_equal(mapi_stream_read(stream, buf, sizeof(buf), &len),
			 EC_NONE);
	assert_true(len < sizeof(buf));
	return t_strndup((char *)buf, len);
}

static void test_message_attachments(void **state)
{
	static const struct message_expected expected_data[] = {
		{ PIDTAG_ATTACH_NUMBER, "0" },
		{ PIDTAG_ATTACH_METHOD, "1" },
		{ PIDTAG_ATTACH_LONG_FILENAME, "data.bin" },
		{ PIDTAG_ATTACH_EXTENSION, ".bin" },
		{ PIDTAG_ATTACH_MIME_TAG, "application/octet-stream" },
		{ PIDTAG_ATTACH_DATA_BINARY, "0001020304050607" },
		{ PIDTAG_RENDERING_POSITION, "-1" },
		{ PIDTAG_OBJECT_TYPE, "7" },
		{ PIDTAG_RECORD_KEY, "00000000" },
		{ PIDTAG_SUBJECT, "EC_NOT_FOUND" },
	};
	static const struct message_expected expected_message[] = {
		{ PIDTAG_ATTACH_NUMBER, "1" },
		{ PIDTAG_ATTACH_METHOD, "5" },
		{ PIDTAG_DISPLAY_NAME, "Inner" },
		{ PIDTAG_ATTACH_DATA_BINARY, "EC_NOT_FOUND" },
	};
	static const struct message_expected expected_inner[] = {
		{ PIDTAG_SUBJECT, "Inner" },
		{ PIDTAG_SENDER_EMAIL_ADDRESS, "inner@example.org" },
		{ PIDTAG_DISPLAY_TO, "juergen@example.org" },
		{ PIDTAG_BODY, "inner text" },
		{ PIDTAG_HAS_ATTACHMENTS, "yes" },
		{ PIDTAG_MESSAGE_FLAGS, "1043" },
		{ PIDTAG_MID, "EC_NOT_FOUND" },
		{ PIDTAG_ENTRY_ID, "EC_NOT_FOUND" },
	};
	static const struct message_expected expected_csv[] = {
		{ PIDTAG_ATTACH_LONG_FILENAME, "inner.csv" },
		{ PIDTAG_ATTACH_DATA_BINARY, "312c322c33" },
	};
	struct mapi_attachment *attach, *embedded, *csv;
	struct mapi_message *inner, *inner2;
	struct mapi_stream *stream;
	unsigned int i, count;
	struct message_env env;

	for (i = 0; i < N_ELEMENTS(message_drivers); i++) T_BEGIN {
		message_env_init(&env, message_drivers[i]);
		struct mapi_message *msg =
			message_env_open(&env, message_env_save(&env, message_sample, 0, NULL));
		assert_int_equal(mapi_message_attachment_count(msg, &count),
				 EC_NONE);
		assert_int_equal(count, 2);
		assert_int_equal(mapi_attachment_open(env.mem, msg, 2, &attach),
				 EC_NOT_FOUND);
		assert_int_equal(mapi_attachment_open(env.mem, msg, 0, &attach),
				 EC_NONE);
		ASSERT_PROPS(&attach->obj, expected_data);
		assert_int_equal(mapi_attachment_open_embedded(env.mem, attach,
						&inner), EC_NOT_SUPPORTED);
		assert_int_equal(attach->obj.v->open_stream(&attach->obj,
				env.mem, PIDTAG_ATTACH_LONG_FILENAME, &stream),
				EC_NONE);
		assert_int_equal(attach->obj.v->open_stream(&attach->obj,
				env.mem, PIDTAG_ATTACH_CONTENT_ID, &stream),
				EC_NOT_FOUND);

		assert_int_equal(mapi_attachment_open(env.mem, msg, 1,
						      &embedded), EC_NONE);
		ASSERT_PROPS(&embedded->obj, expected_message);
		assert_int_equal(mapi_attachment_open_embedded(env.mem,
					embedded, &inner), EC_NONE);
		assert_int_equal(mapi_attachment_open_embedded(env.mem,
					embedded, &inner2), EC_NONE);
		ASSERT_PROPS(&inner->obj, expected_inner);

		/* what was opened through something outlives it */
		talloc_free(msg);
		talloc_free(attach);
		talloc_free(embedded);
		talloc_free(inner2);
		ASSERT_PROPS(&inner->obj, expected_inner);
		assert_int_equal(mapi_message_attachment_count(inner, &count),
				 EC_NONE);
		assert_int_equal(count, 1);
		assert_int_equal(mapi_attachment_open(env.mem, inner, 0, &csv),
				 EC_NONE);
		talloc_free(inner);
		ASSERT_PROPS(&csv->obj, expected_csv);
		assert_int_equal(csv->obj.v->open_stream(&csv->obj, env.mem,
				PIDTAG_ATTACH_DATA_BINARY, &stream), EC_NONE);
		talloc_free(csv);
		assert_string_equal(stream_text(stream), "1,2,3");
		message_env_deinit(&env);
	} T_END;
}
/* Each property is listed once, and what is listed is there. */
static void test_attachment_list(void **state)
{
	struct mapi_attachment *attach;
	struct message_env env;
	struct mapi_value value;
	const uint32_t *tags;
	unsigned int num, i, j, count;

	message_env_init(&env, "sdbox");
	struct mapi_message *msg = message_env_open(&env,
		message_env_save(&env, message_sample, 0, NULL));
	for (num = 0; num < 2; num++) {
		assert_int_equal(mapi_attachment_open(env.mem, msg, num,
						      &attach), EC_NONE);
		assert_int_equal(attach->obj.v->list_props(&attach->obj,
				env.mem, &tags, &count), EC_NONE);
		assert_true(count > 10);
		for (i = 0; i < count; i++) {
			for (j = 0; j < i; j++) {
				assert_int_not_equal(MAPI_TAG_ID(tags[i]),
						     MAPI_TAG_ID(tags[j]));
			}
			assert_int_equal(attach->obj.v->get_props(&attach->obj,
					env.mem, &tags[i], 1, SIZE_MAX,
					&value), EC_NONE);
			/* messages are listed, but aren't values */
			if (tags[i] == PIDTAG_ATTACH_DATA_OBJECT)
				assert_int_equal(num, 1);
			else
				assert_int_equal(value.type,
						 MAPI_TAG_TYPE(tags[i]));
		}
	}
	message_env_deinit(&env);
}

static void test_message_streams(void **state)
{
	struct mapi_stream *stream;
	struct message_env env;
	uint64_t size;

	message_env_init(&env, "mdbox");
	struct mapi_message *msg =
		message_env_open(&env, message_env_save(&env, message_sample, 0, NULL));
	assert_int_equal(msg->obj.v->open_stream(&msg->obj, env.mem,
				PIDTAG_HTML, &stream), EC_NONE);
	assert_string_equal(stream_text(stream),
			    "<html><body><p>Hello</p></body></html>");
	assert_int_equal(msg->obj.v->open_stream(&msg->obj, env.mem,
				PIDTAG_BODY, &stream), EC_NONE);
	assert_int_equal(mapi_stream_size(stream, &size), EC_NONE);
	assert_int_equal(size, 10);
	assert_memory_equal(stream_text(stream), "G", 2);
	assert_int_equal(msg->obj.v->open_stream(&msg->obj, env.mem,
				PIDTAG_SUBJECT, &stream), EC_NONE);
	assert_int_equal(mapi_stream_size(stream, &size), EC_NONE);
	assert_int_equal(size, 18);
	assert_int_equal(msg->obj.v->open_stream(&msg->obj, env.mem,
				PIDTAG_REPLY_RECIPIENT_ENTRIES, &stream),
			 EC_NOT_FOUND);
	talloc_free(msg);
	message_env_deinit(&env);
}
/* A body that is too large for a response, and an attachment that is too large
   for memory. */
static void test_message_large(void **state)
{
	string_t *str = str_new(default_pool, 1024*1024);
	struct mapi_attachment *attach;
	struct mapi_stream *stream;
	struct message_env env;
	uint8_t buf[1000];
	uint64_t size, pos;
	size_t len;
	unsigned int i;

	str_append(str, "Subject: large\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: multipart/mixed; boundary=a\r\n\r\n"
		   "--a\r\nContent-Type: text/plain\r\n\r\n");
	for (i = 0; i < 10000; i++)
		str_printfa(str, "line %05u\r\n", i);
	str_append(str, "\r\n--a\r\nContent-Type: application/x-test\r\n"
		   "Content-Disposition: attachment; filename=x\r\n"
		   "Content-Transfer-Encoding: base64\r\n\r\n");
	/* 57 bytes a line: 0x00 0x10 0x83 = "ABCD" */
	for (i = 0; i < 20000; i++) {
		str_append(str, "ABCDABCDABCDABCDABCDABCDABCDABCDABCDABCD"
			   "ABCDABCDABCDABCDABCDABCDABCDABCDABCD\r\n");
	}
	str_append(str, "--a--\r\n");

	message_env_init(&env, "sdbox");
	struct mapi_message *msg =
		message_env_open(&env, message_env_save(&env, str_c(str), 0, NULL));
	const struct message_expected expected[] = {
		{ PIDTAG_BODY, "EC_MAPIOOM" },
		{ MAPI_TAG_AS(PIDTAG_BODY, PTYP_STRING8),
		  "EC_MAPIOOM" },
		{ PIDTAG_HTML, "EC_MAPIOOM" },
		{ PIDTAG_SUBJECT, "large" },
	};
	ASSERT_PROPS(&msg->obj, expected);
	assert_int_equal(msg->obj.v->open_stream(&msg->obj, env.mem,
				PIDTAG_BODY, &stream), EC_NONE);
	assert_int_equal(mapi_stream_size(stream, &size), EC_NONE);
	/* the last line end belongs to the boundary */
	assert_int_equal(size, 10000 * 12 * 2);
	assert_int_equal(mapi_stream_seek(stream, 0, 24 * 1234, &pos), EC_NONE);
	assert_int_equal(mapi_stream_read(stream, buf, 20, &len), EC_NONE);
	assert_int_equal(len, 20);
	assert_memory_equal(buf, "l\0i\0n\0e\0 \0" "0\0" "1\0" "2\0" "3\0" "4",
			    20);

	assert_int_equal(mapi_attachment_open(env.mem, msg, 0, &attach),
			 EC_NONE);
	const struct message_expected expected_attach[] = {
		{ PIDTAG_ATTACH_DATA_BINARY, "EC_MAPIOOM" },
	};
	ASSERT_PROPS(&attach->obj, expected_attach);
	assert_int_equal(attach->obj.v->open_stream(&attach->obj, env.mem,
				PIDTAG_ATTACH_DATA_BINARY, &stream), EC_NONE);
	assert_int_equal(mapi_stream_size(stream, &size), EC_NONE);
	assert_int_equal(size, 20000 * 57);
	assert_int_equal(mapi_stream_seek(stream, 2, -3, &pos), EC_NONE);
	assert_int_equal(mapi_stream_read(stream, buf, 20, &len), EC_NONE);
	assert_int_equal(len, 3);
	assert_memory_equal(buf, "\x00\x10\x83", 3);
	assert_int_equal(mapi_stream_seek(stream, 0, 3000, &pos), EC_NONE);
	assert_int_equal(mapi_stream_read(stream, buf, 3, &len), EC_NONE);
	assert_int_equal(len, 3);
	assert_memory_equal(buf, "\x00\x10\x83", 3);
	message_env_deinit(&env);
	str_free(&str);
}
/* With an argument: only the tests whose names match it (a pattern). */
int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_attachments),
		cmocka_unit_test(test_attachment_list),
		cmocka_unit_test(test_message_streams),
		cmocka_unit_test(test_message_large),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
