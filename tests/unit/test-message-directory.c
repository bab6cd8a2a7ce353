/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Senders, recipients and the mailbox's owner who are in the directory. */

#include "lib.h"
#include "mail-storage-private.h"
#include "mapi-directory.h"
#include "mapi-entryid.h"
#include "mapi-message.h"
#include "mapi-props.h"
#include "mapi-session.h"
#include "mapi-store-directory.h"
#include "table-fixture.h"

#include <setjmp.h>
#include <cmocka.h>

static const struct mapi_directory_object fake_objects[] = {
	{ "/o=Old/cn=Recipients/cn=user", "User of the Directory",
	  "user@example.com", "user@example.com", 6, 0 },
	{ "/o=Old/cn=Recipients/cn=bob", "Bob Builder", "bob@example.com",
	  "bob@example.com", 6, 0 },
	{ "/o=Old/cn=Recipients/cn=staff", "Staff", "staff@example.com",
	  NULL, 8, 1 },
	{ "/o=Old/cn=Recipients/cn=remote", "Remote", "remote@example.net",
	  NULL, 6, 6 },
};

struct fake_directory {
	struct mapi_directory dir;
	/* what has been asked for */
	char known[512][64];
	unsigned int known_count;
	unsigned int lookups, questions, max_questions;
};

static const struct mapi_directory_object *
fake_find(enum mapi_directory_key key, const char *value)
{
	unsigned int i;

	if (key == MAPI_DIRECTORY_ADDRESS &&
	    strcasecmp(value, "alias@example.com") == 0)
		return &fake_objects[0];
	for (i = 0; i < N_ELEMENTS(fake_objects); i++) {
		const struct mapi_directory_object *object = &fake_objects[i];
		const char *str = key == MAPI_DIRECTORY_ADDRESS ?
			object->address : key == MAPI_DIRECTORY_LEGACY_DN ?
			object->legacy_dn : object->username;

		if (str != NULL && strcasecmp(str, value) == 0)
			return object;
	}
	return NULL;
}

static bool
fake_peek(struct mapi_directory *dir, enum mapi_directory_key key,
	  const char *value, const struct mapi_directory_object **object_r)
{
	struct fake_directory *fake = (struct fake_directory *)dir;
	unsigned int i;

	for (i = 0; i < fake->known_count; i++) {
		if (strcasecmp(fake->known[i], value) == 0) {
			*object_r = fake_find(key, value);
			return TRUE;
		}
	}
	return FALSE;
}

static void
fake_lookup(struct mapi_directory *dir,
	    struct mapi_directory_question *questions, unsigned int count)
{
	struct fake_directory *fake = (struct fake_directory *)dir;
	unsigned int i;

	fake->lookups++;
	fake->questions += count;
	fake->max_questions = I_MAX(fake->max_questions, count);
	for (i = 0; i < count; i++) {
		questions[i].object = fake_find(questions[i].key,
						questions[i].value);
		assert_true(fake->known_count < N_ELEMENTS(fake->known));
		(void)i_strocpy(fake->known[fake->known_count++],
				questions[i].value, sizeof(fake->known[0]));
	}
}

static void fake_forget(struct fake_directory *fake)
{
	fake->known_count = 0;
	fake->lookups = fake->questions = fake->max_questions = 0;
}

static void fixture_init(struct table_fixture *f, struct fake_directory *fake)
{
	i_zero(fake);
	fake->dir.peek = fake_peek;
	fake->dir.lookup = fake_lookup;
	table_fixture_init(f, "sdbox");
	talloc_free(f->store);
	f->set.directory = &fake->dir;
	assert_int_equal(mapi_store_open(NULL, f->ts->user, &f->set, &f->store),
			 EC_NONE);
}

static void fixture_save(struct table_fixture *f, const char *text)
{
	(void)test_storage_save(f->ts, "INBOX", text, strlen(text), 0, NULL,
				FIRST_TIME);
}

/* --- tables -------------------------------------------------------------- */

static const uint32_t columns[] = {
	PIDTAG_SENDER_NAME, PIDTAG_SENDER_ADDRESS_TYPE,
	PIDTAG_SENDER_EMAIL_ADDRESS, PIDTAG_SENDER_SMTP_ADDRESS,
	PIDTAG_SENT_REPRESENTING_EMAIL_ADDRESS,
};

struct rows {
	TALLOC_CTX *mem;
	unsigned int count;
	const char *values[200][N_ELEMENTS(columns)];
};

static bool rows_add(struct mapi_property_row *row, void *context)
{
	struct rows *rows = context;
	unsigned int i;

	assert_true(rows->count < N_ELEMENTS(rows->values));
	for (i = 0; i < N_ELEMENTS(columns); i++) {
		rows->values[rows->count][i] =
			row->values[i].type == PTYP_STRING ?
			talloc_strdup(rows->mem, row->values[i].u.str) : NULL;
	}
	rows->count++;
	return TRUE;
}

static void
read_rows(struct mapi_table *table, bool forward, unsigned int count,
	  struct rows *rows)
{
	uint8_t origin;

	rows->count = 0;
	assert_int_equal(mapi_table_query_rows(table, rows->mem, TRUE, forward,
			count, rows_add, rows, &origin), EC_NONE);
}

static void test_table(void **state)
{
	struct fake_directory fake;
	struct table_fixture f;
	struct mapi_table *table;
	struct rows *rows;
	uint32_t count;
	unsigned int i;

	fixture_init(&f, &fake);
	for (i = 0; i < 50; i++) T_BEGIN {
		fixture_save(&f, t_strdup_printf("From: %s\n\nText\n",
			i == 7 ? "Bobby <bob@example.com>" :
			i == 8 ? "bob@example.com" :
			i == 9 ? "Bob <BOB@EXAMPLE.COM>\nSender: x@example.org":
			t_strdup_printf("s%u@example.org", i)));
	} T_END;
	table = table_open_inbox(&f, 0, &count);
	assert_int_equal(count, 50);
	assert_int_equal(mapi_table_set_columns(table, columns,
						N_ELEMENTS(columns)), EC_NONE);
	rows = talloc_zero(NULL, struct rows);
	rows->mem = rows;

	/* 50 senders, one question */
	fake_forget(&fake);
	read_rows(table, TRUE, 50, rows);
	assert_int_equal(rows->count, 50);
	assert_int_equal(fake.lookups, 1);
	assert_int_equal(fake.questions, 49);
	assert_string_equal(rows->values[0][0], "s0@example.org");
	assert_string_equal(rows->values[0][1], "SMTP");
	assert_string_equal(rows->values[0][2], "s0@example.org");
	/* the message's name */
	assert_string_equal(rows->values[7][0], "Bobby");
	assert_string_equal(rows->values[7][1], "EX");
	assert_string_equal(rows->values[7][2], fake_objects[1].legacy_dn);
	assert_string_equal(rows->values[7][3], "bob@example.com");
	assert_string_equal(rows->values[7][4], fake_objects[1].legacy_dn);
	/* the directory's, as there's none */
	assert_string_equal(rows->values[8][0], "Bob Builder");
	assert_string_equal(rows->values[9][1], "SMTP");
	assert_string_equal(rows->values[9][2], "x@example.org");
	assert_string_equal(rows->values[9][4], fake_objects[1].legacy_dn);

	/* known by now; and backwards */
	read_rows(table, FALSE, 50, rows);
	assert_int_equal(rows->count, 50);
	assert_int_equal(fake.lookups, 1);
	fake_forget(&fake);
	/* the cursor is at the beginning again */
	read_rows(table, TRUE, 50, rows);
	fake_forget(&fake);
	read_rows(table, FALSE, 50, rows);
	assert_int_equal(rows->count, 50);
	assert_int_equal(fake.lookups, 1);
	for (i = 0; i < 50; i++) {
		if (strcmp(rows->values[i][1], "EX") == 0)
			break;
	}
	assert_true(i < 50);

	talloc_free(rows);
	talloc_free(table);
	table_fixture_deinit(&f);
}

/* --- messages ---------------------------------------------------------------- */

static struct mapi_message *open_first(struct table_fixture *f)
{
	mapi_id_t fid = mapi_store_special_fid(f->store, MAPI_SPECIAL_INBOX);
	struct mapi_folder *folder;
	struct mapi_message *msg;
	mapi_id_t mid;

	assert_int_equal(mapi_folder_open(f->store, f->store, fid, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_open_mailbox(folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	mid = mapi_folder_mid(folder, FALSE, 1);
	assert_int_equal(mapi_message_open(f->store, f->store, fid, mid,
					   &msg), EC_NONE);
	return msg;
}

static const struct mapi_value *
row_value(const struct mapi_recipient_row *row, uint32_t tag)
{
	unsigned int i;

	for (i = 0; i < row->properties.count; i++) {
		if (row->properties.columns[i] == tag)
			return &row->properties.values[i];
	}
	fail_msg("no column %08x", tag);
	return NULL;
}

static void
assert_entryid(const struct mapi_value *value, uint32_t type, const char *dn)
{
	struct mapi_entry_id eid;
	TALLOC_CTX *mem = talloc_new(NULL);

	assert_int_equal(value->type, PTYP_BINARY);
	assert_int_equal(mapi_entry_id_parse(mem, value->u.bin.data,
			value->u.bin.len, &eid), MAPI_ENTRY_ID_ADDRESSBOOK);
	assert_int_equal(eid.u.addressbook.type, type);
	assert_string_equal(eid.u.addressbook.dn, dn);
	talloc_free(mem);
}

static void test_recipients(void **state)
{
	const struct mapi_recipient_row *rows;
	static const uint32_t tags[] = {
		PIDTAG_SENDER_ENTRY_ID, PIDTAG_SENDER_SEARCH_KEY,
		PIDTAG_RECEIVED_BY_EMAIL_ADDRESS, PIDTAG_RECEIVED_BY_ENTRY_ID,
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	struct fake_directory fake;
	struct table_fixture f;
	struct mapi_message *msg;
	unsigned int count;

	fixture_init(&f, &fake);
	fixture_save(&f, "From: Bob <bob@example.com>\n"
		     "To: staff@example.com, Me <user@example.com>\n"
		     "Cc: \"Who\" <who@example.org>, remote@example.net\n"
		     "\nText\n");
	msg = open_first(&f);
	fake_forget(&fake);
	assert_int_equal(mapi_message_recipients(msg, &rows, &count), EC_NONE);
	assert_int_equal(fake.lookups, 1);
	assert_int_equal(count, 4);

	assert_int_equal(rows[0].flags & MAPI_RECIP_TYPE_MASK,
			 MAPI_RECIP_TYPE_X500);
	assert_int_equal(rows[0].flags & MAPI_RECIP_EMAIL, 0);
	assert_int_equal(rows[0].display_type, 1);
	assert_string_equal(rows[0].x500dn, fake_objects[2].legacy_dn);
	assert_string_equal(rows[0].display_name, "Staff");
	assert_int_equal(row_value(&rows[0], PIDTAG_DISPLAY_TYPE)->u.i32, 1);
	assert_int_equal(row_value(&rows[0], PIDTAG_OBJECT_TYPE)->u.i32, 8);
	assert_string_equal(row_value(&rows[0], PIDTAG_SMTP_ADDRESS)->u.str,
			    "staff@example.com");
	assert_entryid(row_value(&rows[0], PIDTAG_ENTRY_ID), MAPI_AB_DISTLIST,
		       fake_objects[2].legacy_dn);
	assert_string_equal(rows[1].x500dn, fake_objects[0].legacy_dn);
	assert_string_equal(rows[1].display_name, "Me");
	assert_int_equal(rows[2].flags & MAPI_RECIP_TYPE_MASK,
			 MAPI_RECIP_TYPE_SMTP);
	assert_string_equal(rows[2].email_address, "who@example.org");
	assert_null(rows[2].x500dn);
	assert_entryid(row_value(&rows[3], PIDTAG_RECIPIENT_ENTRY_ID),
		       MAPI_AB_REMOTE_USER, fake_objects[3].legacy_dn);

	assert_int_equal(msg->obj.v->get_props(&msg->obj, f.store, tags,
			N_ELEMENTS(tags), SIZE_MAX, values), EC_NONE);
	assert_entryid(&values[0], MAPI_AB_LOCAL_USER,
		       fake_objects[1].legacy_dn);
	assert_int_equal(values[1].type, PTYP_BINARY);
	assert_memory_equal(values[1].u.bin.data,
			    "EX:/O=OLD/CN=RECIPIENTS/CN=BOB", 31);
	assert_int_equal(values[1].u.bin.len, 31);
	assert_string_equal(values[2].u.str, fake_objects[0].legacy_dn);
	assert_entryid(&values[3], MAPI_AB_LOCAL_USER,
		       fake_objects[0].legacy_dn);
	talloc_free(msg);
	table_fixture_deinit(&f);
}

static void
assert_to_me(struct table_fixture *f, const char *headers, bool to, bool cc)
{
	static const uint32_t tags[] = {
		PIDTAG_MESSAGE_TO_ME, PIDTAG_MESSAGE_CC_ME,
		PIDTAG_MESSAGE_RECIPIENT_ME,
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	struct mapi_message *msg;

	fixture_save(f, headers);
	msg = open_first(f);
	assert_int_equal(msg->obj.v->get_props(&msg->obj, f->store, tags,
			N_ELEMENTS(tags), SIZE_MAX, values), EC_NONE);
	assert_int_equal(values[0].u.b, to);
	assert_int_equal(values[1].u.b, cc);
	assert_int_equal(values[2].u.b, to || cc);
	talloc_free(msg);
}

/* By any address that the directory knows */
static void test_to_me(void **state)
{
	static const struct {
		const char *headers;
		bool to, cc;
	} tests[] = {
		{ "To: User@Example.com\n\n", TRUE, FALSE },
		{ "To: who@example.org, alias@example.com\n\n", TRUE, FALSE },
		{ "To: bob@example.com\nCc: Alias@example.com\n\n",
		  FALSE, TRUE },
		{ "To: bob@example.com\nCc: staff@example.com\n\n",
		  FALSE, FALSE },
	};
	struct fake_directory fake;
	struct table_fixture f;

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		fixture_init(&f, &fake);
		assert_to_me(&f, tests[i].headers, tests[i].to, tests[i].cc);
		table_fixture_deinit(&f);
	}
}

/* --- the owner ----------------------------------------------------------------- */

static void test_owner(void **state)
{
	static const char *own = "user@example.com";
	struct fake_directory fake;
	struct table_fixture f;

	fixture_init(&f, &fake);
	assert_string_equal(mapi_store_owner_dn(f.store),
			    fake_objects[0].legacy_dn);
	assert_int_equal(mapi_session_check_dn(&f.set, own,
			fake_objects[0].legacy_dn), EC_NONE);
	assert_int_equal(mapi_session_check_dn(&f.set, own,
			"/O=OLD/CN=RECIPIENTS/CN=USER"), EC_NONE);
	assert_int_equal(mapi_session_check_dn(&f.set, own,
			fake_objects[1].legacy_dn), EC_ACCESS_DENIED);
	/* no mailbox */
	assert_int_equal(mapi_session_check_dn(&f.set, own,
			fake_objects[2].legacy_dn), EC_ACCESS_DENIED);
	assert_int_equal(mapi_session_check_dn(&f.set, own,
			"/o=Old/cn=Recipients/cn=nobody"), EC_UNKNOWN_USER);
	/* the one that is made up, as before */
	f.set.directory = NULL;
	assert_int_equal(mapi_session_check_dn(&f.set, own,
			fake_objects[0].legacy_dn), EC_UNKNOWN_USER);
	f.set.directory = &fake.dir;
	table_fixture_deinit(&f);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_to_me),
		cmocka_unit_test(test_owner),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
