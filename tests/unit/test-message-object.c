/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Message and attachment objects over real mailboxes. */

#include "lib.h"
#include "hex-binary.h"
#include "str.h"
#include "mail-storage-private.h"
#include "mapi-mailprops.h"
#include "mapi-message.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "mapi-stream.h"
#include "mapi-wire.h"
#include "test-storage-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define RECEIVED 1700000000

static const struct mapi_store_settings store_set = {
	.companion_root = "mapi-internal",
	.organization = "Test",
	.display_name = "User",
	.email_address = "user@example.com",
};

static const char *const drivers[] = { "maildir", "sdbox", "mdbox" };

static const char message[] =
	"From: =?utf-8?q?J=C3=BCrgen?= <juergen@example.org>\r\n"
	"To: User <user@example.com>, \"Other, One\" <other@example.net>\r\n"
	"Cc: third@example.net\r\n"
	"Subject: Re: Lunch\r\n"
	"Date: Mon, 20 Nov 2023 10:00:00 +0100\r\n"
	"Message-ID: <1@example.org>\r\n"
	"In-Reply-To: <0@example.org>\r\n"
	"References: <-1@example.org> <0@example.org>\r\n"
	"Importance: high\r\n"
	"Sensitivity: private\r\n"
	"X-Test: value\r\n"
	"Disposition-Notification-To: juergen@example.org\r\n"
	"MIME-Version: 1.0\r\n"
	"Content-Type: multipart/mixed; boundary=a\r\n"
	"\r\n"
	"--a\r\n"
	"Content-Type: multipart/alternative; boundary=b\r\n"
	"\r\n"
	"--b\r\n"
	"Content-Type: text/plain; charset=utf-8\r\n"
	"Content-Transfer-Encoding: quoted-printable\r\n"
	"\r\n"
	"Gr=C3=BC=C3=9Fe\r\n"
	"--b\r\n"
	"Content-Type: text/html; charset=utf-8\r\n"
	"\r\n"
	"<html><body><p>Hello</p></body></html>\r\n"
	"--b--\r\n"
	"--a\r\n"
	"Content-Type: application/octet-stream; name=\"data.bin\"\r\n"
	"Content-Disposition: attachment; filename=\"data.bin\"\r\n"
	"Content-Transfer-Encoding: base64\r\n"
	"\r\n"
	"AAECAwQFBgc=\r\n"
	"--a\r\n"
	"Content-Type: message/rfc822\r\n"
	"\r\n"
	"From: inner@example.org\r\n"
	"To: juergen@example.org\r\n"
	"Subject: Inner\r\n"
	"MIME-Version: 1.0\r\n"
	"Content-Type: multipart/mixed; boundary=c\r\n"
	"\r\n"
	"--c\r\n"
	"\r\n"
	"inner text\r\n"
	"--c\r\n"
	"Content-Type: text/csv; name=inner.csv\r\n"
	"Content-Disposition: attachment\r\n"
	"\r\n"
	"1,2,3\r\n"
	"--c--\r\n"
	"--a--\r\n";

struct env {
	struct test_storage *ts;
	struct mapi_store *store;
	TALLOC_CTX *mem;
	mapi_id_t inbox;
};

static void env_init(struct env *env, const char *driver)
{
	env->ts = test_storage_init(driver);
	env->mem = talloc_new(NULL);
	assert_int_equal(mapi_store_open(env->mem, env->ts->user, &store_set,
					 &env->store), EC_NONE);
	env->inbox = mapi_store_special_fid(env->store, MAPI_SPECIAL_INBOX);
	assert_true(env->inbox != 0);
}

static void env_deinit(struct env *env)
{
	talloc_free(env->mem);
	test_storage_deinit(&env->ts);
}

static mapi_id_t env_mid(struct env *env, uint32_t uid)
{
	struct mapi_folder *folder;
	mapi_id_t mid;

	assert_int_equal(mapi_folder_open(env->mem, env->store, env->inbox,
					  &folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	mid = mapi_folder_mid(folder, FALSE, uid);
	talloc_free(folder);
	return mid;
}

static mapi_id_t env_save(struct env *env, const char *data,
			  enum mail_flags flags, const char *const *keywords)
{
	return env_mid(env, test_storage_save(env->ts, "INBOX", data,
					      strlen(data), flags, keywords,
					      RECEIVED));
}

static struct mapi_message *env_open(struct env *env, mapi_id_t mid)
{
	struct mapi_message *msg;

	assert_int_equal(mapi_message_open(env->mem, env->store, env->inbox,
					   mid, &msg), EC_NONE);
	return msg;
}

static const char *value_str(const struct mapi_value *value)
{
	string_t *str;
	uint32_t i;

	switch (value->type) {
	case PTYP_INTEGER32:
		return t_strdup_printf("%d", value->u.i32);
	case PTYP_INTEGER64:
		return t_strdup_printf("%"PRId64, value->u.i64);
	case PTYP_BOOLEAN:
		return value->u.b ? "yes" : "no";
	case PTYP_STRING:
		return value->u.str;
	case PTYP_STRING8:
		return t_strconcat("8:", value->u.str8, NULL);
	case PTYP_TIME:
		return t_strdup_printf("%"PRId64,
				       mapi_time_to_unix(value->u.time));
	case PTYP_BINARY:
		return binary_to_hex(value->u.bin.data, value->u.bin.len);
	case PTYP_ERROR_CODE:
		return mapi_error_name(value->u.error);
	case PTYP_MULTIPLE_STRING:
		str = t_str_new(64);
		for (i = 0; i < value->u.mv.count; i++)
			str_printfa(str, "[%s]", value->u.mv.v.str[i]);
		return str_c(str);
	default:
		return t_strdup_printf("type %04x", value->type);
	}
}

struct expected {
	uint32_t tag;
	const char *value;
};

static void
assert_props(struct mapi_object *obj, const struct expected *expected,
	     unsigned int count)
{
	const struct mapi_props_options options = {
		.max_size = 30000, .code_page = 1252, .unicode = TRUE,
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_value *values = talloc_array(mem, struct mapi_value, count);
	uint32_t *tags = talloc_array(mem, uint32_t, count);
	unsigned int i, failures = 0;

	for (i = 0; i < count; i++)
		tags[i] = expected[i].tag;
	assert_int_equal(mapi_object_get_props(obj, mem, &options, tags, count,
					       values), EC_NONE);
	for (i = 0; i < count; i++) {
		const char *value = value_str(&values[i]);

		if (strcmp(value, expected[i].value) != 0) {
			print_error("%08x: \"%s\" instead of \"%s\"\n",
				    tags[i], value, expected[i].value);
			failures++;
		}
	}
	assert_int_equal(failures, 0);
	talloc_free(mem);
}
#define ASSERT_PROPS(obj, expected) \
	assert_props(obj, expected, N_ELEMENTS(expected))

static const char *stream_text(struct mapi_stream *stream)
{
	uint8_t buf[65536];
	size_t len;

	assert_int_equal(mapi_stream_read(stream, buf, sizeof(buf), &len),
			 EC_NONE);
	assert_true(len < sizeof(buf));
	return t_strndup((char *)buf, len);
}

static void test_message_props(void **state)
{
	static const struct expected expected[] = {
		{ PIDTAG_MESSAGE_CLASS, "IPM.Note" },
		{ PIDTAG_SUBJECT, "Re: Lunch" },
		{ PIDTAG_SUBJECT_PREFIX, "Re: " },
		{ PIDTAG_NORMALIZED_SUBJECT, "Lunch" },
		{ PIDTAG_CONVERSATION_TOPIC, "Lunch" },
		{ PIDTAG_SENDER_NAME, "J\xC3\xBCrgen" },
		{ PIDTAG_SENDER_ADDRESS_TYPE, "SMTP" },
		{ PIDTAG_SENDER_EMAIL_ADDRESS, "juergen@example.org" },
		{ PIDTAG_SENT_REPRESENTING_NAME, "J\xC3\xBCrgen" },
		{ PIDTAG_SENT_REPRESENTING_SMTP_ADDRESS,
		  "juergen@example.org" },
		{ MAPI_TAG_AS(PIDTAG_SENDER_NAME, PTYP_STRING8),
		  "8:J\xFCrgen" },
		{ MAPI_TAG_AS(PIDTAG_SENDER_NAME, PTYP_UNSPECIFIED),
		  "J\xC3\xBCrgen" },
		{ MAPI_TAG_AS(PIDTAG_SENDER_NAME, PTYP_BINARY),
		  "EC_PROP_TYPE" },
		{ MAPI_TAG_AS(PIDTAG_SENDER_NAME, 0x7777), "EC_INVALID_TYPE" },
		{ PIDTAG_DISPLAY_TO, "User; Other, One" },
		{ PIDTAG_DISPLAY_CC, "third@example.net" },
		{ PIDTAG_DISPLAY_BCC, "" },
		{ PIDTAG_CLIENT_SUBMIT_TIME, "1700470800" },
		{ PIDTAG_MESSAGE_DELIVERY_TIME, "1700000000" },
		{ PIDTAG_IMPORTANCE, "2" },
		{ PIDTAG_SENSITIVITY, "2" },
		{ PIDTAG_INTERNET_MESSAGE_ID, "<1@example.org>" },
		{ PIDTAG_IN_REPLY_TO_ID, "<0@example.org>" },
		{ PIDTAG_INTERNET_REFERENCES,
		  "<-1@example.org> <0@example.org>" },
		{ PIDTAG_READ_RECEIPT_REQUESTED, "yes" },
		/* unmodified, attachments, receipt to be sent */
		{ PIDTAG_MESSAGE_FLAGS, "274" },
		{ PIDTAG_READ, "no" },
		{ PIDTAG_MESSAGE_STATUS, "0" },
		{ PIDTAG_HAS_ATTACHMENTS, "yes" },
		{ PIDTAG_MESSAGE_SIZE, "1186" },
		{ MAPI_TAG_AS(PIDTAG_MESSAGE_SIZE, PTYP_INTEGER64), "1186" },
		{ PIDTAG_OBJECT_TYPE, "5" },
		{ PIDTAG_ACCESS, "7" },
		{ PIDTAG_ACCESS_LEVEL, "1" },
		{ PIDTAG_ASSOCIATED, "no" },
		{ PIDTAG_HAS_NAMED_PROPERTIES, "yes" },
		{ PIDTAG_ICON_INDEX, "-1" },
		{ PIDTAG_FLAG_STATUS, "EC_NOT_FOUND" },
		{ PIDTAG_LAST_VERB_EXECUTED, "EC_NOT_FOUND" },
		{ PIDTAG_MESSAGE_TO_ME, "yes" },
		{ PIDTAG_MESSAGE_CC_ME, "no" },
		{ PIDTAG_MESSAGE_RECIPIENT_ME, "yes" },
		{ PIDTAG_RECEIVED_BY_NAME, "User" },
		{ PIDTAG_RECEIVED_BY_SMTP_ADDRESS, "user@example.com" },
		{ PIDTAG_NATIVE_BODY, "3" },
		{ PIDTAG_RTF_IN_SYNC, "no" },
		{ PIDTAG_INTERNET_CODEPAGE, "65001" },
		{ PIDTAG_BODY, "Gr\xC3\xBC\xC3\x9F" "e" },
		{ MAPI_TAG_AS(PIDTAG_BODY, PTYP_STRING8), "8:Gr\xFC\xDF" "e" },
		{ PIDTAG_BODY_HTML, "<html><body><p>Hello</p></body></html>" },
		{ PIDTAG_START_DATE, "EC_NOT_FOUND" },
		{ MAPI_TAG(0xFFFE, PTYP_STRING), "EC_NOT_FOUND" },
	};
	struct env env;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(drivers); i++) T_BEGIN {
		env_init(&env, drivers[i]);
		struct mapi_message *msg =
			env_open(&env, env_save(&env, message, 0, NULL));
		ASSERT_PROPS(&msg->obj, expected);
		env_deinit(&env);
	} T_END;
}

static void test_message_identity(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_MID, PIDTAG_FOLDER_ID, PIDTAG_ENTRY_ID,
		PIDTAG_PARENT_ENTRY_ID, PIDTAG_RECORD_KEY, PIDTAG_SEARCH_KEY,
		PIDTAG_SOURCE_KEY, PIDTAG_PARENT_SOURCE_KEY, PIDTAG_CHANGE_KEY,
		PIDTAG_PREDECESSOR_CHANGE_LIST, PIDTAG_CHANGE_NUMBER,
		PIDTAG_CREATION_TIME, PIDTAG_LAST_MODIFICATION_TIME,
	};
	static const uint16_t sizes[] = {
		0, 0, 70, 46, 70, 16, 22, 22, 22, 23, 0, 0, 0
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	struct env env;
	unsigned int i, j;

	for (i = 0; i < N_ELEMENTS(drivers); i++) T_BEGIN {
		env_init(&env, drivers[i]);
		mapi_id_t mid = env_save(&env, message, 0, NULL);
		struct mapi_message *msg = env_open(&env, mid);
		assert_int_equal(msg->obj.v->get_props(&msg->obj, env.mem,
				tags, N_ELEMENTS(tags), SIZE_MAX, values),
				EC_NONE);
		for (j = 0; j < N_ELEMENTS(tags); j++) {
			assert_int_equal(values[j].type,
					 MAPI_TAG_TYPE(tags[j]));
			if (values[j].type == PTYP_BINARY)
				assert_int_equal(values[j].u.bin.len, sizes[j]);
		}
		assert_true(mapi_id_from_i64(values[0].u.i64) == mid);
		assert_true(mapi_id_from_i64(values[1].u.i64) == env.inbox);
		assert_true(mapi_time_to_unix(values[11].u.time) > RECEIVED);
		env_deinit(&env);
	} T_END;
}

static void test_message_flags(void **state)
{
	static const char *const keywords[] = {
		"Red", "$Forwarded", "Junk", "My_project", NULL
	};
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		.name = "Keywords",
	};
	struct env env;
	uint16_t id;

	env_init(&env, "sdbox");
	mapi_id_t mid = env_save(&env, message,
				 MAIL_SEEN | MAIL_ANSWERED | MAIL_FLAGGED,
				 keywords);
	struct mapi_message *msg = env_open(&env, mid);
	assert_int_equal(mapi_store_names_to_ids(env.store, &name, 1, TRUE,
						 &id), EC_NONE);
	const struct expected expected[] = {
		/* read, unmodified, attachments, was read */
		{ PIDTAG_MESSAGE_FLAGS, "1043" },
		{ PIDTAG_READ, "yes" },
		{ PIDTAG_FLAG_STATUS, "2" },
		{ PIDTAG_FOLLOWUP_ICON, "6" },
		{ PIDTAG_LAST_VERB_EXECUTED, "104" },
		{ PIDTAG_ICON_INDEX, "262" },
		{ MAPI_TAG(id, PTYP_MULTIPLE_STRING), "[Red][My_project]" },
		{ MAPI_TAG(id, PTYP_UNSPECIFIED), "[Red][My_project]" },
		/* no such name */
		{ MAPI_TAG(id + 100, PTYP_STRING), "EC_NOT_FOUND" },
	};
	ASSERT_PROPS(&msg->obj, expected);
	talloc_free(msg);

	/* a draft */
	msg = env_open(&env, env_save(&env, "Subject: x\r\n\r\n",
				      MAIL_DRAFT | MAIL_SEEN, NULL));
	const struct expected expected_draft[] = {
		{ PIDTAG_MESSAGE_FLAGS, "1033" },
		{ PIDTAG_HAS_ATTACHMENTS, "no" },
		{ PIDTAG_SUBJECT, "x" },
		{ PIDTAG_BODY, "" },
	};
	ASSERT_PROPS(&msg->obj, expected_draft);
	env_deinit(&env);
}

static void test_message_recipients(void **state)
{
	static const struct {
		unsigned int type;
		const char *name, *address;
	} expected[] = {
		{ MAPI_TO, "User", "user@example.com" },
		{ MAPI_TO, "Other, One", "other@example.net" },
		{ MAPI_CC, "third@example.net", "third@example.net" },
	};
	const struct mapi_recipient_row *rows;
	unsigned int i, count;
	struct env env;

	env_init(&env, "sdbox");
	struct mapi_message *msg =
		env_open(&env, env_save(&env, message, 0, NULL));
	assert_int_equal(mapi_message_recipients(msg, &rows, &count), EC_NONE);
	assert_int_equal(count, N_ELEMENTS(expected));
	for (i = 0; i < count; i++) {
		assert_int_equal(rows[i].row_id, i);
		assert_int_equal(rows[i].recipient_type, expected[i].type);
		assert_string_equal(rows[i].display_name, expected[i].name);
		assert_string_equal(rows[i].email_address,
				    expected[i].address);
		assert_true(rows[i].properties.count > 0);
		assert_true(mapi_property_row_size(&rows[i].properties) > 0);
	}
	env_deinit(&env);
}

static void test_message_attachments(void **state)
{
	static const struct expected expected_data[] = {
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
	static const struct expected expected_message[] = {
		{ PIDTAG_ATTACH_NUMBER, "1" },
		{ PIDTAG_ATTACH_METHOD, "5" },
		{ PIDTAG_DISPLAY_NAME, "Inner" },
		{ PIDTAG_ATTACH_DATA_BINARY, "EC_NOT_FOUND" },
	};
	static const struct expected expected_inner[] = {
		{ PIDTAG_SUBJECT, "Inner" },
		{ PIDTAG_SENDER_EMAIL_ADDRESS, "inner@example.org" },
		{ PIDTAG_DISPLAY_TO, "juergen@example.org" },
		{ PIDTAG_BODY, "inner text" },
		{ PIDTAG_HAS_ATTACHMENTS, "yes" },
		{ PIDTAG_MESSAGE_FLAGS, "1043" },
		{ PIDTAG_MID, "EC_NOT_FOUND" },
		{ PIDTAG_ENTRY_ID, "EC_NOT_FOUND" },
	};
	static const struct expected expected_csv[] = {
		{ PIDTAG_ATTACH_LONG_FILENAME, "inner.csv" },
		{ PIDTAG_ATTACH_DATA_BINARY, "312c322c33" },
	};
	struct mapi_attachment *attach, *embedded, *csv;
	struct mapi_message *inner, *inner2;
	struct mapi_stream *stream;
	unsigned int i, count;
	struct env env;

	for (i = 0; i < N_ELEMENTS(drivers); i++) T_BEGIN {
		env_init(&env, drivers[i]);
		struct mapi_message *msg =
			env_open(&env, env_save(&env, message, 0, NULL));
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
		env_deinit(&env);
	} T_END;
}

static void test_message_streams(void **state)
{
	struct mapi_stream *stream;
	struct env env;
	uint64_t size;

	env_init(&env, "mdbox");
	struct mapi_message *msg =
		env_open(&env, env_save(&env, message, 0, NULL));
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
				PIDTAG_RTF_COMPRESSED, &stream), EC_NOT_FOUND);
	talloc_free(msg);
	env_deinit(&env);
}

/* A body that is too large for a response, and an attachment that is too large
   for memory. */
static void test_message_large(void **state)
{
	string_t *str = str_new(default_pool, 1024*1024);
	struct mapi_attachment *attach;
	struct mapi_stream *stream;
	struct env env;
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

	env_init(&env, "sdbox");
	struct mapi_message *msg =
		env_open(&env, env_save(&env, str_c(str), 0, NULL));
	const struct expected expected[] = {
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
	const struct expected expected_attach[] = {
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
	env_deinit(&env);
	str_free(&str);
}

static void test_message_list(void **state)
{
	const struct mapi_props_options options = {
		.max_size = 30000, .code_page = 1252, .unicode = TRUE,
	};
	struct mapi_property *props;
	const uint32_t *tags;
	unsigned int i, j, count, prop_count;
	struct env env;

	env_init(&env, "sdbox");
	struct mapi_message *msg =
		env_open(&env, env_save(&env, message, 0, NULL));
	assert_int_equal(msg->obj.v->list_props(&msg->obj, env.mem, &tags,
						&count), EC_NONE);
	assert_true(count > 60);
	for (i = 0; i < count; i++) {
		for (j = i + 1; j < count; j++) {
			assert_int_not_equal(MAPI_TAG_ID(tags[i]),
					     MAPI_TAG_ID(tags[j]));
		}
	}
	assert_int_equal(mapi_object_get_all_props(&msg->obj, env.mem, &options,
						   &props, &prop_count),
			 EC_NONE);
	/* whatever is listed is there */
	assert_int_equal(prop_count, count);
	for (i = 0; i < count; i++)
		assert_int_equal(props[i].tag, tags[i]);
	env_deinit(&env);
}

static void test_message_gone(void **state)
{
	struct mapi_message *msg;
	struct env env;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(drivers); i++) T_BEGIN {
		static const uint32_t tag = PIDTAG_BODY;
		struct mapi_value value;
		enum mapi_error error;

		env_init(&env, drivers[i]);
		mapi_id_t mid = env_save(&env, message, 0, NULL);
		struct mapi_message *open_msg = env_open(&env, mid);

		test_storage_expunge(env.ts, "INBOX", 1);
		assert_int_equal(mapi_message_open(env.mem, env.store,
					env.inbox, mid, &msg), EC_NOT_FOUND);
		assert_int_equal(mapi_message_open(env.mem, env.store,
					env.inbox, mid + (1 << 16), &msg),
				 EC_NOT_FOUND);
		assert_int_equal(mapi_message_open(env.mem, env.store,
					mid, mid, &msg), EC_NOT_FOUND);
		/* A maildir has lost the file. mdbox files are purged later,
		   and an sdbox file is open already. */
		error = open_msg->obj.v->get_props(&open_msg->obj, env.mem,
						   &tag, 1, SIZE_MAX, &value);
		assert_int_equal(error, strcmp(drivers[i], "maildir") == 0 ?
				 EC_OBJECT_DELETED : EC_NONE);
		env_deinit(&env);
	} T_END;
}

/* Rows of tables: the same values, and no file is opened for them once the
   cache has been filled. */
static void test_mailprops(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_MID, PIDTAG_SUBJECT, PIDTAG_NORMALIZED_SUBJECT,
		PIDTAG_MESSAGE_CLASS, PIDTAG_MESSAGE_FLAGS,
		PIDTAG_HAS_ATTACHMENTS, PIDTAG_MESSAGE_SIZE,
		PIDTAG_MESSAGE_DELIVERY_TIME, PIDTAG_CLIENT_SUBMIT_TIME,
		PIDTAG_LAST_MODIFICATION_TIME, PIDTAG_SENDER_NAME,
		PIDTAG_SENT_REPRESENTING_NAME, PIDTAG_DISPLAY_TO,
		PIDTAG_DISPLAY_CC, PIDTAG_IMPORTANCE, PIDTAG_SENSITIVITY,
		PIDTAG_CONVERSATION_TOPIC, PIDTAG_CONVERSATION_INDEX,
		PIDTAG_CONVERSATION_ID, PIDTAG_ICON_INDEX, PIDTAG_FLAG_STATUS,
		PIDTAG_ENTRY_ID, PIDTAG_CHANGE_KEY, PIDTAG_SEARCH_KEY,
		PIDTAG_INTERNET_MESSAGE_ID,
	};
	struct mapi_value values[N_ELEMENTS(tags)], other[N_ELEMENTS(tags)];
	struct mailbox_header_lookup_ctx *headers;
	struct mailbox_transaction_context *t;
	struct mapi_mailprops *props;
	struct mapi_folder *folder;
	struct mail *mail;
	unsigned int i, j, round, fetch;
	struct env env;

	for (i = 0; i < N_ELEMENTS(drivers); i++) T_BEGIN {
		env_init(&env, drivers[i]);
		struct mapi_message *msg =
			env_open(&env, env_save(&env, message, 0, NULL));
		assert_int_equal(msg->obj.v->get_props(&msg->obj, env.mem,
				tags, N_ELEMENTS(tags), SIZE_MAX, other),
				EC_NONE);
		talloc_free(msg);
		for (round = 0; round < 3; round++) {
			assert_int_equal(mapi_folder_open(env.mem, env.store,
					env.inbox, &folder), EC_NONE);
			assert_int_equal(mapi_folder_sync(folder), EC_NONE);
			props = mapi_mailprops_init(folder, folder, FALSE,
						    tags, N_ELEMENTS(tags));
			mapi_mailprops_wanted(props, &fetch, &headers);
			t = mailbox_transaction_begin(folder->box, 0, "test");
			mail = mail_alloc(t, fetch, headers);
			assert_true(mail_set_uid(mail, 1));
			assert_int_equal(mapi_mailprops_get(props, mail,
					env.mem, SIZE_MAX, values), EC_NONE);
			for (j = 0; j < N_ELEMENTS(tags); j++) {
				assert_string_equal(value_str(&values[j]),
						    value_str(&other[j]));
			}
			if (round > 0) {
				assert_int_equal(t->stats.open_lookup_count, 0);
				assert_int_equal(t->stats.stat_lookup_count +
						 t->stats.fstat_lookup_count,
						 0);
			}
			mail_free(&mail);
			assert_int_equal(mailbox_transaction_commit(&t), 0);
			talloc_free(folder);
		}
		env_deinit(&env);
	} T_END;
}

static void test_mailprops_truncate(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_SUBJECT, PIDTAG_BODY, PIDTAG_INTERNET_MESSAGE_ID,
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	struct mailbox_transaction_context *t;
	string_t *str = str_new(default_pool, 1024);
	struct mapi_mailprops *props;
	struct mapi_folder *folder;
	struct mail *mail;
	unsigned int i;
	struct env env;

	str_append(str, "Subject: ");
	for (i = 0; i < 300; i++)
		str_append(str, "\xC3\xBC");
	str_append(str, "\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	for (i = 0; i < 20000; i++)
		str_append(str, "\xF0\x9F\x98\x80");

	env_init(&env, "sdbox");
	(void)env_save(&env, str_c(str), 0, NULL);
	assert_int_equal(mapi_folder_open(env.mem, env.store, env.inbox,
					  &folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	props = mapi_mailprops_init(folder, folder, FALSE, tags,
				    N_ELEMENTS(tags));
	t = mailbox_transaction_begin(folder->box, 0, "test");
	mail = mail_alloc(t, 0, NULL);
	assert_true(mail_set_uid(mail, 1));
	assert_int_equal(mapi_mailprops_get(props, mail, env.mem, 510, values),
			 EC_NONE);
	assert_int_equal(values[0].type, PTYP_STRING);
	assert_int_equal(strlen(values[0].u.str), 255 * 2);
	assert_int_equal(values[1].type, PTYP_STRING);
	assert_int_equal(strlen(values[1].u.str), 127 * 4);
	mail_free(&mail);
	mailbox_transaction_rollback(&t);
	env_deinit(&env);
	str_free(&str);
}

/* With an argument: only the tests whose names match it (a pattern). */
int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_props),
		cmocka_unit_test(test_message_identity),
		cmocka_unit_test(test_message_flags),
		cmocka_unit_test(test_message_recipients),
		cmocka_unit_test(test_message_attachments),
		cmocka_unit_test(test_message_streams),
		cmocka_unit_test(test_message_large),
		cmocka_unit_test(test_message_list),
		cmocka_unit_test(test_message_gone),
		cmocka_unit_test(test_mailprops),
		cmocka_unit_test(test_mailprops_truncate),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
