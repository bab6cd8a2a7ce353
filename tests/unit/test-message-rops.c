/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operations on messages, properties and streams: what they answer, and
   that it fits. */

#include "lib.h"
#include "str.h"
#include "mapi-message.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "mapi-stream.h"
#include "mapi-store.h"
#include "mapi-wire.h"
#include "rop-codec.h"
#include "rop-handlers.h"
#include "test-storage-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define RECEIVED 1700000000
#define RESPONSE_SPACE 32000

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
	struct mapi_logon logon;
	struct rop_context ctx;
	TALLOC_CTX *mem;
};

static void env_init(struct env *env)
{
	i_zero(env);
	env->ts = test_storage_init("sdbox");
	env->mem = talloc_new(NULL);
	assert_int_equal(mapi_store_open(env->mem, env->ts->user, &store_set,
					 &env->store), EC_NONE);
	assert_int_equal(mapi_folder_open(env->mem, env->store,
			mapi_store_special_fid(env->store, MAPI_SPECIAL_INBOX),
			&env->inbox), EC_NONE);
	env->logon.code_page = 1252;
	env->ctx.mem = env->mem;
	env->ctx.object_parent = env->mem;
	env->ctx.logon = &env->logon;
	env->ctx.response_space = RESPONSE_SPACE;
}

static void env_deinit(struct env *env)
{
	talloc_free(env->mem);
	test_storage_deinit(&env->ts);
}

static mapi_id_t env_save(struct env *env, const char *data)
{
	uint32_t uid = test_storage_save(env->ts, "INBOX", data, strlen(data),
					 0, NULL, RECEIVED);

	assert_int_equal(mapi_folder_sync(env->inbox), EC_NONE);
	return mapi_folder_mid(env->inbox, FALSE, uid);
}

/* As the dispatcher: encodes, and looks whether it fits. */
static size_t
assert_encodes(struct env *env, const void *resp, uint8_t rop_id)
{
	struct mapi_push push;

	mapi_push_init(&push, env->mem, RESPONSE_SPACE);
	assert_int_equal(rop_encode_response(&push, rop_codec_find(rop_id),
					     NULL, resp), EC_NONE);
	return push.size;
}

static struct mapi_object *
env_open(struct env *env, mapi_id_t mid, uint8_t flags,
	 struct rop_open_message_response *resp_r)
{
	struct rop_open_message_request req = {
		.code_page_id = 0x0FFF,
		.folder_id = env->inbox->fid,
		.open_mode_flags = flags,
		.message_id = mid,
	};

	i_zero(resp_r);
	resp_r->hdr.rop_id = ROP_OPEN_MESSAGE;
	env->ctx.object = &env->inbox->obj;
	env->ctx.output_object = NULL;
	assert_int_equal(rop_open_message(&env->ctx, &req, resp_r), EC_NONE);
	assert_encodes(env, resp_r, ROP_OPEN_MESSAGE);
	assert_non_null(env->ctx.output_object);
	return env->ctx.output_object;
}

static void test_open_message(void **state)
{
	struct rop_open_message_response resp;
	struct rop_open_message_request req;
	struct mapi_object *obj;
	struct env env;
	mapi_id_t mid;

	env_init(&env);
	mid = env_save(&env, "From: a@example.org\r\nTo: b@example.org\r\n"
		       "Subject: Fwd: Topic\r\n\r\nbody\r\n");
	obj = env_open(&env, mid, 3, &resp);
	assert_int_equal(obj->type, MAPI_OBJECT_MESSAGE);
	assert_string_equal(resp.subject_prefix, "Fwd: ");
	assert_string_equal(resp.normalized_subject, "Topic");
	assert_int_equal(resp.recipient_count, 1);
	assert_int_equal(resp.row_count, 1);
	assert_int_equal(resp.recipient_rows[0].recipient_type, MAPI_TO);
	assert_string_equal(resp.recipient_rows[0].recipient_row.email_address,
			    "b@example.org");

	/* nothing of it: no recipients, no subject */
	mid = env_save(&env, "\r\n");
	(void)env_open(&env, mid, 0, &resp);
	assert_string_equal(resp.subject_prefix, "");
	assert_string_equal(resp.normalized_subject, "");
	assert_int_equal(resp.recipient_count, 0);
	assert_int_equal(resp.row_count, 0);

	i_zero(&req);
	req.folder_id = env.inbox->fid;
	req.message_id = mid + (1 << 16);
	env.ctx.object = &env.inbox->obj;
	assert_int_equal(rop_open_message(&env.ctx, &req, &resp), EC_NOT_FOUND);
	req.message_id = mid;
	req.folder_id = MAPI_ID(MAPI_STORE_REPLID, 0xffffff);
	assert_int_equal(rop_open_message(&env.ctx, &req, &resp), EC_NOT_FOUND);
	env_deinit(&env);
}

static void test_message_status(void **state)
{
	struct rop_get_message_status_request req = { .message_id = 0 };
	struct rop_get_message_status_response resp;
	struct env env;

	env_init(&env);
	req.message_id = env_save(&env, "Subject: x\r\n\r\n");
	env.ctx.object = &env.inbox->obj;
	resp.message_status_flags = 1;
	assert_int_equal(rop_get_message_status(&env.ctx, &req, &resp),
			 EC_NONE);
	assert_int_equal(resp.message_status_flags, 0);
	req.message_id += 1 << 16;
	assert_int_equal(rop_get_message_status(&env.ctx, &req, &resp),
			 EC_NOT_FOUND);
	env_deinit(&env);
}

/* More recipients than a response takes */
static void test_read_recipients(void **state)
{
	struct rop_open_message_response resp;
	struct rop_read_recipients_request req = { .row_id = 0 };
	struct rop_read_recipients_response rresp;
	struct mapi_object *obj;
	struct env env;
	string_t *str;
	unsigned int i, responses = 0;

	env_init(&env);
	str = str_new(default_pool, 65536);
	str_append(str, "To: ");
	for (i = 0; i < 1000; i++) {
		str_printfa(str, "%s\"Name %u\" <user%u@example.org>",
			    i == 0 ? "" : ",\r\n\t", i, i);
	}
	str_append(str, "\r\nSubject: x\r\n\r\n");
	obj = env_open(&env, env_save(&env, str_c(str)), 3, &resp);
	assert_int_equal(resp.recipient_count, 1000);
	assert_true(resp.row_count > 10);
	assert_true(resp.row_count < 255);

	env.ctx.object = obj;
	while (req.row_id < 1000) {
		i_zero(&rresp);
		rresp.hdr.rop_id = ROP_READ_RECIPIENTS;
		assert_int_equal(rop_read_recipients(&env.ctx, &req, &rresp),
				 EC_NONE);
		assert_true(rresp.row_count > 0);
		assert_encodes(&env, &rresp, ROP_READ_RECIPIENTS);
		for (i = 0; i < rresp.row_count; i++) {
			assert_int_equal(rresp.recipient_rows[i].row_id,
					 req.row_id + i);
			assert_string_equal(rresp.recipient_rows[i].
					    recipient_row.display_name,
					    t_strdup_printf("Name %u",
							    req.row_id + i));
		}
		req.row_id += rresp.row_count;
		responses++;
	}
	assert_int_equal(req.row_id, 1000);
	assert_true(responses > 3);
	assert_int_equal(rop_read_recipients(&env.ctx, &req, &rresp),
			 EC_NOT_FOUND);
	req.row_id = 0;
	env.ctx.response_space = 50;
	assert_int_equal(rop_read_recipients(&env.ctx, &req, &rresp),
			 EC_BUFFER_TOO_SMALL);
	env_deinit(&env);
	str_free(&str);
}

static void test_get_properties(void **state)
{
	static uint32_t tags[] = {
		MAPI_TAG_AS(PIDTAG_SUBJECT, PTYP_UNSPECIFIED),
		PIDTAG_BODY,
		PIDTAG_SENDER_NAME,
		PIDTAG_MESSAGE_SIZE,
	};
	struct rop_get_properties_specific_request req = {
		.property_tag_count = N_ELEMENTS(tags),
		.property_tags = tags,
	};
	struct rop_get_properties_specific_response resp;
	struct rop_get_properties_all_request areq = { .want_unicode = 1 };
	struct rop_get_properties_all_response aresp;
	struct rop_open_message_response oresp;
	struct rop_get_properties_list_request lreq;
	struct rop_get_properties_list_response lresp;
	struct mapi_value *values;
	struct env env;
	string_t *str;
	unsigned int i, large = 0;

	env_init(&env);
	str = str_new(default_pool, 65536);
	str_append(str, "Subject: =?utf-8?q?=C3=BC?=\r\nFrom: x@example.org\r\n"
		   "\r\n");
	for (i = 0; i < 1500; i++)
		str_append(str, "0123456789\r\n");
	env.ctx.object = env_open(&env, env_save(&env, str_c(str)), 3, &oresp);

	i_zero(&resp);
	resp.hdr.rop_id = ROP_GET_PROPERTIES_SPECIFIC;
	assert_int_equal(rop_get_properties_specific(&env.ctx, &req, &resp),
			 EC_NONE);
	assert_encodes(&env, &resp, ROP_GET_PROPERTIES_SPECIFIC);
	values = resp.row_data.values;
	/* no WantUnicode */
	assert_int_equal(values[0].type, PTYP_STRING8);
	assert_string_equal(values[0].u.str8, "\xFC");
	/* 36,000 bytes as UTF-16 */
	assert_int_equal(values[1].type, PTYP_ERROR_CODE);
	assert_int_equal(values[1].u.error, EC_NOT_ENOUGH_MEMORY);
	assert_int_equal(values[2].type, PTYP_STRING);
	assert_int_equal(values[3].type, PTYP_INTEGER32);

	/* in the code page it's short enough */
	tags[1] = MAPI_TAG_AS(PIDTAG_BODY, PTYP_STRING8);
	req.want_unicode = 1;
	assert_int_equal(rop_get_properties_specific(&env.ctx, &req, &resp),
			 EC_NONE);
	assert_encodes(&env, &resp, ROP_GET_PROPERTIES_SPECIFIC);
	values = resp.row_data.values;
	assert_int_equal(values[0].type, PTYP_STRING);
	assert_string_equal(values[0].u.str, "\xC3\xBC");
	assert_int_equal(values[1].type, PTYP_STRING8);
	assert_int_equal(strlen(values[1].u.str8), 18000);

	/* the client's own limit */
	req.property_size_limit = 255;
	assert_int_equal(rop_get_properties_specific(&env.ctx, &req, &resp),
			 EC_NONE);
	assert_int_equal(resp.row_data.values[1].type, PTYP_ERROR_CODE);
	assert_int_equal(resp.row_data.values[0].type, PTYP_STRING);

	/* Each value alone fits, all of them don't */
	static uint32_t many[] = {
		MAPI_TAG_AS(PIDTAG_BODY, PTYP_STRING8),
		MAPI_TAG_AS(PIDTAG_BODY, PTYP_STRING8),
		MAPI_TAG_AS(PIDTAG_BODY, PTYP_STRING8), PIDTAG_SUBJECT,
	};
	req.property_tags = many;
	req.property_size_limit = 0;
	assert_int_equal(rop_get_properties_specific(&env.ctx, &req, &resp),
			 EC_NONE);
	assert_encodes(&env, &resp, ROP_GET_PROPERTIES_SPECIFIC);
	for (i = 0; i < 3; i++) {
		if (resp.row_data.values[i].type == PTYP_STRING8)
			large++;
	}
	assert_int_equal(large, 1);
	assert_int_equal(resp.row_data.values[3].type, PTYP_STRING);

	i_zero(&aresp);
	aresp.hdr.rop_id = ROP_GET_PROPERTIES_ALL;
	assert_int_equal(rop_get_properties_all(&env.ctx, &areq, &aresp),
			 EC_NONE);
	assert_encodes(&env, &aresp, ROP_GET_PROPERTIES_ALL);
	for (i = 0; i < aresp.property_value_count; i++) {
		if (MAPI_TAG_ID(aresp.property_values[i].tag) ==
		    MAPI_TAG_ID(PIDTAG_BODY))
			break;
	}
	assert_true(i < aresp.property_value_count);
	assert_int_equal(aresp.property_values[i].value.type, PTYP_ERROR_CODE);

	i_zero(&lresp);
	lresp.hdr.rop_id = ROP_GET_PROPERTIES_LIST;
	assert_int_equal(rop_get_properties_list(&env.ctx, &lreq, &lresp),
			 EC_NONE);
	assert_encodes(&env, &lresp, ROP_GET_PROPERTIES_LIST);
	assert_int_equal(lresp.property_tag_count, aresp.property_value_count);
	env_deinit(&env);
	str_free(&str);
}

static void test_streams(void **state)
{
	struct rop_open_stream_request req = { .property_tag = PIDTAG_HTML };
	struct rop_open_stream_response resp;
	struct rop_read_stream_request rreq = { .byte_count = 10 };
	struct rop_read_stream_response rresp;
	struct rop_seek_stream_request sreq = { .origin = 0 };
	struct rop_seek_stream_response sresp;
	struct rop_get_stream_size_request zreq;
	struct rop_get_stream_size_response zresp;
	struct rop_open_message_response oresp;
	struct mapi_object *msg;
	struct env env;
	string_t *str;
	unsigned int i;
	size_t total = 0;

	env_init(&env);
	str = str_new(default_pool, 65536);
	str_append(str, "MIME-Version: 1.0\r\nContent-Type: text/html; "
		   "charset=utf-8\r\n\r\n");
	for (i = 0; i < 20000; i++)
		str_append(str, "<p>ten</p>");
	msg = env_open(&env, env_save(&env, str_c(str)), 0, &oresp);

	env.ctx.object = msg;
	env.ctx.output_object = NULL;
	req.open_mode_flags = 1;
	assert_int_equal(rop_open_stream(&env.ctx, &req, &resp),
			 EC_ACCESS_DENIED);
	req.open_mode_flags = 2;
	assert_int_equal(rop_open_stream(&env.ctx, &req, &resp),
			 EC_ACCESS_DENIED);
	req.open_mode_flags = 0;
	req.property_tag = PIDTAG_MESSAGE_SIZE;
	assert_int_equal(rop_open_stream(&env.ctx, &req, &resp),
			 EC_NOT_SUPPORTED);
	req.property_tag = PIDTAG_REPLY_RECIPIENT_ENTRIES;
	assert_int_equal(rop_open_stream(&env.ctx, &req, &resp), EC_NOT_FOUND);
	req.property_tag = PIDTAG_HTML;
	assert_null(env.ctx.output_object);
	assert_int_equal(rop_open_stream(&env.ctx, &req, &resp), EC_NONE);
	assert_true(resp.stream_size >= 200000);

	env.ctx.object = env.ctx.output_object;
	assert_int_equal(rop_get_stream_size(&env.ctx, &zreq, &zresp), EC_NONE);
	assert_int_equal(zresp.stream_size, resp.stream_size);
	i_zero(&rresp);
	rresp.hdr.rop_id = ROP_READ_STREAM;
	assert_int_equal(rop_read_stream(&env.ctx, &rreq, &rresp), EC_NONE);
	assert_int_equal(rresp.data_size, 10);
	assert_memory_equal(rresp.data, "<p>ten</p>", 10);
	sreq.origin = 1;
	sreq.offset = -10;
	assert_int_equal(rop_seek_stream(&env.ctx, &sreq, &sresp), EC_NONE);
	assert_int_equal(sresp.new_position, 0);

	/* as much as fits */
	rreq.byte_count = 0xBABE;
	rreq.maximum_byte_count = 0x10000;
	do {
		assert_int_equal(rop_read_stream(&env.ctx, &rreq, &rresp),
				 EC_NONE);
		assert_encodes(&env, &rresp, ROP_READ_STREAM);
		total += rresp.data_size;
	} while (rresp.data_size > 0);
	assert_int_equal(total, resp.stream_size);
	env.ctx.response_space = 8;
	assert_int_equal(rop_read_stream(&env.ctx, &rreq, &rresp),
			 EC_BUFFER_TOO_SMALL);
	env_deinit(&env);
	str_free(&str);
}

static void test_attachments(void **state)
{
	struct rop_get_valid_attachments_request vreq;
	struct rop_get_valid_attachments_response vresp;
	struct rop_open_attachment_request req = { .attachment_id = 1 };
	struct rop_open_attachment_response resp;
	struct rop_open_embedded_message_request ereq = {
		.code_page_id = 1252
	};
	struct rop_open_embedded_message_response eresp;
	struct rop_open_message_response oresp;
	struct mapi_object *msg, *attach;
	struct env env;

	env_init(&env);
	msg = env_open(&env, env_save(&env,
		"MIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
		"--a\r\n\r\nbody\r\n"
		"--a\r\nContent-Type: application/x-test; name=x\r\n"
		"Content-Disposition: attachment\r\n\r\ndata\r\n"
		"--a\r\nContent-Type: message/rfc822\r\n\r\n"
		"Subject: Re: inner\r\nTo: a@example.org, b@example.org\r\n\r\n"
		"text\r\n--a--\r\n"), 3, &oresp);
	env.ctx.object = msg;
	i_zero(&vresp);
	vresp.hdr.rop_id = ROP_GET_VALID_ATTACHMENTS;
	assert_int_equal(rop_get_valid_attachments(&env.ctx, &vreq, &vresp),
			 EC_NONE);
	assert_encodes(&env, &vresp, ROP_GET_VALID_ATTACHMENTS);
	assert_int_equal(vresp.attachment_id_count, 2);
	assert_int_equal(vresp.attachment_id_array[1], 1);

	assert_int_equal(rop_open_attachment(&env.ctx, &req, &resp), EC_NONE);
	attach = env.ctx.output_object;
	req.attachment_id = 2;
	assert_int_equal(rop_open_attachment(&env.ctx, &req, &resp),
			 EC_NOT_FOUND);
	/* the message isn't needed for what is in it */
	talloc_free(msg);

	env.ctx.object = attach;
	i_zero(&eresp);
	eresp.hdr.rop_id = ROP_OPEN_EMBEDDED_MESSAGE;
	assert_int_equal(rop_open_embedded_message(&env.ctx, &ereq, &eresp),
			 EC_NONE);
	assert_encodes(&env, &eresp, ROP_OPEN_EMBEDDED_MESSAGE);
	assert_string_equal(eresp.subject_prefix, "Re: ");
	assert_string_equal(eresp.normalized_subject, "inner");
	assert_int_equal(eresp.recipient_count, 2);
	assert_int_equal(eresp.row_count, 2);
	env_deinit(&env);
}

/* Names for a client without Unicode are in the logon's code page. What isn't
   required of attachment tables, [MS-OXCTABL] 3.2.5, isn't there. */
static void test_attachment_table(void **state)
{
	uint32_t columns[] = {
		PIDTAG_ATTACH_NUMBER,
		MAPI_TAG_AS(PIDTAG_ATTACH_LONG_FILENAME, PTYP_STRING8),
	};
	struct mapi_restriction res = {
		.type = RES_EXIST, .u.exist.tag = PIDTAG_ATTACH_NUMBER,
	};
	struct rop_get_attachment_table_request req;
	struct rop_get_attachment_table_response resp;
	struct rop_set_columns_request creq = {
		.property_tag_count = N_ELEMENTS(columns),
		.property_tags = columns,
	};
	struct rop_set_columns_response cresp;
	struct rop_restrict_request rreq = { .restriction_data = &res };
	struct rop_restrict_response rresp;
	struct rop_query_rows_request qreq = {
		.forward_read = 1, .row_count = 10,
	};
	struct rop_query_rows_response qresp;
	struct rop_open_message_response oresp;
	struct env env;

	env_init(&env);
	env.ctx.object = env_open(&env, env_save(&env,
		"MIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
		"--a\r\nContent-Disposition: attachment; filename=x\r\n\r\n"
		"data\r\n"
		"--a\r\nContent-Disposition: attachment;\r\n"
		"  filename*=utf-8''Gr%C3%BC%C3%9Fe.txt\r\n\r\n"
		"data\r\n--a--\r\n"), 3, &oresp);
	i_zero(&req);
	env.ctx.output_object = NULL;
	assert_int_equal(rop_get_attachment_table(&env.ctx, &req, &resp),
			 EC_NONE);
	env.ctx.object = env.ctx.output_object;
	assert_int_equal(rop_set_columns(&env.ctx, &creq, &cresp), EC_NONE);
	assert_int_equal(rop_query_rows(&env.ctx, &qreq, &qresp), EC_NONE);
	assert_int_equal(qresp.row_count, 2);
	assert_int_equal(qresp.row_data[1].values[0].u.i32, 1);
	assert_string_equal(qresp.row_data[1].values[1].u.str8,
			    "Gr\xFC\xDF" "e.txt");
	assert_int_equal(rop_restrict(&env.ctx, &rreq, &rresp),
			 EC_NOT_SUPPORTED);
	env_deinit(&env);
}

/* With an argument: only the tests whose names match it (a pattern). */
/* Nothing is changed if the answer doesn't fit: the client asks again. */
static void test_write_needs_space(void **state)
{
	struct rop_delete_messages_response del_resp;
	struct rop_set_read_flags_response read_resp;
	struct rop_move_copy_messages_response move_resp;
	struct rop_set_message_status_response status_resp;
	struct env env;
	uint32_t status;
	mapi_id_t mid;

	env_init(&env);
	mid = env_save(&env, "Subject: one\r\n\r\n");
	struct rop_delete_messages_request del_req = {
		.message_id_count = 1, .message_ids = &mid,
	};
	struct rop_set_read_flags_request read_req = {
		.message_id_count = 1, .message_ids = &mid,
	};
	struct rop_move_copy_messages_request move_req = {
		.message_id_count = 1, .message_ids = &mid, .want_copy = 1,
	};
	struct rop_set_message_status_request status_req = {
		.message_id = mid, .message_status_flags = 1,
		.message_status_mask = 1,
	};
	i_zero(&del_resp);
	i_zero(&read_resp);
	i_zero(&move_resp);
	i_zero(&status_resp);

	env.ctx.object = &env.inbox->obj;
	env.ctx.second_object = &env.inbox->obj;
	env.ctx.response_space = 6;
	assert_int_equal(rop_delete_messages(&env.ctx, &del_req, &del_resp),
			 EC_BUFFER_TOO_SMALL);
	assert_int_equal(env.ctx.size_needed, 7);
	assert_int_equal(rop_set_read_flags(&env.ctx, &read_req, &read_resp),
			 EC_BUFFER_TOO_SMALL);
	assert_int_equal(rop_move_copy_messages(&env.ctx, &move_req,
						&move_resp),
			 EC_BUFFER_TOO_SMALL);
	env.ctx.response_space = 9;
	assert_int_equal(rop_set_message_status(&env.ctx, &status_req,
						&status_resp),
			 EC_BUFFER_TOO_SMALL);
	assert_int_equal(mapi_message_get_status(env.store, env.inbox->fid,
						 mid, &status), EC_NONE);
	assert_int_equal(status, 0);
	env.ctx.response_space = 10;
	assert_int_equal(rop_set_message_status(&env.ctx, &status_req,
						&status_resp), EC_NONE);
	env.ctx.response_space = 7;
	assert_int_equal(rop_delete_messages(&env.ctx, &del_req, &del_resp),
			 EC_NONE);
	assert_int_equal(del_resp.partial_completion, 0);
	assert_int_equal(rop_delete_messages(&env.ctx, &del_req, &del_resp),
			 EC_NONE);
	assert_int_equal(del_resp.partial_completion, 1);
	env_deinit(&env);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_needs_space),
		cmocka_unit_test(test_open_message),
		cmocka_unit_test(test_message_status),
		cmocka_unit_test(test_read_recipients),
		cmocka_unit_test(test_get_properties),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_attachment_table),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
