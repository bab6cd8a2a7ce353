/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages that are broken, huge or made to hurt: whatever is asked about them
   is answered, in bounded memory and time. */

#include "lib.h"
#include "str.h"
#include "mapi-message.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "mapi-stream.h"
#include "test-storage-common.h"

#include <dirent.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#define MAIL_DIR "tests/data/mail"
/* of memory that reading a large attachment may take */
#define MEMORY_LIMIT (4 * 1024 * 1024)
/* AddressSanitizer's strstr() looks at the whole string each time, so that
   what is linear becomes quadratic. */
#ifdef __SANITIZE_ADDRESS__
#  define ENCODED_WORDS 2000
#else
#  define ENCODED_WORDS 100000
#endif
/* no message here takes longer than this, even with sanitizers */
#define SECONDS_LIMIT 30

static const struct mapi_store_settings store_set = {
	.companion_root = "mapi-internal",
	.organization = "Test",
	.display_name = "User",
	.email_address = "user@example.com",
};

struct env {
	struct test_storage *ts;
	struct mapi_store *store;
	struct mapi_folder *inbox;
	TALLOC_CTX *mem;
};

/* what has been seen of a message and what is in it */
struct seen {
	unsigned int messages, attachments, max_depth;
	uint64_t bytes;
};

static void env_init(struct env *env)
{
	env->ts = test_storage_init("sdbox");
	env->mem = talloc_new(NULL);
	assert_int_equal(mapi_store_open(env->mem, env->ts->user, &store_set,
					 &env->store), EC_NONE);
	assert_int_equal(mapi_folder_open(env->mem, env->store,
			mapi_store_special_fid(env->store, MAPI_SPECIAL_INBOX),
			&env->inbox), EC_NONE);
}

static void env_deinit(struct env *env)
{
	talloc_free(env->mem);
	test_storage_deinit(&env->ts);
}

static struct mapi_message *
env_save(struct env *env, const void *data, size_t size)
{
	struct mapi_message *msg;
	uint32_t uid = test_storage_save(env->ts, "INBOX", data, size, 0, NULL,
					 1700000000);

	assert_int_equal(mapi_folder_sync(env->inbox), EC_NONE);
	assert_int_equal(mapi_message_open(env->mem, env->store,
			env->inbox->fid,
			mapi_folder_mid(env->inbox, FALSE, uid), &msg),
			EC_NONE);
	return msg;
}

static void read_stream(struct mapi_stream *stream, struct seen *seen)
{
	uint8_t buf[16384];
	uint64_t size, total = 0;
	size_t len;

	assert_int_equal(mapi_stream_size(stream, &size), EC_NONE);
	do {
		assert_int_equal(mapi_stream_read(stream, buf, sizeof(buf),
						  &len), EC_NONE);
		total += len;
	} while (len > 0);
	assert_true(total == size);
	seen->bytes += total;
	talloc_free(stream);
}

static void read_props(struct mapi_object *obj)
{
	const struct mapi_props_options options = {
		.max_size = 30000, .code_page = 932,
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_property *props;
	unsigned int count;

	assert_int_equal(mapi_object_get_all_props(obj, mem, &options, &props,
						   &count), EC_NONE);
	assert_true(count > 10);
	talloc_free(mem);
}

static void
read_message(struct mapi_message *msg, unsigned int depth, struct seen *seen)
{
	const struct mapi_recipient_row *rows;
	struct mapi_attachment *attach;
	struct mapi_message *inner;
	struct mapi_stream *stream;
	unsigned int i, count;
	enum mapi_error error;

	seen->messages++;
	seen->max_depth = I_MAX(seen->max_depth, depth);
	read_props(&msg->obj);
	assert_int_equal(mapi_message_recipients(msg, &rows, &count), EC_NONE);
	assert_int_equal(msg->obj.v->open_stream(&msg->obj, msg, PIDTAG_BODY,
						 &stream), EC_NONE);
	read_stream(stream, seen);
	assert_int_equal(msg->obj.v->open_stream(&msg->obj, msg, PIDTAG_HTML,
						 &stream), EC_NONE);
	read_stream(stream, seen);
	assert_int_equal(mapi_message_attachment_count(msg, &count), EC_NONE);
	for (i = 0; i < count; i++) {
		assert_int_equal(mapi_attachment_open(msg, msg, i, &attach),
				 EC_NONE);
		seen->attachments++;
		read_props(&attach->obj);
		error = mapi_attachment_open_embedded(msg, attach, &inner);
		if (error == EC_NONE) {
			read_message(inner, depth + 1, seen);
			talloc_free(inner);
		} else {
			assert_int_equal(error, EC_NOT_SUPPORTED);
			assert_int_equal(attach->obj.v->open_stream(
				&attach->obj, msg, PIDTAG_ATTACH_DATA_BINARY,
				&stream), EC_NONE);
			read_stream(stream, seen);
		}
		talloc_free(attach);
	}
}

static void read_all(struct env *env, const void *data, size_t size,
		     struct seen *seen_r)
{
	struct mapi_message *msg = env_save(env, data, size);
	time_t start = time(NULL);

	i_zero(seen_r);
	read_message(msg, 0, seen_r);
	talloc_free(msg);
	assert_true(time(NULL) - start <= SECONDS_LIMIT);
}

static void test_broken(void **state)
{
	static const struct {
		const char *data;
		size_t size;
	} tests[] = {
#define T(str) { str, sizeof(str) - 1 }
		T(""),
		T("\r\n"),
		T("no header at all"),
		T("Subject"),
		T("Subject: x\0y\r\nFrom: \0\r\n\r\nbody\0body\r\n"),
		T("Subject: =?utf-8?b?////?= =?x?q?y?= =?utf-8?q?=ZZ?=\r\n\r\n"),
		T("Subject: \xFF\xFE\x80\r\nFrom: \xC3\x28 <\xA0@\xA1>\r\n\r\n"
		  "\xF5\x80\x80\r\n"),
		T("From: <>, @, :;, \"\r\nTo: (((((\r\nCc: a:b:c;;<\r\n\r\n"),
		T("Date: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\n"),
		T("Thread-Index: AAAA\r\nImportance: \xFF\r\n\r\n"),
		T("MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\n"
		  "no boundary\r\n"),
		T("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
		  "boundary=a\r\n\r\n--a\r\n"),
		T("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
		  "boundary=a\r\n\r\n--a--\r\nepilogue"),
		T("MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n"
		  "U3ViamVjdDogeA0KDQo=\r\n"),
		T("MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"),
		T("MIME-Version: 1.0\r\nContent-Type: text/html; "
		  "charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n"
		  "\r\n!!!=A=\xFF\r\n"),
		T("MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
		  "<<<html><!--<script <p"),
		T("MIME-Version: 1.0\r\nContent-Type: application/x; "
		  "name*0*=utf-8''%ZZ; name*1=\"\r\n\r\nx"),
		T("MIME-Version: 1.0\r\nContent-Type: multipart/signed\r\n\r\n"),
		T("MIME-Version: 1.0\r\nContent-Type: multipart/report; "
		  "report-type=delivery-status; boundary=a\r\n\r\n"
		  "--a\r\nContent-Type: message/delivery-status\r\n\r\n"
		  "Final-Recipient\r\n\r\n\xFF: x\r\n--a--"),
		T("MIME-Version: 1.0\r\nContent-Type: multipart/report; "
		  "report-type=disposition-notification; boundary=a\r\n\r\n"),
		T("MIME-Version: 1.0\r\nContent-Type: application/ms-tnef\r\n"
		  "\r\n\x78\x9f\x3e\x22"),
#undef T
	};
	struct seen seen;
	struct env env;
	unsigned int i;

	env_init(&env);
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		read_all(&env, tests[i].data, tests[i].size, &seen);
	} T_END;
	env_deinit(&env);
}

static void test_many_parts(void **state)
{
	string_t *str = str_new(default_pool, 1024*1024);
	struct seen seen;
	struct env env;
	unsigned int i;

	str_append(str, "MIME-Version: 1.0\r\n"
		   "Content-Type: multipart/mixed; boundary=a\r\n\r\n");
	for (i = 0; i < 12000; i++) {
		str_printfa(str, "--a\r\nContent-Disposition: attachment; "
			    "filename=%u\r\n\r\n%u\r\n", i, i);
	}
	str_append(str, "--a--\r\n");
	env_init(&env);
	read_all(&env, str_data(str), str_len(str), &seen);
	assert_true(seen.attachments > 100);
	assert_true(seen.attachments <= 10000);
	env_deinit(&env);
	str_free(&str);
}

static void test_deep(void **state)
{
	string_t *str = str_new(default_pool, 65536);
	struct seen seen;
	struct env env;
	unsigned int i;

	/* messages in messages */
	str_append(str, "MIME-Version: 1.0\r\n");
	for (i = 0; i < 300; i++) {
		str_printfa(str, "Subject: %u\r\n"
			    "Content-Type: message/rfc822\r\n\r\n", i);
	}
	str_append(str, "Subject: last\r\n\r\nbody\r\n");
	env_init(&env);
	read_all(&env, str_data(str), str_len(str), &seen);
	assert_true(seen.max_depth >= 10);
	assert_true(seen.max_depth <= 100);

	/* parts in parts */
	str_truncate(str, 0);
	str_append(str, "MIME-Version: 1.0\r\n");
	for (i = 0; i < 300; i++) {
		str_printfa(str, "Content-Type: multipart/mixed; "
			    "boundary=b%u\r\n\r\n--b%u\r\n", i, i);
	}
	str_append(str, "\r\nbody\r\n");
	read_all(&env, str_data(str), str_len(str), &seen);
	env_deinit(&env);
	str_free(&str);
}

static void test_header_bomb(void **state)
{
	string_t *str = str_new(default_pool, 8*1024*1024);
	const struct mapi_recipient_row *rows;
	struct mapi_message *msg;
	struct seen seen;
	struct env env;
	unsigned int i, count;

	env_init(&env);
	/* one long field */
	str_append(str, "Subject: ");
	for (i = 0; i < ENCODED_WORDS; i++)
		str_append(str, "=?utf-8?q?=C3=BC?=\r\n ");
	str_append(str, "\r\n\r\nx");
	read_all(&env, str_data(str), str_len(str), &seen);

	/* many fields */
	str_truncate(str, 0);
	for (i = 0; i < 200000; i++)
		str_printfa(str, "Received: %u\r\n", i);
	str_append(str, "\r\nx");
	read_all(&env, str_data(str), str_len(str), &seen);

	/* many recipients */
	str_truncate(str, 0);
	str_append(str, "To: a@example.org");
	for (i = 0; i < 60000; i++)
		str_printfa(str, ",\r\n a%u@b", i);
	str_append(str, "\r\n\r\nx");
	read_all(&env, str_data(str), str_len(str), &seen);
	msg = env_save(&env, str_data(str), str_len(str));
	assert_int_equal(mapi_message_recipients(msg, &rows, &count), EC_NONE);
	assert_true(count >= 1000);
	assert_true(count <= 10000);
	env_deinit(&env);
	str_free(&str);
}

static size_t memory_used(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* An attachment is read in constant memory, however large it is. */
static void test_large_attachment(void **state)
{
	static const char line[] = "ABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCD"
		"ABCDABCDABCDABCDABCDABCDABCDABCD\r\n";
	string_t *str = str_new(default_pool, 64*1024*1024);
	struct mapi_attachment *attach;
	struct mapi_message *msg;
	struct mapi_stream *stream;
	struct env env;
	uint8_t buf[32000];
	uint64_t size, total = 0;
	unsigned int i;
	size_t len, used, max_used = 0;

	str_append(str, "MIME-Version: 1.0\r\n"
		   "Content-Type: multipart/mixed; boundary=a\r\n\r\n"
		   "--a\r\n\r\nbody\r\n"
		   "--a\r\nContent-Type: application/octet-stream\r\n"
		   "Content-Disposition: attachment; filename=large\r\n"
		   "Content-Transfer-Encoding: base64\r\n\r\n");
	for (i = 0; i < 700000; i++)
		str_append_data(str, line, sizeof(line) - 1);
	str_append(str, "--a--\r\n");
	env_init(&env);
	msg = env_save(&env, str_data(str), str_len(str));
	str_free(&str);

	used = memory_used();
	assert_int_equal(mapi_attachment_open(msg, msg, 0, &attach), EC_NONE);
	assert_int_equal(attach->obj.v->open_stream(&attach->obj, msg,
			PIDTAG_ATTACH_DATA_BINARY, &stream), EC_NONE);
	assert_int_equal(mapi_stream_size(stream, &size), EC_NONE);
	assert_int_equal(size, 700000 * 57);
	do {
		assert_int_equal(mapi_stream_read(stream, buf, sizeof(buf),
						  &len), EC_NONE);
		total += len;
		max_used = I_MAX(max_used, memory_used());
	} while (len > 0);
	assert_true(total == size);
	/* sanitizers count nothing */
	if (max_used > used)
		assert_true(max_used - used < MEMORY_LIMIT);
	env_deinit(&env);
}

static void test_corpus(void **state)
{
	struct dirent *d;
	struct seen seen;
	struct env env;
	unsigned int count = 0;
	DIR *dir = opendir(MAIL_DIR);

	if (dir == NULL)
		skip();
	env_init(&env);
	while ((d = readdir(dir)) != NULL) {
		const char *p = strrchr(d->d_name, '.');
		char path[1024];
		uint8_t *data;
		long size;
		FILE *f;

		if (p == NULL || strcmp(p, ".eml") != 0)
			continue;
		i_snprintf(path, sizeof(path), MAIL_DIR"/%s", d->d_name);
		f = fopen(path, "r");
		assert_non_null(f);
		assert_int_equal(fseek(f, 0, SEEK_END), 0);
		size = ftell(f);
		rewind(f);
		data = i_malloc(size + 1);
		assert_int_equal(fread(data, 1, size, f), size);
		fclose(f);
		T_BEGIN {
			read_all(&env, data, size, &seen);
		} T_END;
		i_free(data);
		count++;
	}
	closedir(dir);
	env_deinit(&env);
	assert_true(count > 0);
}

/* With an argument: only the tests whose names match it (a pattern). */
int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_many_parts),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_header_bomb),
		cmocka_unit_test(test_large_attachment),
		cmocka_unit_test(test_corpus),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
