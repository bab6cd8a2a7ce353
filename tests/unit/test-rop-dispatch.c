/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The dispatcher with handlers of its own: what it does around them. All
   buffers are written out from [MS-OXCROPS] and [MS-OXCRPC], byte by byte. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "lib-event.h"
#include "mapi-session.h"
#include "mapi-rops.h"
#include "rop.h"
#include "rop-dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LOGON_REQ(id, out) 0xfe, (id), (out), 0x01, 4, 0, 0, 0, \
	0, 0, 0, 0, 0, 0
#define OPEN_FOLDER_REQ(id, in, out) 0x02, (id), (in), (out), \
	1, 0, 0, 0, 0, 0, 0, 4, 0
#define GET_LIST_REQ(id, in) 0x09, (id), (in)
#define RELEASE_REQ(id, in) 0x01, (id), (in)

static struct {
	TALLOC_CTX *mem;
	struct mapi_session *session;
	const struct rop_handler *handlers[256];
	/* how often handlers were called, objects that are alive */
	unsigned int calls, objects;
	/* RopGetPropertiesList: this many tags; or this error */
	unsigned int tag_count;
	enum mapi_error error;
	size_t last_space;
	unsigned int max_objects;
} t;

static int object_destructor(struct mapi_object *obj)
{
	t.objects--;
	return 0;
}

static struct mapi_object *
object_new(struct rop_context *ctx, enum mapi_object_type type)
{
	/* large enough for all types that are used here */
	struct mapi_logon *logon =
		talloc_zero(ctx->object_parent, struct mapi_logon);
	struct mapi_object *obj = &logon->obj;

	obj->type = type;
	talloc_set_destructor(obj, object_destructor);
	t.objects++;
	return obj;
}

static enum mapi_error
fake_logon(struct rop_context *ctx, const void *req, void *resp)
{
	t.calls++;
	assert_null(ctx->object);
	if (t.error != EC_NONE)
		return t.error;
	ctx->output_object = object_new(ctx, MAPI_OBJECT_LOGON);
	return EC_NONE;
}

static enum mapi_error
fake_open_folder(struct rop_context *ctx, const void *_req, void *resp)
{
	const struct rop_open_folder_request *req = _req;

	t.calls++;
	assert_non_null(ctx->object);
	assert_non_null(ctx->logon);
	assert_int_equal(MAPI_ID_REPLID(req->folder_id), 1);
	assert_int_equal(MAPI_ID_GLOBCNT(req->folder_id), 4);
	ctx->output_object = object_new(ctx, MAPI_OBJECT_FOLDER);
	return EC_NONE;
}

static enum mapi_error
fake_get_list(struct rop_context *ctx, const void *req, void *_resp)
{
	struct rop_get_properties_list_response *resp = _resp;

	t.calls++;
	t.last_space = ctx->response_space;
	if (t.error != EC_NONE)
		return t.error;
	resp->property_tag_count = t.tag_count;
	resp->property_tags = talloc_zero_array(ctx->mem, uint32_t,
						t.tag_count);
	for (unsigned int i = 0; i < t.tag_count; i++)
		resp->property_tags[i] = 0x0037001f;
	return EC_NONE;
}

static const struct rop_handler fake_handlers[] = {
	{ ROP_LOGON, 0, fake_logon },
	{ ROP_OPEN_FOLDER, MAPI_OBJECT_LOGON | MAPI_OBJECT_FOLDER,
	  fake_open_folder },
	{ ROP_GET_PROPERTIES_LIST, MAPI_OBJECT_FOLDER, fake_get_list },
};

static int setup(void **state)
{
	struct mapi_session_settings set;

	i_zero(&t);
	t.mem = talloc_new(NULL);
	i_zero(&set);
	set.max_open_objects = 10;
	t.session = mapi_session_create(t.mem, NULL, &set, NULL);
	for (unsigned int i = 0; i < N_ELEMENTS(fake_handlers); i++)
		t.handlers[fake_handlers[i].id] = &fake_handlers[i];
	mapi_session_set_handlers(t.session, t.handlers);
	return 0;
}

static int teardown(void **state)
{
	mapi_session_free(&t.session);
	assert_int_equal(t.objects, 0);
	talloc_free(t.mem);
	return 0;
}

/* One extended buffer with these operations and this handle table. */
static size_t
make_buffer(uint8_t *dest, const uint8_t *rops, size_t rops_size,
	    const uint32_t *handles, unsigned int handle_count, bool last)
{
	size_t size = 2 + rops_size + 4 * handle_count, pos = 0;

	dest[pos++] = 0; dest[pos++] = 0;
	dest[pos++] = last ? 4 : 0; dest[pos++] = 0;
	dest[pos++] = size & 0xff; dest[pos++] = size >> 8;
	dest[pos++] = size & 0xff; dest[pos++] = size >> 8;
	dest[pos++] = (rops_size + 2) & 0xff;
	dest[pos++] = (rops_size + 2) >> 8;
	memcpy(dest + pos, rops, rops_size);
	pos += rops_size;
	for (unsigned int i = 0; i < handle_count; i++) {
		for (unsigned int j = 0; j < 4; j++)
			dest[pos++] = handles[i] >> (8 * j);
	}
	return pos;
}

static enum mapi_error
execute_raw(const uint8_t *buf, size_t size, uint32_t max_out,
	    struct rop_execute_response *resp_r)
{
	struct rop_execute_request req = {
		.flags = 3, .rop_buffer = buf, .rop_buffer_size = size,
		.max_rop_out = max_out,
	};
	return rop_dispatch_execute(t.session, t.mem, &req, resp_r);
}

static enum mapi_error
execute(const uint8_t *rops, size_t rops_size, const uint32_t *handles,
	unsigned int handle_count, uint32_t max_out,
	struct rop_execute_response *resp_r)
{
	uint8_t buf[0x20000];
	size_t size = make_buffer(buf, rops, rops_size, handles, handle_count,
				  TRUE);

	return execute_raw(buf, size, max_out, resp_r);
}

/* Checks the header and returns RopsList. */
static const uint8_t *
output_rops(const struct rop_execute_response *resp, size_t *size_r,
	    uint32_t *handles, unsigned int handle_count)
{
	const uint8_t *p = resp->rop_buffer;
	size_t size, rop_size;

	assert_true(resp->rop_buffer_size >= 10);
	assert_int_equal(p[0] | p[1], 0);
	assert_int_equal(p[2], 4);
	assert_int_equal(p[3], 0);
	size = p[4] | p[5] << 8;
	assert_int_equal(size, p[6] | p[7] << 8);
	assert_int_equal(size, resp->rop_buffer_size - 8);
	rop_size = p[8] | p[9] << 8;
	assert_true(rop_size >= 2);
	assert_int_equal(size - rop_size, 4 * handle_count);
	for (unsigned int i = 0; i < handle_count; i++) {
		const uint8_t *h = p + 8 + rop_size + 4 * i;

		handles[i] = h[0] | h[1] << 8 | h[2] << 16 |
			(uint32_t)h[3] << 24;
	}
	*size_r = rop_size - 2;
	return p + 10;
}

#define EXECUTE(rops, handles, max_out, resp) \
	execute(rops, sizeof(rops), handles, N_ELEMENTS(handles), \
		max_out, resp)

/* Logs on (id 0), opens a folder; returns the handles. */
static void log_on(uint32_t handles[2])
{
	static const uint8_t rops[] = {
		LOGON_REQ(0, 0), OPEN_FOLDER_REQ(0, 0, 1)
	};
	struct rop_execute_response resp;
	const uint8_t *out;
	size_t size;

	t.calls = 0;
	handles[0] = handles[1] = 0xffffffff;
	assert_int_equal(execute(rops, sizeof(rops), handles, 2, 0x8000,
				 &resp), EC_NONE);
	out = output_rops(&resp, &size, handles, 2);
	assert_int_equal(out[0], 0xfe);
	assert_int_equal(out[1], 0);
	assert_true(handles[0] != 0xffffffff && handles[1] != 0xffffffff);
	assert_true(handles[0] != handles[1]);
	/* RopOpenFolder: id, index, ReturnValue, HasRules, IsGhosted */
	assert_memory_equal(out + size - 8, "\x02\x01\0\0\0\0\0\0", 8);
	assert_int_equal(t.calls, 2);
	t.calls = 0;
}

static void test_objects_of_one_buffer(void **state)
{
	uint32_t handles[2];

	log_on(handles);
	assert_int_equal(t.objects, 2);
	assert_ptr_equal(mapi_session_object(t.session, 0, handles[0]),
			 mapi_session_logon(t.session, 0));
	/* handles are a logon's own */
	assert_null(mapi_session_object(t.session, 1, handles[0]));
}

static void test_release(void **state)
{
	static const uint8_t rops[] = {
		RELEASE_REQ(0, 1), RELEASE_REQ(0, 7), RELEASE_REQ(0, 1)
	};
	struct rop_execute_response resp;
	uint32_t handles[2];
	size_t size;

	log_on(handles);
	assert_int_equal(EXECUTE(rops, handles, 0x8000, &resp), EC_NONE);
	(void)output_rops(&resp, &size, handles, 2);
	/* no response at all */
	assert_int_equal(size, 0);
	assert_int_equal(handles[1], 0xffffffff);
	assert_int_equal(t.objects, 1);
}

static void test_release_parent(void **state)
{
	static const uint8_t open[] = { OPEN_FOLDER_REQ(0, 1, 2) };
	static const uint8_t use[] = {
		RELEASE_REQ(0, 1), GET_LIST_REQ(0, 2), GET_LIST_REQ(0, 1)
	};
	struct rop_execute_response resp;
	uint32_t handles[3];
	const uint8_t *out;
	size_t size;

	log_on(handles);
	handles[2] = 0xffffffff;
	assert_int_equal(EXECUTE(open, handles, 0x8000, &resp), EC_NONE);
	(void)output_rops(&resp, &size, handles, 3);
	assert_int_equal(EXECUTE(use, handles, 0x8000, &resp), EC_NONE);
	out = output_rops(&resp, &size, handles, 3);
	assert_int_equal(size, 8 + 6);
	assert_memory_equal(out, "\x09\x02\0\0\0\0\0\0"
			    "\x09\x01\xb9\x04\0\0", 14);
}

static void test_release_logon(void **state)
{
	static const uint8_t rops[] = {
		RELEASE_REQ(0, 0), GET_LIST_REQ(0, 1)
	};
	struct rop_execute_response resp;
	uint32_t handles[2];
	const uint8_t *out;
	size_t size;

	log_on(handles);
	assert_int_equal(EXECUTE(rops, handles, 0x8000, &resp), EC_NONE);
	out = output_rops(&resp, &size, handles, 2);
	assert_memory_equal(out, "\x09\x01\xb9\x04\0\0", 6);
	assert_int_equal(t.objects, 0);
	assert_null(mapi_session_logon(t.session, 0));
	assert_int_equal(t.calls, 0);
}

static void test_logon_replaced(void **state)
{
	uint32_t first[2], second[2];

	log_on(first);
	log_on(second);
	assert_int_equal(t.objects, 2);
	assert_int_equal(mapi_session_object_count(t.session), 2);
	assert_null(mapi_session_object(t.session, 0, first[0]));
	assert_null(mapi_session_object(t.session, 0, first[1]));
	assert_non_null(mapi_session_object(t.session, 0, second[1]));
}

static void test_logon_fails(void **state)
{
	static const uint8_t rops[] = { LOGON_REQ(3, 0) };
	uint32_t handles[1] = { 0xffffffff };
	struct rop_execute_response resp;
	const uint8_t *out;
	size_t size;

	t.error = EC_UNKNOWN_USER;
	assert_int_equal(EXECUTE(rops, handles, 0x8000, &resp), EC_NONE);
	out = output_rops(&resp, &size, handles, 1);
	assert_int_equal(size, 6);
	assert_memory_equal(out, "\xfe\0\xeb\x03\0\0", 6);
	assert_null(mapi_session_logon(t.session, 3));
	assert_null(mapi_session_logon_mem(t.session, 3));
}

static void test_errors(void **state)
{
	static const struct {
		uint8_t rops[16];
		size_t size;
		const char *out;
		size_t out_size;
	} tests[] = {
		/* a table has no place for the index; no such logon; an
		   object of another type; no handler; its failure layout
		   has PartialCompletion */
		{ { GET_LIST_REQ(0, 9) }, 3, "\x09\x09\xb9\x04\0\0", 6 },
		{ { GET_LIST_REQ(5, 1) }, 3, "\x09\x01\xb9\x04\0\0", 6 },
		{ { GET_LIST_REQ(0, 0) }, 3, "\x09\0\x02\x01\x04\x80", 6 },
		{ { 0x16, 0, 1 }, 3, "\x16\x01\x02\x01\x04\x80", 6 },
		{ { 0x1d, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 4 }, 12,
		  "\x1d\x01\x02\x01\x04\x80\0", 7 },
		/* an index that can't be: the table has 255 places */
		{ { OPEN_FOLDER_REQ(0, 0, 255) }, 13,
		  "\x02\xff\xb9\x04\0\0", 6 },
		/* RopRestrict whose restriction nests only in its length */
		{ { 0x14, 0, 1, 0, 1, 0, 0x55 }, 7,
		  "\x14\x01\x02\x01\x04\x80", 6 },
	};
	struct rop_execute_response resp;
	uint32_t handles[2];
	const uint8_t *out;
	size_t size;

	log_on(handles);
	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		assert_int_equal(execute(tests[i].rops, tests[i].size, handles,
					 2, 0x8000, &resp), EC_NONE);
		out = output_rops(&resp, &size, handles, 2);
		assert_int_equal(size, tests[i].out_size);
		assert_memory_equal(out, tests[i].out, size);
	}
	assert_int_equal(t.calls, 0);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *rops;
		size_t size;
	} tests[] = {
		{ "\x00\0\0", 3 },			/* reserved */
		{ "\x28\0\0", 3 },			/* reserved */
		{ "\x2a\0\0\0\0\0\0", 7 },		/* the server's */
		{ "\xff\0\0", 3 },			/* the server's */
		{ "\x09", 1 },				/* too short */
		{ "\x09\0", 2 },
		{ "\x02\0\0\1\1\0\0\0\0\0\0\4", 12 },
		/* a good one before it isn't executed */
		{ "\x09\0\1\x28", 4 },
		{ "\x01\0\1\x09\0", 5 },
		/* RopGetPropertiesSpecific with 65535 tags */
		{ "\x07\0\1\0\0\0\0\xff\xff\0\0\0\0", 13 },
	};
	static const char *const raw[] = {
		/* version, size beyond the end, no Last, trailing bytes,
		   RopSize 1, RopSize beyond the end, half a handle */
		"\1\0\4\0\2\0\2\0\2\0",
		"\0\0\4\0\3\0\3\0\2\0",
		"\0\0\0\0\2\0\2\0\2\0",
		"\0\0\4\0\1\0\1\0\2\0",
		"\0\0\4\0\2\0\2\0\1\0",
		"\0\0\4\0\2\0\2\0\3\0",
		"\0\0\4\0\2\0\3\0\2\0",
	};
	struct rop_execute_response resp;
	uint32_t handles[2];

	log_on(handles);
	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		assert_int_equal(execute((const uint8_t *)tests[i].rops,
					 tests[i].size, handles, 2, 0x8000,
					 &resp), EC_RPC_FORMAT);
		assert_int_equal(resp.rop_buffer_size, 0);
	}
	for (unsigned int i = 0; i < N_ELEMENTS(raw); i++) {
		assert_int_equal(execute_raw((const uint8_t *)raw[i], 10,
					     0x8000, &resp), EC_RPC_FORMAT);
	}
	assert_int_equal(execute_raw((const uint8_t *)"\0\0\4\0\5\0\5\0"
				     "\2\0\0\0\0", 13, 0x8000, &resp),
			 EC_RPC_FORMAT);
	assert_int_equal(t.calls, 0);
	assert_int_equal(t.objects, 2);
}

static void test_sizes(void **state)
{
	static const uint8_t rops[] = { GET_LIST_REQ(0, 1) };
	struct rop_execute_response resp;
	uint32_t handles[2];

	log_on(handles);
	assert_int_equal(execute_raw((const uint8_t *)"\0\0\4\0\0\0\0", 7,
				     0x8000, &resp), EC_RPC_FAILED);
	assert_int_equal(EXECUTE(rops, handles, 7, &resp), EC_RPC_FAILED);
	/* header 8, RopSize 2, RopBufferTooSmall 3 + 3, handles 8 */
	assert_int_equal(EXECUTE(rops, handles, 23, &resp),
			 EC_BUFFER_TOO_SMALL);
	assert_int_equal(t.calls, 0);
	assert_int_equal(EXECUTE(rops, handles, 24, &resp), EC_NONE);
	assert_int_equal(t.calls, 1);
	/* more than there may be is clamped */
	assert_int_equal(EXECUTE(rops, handles, 0xffffffff, &resp), EC_NONE);
}

static void test_buffer_too_small(void **state)
{
	static const uint8_t rops[] = {
		GET_LIST_REQ(0, 1), GET_LIST_REQ(0, 1), RELEASE_REQ(0, 1)
	};
	struct rop_execute_response resp;
	uint32_t handles[2];
	const uint8_t *out;
	size_t size, needed;

	log_on(handles);
	t.tag_count = 10;	/* responses of 48 bytes */

	/* 8 + 2 + 48 + 8 = 66 is for the first one and 9 for the echo of the
	   rest */
	assert_int_equal(EXECUTE(rops, handles, 66 + 9, &resp), EC_NONE);
	out = output_rops(&resp, &size, handles, 2);
	assert_int_equal(size, 48 + 9);
	assert_memory_equal(out, "\x09\x01\0\0\0\0\x0a\0", 8);
	assert_int_equal(out[48], 0xff);
	needed = out[49] | out[50] << 8;
	assert_int_equal(needed, 66 + 6);
	assert_memory_equal(out + 51, rops + 3, 6);
	/* what wasn't executed wasn't: the object is still there */
	assert_int_equal(t.objects, 2);

	/* as much as it said is enough */
	t.calls = 0;
	assert_int_equal(execute(rops + 3, 6, handles, 2, needed, &resp),
			 EC_NONE);
	out = output_rops(&resp, &size, handles, 2);
	assert_int_equal(size, 48);
	assert_int_equal(t.calls, 1);
	assert_int_equal(t.objects, 1);

	/* one less isn't enough for anything */
	log_on(handles);
	assert_int_equal(EXECUTE(rops, handles, 66 + 8, &resp), EC_NONE);
	out = output_rops(&resp, &size, handles, 2);
	assert_int_equal(out[0], 0xff);
	assert_int_equal(size, 3 + 9);
	assert_memory_equal(out + 3, rops, 9);
}

static void test_buffer_too_small_by_handler(void **state)
{
	static const uint8_t rops[] = { GET_LIST_REQ(0, 1) };
	struct rop_execute_response resp;
	uint32_t handles[2];
	const uint8_t *out;
	size_t size;

	log_on(handles);
	t.error = EC_BUFFER_TOO_SMALL;
	assert_int_equal(EXECUTE(rops, handles, 100, &resp), EC_NONE);
	out = output_rops(&resp, &size, handles, 2);
	assert_int_equal(size, 6);
	assert_int_equal(out[0], 0xff);
	assert_memory_equal(out + 3, rops, 3);
	assert_int_equal(t.last_space, 100 - 8 - 2 - 8);
}

/* Where asking again can't help the operation fails. */
static void test_never_fits(void **state)
{
	static const uint8_t rops[] = {
		GET_LIST_REQ(0, 1), GET_LIST_REQ(0, 1)
	};
	struct rop_execute_response resp;
	uint32_t handles[2];
	const uint8_t *out;
	size_t size;

	log_on(handles);
	t.tag_count = 0x2000;
	assert_int_equal(EXECUTE(rops, handles, 0x40000, &resp), EC_NONE);
	out = output_rops(&resp, &size, handles, 2);
	assert_int_equal(size, 6 + 6);
	assert_memory_equal(out, "\x09\x01\x7d\x04\0\0", 6);
	/* the second one may try again on its own */
	assert_int_equal(out[6], 0xff);
	assert_memory_equal(out + 9, rops + 3, 3);
}

static void test_full_payload(void **state)
{
	static const uint8_t rops[] = { GET_LIST_REQ(0, 1) };
	struct rop_execute_response resp;
	uint32_t handles[2];
	size_t size;

	log_on(handles);
	/* 2 + 8 + 4 * tags + 8 = 32766 */
	t.tag_count = (0x8000 - 2 - 8 - 8) / 4;
	assert_int_equal(EXECUTE(rops, handles, 0x40000, &resp), EC_NONE);
	(void)output_rops(&resp, &size, handles, 2);
	assert_int_equal(size, 8 + 4 * t.tag_count);
	assert_true(resp.rop_buffer_size <= 8 + 0x8000);
}

/* more than 32 KB of requests, which must fit into RopBufferTooSmall */
static void test_large_request(void **state)
{
	struct rop_execute_response resp;
	uint8_t rops[3 * 15000];
	uint32_t handles[2];
	const uint8_t *out;
	size_t size;

	log_on(handles);
	for (size_t i = 0; i < sizeof(rops); i += 3)
		memcpy(rops + i, (const uint8_t []){ GET_LIST_REQ(0, 1) }, 3);
	assert_int_equal(EXECUTE(rops, handles, 0x10008, &resp), EC_NONE);
	out = output_rops(&resp, &size, handles, 2);
	/* 2 + 8 * 4104 + 3 + 3 * (15000 - 4104) + 8 = 65533 */
	/* the last one's response was too long */
	assert_int_equal(t.calls, 4104 + 1);
	assert_int_equal(size, 8 * 4104 + 3 + 3 * (15000 - 4104));
	assert_int_equal(out[8 * 4104], 0xff);
	assert_memory_equal(out + 8 * 4104 + 3, rops, 3 * (15000 - 4104));

	for (size_t i = 0; i < sizeof(rops); i += 3)
		memcpy(rops + i, (const uint8_t []){ RELEASE_REQ(0, 9) }, 3);
	memcpy(rops, (const uint8_t []){ GET_LIST_REQ(0, 1) }, 3);
	assert_int_equal(EXECUTE(rops, handles, 0x8000, &resp),
			 EC_BUFFER_TOO_SMALL);
}

static void test_object_limit(void **state)
{
	static const uint8_t rops[] = {
		OPEN_FOLDER_REQ(0, 0, 1), OPEN_FOLDER_REQ(0, 0, 1),
		OPEN_FOLDER_REQ(0, 0, 1), OPEN_FOLDER_REQ(0, 0, 1),
		OPEN_FOLDER_REQ(0, 0, 1), OPEN_FOLDER_REQ(0, 0, 1),
		OPEN_FOLDER_REQ(0, 0, 1), OPEN_FOLDER_REQ(0, 0, 1),
		OPEN_FOLDER_REQ(0, 0, 1),
	};
	struct rop_execute_response resp;
	uint32_t handles[2];
	const uint8_t *out;
	size_t size;

	log_on(handles);
	assert_int_equal(EXECUTE(rops, handles, 0x8000, &resp), EC_NONE);
	out = output_rops(&resp, &size, handles, 2);
	assert_int_equal(size, 8 * 8 + 6);
	assert_memory_equal(out + 64, "\x02\x01\xde\x04\0\0", 6);
	assert_int_equal(t.objects, 10);
}

static void test_chain(void **state)
{
	static const uint8_t rops1[] = { GET_LIST_REQ(0, 0) };
	static const uint8_t rops2[] = { GET_LIST_REQ(0, 1) };
	struct rop_execute_response resp;
	uint32_t handles[2];
	uint8_t buf[100];
	size_t size;

	log_on(handles);
	size = make_buffer(buf, rops1, sizeof(rops1), handles + 1, 1, FALSE);
	size += make_buffer(buf + size, rops2, sizeof(rops2), handles, 2,
			    TRUE);
	assert_int_equal(execute_raw(buf, size, 0x8000, &resp), EC_NONE);
	assert_int_equal(t.calls, 2);
	/* 8 + 2 + 8 + 4 and 8 + 2 + 8 + 8 */
	assert_int_equal(resp.rop_buffer_size, 22 + 26);
	assert_memory_equal(resp.rop_buffer, "\0\0\0\0\x0e\0\x0e\0\x0a\0"
			    "\x09\0\0\0\0\0\0\0", 18);
	assert_memory_equal(resp.rop_buffer + 22,
			    "\0\0\4\0\x12\0\x12\0\x0a\0"
			    "\x09\1\0\0\0\0\0\0", 18);

	/* malformed at the end: nothing of it is executed */
	buf[size - 8 - 3] = 0x28;
	assert_int_equal(execute_raw(buf, size, 0x8000, &resp),
			 EC_RPC_FORMAT);
	assert_int_equal(t.calls, 2);
}

static void test_xor(void **state)
{
	static const uint8_t rops[] = { GET_LIST_REQ(0, 1) };
	struct rop_execute_response resp;
	uint32_t handles[2];
	uint8_t buf[100];
	size_t size;

	log_on(handles);
	size = make_buffer(buf, rops, sizeof(rops), handles, 2, TRUE);
	buf[2] |= 2;
	for (size_t i = 8; i < size; i++)
		buf[i] ^= 0xa5;
	assert_int_equal(execute_raw(buf, size, 0x8000, &resp), EC_NONE);
	(void)output_rops(&resp, &size, handles, 2);
	assert_int_equal(size, 8);
}

static void test_table_grows(void **state)
{
	static const uint8_t rops[] = { OPEN_FOLDER_REQ(0, 0, 4) };
	struct rop_execute_response resp;
	uint32_t handles[5];
	size_t size;

	log_on(handles);
	assert_int_equal(execute(rops, sizeof(rops), handles, 1, 0x8000,
				 &resp), EC_NONE);
	(void)output_rops(&resp, &size, handles, 5);
	assert_int_equal(handles[1], 0xffffffff);
	assert_non_null(mapi_session_object(t.session, 0, handles[4]));
}

static void test_check_dn(void **state)
{
	static const struct {
		const char *dn;
		enum mapi_error error;
	} tests[] = {
		{ "/o=Org/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
		  "/cn=Recipients/cn=alice@example.com", EC_NONE },
		{ "/O=org/OU=EXCHANGE Administrative Group (FYDIBOHF23SPDLT)"
		  "/cn=recipients/cn=Alice@Example.Com", EC_NONE },
		{ "/o=Org/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
		  "/cn=Recipients/cn=bob@example.com", EC_ACCESS_DENIED },
		{ "/o=Org/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
		  "/cn=Recipients/cn=alice@example.co", EC_ACCESS_DENIED },
		{ "/o=Org/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
		  "/cn=Recipients/cn=", EC_ACCESS_DENIED },
		{ "/o=Other/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
		  "/cn=Recipients/cn=alice@example.com", EC_UNKNOWN_USER },
		{ "alice@example.com", EC_UNKNOWN_USER },
		{ "", EC_UNKNOWN_USER },
	};
	struct mapi_store_settings set = { .organization = "Org" };

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		assert_int_equal(mapi_session_check_dn(&set,
				 "alice@example.com", tests[i].dn),
				 tests[i].error);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) \
		cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_objects_of_one_buffer),
		TEST(test_release),
		TEST(test_release_parent),
		TEST(test_release_logon),
		TEST(test_logon_replaced),
		TEST(test_logon_fails),
		TEST(test_errors),
		TEST(test_malformed),
		TEST(test_sizes),
		TEST(test_buffer_too_small),
		TEST(test_buffer_too_small_by_handler),
		TEST(test_never_fits),
		TEST(test_full_payload),
		TEST(test_large_request),
		TEST(test_object_limit),
		TEST(test_chain),
		TEST(test_xor),
		TEST(test_table_grows),
		TEST(test_check_dn),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
