/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operations on logons, ids, names and folders: what a client gets, and the
   error that the specification names for each mistake. */

#include "lib.h"
#include "array.h"
#include "mail-storage.h"
#include "mail-user.h"
#include "mapi-enums.h"
#include "mapi-props.h"
#include "mapi-folder-write.h"
#include "mapi-session.h"
#include "rop-handlers.h"
#include "test-storage-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define DN_PREFIX "/o=Test/ou=Exchange Administrative Group " \
	"(FYDIBOHF23SPDLT)/cn=Recipients/cn="
#define OPEN_FLAGS LOGON_OPEN_USE_PER_MDB_REPLID_MAPPING

static const struct mapi_session_settings session_set = {
	.store = {
		.companion_root = "mapi-internal",
		.organization = "Test",
		.display_name = "",
		.email_address = "user@example.com",
	},
	.max_open_objects = 100,
	.code_page = 1252,
	.locale_sort = 1033,
	.locale_string = 1031,
};

struct fixture {
	struct test_storage *ts;
	struct mapi_session *session;
	struct rop_context ctx;
	struct mapi_logon *logon;
};

static enum mapi_error
logon(struct fixture *f, uint8_t logon_flags, uint32_t open_flags,
      const char *dn, struct rop_logon_response *resp_r)
{
	struct rop_logon_request req = {
		.logon_flags = logon_flags, .open_flags = open_flags,
		.essdn = dn,
	};
	enum mapi_error ret;

	i_zero(resp_r);
	f->ctx.object = f->ctx.output_object = NULL;
	ret = rop_logon(&f->ctx, &req, resp_r);
	assert_true((ret == EC_NONE) == (f->ctx.output_object != NULL));
	return ret;
}

static int setup(void **state)
{
	struct fixture *f = i_new(struct fixture, 1);
	struct rop_logon_response resp;

	f->ts = test_storage_init("sdbox");
	f->session = mapi_session_create(NULL, f->ts->user, &session_set,
					 f->ts->user->event);
	f->ctx.mem = talloc_new(NULL);
	f->ctx.object_parent = f->ctx.mem;
	f->ctx.session = f->session;
	f->ctx.response_space = 32768;
	if (logon(f, LOGON_FLAG_PRIVATE, OPEN_FLAGS,
		  DN_PREFIX"user@example.com", &resp) != EC_NONE)
		return -1;
	f->logon = (struct mapi_logon *)f->ctx.output_object;
	f->ctx.object = &f->logon->obj;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	talloc_free(f->ctx.mem);
	mapi_session_free(&f->session);
	test_storage_deinit(&f->ts);
	i_free(f);
	return 0;
}

static void test_logon(void **state)
{
	struct fixture *f = *state;
	struct rop_logon_response resp;
	struct mapi_logon *obj;
	unsigned int i, j;

	assert_int_equal(logon(f, LOGON_FLAG_PRIVATE | LOGON_FLAG_GHOSTED |
			       LOGON_FLAG_SPOOLER_PROCESS, OPEN_FLAGS,
			       DN_PREFIX"USER@EXAMPLE.COM", &resp), EC_NONE);
	assert_int_equal(resp.logon_flags,
			 LOGON_FLAG_PRIVATE | LOGON_FLAG_GHOSTED);
	assert_int_equal(resp.response_flags, 0x07);
	assert_int_equal(resp.repl_id, 5);
	assert_int_equal(resp.store_state, 0);
	for (i = 0; i < 13; i++) {
		assert_int_equal(MAPI_ID_REPLID(resp.folder_ids[i]), 5);
		for (j = 0; j < i; j++) {
			assert_true(resp.folder_ids[i] != resp.folder_ids[j]);
		}
	}
	assert_memory_not_equal(&resp.mailbox_guid, &resp.repl_guid, 16);
	assert_true(resp.gwart_time > mapi_time_from_unix(1600000000, 0));
	assert_in_range(resp.logon_time.month, 1, 12);
	assert_in_range(resp.logon_time.day, 1, 31);
	assert_in_range(resp.logon_time.year, 2020, 2200);
	obj = (struct mapi_logon *)f->ctx.output_object;
	assert_int_equal(obj->obj.type, MAPI_OBJECT_LOGON);
	assert_int_equal(obj->locale_string, 1031);
	assert_int_equal(obj->open_flags, OPEN_FLAGS);
	/* all logons of a session share the store */
	assert_ptr_equal(obj->obj.store, f->logon->obj.store);
}

static void test_logon_errors(void **state)
{
	static const struct {
		uint8_t logon_flags;
		uint32_t open_flags;
		const char *dn;
		enum mapi_error error;
	} tests[] = {
		/* public folders */
		{ 0, OPEN_FLAGS | LOGON_OPEN_PUBLIC,
		  DN_PREFIX"user@example.com", EC_LOGIN_FAILURE },
		{ LOGON_FLAG_PRIVATE, OPEN_FLAGS | LOGON_OPEN_PUBLIC,
		  DN_PREFIX"user@example.com", EC_INVALID_PARAM },
		/* before Outlook 2007 */
		{ LOGON_FLAG_PRIVATE, 0, DN_PREFIX"user@example.com",
		  EC_INVALID_PARAM },
		{ LOGON_FLAG_PRIVATE, OPEN_FLAGS | LOGON_OPEN_ALTERNATE_SERVER,
		  DN_PREFIX"user@example.com", EC_WRONG_SERVER },
		{ LOGON_FLAG_PRIVATE, OPEN_FLAGS, "/o=Other/cn=x",
		  EC_UNKNOWN_USER },
		{ LOGON_FLAG_PRIVATE, OPEN_FLAGS, "x", EC_UNKNOWN_USER },
	};
	struct fixture *f = *state;
	struct rop_logon_response resp;
	enum mapi_error ret;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		assert_int_equal(logon(f, tests[i].logon_flags,
				       tests[i].open_flags, tests[i].dn, &resp),
				 tests[i].error);
		assert_true((tests[i].error == EC_WRONG_SERVER) ==
			    (resp.server_name != NULL));
	}
	/* somebody else's mailbox: never opened */
	ret = logon(f, LOGON_FLAG_PRIVATE, OPEN_FLAGS,
		    DN_PREFIX"other@example.com", &resp);
	assert_true(ret != EC_NONE);
}

static void test_receive_folder(void **state)
{
	static const struct {
		const char *class, *explicit_class;
		enum mapi_special_folder special;
	} tests[] = {
		{ "", "", MAPI_SPECIAL_INBOX },
		{ "IPM", "IPM", MAPI_SPECIAL_INBOX },
		{ "ipm.note", "IPM", MAPI_SPECIAL_INBOX },
		{ "IPM.Note.SMIME", "IPM", MAPI_SPECIAL_INBOX },
		{ "IPMX", "", MAPI_SPECIAL_INBOX },
		{ "REPORT.IPM.Note.NDR", "REPORT.IPM", MAPI_SPECIAL_INBOX },
		{ "REPORT", "", MAPI_SPECIAL_INBOX },
		{ "IPC.Foo", "IPC", MAPI_SPECIAL_ROOT },
	};
	static const char *const bad[] = {
		".IPM", "IPM.", "IPM..Note", "IPM.\x7f", "IPM\tNote", "\xc3\xa4"
	};
	struct fixture *f = *state;
	struct rop_get_receive_folder_request req;
	struct rop_get_receive_folder_response resp;
	struct rop_get_receive_folder_table_request treq;
	struct rop_get_receive_folder_table_response tresp;
	char long_class[258];
	unsigned int i;

	i_zero(&req);
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		i_zero(&resp);
		req.message_class = tests[i].class;
		assert_int_equal(rop_get_receive_folder(&f->ctx, &req, &resp),
				 EC_NONE);
		assert_string_equal(resp.explicit_message_class,
				    tests[i].explicit_class);
		assert_true(resp.folder_id ==
			    mapi_store_special_fid(f->logon->obj.store,
						   tests[i].special));
	}
	for (i = 0; i < N_ELEMENTS(bad); i++) {
		req.message_class = bad[i];
		assert_int_equal(rop_get_receive_folder(&f->ctx, &req, &resp),
				 EC_INVALID_PARAM);
	}
	memset(long_class, 'x', sizeof(long_class));
	/* 255 with the NUL */
	long_class[254] = '\0';
	req.message_class = long_class;
	assert_int_equal(rop_get_receive_folder(&f->ctx, &req, &resp), EC_NONE);
	long_class[254] = 'x';
	long_class[255] = '\0';
	assert_int_equal(rop_get_receive_folder(&f->ctx, &req, &resp),
			 EC_INVALID_PARAM);

	i_zero(&treq);
	i_zero(&tresp);
	assert_int_equal(rop_get_receive_folder_table(&f->ctx, &treq, &tresp),
			 EC_NONE);
	assert_int_equal(tresp.row_count, 4);
	for (i = 0; i < tresp.row_count; i++) {
		assert_int_equal(tresp.rows[i].count, 3);
		assert_int_equal(tresp.rows[i].columns[1], 0x001A001E);
		assert_int_equal(tresp.rows[i].values[0].type, PTYP_INTEGER64);
		assert_int_equal(tresp.rows[i].values[1].type, PTYP_STRING8);
		assert_int_equal(tresp.rows[i].values[2].type, PTYP_TIME);
	}
}

static enum mapi_error
set_receive_folder(struct fixture *f, const char *class, mapi_id_t fid)
{
	struct rop_set_receive_folder_request req = {
		.folder_id = fid, .message_class = class,
	};
	struct rop_set_receive_folder_response resp;

	i_zero(&resp);
	return rop_set_receive_folder(&f->ctx, &req, &resp);
}

static void
assert_receive_folder(struct fixture *f, const char *class, mapi_id_t fid,
		      const char *explicit_class)
{
	struct rop_get_receive_folder_request req = { .message_class = class };
	struct rop_get_receive_folder_response resp;

	i_zero(&resp);
	assert_int_equal(rop_get_receive_folder(&f->ctx, &req, &resp), EC_NONE);
	assert_true(resp.folder_id == fid);
	assert_string_equal(resp.explicit_message_class, explicit_class);
}

static void test_set_receive_folder(void **state)
{
	struct fixture *f = *state;
	struct mapi_store *store = f->logon->obj.store;
	mapi_id_t inbox = mapi_store_special_fid(store, MAPI_SPECIAL_INBOX);
	mapi_id_t sent = mapi_store_special_fid(store, MAPI_SPECIAL_SENT_ITEMS);
	mapi_id_t root = mapi_store_special_fid(store, MAPI_SPECIAL_ROOT);
	struct rop_get_receive_folder_table_request treq;
	struct rop_get_receive_folder_table_response tresp;
	struct mapi_folder *folder;
	unsigned int i;
	bool partial;

	assert_int_equal(mapi_folder_create(f->ctx.mem, store,
		mapi_store_special_fid(store, MAPI_SPECIAL_IPM_SUBTREE), "Fax",
		"", FALSE, &folder), EC_NONE);
	assert_int_equal(set_receive_folder(f, "IPM.Fax", folder->fid),
			 EC_NONE);
	assert_int_equal(set_receive_folder(f, "", sent), EC_NONE);
	assert_receive_folder(f, "ipm.fax.in", folder->fid, "IPM.Fax");
	assert_receive_folder(f, "IPM.FaxX", inbox, "IPM");
	assert_receive_folder(f, "Other", sent, "");
	/* as it's written now */
	assert_int_equal(set_receive_folder(f, "ipm.FAX", sent), EC_NONE);
	assert_receive_folder(f, "IPM.Fax", sent, "ipm.FAX");
	assert_int_equal(set_receive_folder(f, "ipm.fax", folder->fid),
			 EC_NONE);

	assert_int_equal(set_receive_folder(f, "IPM", sent), EC_ACCESS_DENIED);
	assert_int_equal(set_receive_folder(f, "report.IPM", 0),
			 EC_ACCESS_DENIED);
	assert_int_equal(set_receive_folder(f, "", 0), EC_ERROR);
	assert_int_equal(set_receive_folder(f, "x", MAPI_ID(5, 0x7777)),
			 EC_NOT_FOUND);
	assert_int_equal(set_receive_folder(f, "x.", sent), EC_INVALID_PARAM);

	i_zero(&treq);
	i_zero(&tresp);
	assert_int_equal(rop_get_receive_folder_table(&f->ctx, &treq, &tresp),
			 EC_NONE);
	assert_int_equal(tresp.row_count, 5);
	for (i = 0; i < tresp.row_count; i++) {
		if (strcmp(tresp.rows[i].values[1].u.str8, "ipm.fax") == 0)
			break;
	}
	assert_true(i < tresp.row_count);
	assert_true(tresp.rows[i].values[0].u.i64 ==
		    mapi_id_to_i64(folder->fid));
	assert_true(tresp.rows[i].values[2].u.time >
		    mapi_time_from_unix(1000000000, 0));

	/* a folder that is deleted is nobody's any more */
	assert_int_equal(mapi_folder_delete(store, folder->fid, 0, &partial),
			 EC_NONE);
	assert_receive_folder(f, "ipm.fax", inbox, "IPM");
	/* removed */
	assert_receive_folder(f, "IPC.x", root, "IPC");
	assert_int_equal(set_receive_folder(f, "IPC", 0), EC_NONE);
	assert_receive_folder(f, "IPC.x", sent, "");
	assert_int_equal(rop_get_receive_folder_table(&f->ctx, &treq, &tresp),
			 EC_NONE);
	assert_int_equal(tresp.row_count, 3);
}

static void test_long_term_ids(void **state)
{
	struct fixture *f = *state;
	mapi_id_t fid = mapi_store_special_fid(f->logon->obj.store,
					       MAPI_SPECIAL_INBOX);
	struct rop_long_term_id_from_id_request lreq = { .object_id = fid };
	struct rop_long_term_id_from_id_response lresp;
	struct rop_id_from_long_term_id_request ireq;
	struct rop_id_from_long_term_id_response iresp;

	i_zero(&lresp);
	i_zero(&ireq);
	i_zero(&iresp);
	assert_int_equal(rop_long_term_id_from_id(&f->ctx, &lreq, &lresp),
			 EC_NONE);
	assert_memory_equal(&lresp.long_term_id.guid,
			    mapi_store_replica_guid(f->logon->obj.store), 16);
	assert_int_equal(lresp.long_term_id.globcnt, MAPI_ID_GLOBCNT(fid));
	ireq.long_term_id = lresp.long_term_id;
	assert_int_equal(rop_id_from_long_term_id(&f->ctx, &ireq, &iresp),
			 EC_NONE);
	assert_true(iresp.object_id == fid);

	/* foreign ones get a replica id that stays */
	ireq.long_term_id.guid.bytes[3] ^= 1;
	assert_int_equal(rop_id_from_long_term_id(&f->ctx, &ireq, &iresp),
			 EC_NONE);
	assert_int_equal(MAPI_ID_REPLID(iresp.object_id), 6);
	lreq.object_id = iresp.object_id;
	assert_int_equal(rop_long_term_id_from_id(&f->ctx, &lreq, &lresp),
			 EC_NONE);
	assert_memory_equal(&lresp.long_term_id, &ireq.long_term_id,
			    sizeof(lresp.long_term_id));

	lreq.object_id = MAPI_ID(7, 1);
	assert_int_equal(rop_long_term_id_from_id(&f->ctx, &lreq, &lresp),
			 EC_NOT_FOUND);
	lreq.object_id = 0;
	assert_int_equal(rop_long_term_id_from_id(&f->ctx, &lreq, &lresp),
			 EC_NOT_FOUND);
	ireq.long_term_id.globcnt = 0;
	assert_int_equal(rop_id_from_long_term_id(&f->ctx, &ireq, &iresp),
			 EC_NONE);
	assert_true(iresp.object_id == MAPI_ID(6, 0));
	ireq.long_term_id.globcnt = 1;
	i_zero(&ireq.long_term_id.guid);
	assert_int_equal(rop_id_from_long_term_id(&f->ctx, &ireq, &iresp),
			 EC_INVALID_PARAM);
}

static void test_store_state(void **state)
{
	struct fixture *f = *state;
	struct rop_get_store_state_request req;
	struct rop_get_store_state_response resp;

	i_zero(&req);
	i_zero(&resp);
	assert_int_equal(rop_get_store_state(&f->ctx, &req, &resp),
			 EC_NOT_IMPLEMENTED);
}

/* [MS-OXCROPS] 2.2.7.9.2 */
static void test_options_data(void **state)
{
	struct fixture *f = *state;
	struct rop_options_data_request req = { .address_type = "SMTP" };
	struct rop_options_data_response resp;

	i_zero(&resp);
	assert_int_equal(rop_options_data(&f->ctx, &req, &resp), EC_NONE);
	assert_int_equal(resp.reserved, 1);
	assert_int_equal(resp.options_info_size, 0);
	assert_int_equal(resp.help_file_size, 0);
	req.address_type = "FAX";
	assert_int_equal(rop_options_data(&f->ctx, &req, &resp), EC_NOT_FOUND);
}

static void test_replica_ids(void **state)
{
	struct fixture *f = *state;
	struct rop_get_local_replica_ids_request req = { .id_count = 0x10000 };
	struct rop_get_local_replica_ids_response resp1, resp2;

	i_zero(&resp1);
	i_zero(&resp2);
	assert_int_equal(rop_get_local_replica_ids(&f->ctx, &req, &resp1),
			 EC_NONE);
	assert_int_equal(rop_get_local_replica_ids(&f->ctx, &req, &resp2),
			 EC_NONE);
	assert_memory_equal(&resp1.repl_guid,
			    mapi_store_replica_guid(f->logon->obj.store), 16);
	assert_true(resp2.global_count == resp1.global_count + 0x10000);
	assert_true(resp2.global_count < MAPI_GLOBCNT_MAX);
}

static void test_open_folder(void **state)
{
	struct fixture *f = *state;
	struct rop_open_folder_request req;
	struct rop_open_folder_response resp;
	struct mapi_folder *folder;

	i_zero(&req);
	i_zero(&resp);
	req.folder_id = mapi_store_special_fid(f->logon->obj.store,
					       MAPI_SPECIAL_INBOX);
	/* OpenSoftDeleted, and a bit that has no meaning */
	req.open_mode_flags = 0x44;
	assert_int_equal(rop_open_folder(&f->ctx, &req, &resp), EC_NONE);
	assert_int_equal(resp.is_ghosted, 0);
	folder = (struct mapi_folder *)f->ctx.output_object;
	assert_int_equal(folder->obj.type, MAPI_OBJECT_FOLDER);
	assert_true(folder->fid == req.folder_id);

	f->ctx.output_object = NULL;
	req.folder_id = MAPI_ID(5, 0x7fff);
	assert_int_equal(rop_open_folder(&f->ctx, &req, &resp), EC_NOT_FOUND);
	req.folder_id = MAPI_ID(6, MAPI_ID_GLOBCNT(folder->fid));
	assert_int_equal(rop_open_folder(&f->ctx, &req, &resp), EC_NOT_FOUND);
	req.folder_id = 0;
	assert_int_equal(rop_open_folder(&f->ctx, &req, &resp), EC_NOT_FOUND);
	req.folder_id = UINT64_MAX;
	assert_int_equal(rop_open_folder(&f->ctx, &req, &resp), EC_NOT_FOUND);
	assert_null(f->ctx.output_object);
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	struct mapi_property_name names[] = {
		{ .kind = MAPI_NAME_LID, .guid = PSETID_COMMON, .lid = 0x8503 },
		{ .kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		  .name = "Keywords" },
		{ .kind = MAPI_NAME_STRING, .guid = PS_MAPI, .name = "x" },
	};
	struct rop_get_property_ids_from_names_request ireq = {
		.property_name_count = 3, .property_names = names,
	};
	struct rop_get_property_ids_from_names_response iresp;
	struct rop_get_names_from_property_ids_request nreq;
	struct rop_get_names_from_property_ids_response nresp;
	struct rop_query_named_properties_request qreq;
	struct rop_query_named_properties_response qresp;
	struct mapi_folder *folder;

	i_zero(&iresp);
	assert_int_equal(rop_get_property_ids_from_names(&f->ctx, &ireq,
							 &iresp), EC_NONE);
	assert_int_equal(iresp.property_id_count, 3);
	assert_int_equal(iresp.property_ids[0], 0);
	ireq.flags = NAME_FLAG_CREATE;
	assert_int_equal(rop_get_property_ids_from_names(&f->ctx, &ireq,
							 &iresp), EC_NONE);
	assert_true(iresp.property_ids[0] >= 0x8000);
	assert_true(iresp.property_ids[1] >= 0x8000);
	assert_int_equal(iresp.property_ids[2], 0);

	i_zero(&nreq);
	i_zero(&nresp);
	nreq.property_ids = iresp.property_ids;
	nreq.property_id_count = 3;
	iresp.property_ids[2] = 0x8abc;
	assert_int_equal(rop_get_names_from_property_ids(&f->ctx, &nreq,
							 &nresp), EC_NONE);
	assert_int_equal(nresp.property_name_count, 3);
	assert_int_equal(nresp.property_names[0].lid, 0x8503);
	assert_string_equal(nresp.property_names[1].name, "Keywords");
	assert_int_equal(nresp.property_names[2].kind, MAPI_NAME_NONE);

	/* no names: all that there are */
	ireq.property_name_count = 0;
	assert_int_equal(rop_get_property_ids_from_names(&f->ctx, &ireq,
							 &iresp), EC_NONE);
	assert_int_equal(iresp.property_id_count, 2);

	i_zero(&qreq);
	i_zero(&qresp);
	assert_int_equal(rop_query_named_properties(&f->ctx, &qreq, &qresp),
			 EC_NONE);
	assert_int_equal(qresp.id_count, 2);
	i_zero(&qresp);
	qreq.query_flags = QUERY_NAMED_NO_STRINGS;
	assert_int_equal(rop_query_named_properties(&f->ctx, &qreq, &qresp),
			 EC_NONE);
	assert_int_equal(qresp.id_count, 1);
	assert_int_equal(qresp.property_names[0].kind, MAPI_NAME_LID);
	i_zero(&qresp);
	qreq.query_flags = 0;
	qreq.has_guid = 1;
	qreq.property_guid = PS_PUBLIC_STRINGS;
	assert_int_equal(rop_query_named_properties(&f->ctx, &qreq, &qresp),
			 EC_NONE);
	assert_int_equal(qresp.id_count, 1);
	assert_int_equal(qresp.property_names[0].kind, MAPI_NAME_STRING);

	/* a folder has none */
	assert_int_equal(mapi_folder_open(f->ctx.mem, f->logon->obj.store,
		mapi_store_special_fid(f->logon->obj.store,
				       MAPI_SPECIAL_INBOX), &folder), EC_NONE);
	f->ctx.object = &folder->obj;
	i_zero(&qreq);
	i_zero(&qresp);
	assert_int_equal(rop_query_named_properties(&f->ctx, &qreq, &qresp),
			 EC_NONE);
	assert_int_equal(qresp.id_count, 0);
	f->ctx.object = &f->logon->obj;
}

/* A response that doesn't fit makes the client send the request again: nothing
   may have been done. */
static void test_folder_write_space(void **state)
{
	struct fixture *f = *state;
	struct mapi_store *store = f->logon->obj.store;
	struct rop_create_folder_request req = {
		.folder_type = FOLDER_TYPE_GENERIC_FOLDER,
		.use_unicode_strings = 1, .display_name = "A", .comment = "",
	};
	struct rop_create_folder_response resp;
	struct rop_set_properties_request sreq;
	struct rop_set_properties_response sresp;
	struct mapi_property prop = {
		.tag = PIDTAG_DISPLAY_NAME, .value = mapi_value_str("B"),
	};
	struct mapi_folder *top, *folder;

	i_zero(&resp);
	i_zero(&sresp);
	i_zero(&sreq);
	sreq.property_value_count = 1;
	sreq.property_values = &prop;
	assert_int_equal(mapi_folder_open(f->ctx.mem, store,
		mapi_store_special_fid(store, MAPI_SPECIAL_IPM_SUBTREE), &top),
		EC_NONE);
	f->ctx.object = &top->obj;
	f->ctx.response_space = 14;
	assert_int_equal(rop_create_folder(&f->ctx, &req, &resp),
			 EC_BUFFER_TOO_SMALL);
	assert_int_equal(f->ctx.size_needed, 15);
	assert_null(mapi_folder_tree_lookup_path(store, "A"));
	f->ctx.response_space = f->ctx.size_needed;
	assert_int_equal(rop_create_folder(&f->ctx, &req, &resp), EC_NONE);
	assert_non_null(mapi_folder_tree_lookup_path(store, "A"));

	folder = (struct mapi_folder *)f->ctx.output_object;
	assert_true(folder->fid == resp.folder_id);
	f->ctx.output_object = NULL;
	f->ctx.object = &folder->obj;
	assert_int_equal(rop_set_properties(&f->ctx, &sreq, &sresp),
			 EC_BUFFER_TOO_SMALL);
	assert_non_null(mapi_folder_tree_lookup_path(store, "A"));
	f->ctx.response_space = f->ctx.size_needed;
	assert_int_equal(rop_set_properties(&f->ctx, &sreq, &sresp), EC_NONE);
	assert_int_equal(sresp.property_problem_count, 0);
	assert_null(mapi_folder_tree_lookup_path(store, "A"));
	assert_non_null(mapi_folder_tree_lookup_path(store, "B"));

	/* of a logon, it's the mailbox's name */
	f->ctx.object = &f->logon->obj;
	assert_int_equal(rop_set_properties(&f->ctx, &sreq, &sresp), EC_NONE);
	assert_int_equal(sresp.property_problem_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_logon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_logon_errors, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_receive_folder, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_set_receive_folder, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_long_term_ids, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_store_state, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_options_data, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_replica_ids, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_open_folder, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_write_space, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
