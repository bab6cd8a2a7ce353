/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* New and changed messages over real mailboxes: what is saved is what is read
   afterwards, by another session, and what Dovecot has is a proper message. */

#include "lib.h"
#include "array.h"
#include "guid.h"
#include "istream.h"
#include "str.h"
#include "store-compat.h"
#include "mapi-content.h"
#include "mapi-enums.h"
#include "mapi-message-edit.h"
#include "mapi-message-write.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "mapi-stream.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define RECEIVED "From: Ann <ann@example.net>\r\n" \
	"To: alice@example.org\r\nSubject: RE: received\r\n" \
	"Date: Mon, 2 Jan 2023 10:00:00 +0000\r\n" \
	"Message-ID: <r1@example.net>\r\nX-Other: kept\r\n\r\nbody\r\n"

static struct mapi_message *new_message(struct message_env *env, bool associated)
{
	struct mapi_message *msg;

	assert_int_equal(mapi_message_create_new(env->mem, env->store,
						 env->inbox, associated, &msg),
			 EC_NONE);
	return msg;
}

static void
set_prop(struct mapi_object *obj, uint32_t tag, struct mapi_value value)
{
	const struct mapi_property prop = { .tag = tag, .value = value };
	enum mapi_error error = EC_NONE;

	assert_int_equal(obj->v->set_props(obj, &prop, 1, &error), EC_NONE);
	assert_int_equal(error, EC_NONE);
}

static struct mapi_value
get_prop(struct message_env *env, struct mapi_object *obj, uint32_t tag)
{
	struct mapi_value value;

	assert_int_equal(obj->v->get_props(obj, env->mem, &tag, 1, SIZE_MAX,
					   &value), EC_NONE);
	return value;
}

static void
assert_string(struct message_env *env, struct mapi_object *obj, uint32_t tag,
	      const char *wanted)
{
	struct mapi_value value = get_prop(env, obj, tag);

	if (wanted == NULL) {
		assert_int_equal(value.type, PTYP_ERROR_CODE);
		return;
	}
	assert_int_equal(value.type, PTYP_STRING);
	assert_string_equal(value.u.str, wanted);
}

/* The message with that subject as Dovecot has it; "" if there's none */
static const char *mailbox_text(struct message_env *env, uint32_t uid)
{
	struct mailbox *box = test_storage_open(env->ts, "INBOX");
	struct mailbox_transaction_context *t;
	const unsigned char *data;
	struct istream *input;
	string_t *str = t_str_new(1024);
	struct mail *mail;
	size_t size;

	assert_int_equal(mailbox_sync(box, 0), 0);
	t = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(t, 0, NULL);
	if (mail_set_uid(mail, uid)) {
		assert_int_equal(mail_get_stream(mail, NULL, NULL, &input), 0);
		while (i_stream_read_more(input, &data, &size) > 0) {
			str_append_data(str, data, size);
			i_stream_skip(input, size);
		}
	}
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	mailbox_free(&box);
	return str_c(str);
}

static unsigned int mailbox_count(struct message_env *env)
{
	struct mailbox *box = test_storage_open(env->ts, "INBOX");
	struct mailbox_status status;

	assert_int_equal(mailbox_sync(box, 0), 0);
	mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	mailbox_free(&box);
	return status.messages;
}

/* --- a new message ---------------------------------------------------------- */

static void create(struct message_env *env)
{
	static const uint8_t key[] = { 1, 2, 3 };
	const struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .name = "test",
	};
	struct mapi_message *msg = new_message(env, FALSE), *again;
	struct mapi_value value;
	uint16_t id;

	assert_int_equal(mapi_store_names_to_ids(env->store, &name, 1, TRUE,
						 &id), EC_NONE);
	set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str("RE: Grüße"));
	assert_string(env, &msg->obj, PIDTAG_SUBJECT, "RE: Grüße");
	assert_string(env, &msg->obj, PIDTAG_NORMALIZED_SUBJECT, "Grüße");
	assert_string(env, &msg->obj, PIDTAG_SUBJECT_PREFIX, "RE: ");
	set_prop(&msg->obj, PIDTAG_BODY, mapi_value_str("Hello\r\nworld\r\n"));
	set_prop(&msg->obj, PIDTAG_HTML,
		 mapi_value_bin("<html><body>Hi</body></html>", 28));
	set_prop(&msg->obj, PIDTAG_CONVERSATION_INDEX,
		 mapi_value_bin(key, sizeof(key)));
	set_prop(&msg->obj, MAPI_TAG(id, PTYP_STRING), mapi_value_str("named"));
	set_prop(&msg->obj, 0x6789000b, mapi_value_bool(TRUE));
	assert_int_equal(msg->mid, 0);
	assert_int_equal(mailbox_count(env), 0);

	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_int_not_equal(msg->mid, 0);
	assert_int_equal(mailbox_count(env), 1);
	assert_non_null(strstr(mailbox_text(env, 1), "Subject: "));
	assert_non_null(strstr(mailbox_text(env, 1), "Hello"));

	again = message_env_open(env, msg->mid);
	assert_string(env, &again->obj, PIDTAG_SUBJECT, "RE: Grüße");
	assert_string(env, &again->obj, PIDTAG_BODY, "Hello\r\nworld\r\n");
	assert_string(env, &again->obj, MAPI_TAG(id, PTYP_STRING), "named");
	value = get_prop(env, &again->obj, 0x6789000b);
	assert_int_equal(value.type, PTYP_BOOLEAN);
	assert_true(value.u.b);
	value = get_prop(env, &again->obj, PIDTAG_HTML);
	assert_int_equal(value.type, PTYP_BINARY);
	assert_int_equal(value.u.bin.len, 28);
	value = get_prop(env, &again->obj, PIDTAG_CONVERSATION_INDEX);
	assert_int_equal(value.u.bin.len, 3);
	/* never sent */
	value = get_prop(env, &again->obj, PIDTAG_CLIENT_SUBMIT_TIME);
	assert_int_equal(value.type, PTYP_ERROR_CODE);
	value = get_prop(env, &again->obj, PIDTAG_MESSAGE_FLAGS);
	assert_int_equal(value.u.i32 & (MSGFLAG_READ | MSGFLAG_UNSENT),
			 MSGFLAG_READ | MSGFLAG_UNSENT);
}

static void test_create(void **state)
{
	message_for_all_drivers(create);
}

/* --- changes ---------------------------------------------------------------- */

static void edit(struct message_env *env)
{
	struct mapi_message *msg = new_message(env, FALSE), *other, *third;
	struct mapi_value cn, cn2;
	mapi_id_t mid;

	set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str("first"));
	set_prop(&msg->obj, PIDTAG_BODY, mapi_value_str("one\r\n"));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	mid = msg->mid;
	cn = get_prop(env, &msg->obj, PIDTAG_CHANGE_NUMBER);

	/* what others have open stays as it was */
	other = message_env_open(env, mid);
	mapi_message_set_writable(other, TRUE);
	set_prop(&msg->obj, PIDTAG_BODY, mapi_value_str("two\r\n"));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_true(msg->mid == mid);
	cn2 = get_prop(env, &msg->obj, PIDTAG_CHANGE_NUMBER);
	assert_true(cn2.u.i64 != cn.u.i64);
	assert_int_equal(mailbox_count(env), 1);
	assert_string(env, &other->obj, PIDTAG_BODY, "one\r\n");
	third = message_env_open(env, mid);
	assert_string(env, &third->obj, PIDTAG_BODY, "two\r\n");
	assert_string(env, &third->obj, PIDTAG_SUBJECT, "first");

	/* a conflict, and how a client gets over it */
	set_prop(&other->obj, PIDTAG_SUBJECT, mapi_value_str("other"));
	assert_int_equal(mapi_message_save(other, FALSE), EC_OBJECT_MODIFIED);
	assert_int_equal(mapi_message_save(other, TRUE), EC_NONE);
	assert_true(other->mid == mid);
	assert_int_equal(mailbox_count(env), 1);
	third = message_env_open(env, mid);
	assert_string(env, &third->obj, PIDTAG_SUBJECT, "other");

	/* what isn't in the MIME form only changes the bag */
	mapi_message_set_writable(third, TRUE);
	set_prop(&third->obj, 0x6701001f, mapi_value_str("bag"));
	assert_int_equal(mapi_message_save(third, FALSE), EC_NONE);
	assert_true(third->mid == mid);
	cn = get_prop(env, &third->obj, PIDTAG_CHANGE_NUMBER);
	other = message_env_open(env, mid);
	assert_string(env, &other->obj, 0x6701001f, "bag");
	assert_string(env, &other->obj, PIDTAG_SUBJECT, "other");
	set_prop(&third->obj, 0x6701001f, mapi_value_str("bag2"));
	assert_int_equal(mapi_message_save(third, FALSE), EC_NONE);
	cn2 = get_prop(env, &third->obj, PIDTAG_CHANGE_NUMBER);
	assert_true(cn2.u.i64 != cn.u.i64);
	assert_int_equal(mailbox_count(env), 1);
}

static void test_edit(void **state)
{
	message_for_all_drivers(edit);
}

/* A message that came by LMTP is changed: what clients don't know of stays. */
static void edit_received(struct message_env *env)
{
	struct mapi_message *msg, *again;
	mapi_id_t mid = message_env_save(env, RECEIVED, 0, NULL);

	msg = message_env_open(env, mid);
	mapi_message_set_writable(msg, TRUE);
	set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str("changed"));
	assert_string(env, &msg->obj, PIDTAG_NORMALIZED_SUBJECT, "changed");
	assert_string(env, &msg->obj, PIDTAG_BODY, "body\r\n");
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_true(msg->mid == mid);
	again = message_env_open(env, mid);
	assert_string(env, &again->obj, PIDTAG_SUBJECT, "changed");
	assert_string(env, &again->obj, PIDTAG_NORMALIZED_SUBJECT, "changed");
	assert_string(env, &again->obj, PIDTAG_BODY, "body\r\n");
	assert_string(env, &again->obj, PIDTAG_SENDER_NAME, "Ann");
	assert_string(env, &again->obj, PIDTAG_INTERNET_MESSAGE_ID,
		      "<r1@example.net>");
	assert_non_null(strstr(mailbox_text(env, 2), "X-Other: kept"));
	assert_string_equal(mailbox_text(env, 1), "");
}

static void test_edit_received(void **state)
{
	message_for_all_drivers(edit_received);
}

static void deleted(struct message_env *env)
{
	struct mapi_message *msg;
	mapi_id_t mid = message_env_save(env, RECEIVED, 0, NULL);
	bool partial;

	msg = message_env_open(env, mid);
	assert_int_equal(mapi_messages_delete(env->store, env->inbox, &mid, 1,
					      &partial), EC_NONE);
	mapi_message_set_writable(msg, TRUE);
	set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str("late"));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_OBJECT_DELETED);
	assert_int_equal(mapi_message_save(msg, TRUE), EC_OBJECT_DELETED);
	assert_int_equal(mailbox_count(env), 0);
}

static void test_deleted(void **state)
{
	message_for_all_drivers(deleted);
}

static void read_only(struct message_env *env)
{
	const struct mapi_property props[] = {
		{ .tag = PIDTAG_SUBJECT, .value = mapi_value_str("x") },
		{ .tag = PIDTAG_ENTRY_ID, .value = mapi_value_bin("x", 1) },
		{ .tag = PIDTAG_BODY, .value = mapi_value_i32(1) },
	};
	enum mapi_error errors[N_ELEMENTS(props)];
	mapi_id_t mid = message_env_save(env, RECEIVED, 0, NULL);
	struct mapi_message *msg = message_env_open(env, mid);

	assert_int_equal(msg->obj.v->set_props(&msg->obj, props, 1, errors),
			 EC_ACCESS_DENIED);
	assert_int_equal(mapi_message_save(msg, TRUE), EC_ACCESS_DENIED);
	mapi_message_set_writable(msg, TRUE);
	assert_int_equal(msg->obj.v->set_props(&msg->obj, props,
					       N_ELEMENTS(props), errors),
			 EC_NONE);
	assert_int_equal(errors[0], EC_NONE);
	assert_int_equal(errors[1], EC_COMPUTED);
	assert_int_equal(errors[2], EC_UNEXPECTED_TYPE);
}

static void test_read_only(void **state)
{
	message_for_all_drivers(read_only);
}

/* --- recipients, attachments ------------------------------------------------ */

static void recipients(struct message_env *env)
{
	static const uint32_t columns[] = { 0x3a00001f };
	struct mapi_value account = mapi_value_str("bob");
	struct mapi_recipient_change changes[] = {
		{ .has_row = TRUE, .row = {
			.row_id = 0, .recipient_type = MAPI_TO,
			.flags = MAPI_RECIP_TYPE_SMTP | MAPI_RECIP_EMAIL |
				MAPI_RECIP_DISPLAY_NAME | MAPI_RECIP_UNICODE,
			.email_address = "bob@example.org",
			.display_name = "Böb",
			.properties = { 1, columns, &account } } },
		{ .has_row = TRUE, .row = {
			.row_id = 7, .recipient_type = MAPI_BCC,
			.flags = MAPI_RECIP_TYPE_SMTP | MAPI_RECIP_EMAIL |
				MAPI_RECIP_DISPLAY_NAME | MAPI_RECIP_UNICODE,
			.email_address = "carl@example.org",
			.display_name = "Carl" } },
	};
	struct mapi_message *msg = new_message(env, FALSE);
	const struct mapi_recipient_row *rows;
	unsigned int i, count;

	set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str("rcpt"));
	assert_int_equal(mapi_message_modify_recipients(msg, changes, 2, 1252),
			 EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_non_null(strstr(mailbox_text(env, 1), "bob@example.org"));
	msg = message_env_open(env, msg->mid);
	assert_int_equal(mapi_message_recipients(msg, &rows, &count), EC_NONE);
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].row_id, 0);
	assert_int_equal(rows[1].row_id, 7);
	assert_string_equal(rows[0].display_name, "Böb");
	assert_int_equal(rows[1].recipient_type, MAPI_BCC);
	for (i = 0; i < rows[0].properties.count; i++) {
		if (rows[0].properties.columns[i] == columns[0])
			break;
	}
	assert_true(i < rows[0].properties.count);
	assert_string_equal(rows[0].properties.values[i].u.str, "bob");

	mapi_message_set_writable(msg, TRUE);
	changes[0].has_row = FALSE;
	assert_int_equal(mapi_message_modify_recipients(msg, changes, 1, 1252),
			 EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	msg = message_env_open(env, msg->mid);
	assert_int_equal(mapi_message_recipients(msg, &rows, &count), EC_NONE);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].row_id, 7);
	assert_null(strstr(mailbox_text(env, 2), "bob@example.org"));
}

static void test_recipients(void **state)
{
	message_for_all_drivers(recipients);
}

static void
add_attachment(struct message_env *env, struct mapi_message *msg,
	       const char *name, const void *data, size_t size)
{
	struct mapi_attachment *attach;

	assert_int_equal(mapi_attachment_create(env->mem, msg, &attach),
			 EC_NONE);
	set_prop(&attach->obj, PIDTAG_ATTACH_METHOD, mapi_value_i32(1));
	set_prop(&attach->obj, PIDTAG_ATTACH_LONG_FILENAME,
		 mapi_value_str(name));
	set_prop(&attach->obj, PIDTAG_ATTACH_DATA_BINARY,
		 mapi_value_bin(data, size));
	set_prop(&attach->obj, 0x6701001f, mapi_value_str(name));
	assert_int_equal(mapi_attachment_save(attach), EC_NONE);
}

static void attachments(struct message_env *env)
{
	static const char zeros[100000];
	struct mapi_message *msg = new_message(env, FALSE), *embedded;
	struct mapi_attachment *attach;
	struct mapi_value value;
	unsigned int count;

	set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str("attach"));
	add_attachment(env, msg, "a.bin", "abc", 3);
	add_attachment(env, msg, "empty.bin", "", 0);
	add_attachment(env, msg, "big.bin", zeros, sizeof(zeros));
	assert_int_equal(mapi_attachment_create(env->mem, msg, &attach),
			 EC_NONE);
	assert_int_equal(mapi_attachment_create_embedded(env->mem, attach,
							 &embedded), EC_NONE);
	set_prop(&embedded->obj, PIDTAG_SUBJECT, mapi_value_str("inner"));
	set_prop(&embedded->obj, PIDTAG_BODY, mapi_value_str("inner body"));
	set_prop(&embedded->obj, 0x6701001f, mapi_value_str("inner bag"));
	/* it has one when it's saved, or when it gets an id */
	value = get_prop(env, &embedded->obj, PIDTAG_SEARCH_KEY);
	assert_int_equal(value.type, PTYP_ERROR_CODE);
	add_attachment(env, embedded, "c.bin", "c", 1);
	assert_int_equal(mapi_message_save(embedded, FALSE), EC_NONE);
	assert_int_equal(mapi_attachment_save(attach), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);

	msg = message_env_open(env, msg->mid);
	assert_int_equal(mapi_message_attachment_count(msg, &count), EC_NONE);
	assert_int_equal(count, 4);
	assert_int_equal(mapi_attachment_open(env->mem, msg, 0, &attach),
			 EC_NONE);
	assert_string(env, &attach->obj, PIDTAG_ATTACH_LONG_FILENAME, "a.bin");
	assert_string(env, &attach->obj, 0x6701001f, "a.bin");
	value = get_prop(env, &attach->obj, PIDTAG_ATTACH_DATA_BINARY);
	assert_int_equal(value.type, PTYP_BINARY);
	assert_int_equal(value.u.bin.len, 3);
	assert_int_equal(mapi_attachment_open(env->mem, msg, 2, &attach),
			 EC_NONE);
	value = get_prop(env, &attach->obj, PIDTAG_ATTACH_DATA_BINARY);
	assert_int_equal(value.u.bin.len, sizeof(zeros));
	assert_int_equal(mapi_attachment_open(env->mem, msg, 3, &attach),
			 EC_NONE);
	assert_int_equal(mapi_attachment_open_embedded(env->mem, attach,
						       &embedded), EC_NONE);
	assert_string(env, &embedded->obj, PIDTAG_SUBJECT, "inner");
	assert_string(env, &embedded->obj, PIDTAG_BODY, "inner body");
	assert_string(env, &embedded->obj, 0x6701001f, "inner bag");
	assert_int_equal(mapi_message_attachment_count(embedded, &count),
			 EC_NONE);
	assert_int_equal(count, 1);

	/* numbers stay when others are deleted */
	mapi_message_set_writable(msg, TRUE);
	assert_int_equal(mapi_message_delete_attachment(msg, 1), EC_NONE);
	assert_int_equal(mapi_message_delete_attachment(msg, 1), EC_NOT_FOUND);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	msg = message_env_open(env, msg->mid);
	assert_int_equal(mapi_message_attachment_count(msg, &count), EC_NONE);
	assert_int_equal(count, 3);
	assert_int_equal(mapi_message_attachment_num(msg, 1), 2);
	assert_int_equal(mapi_attachment_open(env->mem, msg, 1, &attach),
			 EC_NOT_FOUND);
	assert_int_equal(mapi_attachment_open(env->mem, msg, 3, &attach),
			 EC_NONE);
	assert_int_equal(mapi_attachment_open_embedded(env->mem, attach,
						       &embedded), EC_NONE);
	assert_string(env, &embedded->obj, 0x6701001f, "inner bag");
}

static void test_attachments(void **state)
{
	message_for_all_drivers(attachments);
}

static void
open_embedded(struct message_env *env, struct mapi_message *msg,
	      struct mapi_attachment **attach_r,
	      struct mapi_message **embedded_r)
{
	assert_int_equal(mapi_attachment_open(env->mem, msg, 0, attach_r),
			 EC_NONE);
	mapi_attachment_set_writable(*attach_r, TRUE);
	assert_int_equal(mapi_attachment_open_embedded(env->mem, *attach_r,
						       embedded_r), EC_NONE);
	mapi_message_set_writable(*embedded_r, TRUE);
}

/* What replaces a body or a subject replaces what was made of it, too. */
static void embedded_edit(struct message_env *env)
{
	static const char html[] = "<html><body>before</body></html>";
	struct mapi_message *msg = new_message(env, FALSE), *embedded;
	struct mapi_attachment *attach;

	set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str("outer"));
	assert_int_equal(mapi_attachment_create(env->mem, msg, &attach),
			 EC_NONE);
	assert_int_equal(mapi_attachment_create_embedded(env->mem, attach,
							 &embedded), EC_NONE);
	set_prop(&embedded->obj, PIDTAG_SUBJECT, mapi_value_str("RE: inner"));
	set_prop(&embedded->obj, PIDTAG_INTERNET_CODEPAGE,
		 mapi_value_i32(65001));
	set_prop(&embedded->obj, PIDTAG_HTML,
		 mapi_value_bin(html, strlen(html)));
	assert_int_equal(mapi_message_save(embedded, FALSE), EC_NONE);
	assert_int_equal(mapi_attachment_save(attach), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);

	msg = message_env_open(env, msg->mid);
	mapi_message_set_writable(msg, TRUE);
	open_embedded(env, msg, &attach, &embedded);
	assert_string(env, &embedded->obj, PIDTAG_BODY, "before\r\n");
	set_prop(&embedded->obj, PIDTAG_BODY, mapi_value_str("after"));
	set_prop(&embedded->obj, PIDTAG_SUBJECT, mapi_value_str("other"));
	assert_int_equal(mapi_message_save(embedded, FALSE), EC_NONE);
	assert_int_equal(mapi_attachment_save(attach), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);

	msg = message_env_open(env, msg->mid);
	mapi_message_set_writable(msg, TRUE);
	open_embedded(env, msg, &attach, &embedded);
	assert_string(env, &embedded->obj, PIDTAG_BODY, "after");
	assert_string(env, &embedded->obj, PIDTAG_NORMALIZED_SUBJECT, "other");
	assert_int_equal(get_prop(env, &embedded->obj,
				  PIDTAG_NATIVE_BODY).u.i32, 1);
	assert_null(strstr(mailbox_text(env, 2), "before"));
	set_prop(&embedded->obj, PIDTAG_NORMALIZED_SUBJECT,
		 mapi_value_str("third"));
	assert_int_equal(mapi_message_save(embedded, FALSE), EC_NONE);
	assert_int_equal(mapi_attachment_save(attach), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);

	msg = message_env_open(env, msg->mid);
	open_embedded(env, msg, &attach, &embedded);
	assert_string(env, &embedded->obj, PIDTAG_SUBJECT, "third");
	assert_string(env, &embedded->obj, PIDTAG_BODY, "after");

	/* a file instead */
	mapi_message_set_writable(msg, TRUE);
	set_prop(&attach->obj, PIDTAG_ATTACH_METHOD, mapi_value_i32(1));
	set_prop(&attach->obj, PIDTAG_ATTACH_DATA_BINARY,
		 mapi_value_bin("file", 4));
	assert_int_equal(mapi_attachment_save(attach), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_null(strstr(mailbox_text(env, 4), "after"));
	assert_non_null(strstr(mailbox_text(env, 4), "ZmlsZQ=="));
	msg = message_env_open(env, msg->mid);
	assert_int_equal(mapi_attachment_open(env->mem, msg, 0, &attach),
			 EC_NONE);
	assert_int_equal(get_prop(env, &attach->obj,
				  PIDTAG_ATTACH_DATA_BINARY).u.bin.len, 4);
	assert_int_equal(mapi_attachment_open_embedded(env->mem, attach,
						       &embedded),
			 EC_NOT_SUPPORTED);
}

static void test_embedded_edit(void **state)
{
	message_for_all_drivers(embedded_edit);
}

/* Messages in messages, of which MIME has only so many */
#define NESTED_DEPTH 40

static void
nest_message(struct message_env *env, struct mapi_message *msg,
	     unsigned int depth)
{
	struct mapi_attachment *attach;
	struct mapi_message *embedded;

	set_prop(&msg->obj, PIDTAG_SUBJECT,
		 mapi_value_str(t_strdup_printf("level %u", depth)));
	if (depth == 0)
		return;
	assert_int_equal(mapi_attachment_create(env->mem, msg, &attach),
			 EC_NONE);
	assert_int_equal(mapi_attachment_create_embedded(env->mem, attach,
							 &embedded), EC_NONE);
	nest_message(env, embedded, depth - 1);
	assert_int_equal(mapi_message_save(embedded, FALSE), EC_NONE);
	assert_int_equal(mapi_attachment_save(attach), EC_NONE);
}

static void nested(struct message_env *env)
{
	struct mapi_message *msg = new_message(env, FALSE);
	const struct mapi_recipient_row *rows;
	struct mapi_attachment *attach;
	unsigned int depth, count;

	nest_message(env, msg, NESTED_DEPTH);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	msg = message_env_open(env, msg->mid);
	for (depth = NESTED_DEPTH;; depth--) {
		assert_string(env, &msg->obj, PIDTAG_SUBJECT,
			      t_strdup_printf("level %u", depth));
		assert_int_equal(mapi_message_recipients(msg, &rows, &count),
				 EC_NONE);
		assert_int_equal(count, 0);
		assert_int_equal(mapi_message_attachment_count(msg, &count),
				 EC_NONE);
		assert_int_equal(count, depth == 0 ? 0 : 1);
		if (depth == 0)
			break;
		open_embedded(env, msg, &attach, &msg);
	}
}

static void test_nested(void **state)
{
	message_for_all_drivers(nested);
}

/* What is saved has a stream of the message that it replaces, which nobody else
   needs any more. */
static void large_attachment(struct message_env *env)
{
	static const char zeros[100000];
	struct mapi_message *msg = new_message(env, FALSE);
	struct mapi_attachment *attach;
	struct mapi_value value;
	unsigned int i;

	add_attachment(env, msg, "big.bin", zeros, sizeof(zeros));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	msg = message_env_open(env, msg->mid);
	mapi_message_set_writable(msg, TRUE);
	for (i = 0; i < 3; i++) {
		set_prop(&msg->obj, PIDTAG_SUBJECT,
			 mapi_value_str(t_strdup_printf("change %u", i)));
		assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	}
	assert_int_equal(mapi_attachment_open(env->mem, msg, 0, &attach),
			 EC_NONE);
	value = get_prop(env, &attach->obj, PIDTAG_ATTACH_DATA_BINARY);
	assert_int_equal(value.u.bin.len, sizeof(zeros));
}

static void test_large_attachment(void **state)
{
	message_for_all_drivers(large_attachment);
}

/* --- FAI messages ----------------------------------------------------------- */

static void associated(struct message_env *env)
{
	struct mapi_message *msg = new_message(env, TRUE), *again;

	set_prop(&msg->obj, PIDTAG_MESSAGE_CLASS,
		 mapi_value_str("IPM.Configuration.Test"));
	set_prop(&msg->obj, 0x7c070102, mapi_value_bin("<xml/>", 6));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_int_equal(mailbox_count(env), 0);
	again = message_env_open(env, msg->mid);
	assert_string(env, &again->obj, PIDTAG_MESSAGE_CLASS,
		      "IPM.Configuration.Test");
	mapi_message_set_writable(again, TRUE);
	set_prop(&again->obj, 0x7c070102, mapi_value_bin("<y/>", 4));
	assert_int_equal(mapi_message_save(again, FALSE), EC_NONE);
	assert_true(again->mid == msg->mid);
	again = message_env_open(env, msg->mid);
	assert_int_equal(get_prop(env, &again->obj, 0x7c070102).u.bin.len, 4);
}

static void test_associated(void **state)
{
	message_for_all_drivers(associated);
}

/* --- bags follow their messages ---------------------------------------------- */

static mapi_id_t message_with_bag(struct message_env *env, const char *subject)
{
	struct mapi_message *msg = new_message(env, FALSE);

	set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str(subject));
	set_prop(&msg->obj, 0x6701001f, mapi_value_str("bag"));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	/* replaced once: it has another MID than that of its UID */
	set_prop(&msg->obj, PIDTAG_BODY, mapi_value_str(subject));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	return msg->mid;
}

/* MIDs of a folder's messages, in their order */
static unsigned int
folder_mids(struct message_env *env, mapi_id_t fid, mapi_id_t *mids)
{
	struct mapi_folder *folder;
	unsigned int i, count;
	uint32_t uid;

	assert_int_equal(mapi_folder_open(env->mem, env->store, fid, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	count = mail_index_view_get_messages_count(folder->box->view);
	for (i = 0; i < count; i++) {
		mail_index_lookup_uid(folder->box->view, i + 1, &uid);
		mids[i] = mapi_folder_mid(folder, FALSE, uid);
	}
	talloc_free(folder);
	return count;
}

static void
assert_bag(struct message_env *env, mapi_id_t fid, mapi_id_t mid,
	   const char *wanted)
{
	struct mapi_message *msg;

	assert_int_equal(mapi_message_open(env->mem, env->store, fid, mid,
					   &msg), EC_NONE);
	assert_string(env, &msg->obj, 0x6701001f, wanted);
	talloc_free(msg);
}

/* How many messages there are in mailboxes of bags */
static unsigned int bag_count(struct message_env *env, mapi_id_t fid)
{
	const char *vname = t_strdup_printf("mapi-internal/bags-%u",
		(unsigned int)MAPI_ID_GLOBCNT(fid));
	struct mailbox *box;
	struct mailbox_status status;

	box = test_storage_open(env->ts, vname);
	assert_int_equal(mailbox_sync(box, 0), 0);
	mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	mailbox_free(&box);
	return status.messages;
}

static void bags_follow(struct message_env *env)
{
	mapi_id_t mids[10], dest_mids[10], mid, dest;
	struct mapi_message *msg;
	struct mailbox *box;
	bool partial;

	box = test_storage_open(env->ts, "Dest");
	mailbox_free(&box);
	dest = message_env_folder(env, "Dest");
	assert_int_not_equal(dest, 0);
	mid = message_with_bag(env, "one");
	assert_int_equal(folder_mids(env, env->inbox, mids), 1);
	assert_true(mids[0] == mid);
	assert_int_equal(bag_count(env, env->inbox), 1);

	/* copies of one message in two folders, and twice in one */
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, dest, &mid,
					    1, FALSE, &partial), EC_NONE);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, env->inbox,
					    &mid, 1, FALSE, &partial),
			 EC_NONE);
	assert_int_equal(folder_mids(env, env->inbox, mids), 2);
	assert_int_equal(folder_mids(env, dest, dest_mids), 1);
	assert_bag(env, env->inbox, mids[0], "bag");
	assert_bag(env, env->inbox, mids[1], "bag");
	assert_bag(env, dest, dest_mids[0], "bag");

	/* they are different messages */
	assert_int_equal(mapi_message_open(env->mem, env->store, env->inbox,
					   mids[1], &msg), EC_NONE);
	mapi_message_set_writable(msg, TRUE);
	set_prop(&msg->obj, 0x6701001f, mapi_value_str("other"));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_bag(env, env->inbox, mids[0], "bag");
	assert_bag(env, env->inbox, mids[1], "other");

	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, dest,
					    &mids[1], 1, TRUE, &partial),
			 EC_NONE);
	assert_int_equal(bag_count(env, env->inbox), 1);
	assert_int_equal(folder_mids(env, dest, dest_mids), 2);
	assert_bag(env, dest, dest_mids[0], "bag");
	assert_bag(env, dest, dest_mids[1], "other");

	assert_int_equal(mapi_messages_delete(env->store, dest, dest_mids, 1,
					      &partial), EC_NONE);
	assert_int_equal(bag_count(env, dest), 1);
	assert_bag(env, dest, dest_mids[1], "other");
	assert_bag(env, env->inbox, mid, "bag");
}

static void test_bags_follow(void **state)
{
	message_for_all_drivers(bags_follow);
}

/* --- a process that was killed ------------------------------------------------ */

static void shell(const char *command)
{
	assert_int_equal(system(command), 0);
}

/* The folder as it was before, but for the file of the message that was being
   saved: what a process leaves that is killed before it writes the index. */
static void
change_killed(struct message_env *env, mapi_id_t mid, uint32_t uid)
{
	const char *dir = t_strconcat(env->ts->home,
		"/mail/mailboxes/INBOX/dbox-Mails", NULL);
	struct mapi_message *msg;

	shell(t_strdup_printf("cp -a %s %s.before", dir, dir));
	msg = message_env_open(env, mid);
	mapi_message_set_writable(msg, TRUE);
	set_prop(&msg->obj, PIDTAG_BODY, mapi_value_str("killed\r\n"));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	talloc_free(msg);
	talloc_free(env->store);
	shell(t_strdup_printf("cp -a %s/u.%u %s.before/ && rm -r %s && "
			      "mv %s.before %s", dir, uid, dir, dir, dir, dir));
	test_storage_relogin(env->ts);
	message_env_reopen(env);
}

/* The next one who saves has the file become a message; it's not to stay beside the
   message that it was to replace. */
static void test_killed_sdbox(void **state)
{
	struct message_env env;
	struct mapi_message *msg;
	mapi_id_t mid;

	message_env_init(&env, "sdbox");
	msg = new_message(&env, FALSE);
	set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str("s"));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	mid = msg->mid;
	talloc_free(msg);
	T_BEGIN {
		change_killed(&env, mid, 2);
	} T_END;

	msg = message_env_open(&env, mid);
	mapi_message_set_writable(msg, TRUE);
	set_prop(&msg->obj, PIDTAG_BODY, mapi_value_str("after\r\n"));
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_true(msg->mid == mid);
	talloc_free(msg);

	msg = message_env_open(&env, mid);
	assert_string(&env, &msg->obj, PIDTAG_BODY, "after\r\n");
	talloc_free(msg);
	assert_int_equal(mailbox_count(&env), 1);
	message_env_deinit(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_edit_received),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_embedded_edit),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_large_attachment),
		cmocka_unit_test(test_associated),
		cmocka_unit_test(test_bags_follow),
		cmocka_unit_test(test_killed_sdbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
