/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checking a companion tree: what is found, that looking changes nothing, that it's
   gone after a repair, and what is left alone. */

#include "lib.h"
#include "str.h"
#include "istream.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-check.h"
#include "mapi-mail.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define GUID "0123456789abcdef0123456789abcdef"

static void check_found(const struct mapi_check_finding *finding, void *context)
{
	string_t *str = context;

	str_printfa(str, "%s:%d ", mapi_check_problem_name(finding->problem),
		    finding->state);
}

/* Problems with their states */
static const char *
check(struct message_env *env, bool repair, unsigned int min_age,
      struct mapi_check_counts *counts_r)
{
	string_t *str = t_str_new(128);
	const struct mapi_check_settings set = {
		.repair = repair, .min_age = min_age,
		.callback = check_found, .context = str,
	};

	assert_int_equal(mapi_check_run(env->ts->user,
		mapi_store_settings_get(env->store), &set, counts_r), EC_NONE);
	return str_c(str);
}

/* What is found without a repair, and what by one; nothing after it */
static void
assert_repairs(struct message_env *env, const char *found, const char *repaired)
{
	struct mapi_check_counts counts;

	assert_string_equal(check(env, FALSE, 0, &counts), found);
	assert_string_equal(check(env, FALSE, 0, &counts), found);
	assert_string_equal(check(env, TRUE, 0, &counts), repaired);
	assert_string_equal(check(env, FALSE, 0, &counts), "");
}

static void save_to(struct message_env *env, const char *vname, const char *guid)
{
	static const char text[] = "Subject: x\r\n\r\nx\r\n";
	struct mailbox *box = test_storage_open(env->ts, vname);
	struct mailbox_transaction_context *trans;
	struct mail_save_context *ctx;
	struct istream *input;

	trans = mailbox_transaction_begin(box,
		MAILBOX_TRANSACTION_FLAG_EXTERNAL, __func__);
	ctx = mailbox_save_alloc(trans);
	if (guid != NULL)
		mailbox_save_set_guid(ctx, guid);
	input = i_stream_create_from_data(text, strlen(text));
	assert_int_equal(mapi_mail_save(&ctx, input), 0);
	i_stream_unref(&input);
	assert_int_equal(mailbox_transaction_commit(&trans), 0);
	mailbox_free(&box);
}

static void save_bag(struct message_env *env)
{
	const struct mapi_bag_new bag = {
		.guid = GUID, .overlay = mapi_overlay_create(env->mem),
	};

	assert_int_equal(mapi_bags_save(mapi_bags_get(env->store,
		(uint32_t)MAPI_ID_GLOBCNT(env->inbox), FALSE), &bag), EC_NONE);
}

static void orphans(struct message_env *env)
{
	struct mapi_check_counts counts;

	assert_string_equal(check(env, FALSE, 0, &counts), "");
	assert_int_equal(counts.bags, 0);
	save_to(env, "INBOX", GUID);
	save_bag(env);
	assert_string_equal(check(env, FALSE, 0, &counts), "");
	assert_int_equal(counts.bags, 1);
	assert_true(counts.companion_size > 0);

	test_storage_expunge(env->ts, "INBOX", 1);
	/* a message may be about to be saved */
	assert_string_equal(check(env, TRUE, 3600, &counts), "");
	assert_repairs(env, "orphaned-bag:0 ", "orphaned-bag:1 ");
	(void)check(env, FALSE, 0, &counts);
	assert_int_equal(counts.bags, 0);
}

static void test_orphans(void **state)
{
	message_for_all_drivers(orphans);
}

/* The message is elsewhere now. */
static void left_behind(struct message_env *env)
{
	struct mapi_check_counts counts;

	save_bag(env);
	save_to(env, "Elsewhere", GUID);
	assert_int_equal(mapi_folder_tree_refresh(env->store), EC_NONE);
	assert_repairs(env, "left-behind-bag:0 ", "left-behind-bag:1 ");
	(void)check(env, FALSE, 0, &counts);
	assert_int_equal(counts.bags, 1);
}

static void test_left_behind(void **state)
{
	message_for_all_drivers(left_behind);
}

/* What doesn't belong there is kept. */
static void invalid(struct message_env *env)
{
	struct mapi_check_counts counts;
	const char *vname = t_strdup_printf("mapi-internal/bags-%u",
		(unsigned int)MAPI_ID_GLOBCNT(env->inbox));

	save_to(env, "INBOX", GUID);
	save_bag(env);
	save_to(env, vname, NULL);
	assert_repairs(env, "not-a-bag:0 ", "not-a-bag:1 ");
	(void)check(env, FALSE, 0, &counts);
	assert_int_equal(counts.bags, 1);
	assert_int_equal(counts.set_aside, 1);

	save_to(env, "mapi-internal/unknown", NULL);
	assert_string_equal(check(env, TRUE, 0, &counts),
			    "unknown-companion:0 ");
}

static void test_invalid(void **state)
{
	message_for_all_drivers(invalid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orphans),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(test_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
