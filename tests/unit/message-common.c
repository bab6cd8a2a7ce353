/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "hex-binary.h"
#include "str.h"
#include "mapi-object-props.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

static const struct mapi_store_settings store_set = {
	.companion_root = "mapi-internal",
	.organization = "Test",
	.display_name = "User",
	.email_address = "user@example.com",
};

const char *const message_drivers[3] = { "maildir", "sdbox", "mdbox" };

const char message_sample[] =
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

void message_env_reopen(struct message_env *env)
{
	assert_int_equal(mapi_store_open(env->mem, env->ts->user, &store_set,
					 &env->store), EC_NONE);
	env->inbox = mapi_store_special_fid(env->store, MAPI_SPECIAL_INBOX);
	assert_true(env->inbox != 0);
}

void message_env_init(struct message_env *env, const char *driver)
{
	env->ts = test_storage_init(driver);
	env->mem = talloc_new(NULL);
	message_env_reopen(env);
}

void message_env_deinit(struct message_env *env)
{
	talloc_free(env->mem);
	test_storage_deinit(&env->ts);
}

void message_for_all_drivers(void (*func)(struct message_env *env))
{
	struct message_env env;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(message_drivers); i++) T_BEGIN {
		print_message("%s\n", message_drivers[i]);
		message_env_init(&env, message_drivers[i]);
		func(&env);
		message_env_deinit(&env);
	} T_END;
}

static mapi_id_t env_mid(struct message_env *env, uint32_t uid)
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

mapi_id_t message_env_save(struct message_env *env, const char *data,
			  enum mail_flags flags, const char *const *keywords)
{
	return env_mid(env, test_storage_save(env->ts, "INBOX", data,
					      strlen(data), flags, keywords,
					      MESSAGE_RECEIVED));
}

mapi_id_t message_env_folder(struct message_env *env, const char *name)
{
	struct mapi_folder_node *node;
	unsigned int iter = 0;

	assert_int_equal(mapi_folder_tree_refresh(env->store), EC_NONE);
	while ((node = mapi_folder_tree_next(env->store, &iter)) != NULL) {
		if (strcmp(node->display_name, name) == 0)
			return node->fid;
	}
	return 0;
}

struct mapi_message *message_env_open(struct message_env *env, mapi_id_t mid)
{
	struct mapi_message *msg;

	assert_int_equal(mapi_message_open(env->mem, env->store, env->inbox,
					   mid, &msg), EC_NONE);
	return msg;
}

const char *message_value_str(const struct mapi_value *value)
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

void message_assert_props(struct mapi_object *obj,
			  const struct message_expected *expected,
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
		const char *value = message_value_str(&values[i]);

		if (strcmp(value, expected[i].value) != 0) {
			print_error("%08x: \"%s\" instead of \"%s\"\n",
				    tags[i], value, expected[i].value);
			failures++;
		}
	}
	assert_int_equal(failures, 0);
	talloc_free(mem);
}
