/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Flags of messages that MAPI clients save and IMAP clients flag: what each of
   them sees, in message objects and in rows of tables, and what is written for
   it. */

#include "lib.h"
#include "sort.h"
#include "str.h"
#include "mail-storage-private.h"
#include "mapi-enums.h"
#include "mapi-mailprops.h"
#include "mapi-message-edit.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "flags-common.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define PLAIN "From: a@example.org\r\nSubject: plain\r\n\r\nbody\r\n"
#define KEYS_MAX 8

static const char *const keys[KEYS_MAX] = {
	"flag", "icon", "verb", "scl", "time", "fup", "todo", "cat",
};

struct flags_env {
	struct message_env *env;
	uint32_t tags[KEYS_MAX];
	mapi_id_t mid;
};

static struct flags_env *flags_begin(struct message_env *env)
{
	const struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		.name = "Keywords",
	};
	struct flags_env *flags = talloc_zero(env->mem, struct flags_env);
	unsigned int i;
	uint16_t id;

	flags->env = env;
	assert_int_equal(mapi_store_names_to_ids(env->store, &name, 1, TRUE,
						 &id), EC_NONE);
	for (i = 0; i < KEYS_MAX; i++) {
		flags->tags[i] = flags_prop_tag(keys[i]);
		if (flags->tags[i] == FLAGS_KEYWORDS_TAG)
			flags->tags[i] = MAPI_TAG(id, PTYP_MULTIPLE_STRING);
	}
	return flags;
}

/* --- what a MAPI client does and sees ---------------------------------------- */

static uint32_t
env_tag(struct flags_env *flags, const struct mapi_content_prop *prop)
{
	unsigned int i;

	for (i = 0; i < KEYS_MAX; i++) {
		if (MAPI_TAG_ID(flags_prop_tag(keys[i])) ==
		    MAPI_TAG_ID(prop->tag))
			return flags->tags[i];
	}
	i_unreached();
}

static void
change(struct flags_env *flags, struct mapi_message *msg, const char *changes)
{
	struct mapi_overlay *overlay =
		flags_overlay_parse(flags->env->mem, changes);
	struct mapi_property prop;
	enum mapi_error error;
	unsigned int i;
	uint32_t tag;

	for (i = 0; i < overlay->props->count; i++) {
		prop.tag = env_tag(flags, &overlay->props->props[i]);
		prop.value = overlay->props->props[i].value;
		assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1,
						       &error), EC_NONE);
		assert_int_equal(error, EC_NONE);
	}
	for (i = 0; i < overlay->absent->count; i++) {
		tag = env_tag(flags, &overlay->absent->props[i]);
		assert_int_equal(msg->obj.v->delete_props(&msg->obj, &tag, 1,
							  &error), EC_NONE);
		assert_int_equal(error, EC_NONE);
	}
}

static void set_body(struct mapi_message *msg, const char *body)
{
	const struct mapi_property prop = {
		.tag = PIDTAG_BODY, .value = mapi_value_str(body),
	};
	enum mapi_error error;

	assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1, &error),
			 EC_NONE);
	assert_int_equal(error, EC_NONE);
}

static const char *values_str(const struct mapi_value *values)
{
	string_t *str = t_str_new(64);
	unsigned int i, j;

	for (i = 0; i < KEYS_MAX; i++) {
		if (values[i].type == PTYP_ERROR_CODE) {
			assert_int_equal(values[i].u.error, EC_NOT_FOUND);
			continue;
		}
		str_printfa(str, "%s=", keys[i]);
		if (values[i].type == PTYP_TIME)
			str_append_c(str, '1');
		else if (values[i].type == PTYP_INTEGER32)
			str_printfa(str, "%d", values[i].u.i32);
		else for (j = 0; j < values[i].u.mv.count; j++) {
			str_printfa(str, "%s%s", j == 0 ? "" : ",",
				    values[i].u.mv.v.str[j]);
		}
		str_append_c(str, ';');
	}
	return str_c(str);
}

static const char *message_str(struct flags_env *flags)
{
	struct mapi_message *msg = message_env_open(flags->env, flags->mid);
	struct mapi_value values[KEYS_MAX];
	const char *str;

	assert_int_equal(msg->obj.v->get_props(&msg->obj, flags->env->mem,
					       flags->tags, KEYS_MAX, SIZE_MAX,
					       values), EC_NONE);
	str = values_str(values);
	talloc_free(msg);
	return str;
}

/* The same of the folder's only row */
static const char *row_str(struct flags_env *flags)
{
	struct mailbox_transaction_context *t;
	struct mapi_value values[KEYS_MAX];
	struct mapi_mailprops *props;
	struct mapi_folder *folder;
	struct mail *mail;
	const char *str;

	assert_int_equal(mapi_folder_open(flags->env->mem, flags->env->store,
					  flags->env->inbox, &folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	props = mapi_mailprops_init(folder, folder, FALSE, flags->tags,
				    KEYS_MAX);
	t = mailbox_transaction_begin(folder->box, 0, __func__);
	mail = mail_alloc(t, 0, NULL);
	mail_set_seq(mail, 1);
	assert_int_equal(mapi_mailprops_get(props, mail, flags->env->mem, 510,
					    values), EC_NONE);
	str = values_str(values);
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	talloc_free(folder);
	return str;
}

/* --- what IMAP clients do and see -------------------------------------------- */

/* "AF[a]": replaces all flags */
static void imap_store(struct flags_env *flags, const char *str)
{
	struct mailbox *box = test_storage_open(flags->env->ts, "INBOX");
	struct mailbox_transaction_context *t;
	struct mapi_flag_state state;
	struct mail_keywords *keywords;
	struct mail *mail;

	i_zero(&state);
	flags_state_parse(str, &state);
	t = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(t, 0, NULL);
	mail_set_seq(mail, 1);
	assert_int_equal(mailbox_keywords_create(box, state.keywords,
						 &keywords), 0);
	mail_update_flags(mail, MODIFY_REPLACE, state.flags);
	mail_update_keywords(mail, MODIFY_REPLACE, keywords);
	mailbox_keywords_unref(&keywords);
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	assert_int_equal(mailbox_sync(box, 0), 0);
	mailbox_free(&box);
}

/* "<UID> <flags>" of the only message, keywords in the order of the alphabet */
static const char *imap_fetch(struct flags_env *flags)
{
	struct mailbox *box = test_storage_open(flags->env->ts, "INBOX");
	struct mailbox_transaction_context *t;
	struct mapi_flag_state state;
	const char **keywords, *str;
	struct mail *mail;

	assert_int_equal(mail_index_view_get_messages_count(box->view), 1);
	t = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(t, 0, NULL);
	mail_set_seq(mail, 1);
	mapi_flag_state_get(mail, &state);
	keywords = p_strarray_dup(pool_datastack_create(), state.keywords);
	i_qsort(keywords, str_array_length(keywords), sizeof(*keywords),
		i_strcmp_p);
	state.keywords = keywords;
	str = t_strdup_printf("%u %s", mail->uid, flags_state_str(&state));
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	mailbox_free(&box);
	return str;
}

/* UIDNEXT of INBOX's mailbox of bags: how often one has been written. 0 if there
   isn't that mailbox. */
static uint32_t bags_uidnext(struct flags_env *flags)
{
	const char *name = t_strdup_printf("mapi-internal/bags-%u",
		(unsigned int)MAPI_ID_GLOBCNT(flags->env->inbox));
	struct mailbox *box = mailbox_alloc(
		mail_namespace_find(flags->env->ts->user->namespaces,
				    name)->list, name, 0);
	struct mailbox_status status;
	enum mailbox_existence existence;

	i_zero(&status);
	assert_int_equal(mailbox_exists(box, FALSE, &existence), 0);
	if (existence == MAILBOX_EXISTENCE_SELECT) {
		assert_int_equal(mailbox_get_status(box, STATUS_UIDNEXT,
						    &status), 0);
	}
	mailbox_free(&box);
	return status.uidnext;
}

/* --- tests ------------------------------------------------------------------- */

struct step {
	/* changes by a MAPI client that saves, new flags by an IMAP client, or
	   both: then the message is open already when the flags change */
	const char *mapi, *imap;
	/* what MAPI clients see, UID and flags */
	const char *props, *fetched;
	/* a bag is written */
	bool bag;
};

static void
check_step(struct flags_env *flags, const struct step *step, const char *body)
{
	uint32_t uidnext = bags_uidnext(flags);
	struct mapi_message *msg = NULL;

	if (step->mapi != NULL) {
		msg = message_env_open(flags->env, flags->mid);
		mapi_message_set_writable(msg, TRUE);
		change(flags, msg, step->mapi);
		if (body != NULL)
			set_body(msg, body);
	}
	if (step->imap != NULL)
		imap_store(flags, step->imap);
	if (msg != NULL) {
		assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
		assert_true(msg->mid == flags->mid);
		talloc_free(msg);
	}
	assert_string_equal(message_str(flags), step->props);
	assert_string_equal(row_str(flags), step->props);
	assert_string_equal(imap_fetch(flags), step->fetched);
	assert_int_equal(bags_uidnext(flags) != uidnext, step->bag);
}

/* A message that was delivered: flags say it all as long as they can. */
static const struct step received_steps[] = {
	{ "flag=2", NULL, "flag=2;icon=-1;fup=6;todo=1;", "1 F", FALSE },
	{ "icon=261", NULL, "flag=2;icon=261;verb=102;fup=6;todo=1;", "1 AF",
	  FALSE },
	{ "-flag", NULL, "icon=261;verb=102;", "1 A", FALSE },
	{ "icon=262;verb=104", NULL, "icon=262;verb=104;", "1 A[$Forwarded]",
	  FALSE },
	{ "cat=a,Red b", NULL, "icon=262;verb=104;cat=a,Red b;",
	  "1 A[$Cat:Red_b][$Forwarded][a]", FALSE },
	{ NULL, "[a][Junk][x]", "icon=-1;scl=9;cat=a,x;", "1 [Junk][a][x]",
	  FALSE },
	{ "scl=-1;-cat", NULL, "icon=-1;scl=-1;", "1 [$NotJunk]", FALSE },
	/* which it was is in the bag only */
	{ "verb=103;time=1;icon=261", NULL, "icon=261;verb=103;scl=-1;time=1;",
	  "1 A[$NotJunk]", TRUE },
	{ NULL, "FA", "flag=2;icon=261;verb=103;time=1;fup=6;todo=1;", "1 AF",
	  FALSE },
	{ "flag=1;fup=3", NULL, "flag=1;icon=261;verb=103;time=1;fup=3;",
	  "1 A", TRUE },
	{ NULL, "", "flag=1;icon=-1;fup=3;", "1 ", FALSE },
	{ NULL, "F", "flag=2;icon=-1;fup=6;todo=1;", "1 F", FALSE },
	/* what has been removed isn't there again when the flag isn't */
	{ "-flag", NULL, "icon=-1;", "1 ", TRUE },
	/* both at once: others' flags stay */
	{ "cat=b", "FA[$Forwarded][c]", "flag=2;icon=262;verb=104;fup=6;todo=1;"
	  "cat=b;", "1 AF[$Forwarded][b]", TRUE },
	{ "flag=1", "A[b][d]", "flag=1;icon=261;verb=102;cat=b,d;",
	  "1 A[b][d]", TRUE },
	{ "flag=2", "[b][d]", "flag=2;icon=-1;cat=b,d;", "1 F[b][d]", TRUE },
};

/* The case of a category that the mailbox knows as another keyword */
static const struct step case_steps[] = {
	{ "cat=a", NULL, "icon=-1;cat=a;", "1 [a]", FALSE },
	{ "-cat", NULL, "icon=-1;", "1 ", FALSE },
	{ "cat=A,work", NULL, "icon=-1;cat=A,work;", "1 [$label2][a]", TRUE },
	{ NULL, "[$label2][new]", "icon=-1;cat=work,new;", "1 [$label2][new]",
	  FALSE },
};

static void
check_steps(struct flags_env *flags, const struct step *steps,
	    unsigned int count)
{
	unsigned int i;

	flags->mid = message_env_save(flags->env, PLAIN, 0, NULL);
	for (i = 0; i < count; i++) T_BEGIN {
		check_step(flags, &steps[i], NULL);
	} T_END;
}

static void received(struct message_env *env)
{
	check_steps(flags_begin(env), received_steps,
		    N_ELEMENTS(received_steps));
}

static void test_received(void **state)
{
	message_for_all_drivers(received);
}

static void keyword_case(struct message_env *env)
{
	check_steps(flags_begin(env), case_steps, N_ELEMENTS(case_steps));
}

static void test_keyword_case(void **state)
{
	message_for_all_drivers(keyword_case);
}

/* A new message, and what becomes of flags when its content changes */
static void created(struct message_env *env)
{
	struct flags_env *flags = flags_begin(env);
	static const struct step edited = {
		"flag=1;fup=3", "FS[d][$Forwarded]",
		"flag=1;icon=262;verb=104;fup=3;cat=d;", "2 S[$Forwarded][d]",
		TRUE
	};
	static const struct step flagged = {
		NULL, "FS", "flag=2;icon=-1;fup=6;todo=1;", "2 FS", FALSE
	};
	struct mapi_message *msg;

	assert_int_equal(mapi_message_create_new(flags->env->mem,
						 flags->env->store,
						 flags->env->inbox, FALSE,
						 &msg), EC_NONE);
	change(flags, msg, "flag=2;fup=2;cat=a,B b;verb=102;time=1;scl=5");
	set_body(msg, "text");
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	flags->mid = msg->mid;
	assert_string_equal(message_str(flags), "flag=2;icon=261;verb=102;"
			    "scl=5;time=1;fup=2;cat=a,B b;");
	assert_string_equal(row_str(flags), message_str(flags));
	/* a new message is a draft that has been read */
	assert_string_equal(imap_fetch(flags),
			    "1 AFS[$Cat:B_b][$Junk][a]");
	check_step(flags, &edited, "other text");
	check_step(flags, &flagged, NULL);
}

static void test_created(void **state)
{
	message_for_all_drivers(created);
}

/* --- PidTagMessageFlags ------------------------------------------------------- */

static int32_t message_flags(struct flags_env *flags, struct mapi_message *msg)
{
	static const uint32_t tag = PIDTAG_MESSAGE_FLAGS;
	struct mapi_value value;

	assert_int_equal(msg->obj.v->get_props(&msg->obj, flags->env->mem, &tag,
					       1, SIZE_MAX, &value), EC_NONE);
	assert_int_equal(value.type, PTYP_INTEGER32);
	return value.u.i32;
}

static enum mapi_error
set_message_flags(struct mapi_message *msg, int32_t message_flags)
{
	const struct mapi_property prop = {
		.tag = PIDTAG_MESSAGE_FLAGS,
		.value = mapi_value_i32(message_flags),
	};
	enum mapi_error error;

	assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1, &error),
			 EC_NONE);
	return error;
}

/* Those that can be set before the message is saved for the first time, and only
   then: they are what they were set to, whatever else is set with them. */
static void new_flags(struct message_env *env)
{
	struct flags_env *flags = flags_begin(env);
	static const struct {
		int32_t set, settable;
		const char *fetched;
	} tests[] = {
		{ 0, 0, "" },
		{ MSGFLAG_READ, MSGFLAG_READ, "S" },
		{ MSGFLAG_UNSENT, MSGFLAG_UNSENT, "" },
		{ MSGFLAG_RESEND, MSGFLAG_RESEND, "[$MapiResend]" },
		{ MSGFLAG_READ | MSGFLAG_UNSENT | MSGFLAG_RESEND,
		  MSGFLAG_READ | MSGFLAG_UNSENT | MSGFLAG_RESEND,
		  "S[$MapiResend]" },
		{ MSGFLAG_SUBMITTED | MSGFLAG_HAS_ATTACH | MSGFLAG_FROM_ME |
		  MSGFLAG_FAI | MSGFLAG_NOTIFY_READ | MSGFLAG_NOTIFY_UNREAD |
		  MSGFLAG_INTERNET | MSGFLAG_UNTRUSTED, 0, "" },
	};
	const int32_t followed = MSGFLAG_UNMODIFIED | MSGFLAG_EVER_READ;
	struct mapi_message *msg;
	unsigned int i;
	bool partial;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		assert_int_equal(mapi_message_create_new(flags->env->mem,
				flags->env->store, flags->env->inbox, FALSE,
				&msg), EC_NONE);
		assert_int_equal(set_message_flags(msg, tests[i].set), EC_NONE);
		assert_int_equal(message_flags(flags, msg), tests[i].settable);
		assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
		flags->mid = msg->mid;
		assert_int_equal(message_flags(flags, msg) & ~followed,
				 tests[i].settable);
		assert_int_equal(set_message_flags(msg, 0), EC_COMPUTED);
		assert_string_equal(strchr(imap_fetch(flags), ' ') + 1,
				    tests[i].fetched);
		/* another message in its place */
		set_body(msg, "text");
		assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
		talloc_free(msg);
		msg = message_env_open(flags->env, flags->mid);
		assert_int_equal(message_flags(flags, msg) & ~followed,
				 tests[i].settable);
		talloc_free(msg);
		assert_int_equal(mapi_messages_delete(flags->env->store,
			flags->env->inbox, &flags->mid, 1, &partial), EC_NONE);
	}
}

static void test_new_flags(void **state)
{
	message_for_all_drivers(new_flags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_received),
		cmocka_unit_test(test_keyword_case),
		cmocka_unit_test(test_created),
		cmocka_unit_test(test_new_flags),
	};

	return cmocka_run_group_tests_name("message flags", tests, NULL, NULL);
}
