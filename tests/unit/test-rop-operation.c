/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations that go on after their request, with a fake one: what is answered
   to RopProgress, and what ends them. Buffers are written out from [MS-OXCROPS]
   2.2.4.9 and 2.2.8.13 and the example in [MS-OXCPRPT] 4.5. */

#include "lib.h"
#include "mapi-session.h"
#include "mapi-rops.h"
#include "mapi-store.h"
#include "rop-dispatch.h"
#include "rop-handler-table.h"
#include "rop-operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LOGON_REQ(id, out) 0xfe, (id), (out), 0x01, 4, 0, 0, 0, \
	0, 0, 0, 0, 0, 0
#define OPEN_FOLDER_REQ(id, in, out) 0x02, (id), (in), (out), \
	1, 0, 0, 0, 0, 0, 0, 4, 0
#define GET_LIST_REQ(id, in) 0x09, (id), (in)
#define RELEASE_REQ(id, in) 0x01, (id), (in)
#define EMPTY_REQ(id, in, asynchronous) 0x58, (id), (in), (asynchronous), 0
#define MOVE_REQ(id, in, dest) 0x33, (id), (in), (dest), 0, 0, 1, 0
#define PROGRESS_REQ(id, in, cancel) 0x50, (id), (in), (cancel)

/* RopId, InputHandleIndex, ReturnValue, LogonId, CompletedTaskCount,
   TotalTaskCount; all counts are small */
#define PROGRESS_RESP(in, id, done, total) 0x50, (in), 0, 0, 0, 0, (id), \
	(done), 0, 0, 0, (total), 0, 0, 0
/* .., PartialCompletion */
#define EMPTY_RESP(in, partial) 0x58, (in), 0, 0, 0, 0, (partial)
#define NO_OPERATION_RESP(in) 0x50, (in), 0x0f, 0x01, 0x04, 0x80
#define LIST_RESP(in) 0x09, (in), 0, 0, 0, 0, 0, 0

/* handles: logon 0 and two of its folders, logon 1 and a folder of it */
enum { LOGON, FOLDER, OTHER, LOGON1, FOLDER1, HANDLES };

/* of the fake operation */
#define SLICE 10

static struct {
	TALLOC_CTX *mem;
	struct mapi_session *session;
	const struct rop_handler *handlers[256];
	uint32_t handles[HANDLES];
	/* how much there is to do; what goes wrong in the slice that begins
	   there */
	unsigned int total, fails_at, partial_at;
	/* slices that have been done, on which folders */
	unsigned int slices;
	struct mapi_folder *folder, *dest;
} t;

static struct mapi_object *
object_new(struct rop_context *ctx, enum mapi_object_type type)
{
	/* large enough for both types */
	struct mapi_logon *logon =
		talloc_zero(ctx->object_parent, struct mapi_logon);

	logon->obj.type = type;
	return &logon->obj;
}

static enum mapi_error
fake_logon(struct rop_context *ctx, const void *req, void *resp)
{
	ctx->output_object = object_new(ctx, MAPI_OBJECT_LOGON);
	return EC_NONE;
}

static enum mapi_error
fake_open_folder(struct rop_context *ctx, const void *req, void *resp)
{
	ctx->output_object = object_new(ctx, MAPI_OBJECT_FOLDER);
	return EC_NONE;
}

static enum mapi_error
fake_get_list(struct rop_context *ctx, const void *req, void *resp)
{
	return EC_NONE;
}

static bool fake_run(struct rop_operation *op, struct mapi_folder *folder,
		     struct mapi_folder *dest)
{
	t.slices++;
	t.folder = folder;
	t.dest = dest;
	if (t.fails_at != 0 && op->done == t.fails_at) {
		op->error = EC_ACCESS_DENIED;
		op->partial = TRUE;
		return FALSE;
	}
	if (t.partial_at != 0 && op->done == t.partial_at)
		op->partial = TRUE;
	op->done += I_MIN(SLICE, op->total - op->done);
	return op->done < op->total;
}

static struct rop_operation *fake_operation(struct rop_context *ctx, uint8_t id)
{
	struct rop_operation *op = talloc_zero(ctx->mem, struct rop_operation);

	op->rop_id = id;
	op->total = t.total;
	op->run = fake_run;
	return op;
}

static enum mapi_error
fake_empty(struct rop_context *ctx, const void *_req, void *_resp)
{
	const struct rop_empty_folder_request *req = _req;
	struct rop_empty_folder_response *resp = _resp;
	bool asynchronous = rop_operation_is_allowed(ctx,
						     req->want_asynchronous);

	if (!rop_operation_fits(ctx, asynchronous,
				sizeof(resp->partial_completion)))
		return EC_BUFFER_TOO_SMALL;
	if (!asynchronous) {
		t.slices += 100;
		return EC_NONE;
	}
	return rop_operation_start(ctx, fake_operation(ctx, ROP_EMPTY_FOLDER),
				   &resp->partial_completion);
}

static enum mapi_error
fake_move(struct rop_context *ctx, const void *_req, void *_resp)
{
	struct rop_move_copy_messages_response *resp = _resp;

	assert_non_null(ctx->second_object);
	return rop_operation_start(ctx,
				   fake_operation(ctx, ROP_MOVE_COPY_MESSAGES),
				   &resp->partial_completion);
}

static const struct rop_handler fake_handlers[] = {
	{ ROP_LOGON, 0, fake_logon },
	{ ROP_OPEN_FOLDER, MAPI_OBJECT_LOGON | MAPI_OBJECT_FOLDER,
	  fake_open_folder },
	{ ROP_GET_PROPERTIES_LIST, MAPI_OBJECT_FOLDER, fake_get_list },
	{ ROP_EMPTY_FOLDER, MAPI_OBJECT_FOLDER, fake_empty },
	{ ROP_MOVE_COPY_MESSAGES, MAPI_OBJECT_FOLDER, fake_move },
};

/* An extended buffer with these requests and all handles */
static size_t
make_buffer(uint8_t *dest, const uint8_t *rops, size_t rops_size, bool last)
{
	size_t i, size = 2 + rops_size + 4 * HANDLES;
	const uint8_t head[] = {
		0, 0, last ? 4 : 0, 0, size & 0xff, size >> 8,
		size & 0xff, size >> 8, (rops_size + 2) & 0xff,
		(rops_size + 2) >> 8,
	};

	memcpy(dest, head, sizeof(head));
	memcpy(dest + sizeof(head), rops, rops_size);
	for (i = 0; i < 4 * HANDLES; i++) {
		dest[sizeof(head) + rops_size + i] =
			t.handles[i / 4] >> (i % 4 * 8);
	}
	return sizeof(head) + rops_size + 4 * HANDLES;
}

/* The output is one extended buffer with these responses; handles are taken from
   it. */
static void
check_output(const uint8_t *out, size_t out_size, const uint8_t *rops,
	     size_t rops_size)
{
	size_t i;

	assert_int_equal(out_size, 10 + rops_size + 4 * HANDLES);
	assert_memory_equal(out + 10, rops, rops_size);
	out += 10 + rops_size;
	for (i = 0; i < HANDLES; i++, out += 4) {
		t.handles[i] = out[0] | out[1] << 8 | out[2] << 16 |
			(uint32_t)out[3] << 24;
	}
}

static void
execute(const uint8_t *rops, size_t rops_size, const uint8_t *wanted,
	size_t wanted_size, uint32_t max_out)
{
	uint8_t buf[1024];
	struct rop_execute_request req = {
		.flags = 3, .rop_buffer = buf, .max_rop_out = max_out,
	};
	struct rop_execute_response resp;

	req.rop_buffer_size = make_buffer(buf, rops, rops_size, TRUE);
	assert_int_equal(rop_dispatch_execute(t.session, t.mem, &req, &resp),
			 EC_NONE);
	check_output(resp.rop_buffer, resp.rop_buffer_size, wanted,
		     wanted_size);
}

/* Requests in ROPS, and the responses to them */
#define BYTES(...) ((const uint8_t []){ __VA_ARGS__ })
#define SIZE(...) sizeof((const uint8_t []){ __VA_ARGS__ })
#define EXECUTE(rops, ...) \
	execute(BYTES rops, SIZE rops, BYTES(__VA_ARGS__), \
		SIZE(__VA_ARGS__), 0x8000)

static int setup(void **state)
{
	static const uint8_t rops[] = {
		LOGON_REQ(0, LOGON), OPEN_FOLDER_REQ(0, LOGON, FOLDER),
		OPEN_FOLDER_REQ(0, LOGON, OTHER), LOGON_REQ(1, LOGON1),
		OPEN_FOLDER_REQ(1, LOGON1, FOLDER1),
	};
	struct mapi_session_settings set = { .max_open_objects = 10 };
	struct rop_execute_request req = { .flags = 3, .max_rop_out = 0x8000 };
	struct rop_execute_response resp;
	uint8_t buf[1024];
	const uint8_t *p;
	unsigned int i;

	i_zero(&t);
	t.mem = talloc_new(NULL);
	t.session = mapi_session_create(t.mem, NULL, &set, NULL);
	for (i = 0; i < N_ELEMENTS(fake_handlers); i++)
		t.handlers[fake_handlers[i].id] = &fake_handlers[i];
	t.handlers[ROP_PROGRESS] = rop_handler_table[ROP_PROGRESS];
	mapi_session_set_handlers(t.session, t.handlers);

	memset(t.handles, 0xff, sizeof(t.handles));
	req.rop_buffer = buf;
	req.rop_buffer_size = make_buffer(buf, rops, sizeof(rops), TRUE);
	assert_int_equal(rop_dispatch_execute(t.session, t.mem, &req, &resp),
			 EC_NONE);
	p = resp.rop_buffer + resp.rop_buffer_size - 4 * HANDLES;
	check_output(resp.rop_buffer, resp.rop_buffer_size,
		     resp.rop_buffer + 10, p - resp.rop_buffer - 10);
	t.total = 35;
	return 0;
}

static int teardown(void **state)
{
	mapi_session_free(&t.session);
	talloc_free(t.mem);
	return 0;
}

static void test_progress(void **state)
{
	struct mapi_object *folder =
		mapi_session_object(t.session, 0, t.handles[FOLDER]);

	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), PROGRESS_RESP(FOLDER, 0, 10, 35));
	assert_ptr_equal(t.folder, folder);
	assert_null(t.dest);
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), PROGRESS_RESP(FOLDER, 0, 20, 35));
	/* by the logon's handle, too */
	EXECUTE((PROGRESS_REQ(0, LOGON, 0)), PROGRESS_RESP(LOGON, 0, 30, 35));
	assert_ptr_equal(t.folder, folder);
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), EMPTY_RESP(FOLDER, 0));
	assert_int_equal(t.slices, 4);
	/* once */
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), NO_OPERATION_RESP(FOLDER));
	assert_int_equal(t.slices, 4);
}

static void test_small(void **state)
{
	t.total = SLICE;
	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), EMPTY_RESP(FOLDER, 0));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), NO_OPERATION_RESP(FOLDER));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 1)), NO_OPERATION_RESP(FOLDER));
	assert_int_equal(t.slices, 1);
}

static void test_partial(void **state)
{
	/* of a slice that isn't the last one */
	t.partial_at = 10;
	t.total = 25;
	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), PROGRESS_RESP(FOLDER, 0, 10, 25));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), PROGRESS_RESP(FOLDER, 0, 20, 25));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), EMPTY_RESP(FOLDER, 1));
}

static void test_error(void **state)
{
	t.fails_at = 20;
	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), PROGRESS_RESP(FOLDER, 0, 10, 35));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), PROGRESS_RESP(FOLDER, 0, 20, 35));
	/* ecAccessDenied */
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)),
		0x58, FOLDER, 0x05, 0x00, 0x07, 0x80, 1);
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), NO_OPERATION_RESP(FOLDER));
	assert_int_equal(t.slices, 3);
}

static void test_cancel(void **state)
{
	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), PROGRESS_RESP(FOLDER, 0, 10, 35));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 1)), EMPTY_RESP(FOLDER, 1));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), NO_OPERATION_RESP(FOLDER));
	assert_int_equal(t.slices, 1);
}

static void test_interrupted(void **state)
{
	/* "If the client sends a ROP other than RopProgress to the server with the
	   same logon before the asynchronous operation is complete, the server
	   MUST abort the asynchronous operation and respond to the new ROP." */
	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), PROGRESS_RESP(FOLDER, 0, 10, 35));
	EXECUTE((GET_LIST_REQ(0, OTHER)), LIST_RESP(OTHER));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), EMPTY_RESP(FOLDER, 1));
	assert_int_equal(t.slices, 1);

	/* in the same buffer */
	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), PROGRESS_RESP(FOLDER, 0, 10, 35));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0), GET_LIST_REQ(0, OTHER),
		 PROGRESS_REQ(0, FOLDER, 0)),
		PROGRESS_RESP(FOLDER, 0, 20, 35), LIST_RESP(OTHER),
		EMPTY_RESP(FOLDER, 1));
	assert_int_equal(t.slices, 3);
}

static void test_two_operations(void **state)
{
	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), PROGRESS_RESP(FOLDER, 0, 10, 35));
	EXECUTE((EMPTY_REQ(0, OTHER, 1)), PROGRESS_RESP(OTHER, 0, 10, 35));
	EXECUTE((PROGRESS_REQ(0, OTHER, 0)), PROGRESS_RESP(OTHER, 0, 20, 35));
	EXECUTE((PROGRESS_REQ(0, OTHER, 1)), EMPTY_RESP(OTHER, 1));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), NO_OPERATION_RESP(FOLDER));
}

static void test_two_logons(void **state)
{
	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), PROGRESS_RESP(FOLDER, 0, 10, 35));
	EXECUTE((GET_LIST_REQ(1, FOLDER1)), LIST_RESP(FOLDER1));
	t.total = 25;
	EXECUTE((EMPTY_REQ(1, FOLDER1, 1)), PROGRESS_RESP(FOLDER1, 1, 10, 25));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0), PROGRESS_REQ(1, FOLDER1, 0)),
		PROGRESS_RESP(FOLDER, 0, 20, 35),
		PROGRESS_RESP(FOLDER1, 1, 20, 25));
	EXECUTE((PROGRESS_REQ(1, FOLDER1, 0)), EMPTY_RESP(FOLDER1, 0));
	/* what is released with the other logon */
	EXECUTE((EMPTY_REQ(1, FOLDER1, 1)), PROGRESS_RESP(FOLDER1, 1, 10, 25));
	EXECUTE((RELEASE_REQ(1, LOGON1), PROGRESS_REQ(0, FOLDER, 0)),
		PROGRESS_RESP(FOLDER, 0, 30, 35));
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), EMPTY_RESP(FOLDER, 0));
	/* ecNullObject */
	EXECUTE((PROGRESS_REQ(1, FOLDER, 0)), 0x50, FOLDER, 0xb9, 4, 0, 0);
}

static void test_release(void **state)
{
	/* of something else */
	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), PROGRESS_RESP(FOLDER, 0, 10, 35));
	EXECUTE((RELEASE_REQ(0, OTHER), PROGRESS_REQ(0, FOLDER, 0)),
		PROGRESS_RESP(FOLDER, 0, 20, 35));
	/* of the folder */
	EXECUTE((RELEASE_REQ(0, FOLDER), PROGRESS_REQ(0, LOGON, 0)),
		EMPTY_RESP(LOGON, 1));
	assert_int_equal(t.slices, 2);
}

static void test_release_dest(void **state)
{
	struct mapi_object *dest =
		mapi_session_object(t.session, 1, t.handles[FOLDER1]);

	EXECUTE((MOVE_REQ(0, FOLDER, FOLDER1)),
		PROGRESS_RESP(FOLDER, 0, 10, 35));
	assert_ptr_equal(t.dest, dest);
	EXECUTE((PROGRESS_REQ(0, FOLDER, 0)), PROGRESS_RESP(FOLDER, 0, 20, 35));
	assert_ptr_equal(t.dest, dest);
	/* of the logon that the destination is of */
	EXECUTE((RELEASE_REQ(1, LOGON1), PROGRESS_REQ(0, FOLDER, 0)),
		0x33, FOLDER, 0, 0, 0, 0, 1);
	assert_int_equal(t.slices, 2);
}

static void test_logon_again(void **state)
{
	EXECUTE((EMPTY_REQ(0, FOLDER, 1)), PROGRESS_RESP(FOLDER, 0, 10, 35));
	EXECUTE((RELEASE_REQ(0, LOGON)), );
	assert_null(mapi_session_operation(t.session, 0));
	EXECUTE((EMPTY_REQ(1, FOLDER1, 1)), PROGRESS_RESP(FOLDER1, 1, 10, 35));
	/* the rest is freed with the session */
}

/* Who sends more with it won't ask for progress before that. */
static void test_followed(void **state)
{
	uint8_t buf[1024], rops[] = { EMPTY_REQ(0, FOLDER, 1) };
	static const uint8_t list[] = { GET_LIST_REQ(0, OTHER) };
	struct rop_execute_request req = {
		.flags = 3, .max_rop_out = 0x8000, .rop_buffer = buf,
	};
	struct rop_execute_response resp;

	EXECUTE((EMPTY_REQ(0, FOLDER, 1), GET_LIST_REQ(0, OTHER)),
		EMPTY_RESP(FOLDER, 0), LIST_RESP(OTHER));
	assert_int_equal(t.slices, 100);
	EXECUTE((EMPTY_REQ(0, FOLDER, 1), RELEASE_REQ(0, FOLDER)),
		EMPTY_RESP(FOLDER, 0));
	assert_int_equal(t.slices, 200);
	/* in another buffer of the same Execute */
	t.handles[FOLDER] = t.handles[OTHER];
	req.rop_buffer_size = make_buffer(buf, rops, sizeof(rops), FALSE);
	req.rop_buffer_size += make_buffer(buf + req.rop_buffer_size, list,
					   sizeof(list), TRUE);
	assert_int_equal(rop_dispatch_execute(t.session, t.mem, &req, &resp),
			 EC_NONE);
	assert_int_equal(t.slices, 300);
	/* by somebody else */
	EXECUTE((EMPTY_REQ(0, FOLDER, 1), GET_LIST_REQ(1, FOLDER1),
		 PROGRESS_REQ(0, FOLDER, 0)),
		PROGRESS_RESP(FOLDER, 0, 10, 35), LIST_RESP(FOLDER1),
		PROGRESS_RESP(FOLDER, 0, 20, 35));
	assert_int_equal(t.slices, 302);
}

/* Nothing is done if the response might not fit. */
static void test_space(void **state)
{
	/* what is around the responses: headers, RopSize, handles */
	const size_t around = 8 + 2 + 4 * HANDLES;

	execute(BYTES(EMPTY_REQ(0, FOLDER, 1)), SIZE(EMPTY_REQ(0, FOLDER, 1)),
		/* RopBufferTooSmall, SizeNeeded */
		BYTES(0xff, around + 15, 0, EMPTY_REQ(0, FOLDER, 1)),
		3 + SIZE(EMPTY_REQ(0, FOLDER, 1)), around + 14);
	assert_int_equal(t.slices, 0);
	execute(BYTES(EMPTY_REQ(0, FOLDER, 1)), SIZE(EMPTY_REQ(0, FOLDER, 1)),
		BYTES(PROGRESS_RESP(FOLDER, 0, 10, 35)), 15, around + 15);
	execute(BYTES(PROGRESS_REQ(0, FOLDER, 0)), 4,
		BYTES(0xff, around + 15, 0, PROGRESS_REQ(0, FOLDER, 0)), 7,
		around + 14);
	assert_int_equal(t.slices, 1);
	/* who wants it at once needs less */
	execute(BYTES(EMPTY_REQ(0, FOLDER, 0)), SIZE(EMPTY_REQ(0, FOLDER, 0)),
		BYTES(EMPTY_RESP(FOLDER, 0)), 7, around + 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_progress, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_two_operations, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_two_logons, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_release, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release_dest, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_logon_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_space, setup, teardown),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
