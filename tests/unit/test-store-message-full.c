/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* No space is left while a message is saved, wherever it's noticed: the message is
   what it was or what was saved, and whoever was told of success has the latter. */

#include "lib.h"
#include "istream.h"
#include "mail-storage-private.h"
#include "mapi-message-edit.h"
#include "mapi-props.h"
#include "message-common.h"

#include <signal.h>
#include <sys/resource.h>
#include <setjmp.h>
#include <cmocka.h>

/* a property that only the bag has */
#define TAG_IN_BAG MAPI_TAG(0x6701, PTYP_BINARY)
#define SIZE_STEP 700
#define LIMIT_MAX (16 * 1024 * 1024)

/* With SANITIZE=1: Dovecot 2.3 forgets the lock of an index's log that it has no room
   to append to. */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);

const char *__asan_default_options(void)
{
	/* libdovecot has no frame pointers */
	return "fast_unwind_on_malloc=0";
}

const char *__lsan_default_suppressions(void)
{
	return "leak:mail_transaction_log_file_lock";
}

static unsigned int errors_logged;

static void ATTR_FORMAT(2, 0)
count_error(const struct failure_context *ctx, const char *format, va_list args)
{
	errors_logged++;
}

static void
set_prop(struct mapi_message *msg, uint32_t tag, struct mapi_value value)
{
	const struct mapi_property prop = { .tag = tag, .value = value };
	enum mapi_error error = EC_NONE;

	assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1, &error),
			 EC_NONE);
	assert_int_equal(error, EC_NONE);
}

/* Text and bag of the same round, each of size bytes */
static void
set_content(struct mapi_message *msg, unsigned int round, size_t size, bool text)
{
	char *data = talloc_array(msg, char, size + 1);

	memset(data, 'a' + round % 26, size);
	data[size] = '\0';
	if (text)
		set_prop(msg, PIDTAG_BODY, mapi_value_str(data));
	set_prop(msg, TAG_IN_BAG, mapi_value_bin(data, size));
	talloc_free(data);
}

/* Saves with files limited to that size, as if there was no more space. */
static enum mapi_error save_limited(struct mapi_message *msg, rlim_t size)
{
	failure_callback_t *fatal, *error, *info, *debug;
	struct rlimit old, limit;
	enum mapi_error result;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = size;
	i_get_failure_handlers(&fatal, &error, &info, &debug);
	i_set_error_handler(count_error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	result = mapi_message_save(msg, FALSE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	i_set_error_handler(error);
	return result;
}

static char first_byte(struct message_env *env, struct mapi_message *msg,
		       uint32_t tag)
{
	struct mapi_value value;

	assert_int_equal(msg->obj.v->get_props(&msg->obj, env->mem, &tag, 1,
					       SIZE_MAX, &value), EC_NONE);
	assert_int_equal(value.type, MAPI_TAG_TYPE(tag));
	return value.type == PTYP_STRING ? value.u.str[0] :
		(char)value.u.bin.data[0];
}

/* There's one message, with that id, and its text and bag are of one round or both of
   the other. */
static char check_message(struct message_env *env, mapi_id_t mid, bool text)
{
	struct mapi_folder *folder;
	struct mapi_message *msg;
	uint32_t uid;
	char byte;

	/* as another session */
	talloc_free(env->store);
	test_storage_relogin(env->ts);
	message_env_reopen(env);
	assert_int_equal(mapi_folder_open(env->mem, env->store, env->inbox,
					  &folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	assert_int_equal(mail_index_view_get_messages_count(folder->box->view),
			 1);
	mail_index_lookup_uid(folder->box->view, 1, &uid);
	assert_true(mapi_folder_mid(folder, FALSE, uid) == mid);
	talloc_free(folder);
	msg = message_env_open(env, mid);
	byte = first_byte(env, msg, TAG_IN_BAG);
	if (text)
		assert_int_equal(first_byte(env, msg, PIDTAG_BODY), byte);
	talloc_free(msg);
	return byte;
}

static void
full(struct message_env *env, bool text, size_t content_size)
{
	struct mapi_message *msg;
	unsigned int round, failures = 0, successes = 0;
	enum mapi_error error;
	mapi_id_t mid;
	char byte, before = 'a';
	rlim_t size;

	assert_int_equal(mapi_message_create_new(env->mem, env->store,
						 env->inbox, FALSE, &msg),
			 EC_NONE);
	set_content(msg, 0, content_size, TRUE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	mid = msg->mid;
	talloc_free(msg);

	for (size = 256, round = 1; size < LIMIT_MAX && successes < 3;
	     size += SIZE_STEP + size / 8, round++) T_BEGIN {
		msg = message_env_open(env, mid);
		mapi_message_set_writable(msg, TRUE);
		set_content(msg, round, content_size, text);
		error = save_limited(msg, size);
		talloc_free(msg);
		byte = check_message(env, mid, text);
		if (error == EC_NONE)
			assert_int_equal(byte, 'a' + round % 26);
		else if (byte != before)
			assert_int_equal(byte, 'a' + round % 26);
		before = byte;
		if (error == EC_NONE)
			successes++;
		else
			failures++;
	} T_END;
	/* from nothing can be written to everything can */
	assert_true(failures > 2);
	assert_int_equal(successes, 3);
}

static void content(struct message_env *env)
{
	full(env, TRUE, 20000);
}

static void test_content(void **state)
{
	message_for_all_drivers(content);
}

static void large_content(struct message_env *env)
{
	full(env, TRUE, 150000);
}

static void test_large_content(void **state)
{
	message_for_all_drivers(large_content);
}

static void bag(struct message_env *env)
{
	full(env, FALSE, 20000);
}

static void test_bag(void **state)
{
	message_for_all_drivers(bag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_large_content),
		cmocka_unit_test(test_bag),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests_name("no space", tests, NULL, NULL);
}
