/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties that clients set on folders and on the store: whatever has been set is
   read, in the same and in other sessions, and follows the folder. On all storage
   formats. */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "mail-storage-private.h"
#include "mailbox-list-private.h"
#include "mail-namespace.h"
#include "mail-user.h"
#include "mapi-content.h"
#include "mapi-enums.h"
#include "mapi-folder-write.h"
#include "mapi-object-copy.h"
#include "mapi-props.h"
#include "mapi-search-folder.h"
#include "mapi-stream.h"
#include "wire-random-private.h"

#include <setjmp.h>
#include <cmocka.h>

#include "store-fixture.h"

#define LARGE_SIZE (300 * 1000)
#define TAG_PLAIN 0x36de0003
#define TAG_VIEW 0x36df0102

/* 0: the store */
static struct mapi_object *open_object(struct fixture *f, mapi_id_t fid)
{
	struct mapi_folder *folder;
	struct mapi_logon *logon;

	if (fid == 0) {
		assert_int_equal(mapi_logon_open(f->mem, f->store, &logon),
				 EC_NONE);
		return &logon->obj;
	}
	assert_int_equal(mapi_folder_open(f->mem, f->store, fid, &folder),
			 EC_NONE);
	return &folder->obj;
}

static mapi_id_t create(struct fixture *f, mapi_id_t parent, const char *name)
{
	struct mapi_folder *folder;

	assert_int_equal(mapi_folder_create(f->mem, f->store, parent, name, "",
					    FALSE, &folder), EC_NONE);
	return folder->fid;
}

static mapi_id_t child(struct fixture *f, mapi_id_t parent, const char *name)
{
	struct mapi_folder_node *node;

	assert_int_equal(mapi_folder_tree_refresh(f->store), EC_NONE);
	node = mapi_folder_tree_lookup(f->store, parent)->first_child;
	for (; node != NULL; node = node->next_sibling) {
		if (strcmp(node->display_name, name) == 0)
			return node->fid;
	}
	fail_msg("there's no %s", name);
	return 0;
}

static enum mapi_error
set_value(struct fixture *f, mapi_id_t fid, uint32_t tag,
	  struct mapi_value value)
{
	struct mapi_object *obj = open_object(f, fid);
	struct mapi_property prop = { .tag = tag, .value = value };
	enum mapi_error error;

	assert_int_equal(obj->v->set_props(obj, &prop, 1, &error), EC_NONE);
	return error;
}

static enum mapi_error
delete_value(struct fixture *f, mapi_id_t fid, uint32_t tag)
{
	struct mapi_object *obj = open_object(f, fid);
	enum mapi_error error;

	assert_int_equal(obj->v->delete_props(obj, &tag, 1, &error), EC_NONE);
	return error;
}

static struct mapi_value
get_value(struct fixture *f, mapi_id_t fid, uint32_t tag)
{
	struct mapi_object *obj = open_object(f, fid);
	struct mapi_value value;

	assert_int_equal(obj->v->get_props(obj, f->mem, &tag, 1, SIZE_MAX,
					   &value), EC_NONE);
	return value;
}

static void
assert_i32(struct fixture *f, mapi_id_t fid, uint32_t tag, int32_t wanted)
{
	struct mapi_value value = get_value(f, fid, tag);

	assert_int_equal(value.type, PTYP_INTEGER32);
	assert_int_equal(value.u.i32, wanted);
}

static void
assert_error(struct fixture *f, mapi_id_t fid, uint32_t tag,
	     enum mapi_error wanted)
{
	struct mapi_value value = get_value(f, fid, tag);

	assert_int_equal(value.type, PTYP_ERROR_CODE);
	assert_int_equal(value.u.error, wanted);
}

static bool is_listed(struct fixture *f, mapi_id_t fid, uint32_t tag)
{
	struct mapi_object *obj = open_object(f, fid);
	unsigned int i, count, found = 0;
	const uint32_t *tags;

	assert_int_equal(obj->v->list_props(obj, f->mem, &tags, &count),
			 EC_NONE);
	for (i = 0; i < count; i++) {
		if (tags[i] == tag)
			found++;
	}
	assert_true(found <= 1);
	return found == 1;
}

static unsigned int messages(struct fixture *f, const char *vname)
{
	struct mailbox *box = test_storage_open(f->ts, vname);
	struct mailbox_status status;

	mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	mailbox_free(&box);
	return status.messages;
}

/* --- values ----------------------------------------------------------------- */

#define RANDOM_COUNT 40

static void
random_props(struct fixture *f, struct wire_random *rnd,
	     struct mapi_property *props)
{
	struct mapi_property_name name;
	unsigned int i;
	uint16_t id;

	for (i = 0; i < RANDOM_COUNT; i++) {
		id = 0x6800 + i;
		if (i % 2 == 0) {
			i_zero(&name);
			wire_random_bytes(rnd, name.guid.bytes,
					  sizeof(name.guid.bytes));
			name.kind = i % 4 == 0 ? MAPI_NAME_LID :
				MAPI_NAME_STRING;
			name.lid = wire_random_u64(rnd);
			name.name = wire_random_utf8(rnd, 30);
			assert_int_equal(mapi_store_names_to_ids(f->store,
				&name, 1, TRUE, &id), EC_NONE);
		}
		do {
			props[i].tag = MAPI_TAG(id, wire_random_type(rnd));
		} while (!mapi_type_is_known(MAPI_TAG_TYPE(props[i].tag)) ||
			 MAPI_TAG_TYPE(props[i].tag) == PTYP_NULL ||
			 MAPI_TAG_TYPE(props[i].tag) == PTYP_ERROR_CODE ||
			 MAPI_TAG_TYPE(props[i].tag) == PTYP_STRING8 ||
			 MAPI_TAG_TYPE(props[i].tag) == PTYP_MULTIPLE_STRING8);
		wire_random_value(rnd, MAPI_TAG_TYPE(props[i].tag),
				  &props[i].value);
		if (i == 1) {
			/* larger than what is kept in the log */
			props[i].tag = MAPI_TAG_AS(props[i].tag, PTYP_BINARY);
			props[i].value = mapi_value_bin(
				wire_random_data(rnd, 20000), 20000);
		}
	}
}

static void
assert_values(struct fixture *f, mapi_id_t fid,
	      const struct mapi_property *props)
{
	struct mapi_content_prop a, b;
	unsigned int i;

	i_zero(&a);
	i_zero(&b);
	for (i = 0; i < RANDOM_COUNT; i++) {
		a.value = props[i].value;
		b.value = get_value(f, fid, props[i].tag);
		if (a.value.type != b.value.type ||
		    mapi_content_prop_equal(&a, &b) != 1)
			fail_msg("property %08x: type %x", props[i].tag,
				 b.value.type);
		assert_true(is_listed(f, fid, props[i].tag));
	}
}

static void test_values(void **state)
{
	struct fixture *f = *state;
	mapi_id_t fids[] = {
		0, f->inbox, f->top,
		mapi_store_special_fid(f->store, MAPI_SPECIAL_ROOT),
		mapi_store_special_fid(f->store, MAPI_SPECIAL_FINDER),
		mapi_store_special_fid(f->store, MAPI_SPECIAL_CALENDAR),
	};
	struct mapi_property props[N_ELEMENTS(fids)][RANDOM_COUNT];
	enum mapi_error errors[RANDOM_COUNT];
	TALLOC_CTX *mem = talloc_new(NULL);
	struct wire_random rnd;
	struct mapi_object *obj;
	unsigned int i, j, round;

	wire_random_init(&rnd, mem, wire_random_seed());
	for (i = 0; i < N_ELEMENTS(fids); i++) {
		random_props(f, &rnd, props[i]);
		obj = open_object(f, fids[i]);
		memset(errors, 0xff, sizeof(errors));
		assert_int_equal(obj->v->set_props(obj, props[i], RANDOM_COUNT,
						   errors), EC_NONE);
		for (j = 0; j < RANDOM_COUNT; j++) {
			if (errors[j] != EC_NONE)
				fail_msg("property %08x: error %x",
					 props[i][j].tag, errors[j]);
		}
	}
	for (round = 0; round < 2; round++) {
		for (i = 0; i < N_ELEMENTS(fids); i++)
			assert_values(f, fids[i], props[i]);
		fixture_reopen(f);
	}
	talloc_free(mem);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	static const uint32_t computed[] = {
		PIDTAG_CONTENT_COUNT, PIDTAG_FOLDER_ID, PIDTAG_CHANGE_KEY,
		PIDTAG_SUBFOLDERS, PIDTAG_ENTRY_ID, PIDTAG_RIGHTS,
		PIDTAG_LOCAL_COMMIT_TIME_MAX, PIDTAG_DELETED_ON,
		PIDTAG_ADDRESS_BOOK_ENTRY_ID, PIDTAG_FOLDER_TYPE,
	};
	static const uint32_t logon_computed[] = {
		PIDTAG_ENTRY_ID, PIDTAG_MAILBOX_OWNER_NAME,
		PIDTAG_MESSAGE_SIZE, PIDTAG_CODE_PAGE_ID,
		PIDTAG_MAXIMUM_SUBMIT_MESSAGE_SIZE,
	};
	struct mapi_stream *stream;
	struct mapi_object *obj;
	struct mapi_value value;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(computed); i++) {
		value = MAPI_TAG_TYPE(computed[i]) == PTYP_BINARY ?
			mapi_value_bin("x", 1) : mapi_value_i32(1);
		assert_int_equal(set_value(f, f->inbox,
			MAPI_TAG_AS(computed[i], value.type), value),
			EC_COMPUTED);
		assert_int_equal(delete_value(f, f->inbox, computed[i]),
				 EC_COMPUTED);
	}
	for (i = 0; i < N_ELEMENTS(logon_computed); i++) {
		assert_int_equal(set_value(f, 0,
			MAPI_TAG_AS(logon_computed[i], PTYP_INTEGER32),
			mapi_value_i32(1)), EC_COMPUTED);
		assert_int_equal(delete_value(f, 0, logon_computed[i]),
				 EC_COMPUTED);
	}
	/* the session's until somebody sets it, [MS-OXCSTOR] 2.2.2.1.2 */
	assert_int_equal(set_value(f, 0, PIDTAG_LOCALE_ID,
				   mapi_value_i32(1036)), EC_NONE);
	assert_i32(f, 0, PIDTAG_LOCALE_ID, 1036);
	assert_int_equal(set_value(f, 0, PIDTAG_SORT_LOCALE_ID,
				   mapi_value_i32(1036)), EC_NONE);
	assert_i32(f, 0, PIDTAG_SORT_LOCALE_ID, 1036);
	/* no such name; the tag's type isn't the value's; the name has to be */
	assert_int_equal(set_value(f, f->inbox, 0x8fff0003, mapi_value_i32(1)),
			 EC_INVALID_PARAM);
	assert_int_equal(set_value(f, f->inbox, TAG_VIEW, mapi_value_i32(1)),
			 EC_UNEXPECTED_TYPE);
	assert_int_equal(delete_value(f, f->inbox, PIDTAG_DISPLAY_NAME),
			 EC_ACCESS_DENIED);
	obj = open_object(f, f->inbox);
	assert_int_equal(obj->v->open_stream_write(obj, f->mem,
		PIDTAG_SOURCE_KEY, TRUE, &stream), EC_ACCESS_DENIED);
	assert_int_equal(obj->v->open_stream_write(obj, f->mem, TAG_VIEW,
		FALSE, &stream), EC_NOT_FOUND);
}

static void test_delete(void **state)
{
	struct fixture *f = *state;
	mapi_id_t root = mapi_store_special_fid(f->store, MAPI_SPECIAL_ROOT);
	struct mapi_value value;
	unsigned int i;

	/* what nobody has set */
	assert_int_equal(delete_value(f, f->inbox, TAG_PLAIN), EC_NONE);
	/* defaults */
	value = get_value(f, root, PIDTAG_IPM_DRAFTS_ENTRY_ID);
	assert_int_equal(value.type, PTYP_BINARY);
	assert_true(is_listed(f, root, PIDTAG_IPM_DRAFTS_ENTRY_ID));
	assert_int_equal(set_value(f, root, PIDTAG_IPM_DRAFTS_ENTRY_ID,
				   mapi_value_bin("mine", 4)), EC_NONE);
	assert_int_equal(delete_value(f, f->inbox,
				      PIDTAG_IPM_DRAFTS_ENTRY_ID), EC_NONE);
	assert_int_equal(set_value(f, 0, PIDTAG_OUT_OF_OFFICE_STATE,
				   mapi_value_bool(TRUE)), EC_NONE);
	assert_int_equal(set_value(f, f->inbox, TAG_PLAIN, mapi_value_i32(5)),
			 EC_NONE);
	assert_i32(f, f->inbox, TAG_PLAIN, 5);
	assert_int_equal(delete_value(f, f->inbox, TAG_PLAIN), EC_NONE);
	for (i = 0; i < 2; i++) {
		assert_error(f, f->inbox, TAG_PLAIN, EC_NOT_FOUND);
		assert_false(is_listed(f, f->inbox, TAG_PLAIN));
		value = get_value(f, root, PIDTAG_IPM_DRAFTS_ENTRY_ID);
		assert_int_equal(value.u.bin.len, 4);
		assert_true(is_listed(f, root, PIDTAG_IPM_DRAFTS_ENTRY_ID));
		assert_error(f, f->inbox, PIDTAG_IPM_DRAFTS_ENTRY_ID,
			     EC_NOT_FOUND);
		assert_false(is_listed(f, f->inbox,
				       PIDTAG_IPM_DRAFTS_ENTRY_ID));
		assert_true(get_value(f, 0, PIDTAG_OUT_OF_OFFICE_STATE).u.b);
		fixture_reopen(f);
	}
	/* another type is another value of the same property */
	assert_int_equal(set_value(f, f->inbox,
		MAPI_TAG_AS(TAG_PLAIN, PTYP_BOOLEAN), mapi_value_bool(TRUE)),
		EC_NONE);
	assert_true(is_listed(f, f->inbox,
			      MAPI_TAG_AS(TAG_PLAIN, PTYP_BOOLEAN)));
	/* the class of a folder in the companion tree */
	assert_int_equal(set_value(f, root, PIDTAG_CONTAINER_CLASS,
				   mapi_value_str("IPF.Root")), EC_NONE);
	assert_string_equal(get_value(f, root, PIDTAG_CONTAINER_CLASS).u.str,
			    "IPF.Root");
	assert_int_equal(delete_value(f, root, PIDTAG_CONTAINER_CLASS),
			 EC_NONE);
	assert_error(f, root, PIDTAG_CONTAINER_CLASS, EC_NOT_FOUND);
}

/* --- changes ------------------------------------------------------------------ */

static void test_changes(void **state)
{
	struct fixture *f = *state;
	struct mapi_value cn, cn2, time, time2;

	assert_int_equal(set_value(f, f->inbox, TAG_PLAIN, mapi_value_i32(1)),
			 EC_NONE);
	cn = get_value(f, f->inbox, PIDTAG_CHANGE_NUMBER);
	time = get_value(f, f->inbox, PIDTAG_LOCAL_COMMIT_TIME_MAX);
	/* nothing has changed */
	assert_int_equal(set_value(f, f->inbox, TAG_PLAIN, mapi_value_i32(1)),
			 EC_NONE);
	assert_int_equal(delete_value(f, f->inbox, TAG_VIEW), EC_NONE);
	cn2 = get_value(f, f->inbox, PIDTAG_CHANGE_NUMBER);
	assert_true(cn.u.i64 == cn2.u.i64);
	assert_int_equal(set_value(f, f->inbox, TAG_PLAIN, mapi_value_i32(2)),
			 EC_NONE);
	cn2 = get_value(f, f->inbox, PIDTAG_CHANGE_NUMBER);
	assert_true(MAPI_ID_GLOBCNT(mapi_id_from_i64(cn2.u.i64)) >
		    MAPI_ID_GLOBCNT(mapi_id_from_i64(cn.u.i64)));
	time2 = get_value(f, f->inbox, PIDTAG_LOCAL_COMMIT_TIME_MAX);
	assert_true(time2.u.time > time.u.time);
	time = get_value(f, f->inbox, PIDTAG_LAST_MODIFICATION_TIME);
	assert_true(time.u.time == time2.u.time);
	assert_int_equal(delete_value(f, f->inbox, TAG_PLAIN), EC_NONE);
	cn = get_value(f, f->inbox, PIDTAG_CHANGE_NUMBER);
	assert_true(MAPI_ID_GLOBCNT(mapi_id_from_i64(cn.u.i64)) >
		    MAPI_ID_GLOBCNT(mapi_id_from_i64(cn2.u.i64)));
}

static void test_sessions(void **state)
{
	struct fixture *f = *state, other = { .ts = f->ts };
	int i;

	fixture_open(&other);
	for (i = 1; i <= 20; i++) {
		assert_int_equal(set_value(f, f->inbox, TAG_PLAIN,
					   mapi_value_i32(i)), EC_NONE);
		assert_int_equal(set_value(&other, f->inbox, 0x36e10003,
					   mapi_value_i32(-i)), EC_NONE);
		assert_int_equal(set_value(&other, 0, TAG_PLAIN,
					   mapi_value_i32(i * 2)), EC_NONE);
		assert_i32(f, f->inbox, 0x36e10003, -i);
		assert_i32(&other, f->inbox, TAG_PLAIN, i);
		assert_i32(f, 0, TAG_PLAIN, i * 2);
	}
	assert_int_equal(set_value(&other, f->inbox, TAG_PLAIN,
				   mapi_value_i32(100)), EC_NONE);
	assert_i32(f, f->inbox, TAG_PLAIN, 100);
	assert_int_equal(delete_value(f, f->inbox, TAG_PLAIN), EC_NONE);
	assert_error(&other, f->inbox, TAG_PLAIN, EC_NOT_FOUND);
	fixture_close(&other);
}

/* An mdbox that is rebuilt may bring back what has been expunged, in any order: what
   was written last still counts. */
static void test_order(void **state)
{
	struct fixture *f = *state;
	struct mailbox_transaction_context *src_trans, *dest_trans;
	struct mail_save_context *save_ctx;
	struct mailbox *box;
	struct mail *mail;
	uint32_t seq;
	int i;

	for (i = 1; i <= 5; i++) {
		assert_int_equal(set_value(f, f->inbox, TAG_PLAIN,
					   mapi_value_i32(i)), EC_NONE);
		assert_int_equal(set_value(f, 0, TAG_PLAIN,
					   mapi_value_i32(i * 3)), EC_NONE);
	}
	box = test_storage_open(f->ts, "mapi-internal/allotments");
	src_trans = mailbox_transaction_begin(box, 0, __func__);
	dest_trans = mailbox_transaction_begin(box,
		MAILBOX_TRANSACTION_FLAG_EXTERNAL, __func__);
	mail = mail_alloc(src_trans, 0, NULL);
	for (seq = mail_index_view_get_messages_count(box->view); seq > 0;
	     seq--) {
		mail_set_seq(mail, seq);
		save_ctx = mailbox_save_alloc(dest_trans);
		assert_int_equal(mailbox_copy(&save_ctx, mail), 0);
		mail_expunge(mail);
	}
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&dest_trans), 0);
	assert_int_equal(mailbox_transaction_commit(&src_trans), 0);
	assert_int_equal(mailbox_sync(box, 0), 0);
	mailbox_free(&box);
	for (i = 0; i < 2; i++) {
		fixture_reopen(f);
		assert_i32(f, f->inbox, TAG_PLAIN, 5);
		assert_i32(f, 0, TAG_PLAIN, 15);
	}
	assert_int_equal(set_value(f, f->inbox, TAG_PLAIN, mapi_value_i32(6)),
			 EC_NONE);
	fixture_reopen(f);
	assert_i32(f, f->inbox, TAG_PLAIN, 6);
}

/* --- streams ------------------------------------------------------------------- */

static void
write_stream(struct fixture *f, mapi_id_t fid, uint32_t tag, const void *data,
	     size_t size, bool create)
{
	struct mapi_object *obj = open_object(f, fid);
	struct mapi_stream *stream;
	size_t written;

	assert_int_equal(obj->v->open_stream_write(obj, f->mem, tag, create,
						   &stream), EC_NONE);
	/* the folder may be released before the stream */
	talloc_free(obj);
	assert_int_equal(mapi_stream_write(stream, data, size, &written),
			 EC_NONE);
	assert_int_equal(written, size);
	assert_int_equal(mapi_stream_commit(stream), EC_NONE);
	talloc_free(stream);
}

static void
assert_stream(struct fixture *f, mapi_id_t fid, uint32_t tag,
	      const void *data, size_t size)
{
	struct mapi_object *obj = open_object(f, fid);
	uint8_t *buf = talloc_array(f->mem, uint8_t, size + 1);
	struct mapi_stream *stream;
	size_t len;

	assert_int_equal(obj->v->open_stream(obj, f->mem, tag, &stream),
			 EC_NONE);
	talloc_free(obj);
	assert_int_equal(mapi_stream_read(stream, buf, size + 1, &len),
			 EC_NONE);
	assert_int_equal(len, size);
	assert_memory_equal(buf, data, size);
	talloc_free(stream);
	talloc_free(buf);
}

static void test_streams(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = i_malloc(LARGE_SIZE);
	static const uint8_t utf16[] = { 0xac, 0x20, 'x', 0 };
	uint32_t tag = TAG_VIEW;
	struct mapi_object *obj;
	struct mapi_value value;
	unsigned int i;

	for (i = 0; i < LARGE_SIZE; i++)
		data[i] = i * 7 + i / 256;
	write_stream(f, f->inbox, TAG_VIEW, data, LARGE_SIZE, TRUE);
	write_stream(f, f->inbox, 0x36e2001f, utf16, sizeof(utf16), TRUE);
	write_stream(f, f->inbox, 0x36e3001e, "\x80x", 2, TRUE);
	write_stream(f, f->inbox, PIDTAG_COMMENT, utf16, sizeof(utf16), TRUE);
	assert_int_equal(messages(f, "mapi-internal/values"), 1);
	for (i = 0; i < 2; i++) {
		assert_stream(f, f->inbox, TAG_VIEW, data, LARGE_SIZE);
		assert_stream(f, f->inbox, 0x36e2001f, utf16, sizeof(utf16));
		assert_stream(f, f->inbox, 0x36e3001f, utf16, sizeof(utf16));
		assert_stream(f, f->inbox, 0x36e3001e, "\x80x", 2);
		assert_string_equal(get_value(f, f->inbox,
			PIDTAG_COMMENT).u.str, "\xe2\x82\xacx");
		obj = open_object(f, f->inbox);
		assert_int_equal(obj->v->get_props(obj, f->mem, &tag, 1, 1000,
						   &value), EC_NONE);
		assert_int_equal(value.type, PTYP_ERROR_CODE);
		assert_int_equal(value.u.error, EC_NOT_ENOUGH_MEMORY);
		assert_true(is_listed(f, f->inbox, TAG_VIEW));
		fixture_reopen(f);
	}
	/* a part of it is changed */
	write_stream(f, f->inbox, TAG_VIEW, "new", 3, FALSE);
	memcpy(data, "new", 3);
	assert_stream(f, f->inbox, TAG_VIEW, data, LARGE_SIZE);
	assert_int_equal(messages(f, "mapi-internal/values"), 1);
	/* it becomes small */
	write_stream(f, f->inbox, TAG_VIEW, "small", 5, TRUE);
	assert_stream(f, f->inbox, TAG_VIEW, "small", 5);
	assert_int_equal(messages(f, "mapi-internal/values"), 0);
	write_stream(f, f->inbox, TAG_VIEW, data, LARGE_SIZE, TRUE);
	assert_int_equal(delete_value(f, f->inbox, TAG_VIEW), EC_NONE);
	assert_int_equal(messages(f, "mapi-internal/values"), 0);
	i_free(data);
}

/* --- folders -------------------------------------------------------------------- */

static void assert_folder(struct fixture *f, mapi_id_t fid, const void *data)
{
	assert_i32(f, fid, TAG_PLAIN, 7);
	assert_stream(f, fid, TAG_VIEW, data, LARGE_SIZE);
}

static void test_folders(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = i_malloc(LARGE_SIZE);
	struct mapi_folder *folder;
	mapi_id_t a, b, search;
	unsigned int count;
	bool partial;

	memset(data, 'x', LARGE_SIZE);
	a = create(f, f->top, "A");
	b = create(f, a, "B");
	assert_int_equal(set_value(f, b, TAG_PLAIN, mapi_value_i32(7)),
			 EC_NONE);
	write_stream(f, b, TAG_VIEW, data, LARGE_SIZE, TRUE);
	assert_folder(f, b, data);

	assert_int_equal(mapi_folder_move(f->store, a, f->inbox, "A2"),
			 EC_NONE);
	assert_folder(f, b, data);
	assert_int_equal(fixture_copy_folder(f, a, f->top, "A3", TRUE),
			 EC_NONE);
	assert_folder(f, child(f, child(f, f->top, "A3"), "B"), data);
	assert_int_equal(messages(f, "mapi-internal/values"), 2);

	assert_int_equal(mapi_search_folder_create(f->mem, f->store, f->top,
		"S", "", FALSE, &folder), EC_NONE);
	search = folder->fid;
	assert_int_equal(set_value(f, search, TAG_PLAIN, mapi_value_i32(7)),
			 EC_NONE);
	write_stream(f, search, TAG_VIEW, data, LARGE_SIZE, TRUE);
	assert_int_equal(fixture_copy_folder(f, search, f->top, "S2",
					     TRUE), EC_NONE);
	assert_folder(f, child(f, f->top, "S2"), data);
	assert_int_equal(messages(f, "mapi-internal/values"), 4);

	count = messages(f, "mapi-internal/allotments");
	assert_int_equal(mapi_folder_delete(f->store, a,
		DEL_FOLDERS | DEL_MESSAGES, &partial), EC_NONE);
	assert_int_equal(mapi_folder_delete(f->store, search, 0, &partial),
			 EC_NONE);
	assert_int_equal(messages(f, "mapi-internal/values"), 2);
	assert_folder(f, child(f, child(f, f->top, "A3"), "B"), data);
	fixture_reopen(f);
	assert_true(messages(f, "mapi-internal/allotments") < count);
	assert_folder(f, child(f, child(f, f->top, "A3"), "B"), data);
	assert_folder(f, child(f, f->top, "S2"), data);
	i_free(data);
}

static void test_copy(void **state)
{
	struct fixture *f = *state;
	static const uint32_t excluded[] = {
		PIDTAG_CONTAINER_CONTENTS, PIDTAG_CONTAINER_HIERARCHY,
		PIDTAG_FOLDER_ASSOCIATED_CONTENTS, PIDTAG_COMMENT,
	};
	static const uint32_t tags[] = { TAG_PLAIN, TAG_VIEW, 0x36e10003 };
	mapi_id_t a = create(f, f->top, "A"), b = create(f, f->top, "B");
	uint8_t *data = i_malloc(LARGE_SIZE);
	struct mapi_copy_problem *problems;
	enum mapi_error errors[N_ELEMENTS(tags)];
	struct mapi_copy copy;
	unsigned int count;

	memset(data, 'y', LARGE_SIZE);
	assert_int_equal(set_value(f, a, TAG_PLAIN, mapi_value_i32(7)),
			 EC_NONE);
	assert_int_equal(set_value(f, a, PIDTAG_COMMENT, mapi_value_str("c")),
			 EC_NONE);
	assert_int_equal(set_value(f, a, PIDTAG_CONTAINER_CLASS,
				   mapi_value_str("IPF.Task")), EC_NONE);
	write_stream(f, a, TAG_VIEW, data, LARGE_SIZE, TRUE);
	i_zero(&copy);
	copy.source = open_object(f, a);
	copy.dest = open_object(f, b);
	/* the name of a folder beside it can't be had */
	assert_int_equal(mapi_object_copy_to(&copy, f->mem, excluded,
		N_ELEMENTS(excluded), TRUE, &problems, &count), EC_NONE);
	assert_int_equal(count, 1);
	assert_int_equal(problems[0].tag, PIDTAG_DISPLAY_NAME);
	assert_int_equal(problems[0].error, EC_DUPLICATE_NAME);
	assert_folder(f, b, data);
	assert_string_equal(get_value(f, b, PIDTAG_CONTAINER_CLASS).u.str,
			    "IPF.Task");
	assert_string_equal(get_value(f, b, PIDTAG_COMMENT).u.str, "");

	/* moved */
	assert_int_equal(delete_value(f, b, TAG_PLAIN), EC_NONE);
	copy.move = TRUE;
	assert_int_equal(mapi_object_copy_props(&copy, tags, N_ELEMENTS(tags),
						errors), EC_NONE);
	assert_int_equal(errors[0], EC_NONE);
	assert_int_equal(errors[1], EC_NONE);
	assert_int_equal(errors[2], EC_NOT_FOUND);
	assert_folder(f, b, data);
	assert_error(f, a, TAG_PLAIN, EC_NOT_FOUND);
	assert_error(f, a, TAG_VIEW, EC_NOT_FOUND);
	assert_int_equal(messages(f, "mapi-internal/values"), 1);
	i_free(data);
}

static void save(struct fixture *f, const char *vname)
{
	static const char mail[] = "From: a@example.com\n\nhello\n";

	test_storage_save(f->ts, vname, mail, sizeof(mail) - 1, MAIL_FLAGGED,
			  NULL, 1000000000);
}

static void test_copy_contents(void **state)
{
	struct fixture *f = *state;
	static const uint32_t contents[] = { PIDTAG_CONTAINER_CONTENTS };
	static const uint32_t hierarchy[] = { PIDTAG_CONTAINER_HIERARCHY };
	mapi_id_t a = create(f, f->top, "A"), b = create(f, f->top, "B");
	mapi_id_t sub = create(f, a, "Sub"), target;
	struct mapi_copy_problem *problems;
	struct mapi_folder *folder;
	struct mapi_copy copy;
	enum mapi_error error;
	unsigned int count;

	(void)create(f, sub, "Deep");
	assert_int_equal(set_value(f, sub, TAG_PLAIN, mapi_value_i32(7)),
			 EC_NONE);
	save(f, "A");
	save(f, "A");
	save(f, "A/Sub");
	save(f, "B");
	i_zero(&copy);
	copy.source = open_object(f, a);
	copy.dest = open_object(f, b);
	assert_int_equal(mapi_object_copy_to(&copy, f->mem, NULL, 0, TRUE,
					     &problems, &count), EC_NONE);
	assert_int_equal(count, 1);
	assert_int_equal(problems[0].tag, PIDTAG_DISPLAY_NAME);
	assert_int_equal(messages(f, "B"), 3);
	assert_int_equal(messages(f, "B/Sub"), 1);
	assert_i32(f, child(f, b, "Sub"), TAG_PLAIN, 7);
	(void)child(f, child(f, b, "Sub"), "Deep");
	assert_int_equal(messages(f, "A"), 2);

	/* a subfolder of that name is there now: nothing is done */
	assert_int_equal(mapi_object_copy_to(&copy, f->mem, NULL, 0, TRUE,
		&problems, &count), EC_DUPLICATE_NAME);
	assert_int_equal(messages(f, "B"), 3);
	/* without subfolders */
	assert_int_equal(mapi_object_copy_to(&copy, f->mem, hierarchy, 1, TRUE,
		&problems, &count), EC_NONE);
	assert_int_equal(messages(f, "B"), 5);
	/* nothing but properties */
	assert_int_equal(mapi_object_copy_to(&copy, f->mem, NULL, 0, FALSE,
		&problems, &count), EC_NONE);
	assert_int_equal(messages(f, "B"), 5);

	/* into itself */
	copy.dest = open_object(f, sub);
	assert_int_equal(mapi_object_copy_to(&copy, f->mem, NULL, 0, TRUE,
		&problems, &count), EC_FOLDER_CYCLE);
	copy.dest = open_object(f, a);
	assert_int_equal(mapi_object_copy_to(&copy, f->mem, NULL, 0, FALSE,
		&problems, &count), EC_FOLDER_CYCLE);
	assert_int_equal(mapi_search_folder_create(f->mem, f->store, f->top,
		"S", "", FALSE, &folder), EC_NONE);
	copy.dest = &folder->obj;
	assert_int_equal(mapi_object_copy_to(&copy, f->mem, NULL, 0, TRUE,
		&problems, &count), EC_NOT_SUPPORTED);

	/* moved */
	target = create(f, f->top, "Target");
	copy.dest = open_object(f, target);
	copy.move = TRUE;
	assert_int_equal(mapi_object_copy_props(&copy, hierarchy, 1, &error),
			 EC_NONE);
	assert_int_equal(error, EC_NONE);
	assert_true(child(f, target, "Sub") == sub);
	assert_int_equal(messages(f, "Target"), 0);
	assert_int_equal(mapi_object_copy_props(&copy, contents, 1, &error),
			 EC_NONE);
	assert_int_equal(error, EC_NONE);
	assert_int_equal(messages(f, "Target"), 2);
	assert_int_equal(messages(f, "A"), 0);
}

int main(int argc, char *argv[])
{
	static const struct fixture_test tests[] = {
		{ "values", test_values },
		{ "refused", test_refused },
		{ "deleting", test_delete },
		{ "changes", test_changes },
		{ "sessions", test_sessions },
		{ "order", test_order },
		{ "streams", test_streams },
		{ "folders", test_folders },
		{ "copying", test_copy },
		{ "copying what is in folders", test_copy_contents },
	};

	return fixture_run(tests, N_ELEMENTS(tests), argc, argv);
}
