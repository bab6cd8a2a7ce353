/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Categories as keywords, properties as flags and back: over real mailboxes, and
   what becomes of a bag when an IMAP client changes flags. */

#include "lib.h"
#include "str.h"
#include "mapi-categories.h"
#include "mapi-enums.h"
#include "mapi-props.h"
#include "flags-common.h"
#include "message-common.h"
#include "wire-random.h"

#include <setjmp.h>
#include <cmocka.h>

#define PLAIN "From: a@example.org\r\nSubject: plain\r\n\r\nbody\r\n"
/* as long as a keyword may be, by default */
#define LONG_NAME "Department-of-long-and-longer-names-and-their-use-"

/* --- categories ------------------------------------------------------------- */

static void test_categories(void **state)
{
	static const struct {
		const char *category, *keyword;
	} tests[] = {
		{ "Projects", "Projects" },
		{ "a&b_c", "a&b_c" },
		{ "Red Category", "$Cat:Red_Category" },
		{ "a_b c", "$Cat:a&ABPQ-b_c" },
		/* the document of base32 has no example of UTF-16: by hand,
		   00e9 = 00000 00011 10100 1(0000) */
		{ "Caf\xc3\xa9", "$Cat:Caf&ADUQ-" },
		{ "(x)", "$Cat:&AAUA-x&AAUQ-" },
		/* those of programs */
		{ "Junk", "$Cat:Junk" },
		{ "nonjunk", "$Cat:nonjunk" },
		{ "$Forwarded", "$Cat:$Forwarded" },
		{ "\\Seen", "$Cat:&ABOA-Seen" },
		/* Thunderbird's */
		{ "Important", "$label1" },
		{ "work", "$label2" },
		{ "To Do", "$label4" },
		{ "To do it", "$Cat:To_do_it" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *name;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		assert_string_equal(t_mapi_category_to_keyword(tests[i].category),
				    tests[i].keyword);
		name = mapi_category_from_keyword(mem, tests[i].keyword);
		if (strcasecmp(name, tests[i].category) != 0)
			fail_msg("%s: %s", tests[i].keyword, name);
	}
	assert_null(t_mapi_category_to_keyword(""));
	talloc_free(mem);
}

static void test_no_categories(void **state)
{
	static const char *const tests[] = {
		"$Forwarded", "Forwarded", "$MDNSent", "$Junk", "Junk",
		"NonJunk", "$NotJunk", "$MapiStatus3", "\\Seen",
		"$label", "$label0", "$label6", "$label01", "$labelx",
		/* what isn't an encoding */
		"$Cat:", "$Cat:&-", "$Cat:a&ADUQ", "$Cat:&A-", "$Cat:&ADUR-",
		"$Cat:&AAAA-", "$Cat:&AD!Q-", "$Cat:&ADUQA-",
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		if (mapi_category_from_keyword(NULL, tests[i]) != NULL)
			fail_msg("%s", tests[i]);
	}
}

/* Each name comes back, whatever case the keyword has got. */
static void test_random_categories(void **state)
{
	struct wire_random rnd;
	const char *keyword, *name, *category;
	unsigned int i;

	wire_random_init(&rnd, talloc_new(NULL), wire_random_seed());
	for (i = 0; i < 5000; i++) T_BEGIN {
		category = wire_random_utf8(&rnd, 30);
		keyword = t_mapi_category_to_keyword(category);
		if (keyword != NULL) {
			name = mapi_category_from_keyword(rnd.mem, keyword);
			assert_string_equal(name, category);
			name = mapi_category_from_keyword(rnd.mem,
							  t_str_lcase(keyword));
			assert_int_equal(strcasecmp(name, category), 0);
		}
	} T_END;
	talloc_free(rnd.mem);
}

/* --- changes of properties -------------------------------------------------- */

static const struct {
	const char *flags, *changes, *result;
} apply_tests[] = {
	{ "S[x]", "", "S[x]" },
	{ "", "flag=2", "F" },
	{ "FS", "flag=2", "FS" },
	{ "F", "flag=1", "" },
	{ "F", "flag=0", "" },
	{ "F", "-flag", "" },
	/* no such status */
	{ "F", "flag=3", "F" },
	{ "", "fup=6;todo=1", "" },
	{ "F", "-fup", "F" },

	{ "", "verb=102", "A" },
	{ "[$Forwarded]", "verb=103", "A[$Forwarded]" },
	{ "A", "verb=104", "A[$Forwarded]" },
	{ "[forwarded]", "verb=104", "[forwarded]" },
	{ "A[x][Forwarded]", "verb=0", "[x]" },
	{ "A[$Forwarded]", "-verb", "" },
	{ "A", "verb=105", "A" },
	{ "", "icon=261", "A" },
	{ "", "icon=262", "[$Forwarded]" },
	{ "A[$Forwarded]", "icon=-1", "" },
	{ "A", "icon=256", "" },
	{ "A", "icon=1028", "A" },
	{ "A", "-icon", "A" },
	{ "", "icon=261;verb=102;time=1", "A" },
	/* the verb knows better */
	{ "", "icon=256;verb=102", "A" },

	{ "", "scl=9", "[$Junk]" },
	{ "[NonJunk]", "scl=5", "[$Junk]" },
	{ "[Junk]", "scl=6", "[Junk]" },
	{ "[Junk][$Junk]", "scl=-1", "[$NotJunk]" },
	{ "[Junk][NonJunk]", "scl=2", "" },
	{ "[$Junk]", "-scl", "" },

	{ "", "cat=a,b", "[a][b]" },
	{ "[$Forwarded][old][$MDNSent][a]", "cat=A,Red Category",
	  "[$Forwarded][$MDNSent][a][$Cat:Red_Category]" },
	{ "[a][$label1][$Cat:x_y][Junk]", "-cat", "[Junk]" },
	{ "", "cat=Work,Later", "[$label2][$label5]" },
	/* what another program calls it */
	{ "[Work]", "cat=work", "[Work]" },
	{ "[Work][$label2]", "cat=Work", "[Work][$label2]" },
	/* too long for a keyword, just not, and what there is still goes */
	{ "[old]", "cat=" LONG_NAME "x,new", "[new]" },
	{ "", "cat=" LONG_NAME, "[" LONG_NAME "]" },
	{ "", "cat=,a", "[a]" },
};

static void test_apply(void **state)
{
	struct message_env env;
	struct mapi_overlay *changes;
	struct mapi_flag_state flags;
	unsigned int i;

	message_env_init(&env, "sdbox");
	i_zero(&flags);
	flags.box = test_storage_open(env.ts, "INBOX");
	for (i = 0; i < N_ELEMENTS(apply_tests); i++) T_BEGIN {
		flags.flags = 0;
		flags_state_parse(apply_tests[i].flags, &flags);
		changes = flags_overlay_parse(env.mem, apply_tests[i].changes);
		mapi_flag_state_apply(&flags, changes);
		if (strcmp(flags_state_str(&flags), apply_tests[i].result) != 0) {
			fail_msg("%s + %s = %s", apply_tests[i].flags,
				 apply_tests[i].changes, flags_state_str(&flags));
		}
		/* once more changes nothing */
		mapi_flag_state_apply(&flags, changes);
		assert_string_equal(flags_state_str(&flags), apply_tests[i].result);
	} T_END;
	mailbox_free(&flags.box);
	message_env_deinit(&env);
}

static const struct {
	const char *flags, *bag, *result;
} reconcile_tests[] = {
	/* as it was saved */
	{ "F", "flag=2;fup=1;todo=1;", "flag=2;fup=1;todo=1;" },
	{ "", "flag=1;fup=1;todo=1;", "flag=1;fup=1;todo=1;" },
	{ "", "-flag;", "-flag;" },
	{ "A[$Forwarded]", "icon=261;verb=103;time=1;",
	  "icon=261;verb=103;time=1;" },
	{ "", "icon=-1;", "icon=-1;" },
	{ "A", "icon=1028;", "icon=1028;" },
	{ "[Junk]", "scl=7;", "scl=7;" },
	/* unflagged, flagged (again) over IMAP */
	{ "", "flag=2;fup=1;todo=1;", "" },
	{ "F", "flag=1;fup=1;todo=1;", "" },
	{ "F", "-flag;fup=3;", "" },
	/* dates without a flag are a task's */
	{ "", "fup=1;todo=1;", "fup=1;todo=1;" },
	/* answered, forwarded */
	{ "A", "icon=-1;", "" },
	{ "A", "icon=256;verb=0;time=1;", "" },
	{ "A", "icon=262;verb=104;time=1;fup=1;", "fup=1;" },
	{ "[$Forwarded]", "-verb;", "" },
	/* junk */
	{ "[$NotJunk]", "scl=7;", "" },
	{ "", "scl=7;", "" },

	{ "[b][a]", "cat=A,b;", "cat=A,b;" },
	{ "[a][Junk][new]", "cat=A,b;", "cat=A,new;" },
	{ "[Junk]", "cat=A,b;", "" },
	{ "[x]", "cat=" LONG_NAME "y,z;", "cat=" LONG_NAME "y,x;" },
	{ "", "cat=" LONG_NAME "y,z;", "cat=" LONG_NAME "y;" },
	{ "[$label2]", "cat=work;", "cat=work;" },
	{ "", "-cat;", "-cat;" },
	{ "[$Junk]", "-cat;", "-cat;" },
	{ "[a]", "-cat;", "" },
};

static void test_reconcile(void **state)
{
	struct message_env env;
	struct mapi_overlay *bag;
	struct mapi_flag_state flags;
	unsigned int i;

	message_env_init(&env, "sdbox");
	i_zero(&flags);
	flags.box = test_storage_open(env.ts, "INBOX");
	for (i = 0; i < N_ELEMENTS(reconcile_tests); i++) T_BEGIN {
		flags.flags = 0;
		flags_state_parse(reconcile_tests[i].flags, &flags);
		bag = flags_overlay_parse(env.mem, reconcile_tests[i].bag);
		mapi_flag_props_reconcile(&flags, bag);
		if (strcmp(flags_overlay_str(bag), reconcile_tests[i].result) != 0) {
			fail_msg("%s, %s: %s", reconcile_tests[i].flags,
				 reconcile_tests[i].bag, flags_overlay_str(bag));
		}
	} T_END;
	mailbox_free(&flags.box);
	message_env_deinit(&env);
}

/* Whatever is set, the bag still counts afterwards. */
static void test_apply_reconcile(void **state)
{
	struct message_env env;
	struct mapi_overlay *bag;
	struct mapi_flag_state flags;
	const char *before;
	unsigned int i;

	message_env_init(&env, "sdbox");
	i_zero(&flags);
	flags.box = test_storage_open(env.ts, "INBOX");
	for (i = 0; i < N_ELEMENTS(apply_tests); i++) T_BEGIN {
		/* but for an icon that the verb contradicts, and no category */
		if (strstr(apply_tests[i].changes, "icon=256;") == NULL) {
			flags.flags = 0;
			flags_state_parse(apply_tests[i].flags, &flags);
			bag = flags_overlay_parse(env.mem, apply_tests[i].changes);
			before = flags_overlay_str(bag);
			mapi_flag_state_apply(&flags, bag);
			mapi_flag_props_reconcile(&flags, bag);
			assert_string_equal(flags_overlay_str(bag), before);
		}
	} T_END;
	mailbox_free(&flags.box);
	message_env_deinit(&env);
}

static void test_which(void **state)
{
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		.name = "keywords",
	};

	assert_true(mapi_flag_prop_is(PIDTAG_FLAG_STATUS, NULL));
	assert_true(mapi_flag_prop_is(FLAGS_KEYWORDS_TAG, &name));
	assert_false(mapi_flag_prop_is(PIDTAG_SUBJECT, NULL));
	name.name = "keyword";
	assert_false(mapi_flag_prop_is(FLAGS_KEYWORDS_TAG, &name));
	name.kind = MAPI_NAME_LID;
	assert_false(mapi_flag_prop_is(FLAGS_KEYWORDS_TAG, &name));
}

/* --- in mailboxes ----------------------------------------------------------- */

/* Applies changes to the message and returns what Dovecot has then. */
static const char *
mailbox_apply(struct message_env *env, const char *changes)
{
	struct mailbox *box = test_storage_open(env->ts, "INBOX");
	struct mailbox_transaction_context *trans;
	struct mapi_flag_state state;
	const char *result;
	struct mail *mail;
	bool changed;

	assert_int_equal(mailbox_sync(box, 0), 0);
	trans = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	assert_true(mail_set_uid(mail, 1));
	assert_int_equal(mapi_flag_props_apply(mail,
			flags_overlay_parse(env->mem, changes), &changed),
			 EC_NONE);
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&trans), 0);
	mailbox_free(&box);

	box = test_storage_open(env->ts, "INBOX");
	assert_int_equal(mailbox_sync(box, 0), 0);
	trans = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	assert_true(mail_set_uid(mail, 1));
	mapi_flag_state_get(mail, &state);
	result = flags_state_str(&state);
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&trans), 0);
	mailbox_free(&box);
	return result;
}

static void
assert_mailbox(const char *driver, const char *changes, const char *flags,
	       const struct message_expected *expected, unsigned int count)
{
	struct message_expected props[8];
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		.name = "Keywords",
	};
	struct message_env env;
	struct mapi_message *msg;
	mapi_id_t mid;
	uint16_t id;

	message_env_init(&env, driver);
	mid = message_env_save(&env, PLAIN, MAIL_SEEN, NULL);
	assert_string_equal(mailbox_apply(&env, changes), flags);
	assert_int_equal(mapi_store_names_to_ids(env.store, &name, 1, TRUE,
						 &id), EC_NONE);
	msg = message_env_open(&env, mid);
	assert_true(count < N_ELEMENTS(props));
	memcpy(props, expected, count * sizeof(*expected));
	if (props[count - 1].tag == FLAGS_KEYWORDS_TAG)
		props[count - 1].tag = MAPI_TAG(id, PTYP_MULTIPLE_STRING);
	message_assert_props(&msg->obj, props, count);
	talloc_free(msg);
	message_env_deinit(&env);
}

/* What is set is what is derived afterwards. */
static void test_mailbox(void **state)
{
	static const struct message_expected all[] = {
		{ PIDTAG_FLAG_STATUS, "2" },
		{ PIDTAG_FOLLOWUP_ICON, "6" },
		{ PIDTAG_TO_DO_ITEM_FLAGS, "1" },
		{ PIDTAG_ICON_INDEX, "262" },
		{ PIDTAG_LAST_VERB_EXECUTED, "104" },
		{ PIDTAG_CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL, "9" },
		{ FLAGS_KEYWORDS_TAG, "[Important][Red Category][Caf\xc3\xa9]" },
	};
	static const struct message_expected reply[] = {
		{ PIDTAG_FLAG_STATUS, "EC_NOT_FOUND" },
		{ PIDTAG_TO_DO_ITEM_FLAGS, "EC_NOT_FOUND" },
		{ PIDTAG_ICON_INDEX, "261" },
		{ PIDTAG_LAST_VERB_EXECUTED, "102" },
		{ PIDTAG_CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL, "-1" },
		{ FLAGS_KEYWORDS_TAG, "EC_NOT_FOUND" },
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(message_drivers); i++) T_BEGIN {
		print_message("%s\n", message_drivers[i]);
		assert_mailbox(message_drivers[i], "flag=2;icon=262;verb=104;"
			       "scl=9;cat=Important,Red Category,Caf\xc3\xa9",
			       "FS[$Forwarded][$Junk][$label1]"
			       "[$Cat:Red_Category][$Cat:Caf&ADUQ-]",
			       all, N_ELEMENTS(all));
		assert_mailbox(message_drivers[i], "flag=1;icon=261;verb=102;"
			       "scl=-1;-cat", "AS[$NotJunk]",
			       reply, N_ELEMENTS(reply));
	} T_END;
}

/* Changes and their reversal leave nothing behind. */
static void test_mailbox_undo(void **state)
{
	struct message_env env;

	message_env_init(&env, "maildir");
	(void)message_env_save(&env, PLAIN, MAIL_SEEN, NULL);
	assert_string_equal(mailbox_apply(&env, "flag=2;verb=104;cat=a;scl=5"),
			    "FS[$Forwarded][$Junk][a]");
	assert_string_equal(mailbox_apply(&env, ""),
			    "FS[$Forwarded][$Junk][a]");
	assert_string_equal(mailbox_apply(&env, "-flag;-verb;-cat;-scl"), "S");
	message_env_deinit(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_categories),
		cmocka_unit_test(test_no_categories),
		cmocka_unit_test(test_random_categories),
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_reconcile),
		cmocka_unit_test(test_apply_reconcile),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_mailbox_undo),
	};

	return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
