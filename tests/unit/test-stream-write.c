/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Streams that are written to, over a property that is nothing but what has been
   committed; then through their operations. */

#include "lib.h"
#include "buffer.h"
#include "istream.h"
#include "mapi-enums.h"
#include "mapi-stream.h"
#include "rop-handlers.h"
#include "wire-random.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/resource.h>
#include <cmocka.h>

#define MAX_SIZE (1ULL << 31)

/* The property, and what has happened to it */
static struct {
	TALLOC_CTX *mem;
	buffer_t *value;
	uint64_t committed_size;
	unsigned int commits, targets;
	enum mapi_error error;
	/* streams that were committed, until they are checked */
	struct istream *kept;
	struct wire_random rnd;
} t;

struct test_target {
	struct mapi_stream_target target;
	/* reads what is committed into t.value */
	bool read;
};

static int test_target_destructor(struct test_target *target)
{
	t.targets--;
	return 0;
}

static void assert_input_reads(struct istream *input, buffer_t *dest)
{
	const unsigned char *data;
	size_t size;

	assert_true(input->seekable);
	i_stream_seek(input, 0);
	buffer_set_used_size(dest, 0);
	while (i_stream_read_more(input, &data, &size) > 0) {
		buffer_append(dest, data, size);
		i_stream_skip(input, size);
	}
	assert_int_equal(input->stream_errno, 0);
}

static enum mapi_error
test_commit(struct mapi_stream_target *_target, struct istream *input)
{
	struct test_target *target =
		container_of(_target, struct test_target, target);
	uoff_t size;

	if (t.error != EC_NONE)
		return t.error;
	t.commits++;
	assert_int_equal(i_stream_get_size(input, TRUE, &size), 1);
	t.committed_size = size;
	if (target->read)
		assert_input_reads(input, t.value);
	i_stream_unref(&t.kept);
	t.kept = input;
	i_stream_ref(input);
	return EC_NONE;
}

static struct test_target *target_new(uint64_t max_size, bool read)
{
	struct test_target *target = talloc_zero(t.mem, struct test_target);

	talloc_set_destructor(target, test_target_destructor);
	t.targets++;
	target->target.commit = test_commit;
	target->target.max_size = max_size;
	target->read = read;
	return target;
}

static struct mapi_stream *
stream_new(const void *data, size_t size, uint64_t max_size, bool read)
{
	struct istream *input = data == NULL ? NULL :
		i_stream_create_copy_from_data(data, size);
	struct mapi_stream *stream;

	stream = mapi_stream_create_write(t.mem, NULL, input,
					  &target_new(max_size, read)->target);
	i_stream_unref(&input);
	assert_true(mapi_stream_is_writable(stream));
	return stream;
}

static unsigned int below(unsigned int limit)
{
	return wire_random_below(&t.rnd, limit);
}

static void fill(uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = wire_random_u64(&t.rnd);
}

static int setup(void **state)
{
	i_zero(&t);
	t.mem = talloc_new(NULL);
	wire_random_init(&t.rnd, t.mem, wire_random_seed());
	t.value = buffer_create_dynamic(default_pool, 1024);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(t.mem);
	assert_int_equal(t.targets, 0);
	i_stream_unref(&t.kept);
	buffer_free(&t.value);
	return 0;
}

static void
assert_writes(struct mapi_stream *stream, const void *data, size_t size)
{
	size_t written;

	assert_int_equal(mapi_stream_write(stream, data, size, &written),
			 EC_NONE);
	assert_int_equal(written, size);
}

static void assert_seeks(struct mapi_stream *stream, uint64_t pos)
{
	uint64_t new_pos;

	assert_int_equal(mapi_stream_seek(stream, 0, pos, &new_pos), EC_NONE);
	assert_int_equal(new_pos, pos);
}

static void assert_size(struct mapi_stream *stream, uint64_t size)
{
	uint64_t ret;

	assert_int_equal(mapi_stream_size(stream, &ret), EC_NONE);
	assert_int_equal(ret, size);
}

static void
assert_contains(struct mapi_stream *stream, const void *data, size_t size)
{
	uint8_t *buf = i_malloc(size + 1);
	size_t len;

	assert_size(stream, size);
	assert_seeks(stream, 0);
	assert_int_equal(mapi_stream_read(stream, buf, size + 1, &len),
			 EC_NONE);
	assert_int_equal(len, size);
	assert_memory_equal(buf, data, size);
	i_free(buf);
}

static void assert_value(const char *value)
{
	assert_int_equal(t.value->used, strlen(value));
	assert_memory_equal(t.value->data, value, t.value->used);
}

static void test_create(void **state)
{
	struct mapi_stream *stream = stream_new(NULL, 0, MAX_SIZE, TRUE);

	assert_size(stream, 0);
	assert_writes(stream, "one", 3);
	assert_writes(stream, "", 0);
	assert_writes(stream, "two", 3);
	assert_int_equal(t.commits, 0);
	assert_int_equal(mapi_stream_commit(stream), EC_NONE);
	assert_value("onetwo");
	/* nothing new */
	assert_int_equal(mapi_stream_commit(stream), EC_NONE);
	assert_int_equal(t.commits, 1);

	assert_seeks(stream, 1);
	assert_writes(stream, "N", 1);
	assert_contains(stream, "oNetwo", 6);
	assert_int_equal(t.commits, 1);
	talloc_free(stream);
	assert_int_equal(t.commits, 2);
	assert_value("oNetwo");

	/* the value is gone even if no other one comes */
	talloc_free(stream_new(NULL, 0, MAX_SIZE, TRUE));
	assert_int_equal(t.commits, 3);
	assert_value("");
}

static void test_existing(void **state)
{
	struct mapi_stream *stream = stream_new("before", 6, MAX_SIZE, TRUE);
	uint64_t pos;

	/* reading changes nothing */
	assert_contains(stream, "before", 6);
	assert_int_equal(mapi_stream_commit(stream), EC_NONE);
	talloc_free(stream);
	assert_int_equal(t.commits, 0);

	stream = stream_new("before", 6, MAX_SIZE, TRUE);
	assert_int_equal(mapi_stream_seek(stream, 2, -4, &pos), EC_NONE);
	assert_writes(stream, "HAVE!", 5);
	assert_contains(stream, "beHAVE!", 7);
	assert_int_equal(mapi_stream_set_size(stream, 3), EC_NONE);
	assert_contains(stream, "beH", 3);
	assert_int_equal(mapi_stream_set_size(stream, 5), EC_NONE);
	assert_contains(stream, "beH\0\0", 5);
	/* [MS-OXCPRPT] 3.2.5.18 */
	assert_seeks(stream, 7);
	assert_size(stream, 7);
	assert_writes(stream, "x", 1);
	assert_contains(stream, "beH\0\0\0\0x", 8);
	/* a position behind the end, as the size is set afterwards */
	assert_int_equal(mapi_stream_set_size(stream, 2), EC_NONE);
	assert_writes(stream, "y", 1);
	assert_contains(stream, "be\0\0\0\0\0\0y", 9);
	talloc_free(stream);
	assert_int_equal(t.commits, 1);
	assert_int_equal(t.value->used, 9);
}

static void test_errors(void **state)
{
	struct mapi_stream *stream;
	uint8_t *data = talloc_zero_array(t.mem, uint8_t, 10);
	size_t written = 1;
	uint64_t pos;

	stream = mapi_stream_create_data(t.mem, NULL, data, 10);
	assert_false(mapi_stream_is_writable(stream));
	assert_int_equal(mapi_stream_write(stream, data, 1, &written),
			 EC_STORAGE_ACCESS_DENIED);
	assert_int_equal(written, 0);
	assert_int_equal(mapi_stream_set_size(stream, 0),
			 EC_STORAGE_ACCESS_DENIED);
	assert_int_equal(mapi_stream_commit(stream), EC_STORAGE_ACCESS_DENIED);
	talloc_free(stream);

	/* what fits is written */
	stream = stream_new("", 0, 10, TRUE);
	assert_writes(stream, "1234567", 7);
	assert_int_equal(mapi_stream_write(stream, (const void *)"890abc", 6,
					   &written), EC_TOO_BIG);
	assert_int_equal(written, 3);
	assert_int_equal(mapi_stream_write(stream, (const void *)"z", 1,
					   &written), EC_TOO_BIG);
	assert_int_equal(written, 0);
	assert_contains(stream, "1234567890", 10);
	assert_int_equal(mapi_stream_set_size(stream, 11),
			 EC_STREAM_SIZE_ERROR);
	assert_int_equal(mapi_stream_seek(stream, 0, 11, &pos),
			 EC_STREAM_SIZE_ERROR);
	assert_contains(stream, "1234567890", 10);

	/* what couldn't be committed stays to be committed */
	t.error = EC_QUOTA_EXCEEDED;
	assert_int_equal(mapi_stream_commit(stream), EC_QUOTA_EXCEEDED);
	t.error = EC_NONE;
	assert_int_equal(mapi_stream_commit(stream), EC_NONE);
	assert_value("1234567890");
}

/* The largest stream, which has hardly any bytes that take space */
static void test_largest(void **state)
{
	struct mapi_stream *stream = stream_new("start", 5, MAX_SIZE, FALSE);
	uint8_t buf[10];
	size_t len;
	uint64_t pos;

	assert_seeks(stream, MAX_SIZE - 4);
	assert_int_equal(mapi_stream_write(stream, (const void *)"123456", 6,
					   &len), EC_TOO_BIG);
	assert_int_equal(len, 4);
	assert_size(stream, MAX_SIZE);
	assert_int_equal(mapi_stream_seek(stream, 1, 1, &pos),
			 EC_STREAM_SEEK_ERROR);
	assert_seeks(stream, MAX_SIZE - 8);
	assert_int_equal(mapi_stream_read(stream, buf, sizeof(buf), &len),
			 EC_NONE);
	assert_int_equal(len, 8);
	assert_memory_equal(buf, "\0\0\0\0" "1234", 8);
	assert_int_equal(mapi_stream_commit(stream), EC_NONE);
	assert_int_equal(t.committed_size, MAX_SIZE);
}

static unsigned int errors_logged;

static void ATTR_FORMAT(2, 0)
count_error(const struct failure_context *ctx, const char *format, va_list args)
{
	errors_logged++;
}

/* The limit is for every file, and so for the one that this test's output goes to:
   what is logged isn't written there. */
static void test_no_space(void **state)
{
	static uint8_t data[200 * 1024];
	failure_callback_t *fatal, *error, *info, *debug;
	struct mapi_stream *stream;
	struct rlimit old, limit;
	enum mapi_error result;
	size_t written;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 150 * 1024;
	stream = stream_new("kept", 4, MAX_SIZE, TRUE);
	signal(SIGXFSZ, SIG_IGN);
	i_get_failure_handlers(&fatal, &error, &info, &debug);
	i_set_error_handler(count_error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	result = mapi_stream_write(stream, data, sizeof(data), &written);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	i_set_error_handler(error);
	assert_int_equal(result, EC_NOT_ENOUGH_DISK);
	assert_int_equal(errors_logged, 1);
	assert_int_equal(written, 0);
	assert_contains(stream, "kept", 4);
	assert_seeks(stream, 4);
	assert_writes(stream, data, sizeof(data));
	assert_size(stream, 4 + sizeof(data));
}

static void test_clone(void **state)
{
	struct mapi_stream *stream = stream_new("0123456789", 10, MAX_SIZE,
						TRUE);
	struct mapi_stream *clone;
	uint64_t pos;

	assert_seeks(stream, 4);
	clone = mapi_stream_clone(t.mem, stream);
	assert_int_equal(mapi_stream_seek(clone, 1, 0, &pos), EC_NONE);
	assert_int_equal(pos, 4);
	assert_seeks(stream, 0);
	assert_writes(clone, "x", 1);
	assert_contains(stream, "0123x56789", 10);
	talloc_free(stream);
	assert_value("0123x56789");
	assert_int_equal(t.targets, 1);
	assert_writes(clone, "y", 1);
	assert_contains(clone, "0123xy6789", 10);
	talloc_free(clone);
	assert_value("0123xy6789");
}

/* Many operations beside the same on a buffer; what has been given away stays as it
   was. */
struct snapshot {
	struct istream *input;
	buffer_t *bytes;
};

static void snapshot_check(struct snapshot *snapshot)
{
	buffer_t *buf;

	if (snapshot->input == NULL)
		return;
	buf = buffer_create_dynamic(default_pool, 1024);
	assert_input_reads(snapshot->input, buf);
	assert_int_equal(buf->used, snapshot->bytes->used);
	assert_memory_equal(buf->data, snapshot->bytes->data, buf->used);
	buffer_free(&buf);
	buffer_free(&snapshot->bytes);
	i_stream_unref(&snapshot->input);
}

static void
snapshot_take(struct snapshot *snapshot, struct mapi_stream *stream,
	      const buffer_t *model)
{
	snapshot_check(snapshot);
	snapshot->input = mapi_stream_get_istream(stream);
	snapshot->bytes = buffer_create_dynamic(default_pool, model->used);
	buffer_append_buf(snapshot->bytes, model, 0, SIZE_MAX);
}

static void
random_step(struct mapi_stream *stream, buffer_t *model, uint64_t max)
{
	static uint8_t data[100000];
	uint64_t pos = below(max);
	size_t size = below(below(3) == 0 ? sizeof(data) : 50);

	if (below(5) == 0) {
		assert_int_equal(mapi_stream_set_size(stream, pos), EC_NONE);
		if (pos > model->used)
			buffer_append_zero(model, pos - model->used);
		buffer_set_used_size(model, pos);
		return;
	}
	if (below(2) == 0)
		pos = model->used;
	if (pos > model->used)
		buffer_append_zero(model, pos - model->used);
	fill(data, size);
	assert_seeks(stream, pos);
	assert_writes(stream, data, size);
	buffer_write(model, pos, data, size);
}

static void test_random(void **state)
{
	struct snapshot snapshots[5];
	unsigned int i, round;

	i_zero(&snapshots);
	for (round = 0; round < 40; round++) {
		uint64_t max = round % 2 == 0 ? 300 : 400000;
		buffer_t *model = buffer_create_dynamic(default_pool, 1024);
		struct mapi_stream *stream;

		buffer_append_zero(model, below(max));
		stream = stream_new(model->data, model->used, MAX_SIZE, TRUE);
		for (i = 0; i < 30; i++) {
			random_step(stream, model, max);
			if (below(3) == 0) {
				snapshot_take(&snapshots[below(5)],
					      stream, model);
			}
			if (below(4) == 0)
				assert_contains(stream, model->data,
						model->used);
		}
		assert_contains(stream, model->data, model->used);
		talloc_free(stream);
		assert_int_equal(t.value->used, model->used);
		assert_memory_equal(t.value->data, model->data, model->used);
		buffer_free(&model);
	}
	for (i = 0; i < N_ELEMENTS(snapshots); i++)
		snapshot_check(&snapshots[i]);
}

/* --- operations ----------------------------------------------------------- */

static enum mapi_error
fake_open_stream(struct mapi_object *obj, TALLOC_CTX *parent, uint32_t tag,
		 struct mapi_stream **stream_r)
{
	*stream_r = mapi_stream_create_data(parent, NULL,
		talloc_memdup(parent, t.value->data, t.value->used),
		t.value->used);
	return EC_NONE;
}

static enum mapi_error
fake_open_stream_write(struct mapi_object *obj, TALLOC_CTX *parent,
		       uint32_t tag, bool create, struct mapi_stream **stream_r)
{
	if (t.error != EC_NONE)
		return t.error;
	*stream_r = stream_new(create ? NULL : t.value->data,
			       create ? 0 : t.value->used, MAX_SIZE, TRUE);
	return EC_NONE;
}

static const struct mapi_object_vfuncs fake_vfuncs = {
	.open_stream = fake_open_stream,
	.open_stream_write = fake_open_stream_write,
};

static enum mapi_error
open_mode(struct rop_context *ctx, uint8_t mode, struct mapi_stream **stream_r)
{
	static struct mapi_object obj = {
		.type = MAPI_OBJECT_MESSAGE,
		.v = &fake_vfuncs,
	};
	struct rop_open_stream_request req = {
		.property_tag = 0x10130102, .open_mode_flags = mode
	};
	struct rop_open_stream_response resp;
	enum mapi_error error;

	i_zero(ctx);
	ctx->mem = t.mem;
	ctx->object_parent = t.mem;
	ctx->object = &obj;
	ctx->response_space = 30;
	error = rop_open_stream(ctx, &req, &resp);
	*stream_r = (struct mapi_stream *)ctx->output_object;
	if (error == EC_NONE) {
		assert_size(*stream_r, resp.stream_size);
		ctx->object = ctx->output_object;
		ctx->output_object = NULL;
	} else {
		assert_null(*stream_r);
	}
	return error;
}

static void test_open_modes(void **state)
{
	static const struct {
		uint8_t mode;
		/* what opening it for writing says */
		enum mapi_error write_error, error;
		bool writable, empty;
	} tests[] = {
		{ OPEN_STREAM_READ_ONLY, EC_NONE, EC_NONE, FALSE, FALSE },
		{ OPEN_STREAM_READ_WRITE, EC_NONE, EC_NONE, TRUE, FALSE },
		{ OPEN_STREAM_CREATE, EC_NONE, EC_NONE, TRUE, TRUE },
		{ OPEN_STREAM_BEST_ACCESS, EC_NONE, EC_NONE, TRUE, FALSE },
		{ OPEN_STREAM_READ_ONLY, EC_ACCESS_DENIED, EC_NONE,
		  FALSE, FALSE },
		{ OPEN_STREAM_READ_WRITE, EC_ACCESS_DENIED, EC_ACCESS_DENIED,
		  FALSE, FALSE },
		{ OPEN_STREAM_CREATE, EC_ACCESS_DENIED, EC_ACCESS_DENIED,
		  FALSE, FALSE },
		{ OPEN_STREAM_BEST_ACCESS, EC_ACCESS_DENIED, EC_NONE,
		  FALSE, FALSE },
		{ OPEN_STREAM_READ_WRITE, EC_NOT_FOUND, EC_NOT_FOUND,
		  FALSE, FALSE },
		{ OPEN_STREAM_BEST_ACCESS, EC_NOT_FOUND, EC_NOT_FOUND,
		  FALSE, FALSE },
		{ 4, EC_NONE, EC_INVALID_PARAM, FALSE, FALSE },
	};
	struct mapi_stream *stream;
	struct rop_context ctx;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		buffer_set_used_size(t.value, 0);
		buffer_append(t.value, "value", 5);
		t.error = tests[i].write_error;
		assert_int_equal(open_mode(&ctx, tests[i].mode, &stream),
				 tests[i].error);
		t.error = EC_NONE;
		if (tests[i].error != EC_NONE)
			continue;
		assert_int_equal(mapi_stream_is_writable(stream),
				 tests[i].writable);
		assert_contains(stream, "value", tests[i].empty ? 0 : 5);
		talloc_free(stream);
		assert_value(tests[i].empty ? "" : "value");
	}
}

static void test_rops_write(void **state)
{
	struct rop_write_stream_request wreq = {
		.data_size = 5, .data = (const void *)"first"
	};
	struct rop_write_stream_response wresp;
	struct rop_write_stream_extended_request ereq = {
		.data_size = 6, .data = (const void *)"second"
	};
	struct rop_write_stream_extended_response eresp;
	struct rop_write_and_commit_stream_request creq = {
		.data_size = 5, .data = (const void *)"third"
	};
	struct rop_write_and_commit_stream_response cresp;
	struct rop_set_stream_size_request sreq = { .stream_size = 3 };
	struct rop_set_stream_size_response sresp;
	struct rop_commit_stream_request mreq;
	struct rop_commit_stream_response mresp;
	struct rop_context ctx;
	struct mapi_stream *stream;

	assert_int_equal(open_mode(&ctx, OPEN_STREAM_CREATE, &stream), EC_NONE);
	/* nothing is written if it can't be answered */
	ctx.response_space = 7;
	assert_int_equal(rop_write_stream(&ctx, &wreq, &wresp),
			 EC_BUFFER_TOO_SMALL);
	assert_int_equal(ctx.size_needed, 8);
	assert_int_equal(rop_write_stream_extended(&ctx, &ereq, &eresp),
			 EC_BUFFER_TOO_SMALL);
	assert_int_equal(rop_write_and_commit_stream(&ctx, &creq, &cresp),
			 EC_BUFFER_TOO_SMALL);
	assert_size(stream, 0);
	ctx.response_space = 30;
	assert_int_equal(rop_write_stream(&ctx, &wreq, &wresp), EC_NONE);
	assert_int_equal(wresp.written_size, 5);
	assert_int_equal(rop_write_stream_extended(&ctx, &ereq, &eresp),
			 EC_NONE);
	assert_int_equal(eresp.written_size, 6);
	assert_int_equal(t.commits, 0);
	assert_int_equal(rop_write_and_commit_stream(&ctx, &creq, &cresp),
			 EC_NONE);
	assert_int_equal(cresp.written_size, 5);
	assert_value("firstsecondthird");
	assert_int_equal(rop_set_stream_size(&ctx, &sreq, &sresp), EC_NONE);
	assert_value("firstsecondthird");
	assert_int_equal(rop_commit_stream(&ctx, &mreq, &mresp), EC_NONE);
	assert_value("fir");

	/* the position is behind the end; at the largest size, part of it */
	sreq.stream_size = MAX_SIZE + 1;
	assert_int_equal(rop_set_stream_size(&ctx, &sreq, &sresp),
			 EC_STREAM_SIZE_ERROR);
	assert_seeks(stream, MAX_SIZE - 2);
	assert_int_equal(rop_write_stream(&ctx, &wreq, &wresp), EC_TOO_BIG);
	assert_int_equal(wresp.written_size, 2);
	assert_int_equal(rop_write_stream_extended(&ctx, &ereq, &eresp),
			 EC_TOO_BIG);
	assert_int_equal(eresp.written_size, 0);
	assert_int_equal(mapi_stream_set_size(stream, 0), EC_NONE);
	talloc_free(stream);

	assert_int_equal(open_mode(&ctx, OPEN_STREAM_READ_ONLY, &stream),
			 EC_NONE);
	assert_int_equal(rop_write_stream(&ctx, &wreq, &wresp),
			 EC_STORAGE_ACCESS_DENIED);
	assert_int_equal(rop_write_and_commit_stream(&ctx, &creq, &cresp),
			 EC_STORAGE_ACCESS_DENIED);
	assert_int_equal(rop_set_stream_size(&ctx, &sreq, &sresp),
			 EC_STORAGE_ACCESS_DENIED);
	assert_int_equal(rop_commit_stream(&ctx, &mreq, &mresp),
			 EC_STORAGE_ACCESS_DENIED);
}

static void test_rops_copy(void **state)
{
	struct rop_copy_to_stream_request req = {
		.byte_count = 4, .hdr.output_index = 3
	};
	struct rop_copy_to_stream_response resp;
	struct rop_clone_stream_request creq;
	struct rop_clone_stream_response cresp;
	struct rop_lock_region_stream_request lreq;
	struct rop_lock_region_stream_response lresp;
	struct rop_unlock_region_stream_request ureq;
	struct rop_unlock_region_stream_response uresp;
	struct mapi_stream *source, *dest;
	struct rop_context ctx, dest_ctx;
	uint8_t *data = talloc_array(t.mem, uint8_t, 300000);

	fill(data, 300000);
	assert_int_equal(open_mode(&dest_ctx, OPEN_STREAM_CREATE, &dest),
			 EC_NONE);
	buffer_append(t.value, data, 300000);
	assert_int_equal(open_mode(&ctx, OPEN_STREAM_READ_ONLY, &source),
			 EC_NONE);
	i_zero(&resp);
	assert_int_equal(rop_copy_to_stream(&ctx, &req, &resp),
			 EC_DST_NULL_OBJECT);
	assert_int_equal(resp.dest_handle_index, 3);
	ctx.second_object = ctx.object;
	assert_int_equal(rop_copy_to_stream(&ctx, &req, &resp),
			 EC_STORAGE_ACCESS_DENIED);
	ctx.second_object = &dest->obj;
	assert_seeks(source, 100);
	assert_int_equal(rop_copy_to_stream(&ctx, &req, &resp), EC_NONE);
	assert_int_equal(resp.read_byte_count, 4);
	assert_int_equal(resp.written_byte_count, 4);
	/* no more than there is */
	req.byte_count = UINT64_MAX;
	i_zero(&resp);
	assert_int_equal(rop_copy_to_stream(&ctx, &req, &resp), EC_NONE);
	assert_int_equal(resp.read_byte_count, 299896);
	assert_int_equal(resp.written_byte_count, 299896);
	assert_contains(dest, data + 100, 299900);

	/* a stream that is copied to its own end ends */
	assert_int_equal(rop_clone_stream(&dest_ctx, &creq, &cresp), EC_NONE);
	source = (struct mapi_stream *)dest_ctx.output_object;
	assert_true(source != dest);
	assert_seeks(source, 299890);
	ctx.object = &source->obj;
	i_zero(&resp);
	assert_int_equal(rop_copy_to_stream(&ctx, &req, &resp), EC_NONE);
	assert_int_equal(resp.written_byte_count, 10);
	assert_size(dest, 299910);

	assert_int_equal(rop_lock_region_stream(&ctx, &lreq, &lresp),
			 EC_NOT_IMPLEMENTED);
	assert_int_equal(rop_unlock_region_stream(&ctx, &ureq, &uresp),
			 EC_NOT_IMPLEMENTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_existing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_largest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_space, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_modes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_rops_write, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_rops_copy, setup, teardown),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
