/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The channel between login process and worker: frames as bytes, and two
   channels that talk to each other over a pair of sockets. */

#include "lib.h"
#include "buffer.h"
#include "ioloop.h"
#include "net.h"
#include "mapi-channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>
#include <sys/socket.h>
#include <cmocka.h>

#define HEADER_SIZE 16
/* more than a socket takes at once */
#define BIG_SIZE (4 * 1024 * 1024)

struct side {
	struct mapi_channel *channel;
	struct side *other;
	/* what has arrived */
	unsigned int frames, closed;
	struct mapi_frame last;
	buffer_t *data;
	/* answer each request this often */
	unsigned int answers;
	/* deinit within the callback */
	bool leave;
};

static struct ioloop *ioloop;

static void side_frame(void *context, const struct mapi_frame *frame)
{
	struct side *side = context;
	struct mapi_frame answer;

	side->frames++;
	side->last = *frame;
	buffer_set_used_size(side->data, 0);
	buffer_append(side->data, frame->data, frame->size);
	if (side->leave) {
		mapi_channel_deinit(&side->channel);
		io_loop_stop(ioloop);
		return;
	}
	if (frame->type == MAPI_FRAME_REQUEST) {
		i_zero(&answer);
		answer.type = MAPI_FRAME_RESPONSE;
		answer.request_id = frame->request_id;
		answer.data = frame->data;
		answer.size = frame->size;
		for (unsigned int i = 0; i < side->answers; i++)
			mapi_channel_send(side->channel, &answer);
	}
	io_loop_stop(ioloop);
}

static void side_closed(void *context, const char *reason)
{
	struct side *side = context;

	assert_non_null(reason);
	side->closed++;
	mapi_channel_deinit(&side->channel);
	io_loop_stop(ioloop);
}

static const struct mapi_channel_callbacks side_callbacks = {
	.frame = side_frame,
	.closed = side_closed,
};

static void side_timeout(void *context ATTR_UNUSED)
{
	fail_msg("nothing has arrived");
}

/* Runs until something has arrived somewhere. */
static void run(void)
{
	struct timeout *to = timeout_add(5000, side_timeout, NULL);

	io_loop_run(ioloop);
	timeout_remove(&to);
}

static void sides_init(struct side *a, struct side *b)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	i_zero(a);
	i_zero(b);
	a->data = buffer_create_dynamic(default_pool, 128);
	b->data = buffer_create_dynamic(default_pool, 128);
	a->channel = mapi_channel_init(fd[0], &side_callbacks, a);
	b->channel = mapi_channel_init(fd[1], &side_callbacks, b);
}

static void side_deinit(struct side *side)
{
	if (side->channel != NULL)
		mapi_channel_deinit(&side->channel);
	buffer_free(&side->data);
}

static void test_request_and_response(void **state)
{
	struct side login, worker;
	const char *type;
	const unsigned char *body;
	size_t size;

	sides_init(&login, &worker);
	worker.answers = 1;
	mapi_channel_send_request(login.channel, 7, "Execute", "a\0b", 3);
	run();
	assert_int_equal(worker.frames, 1);
	assert_int_equal(worker.last.type, MAPI_FRAME_REQUEST);
	assert_int_equal(worker.last.request_id, 7);
	worker.last.data = worker.data->data;
	assert_true(mapi_channel_parse_request(&worker.last, &type, &body,
					       &size));
	assert_string_equal(type, "Execute");
	assert_int_equal(size, 3);
	assert_memory_equal(body, "a\0b", 3);

	run();
	assert_int_equal(login.frames, 1);
	assert_int_equal(login.last.type, MAPI_FRAME_RESPONSE);
	assert_int_equal(login.last.request_id, 7);
	assert_int_equal(login.data->used, sizeof("Execute") + 3);
	side_deinit(&login);
	side_deinit(&worker);
}

static void test_fields(void **state)
{
	static const struct mapi_frame frames[] = {
		{ MAPI_FRAME_SESSION, 0, 0, 0,
		  (const unsigned char *)"key", 3 },
		{ MAPI_FRAME_CANCEL, 0, 0, UINT32_MAX, NULL, 0 },
		{ MAPI_FRAME_RESPONSE, MAPI_FRAME_FLAG_SESSION_ENDED, 18,
		  123456789, (const unsigned char *)"", 0 },
	};
	struct side a, b;

	sides_init(&a, &b);
	for (unsigned int i = 0; i < N_ELEMENTS(frames); i++) {
		mapi_channel_send(a.channel, &frames[i]);
		run();
		assert_int_equal(b.frames, i + 1);
		assert_int_equal(b.last.type, frames[i].type);
		assert_int_equal(b.last.flags, frames[i].flags);
		assert_int_equal(b.last.code, frames[i].code);
		assert_int_equal(b.last.request_id, frames[i].request_id);
		assert_int_equal(b.data->used, frames[i].size);
	}
	side_deinit(&a);
	side_deinit(&b);
}

static void test_service(void **state)
{
	static const char *const sent[] = { "a=1", "bc=x=y", "d=", NULL };
	static const char *const bad[] = {
		"", "a=1", "a=1\0b", "ab\0\0",
	};
	static const size_t bad_size[] = { 0, 3, 5, 4 };
	struct side login, service;
	struct mapi_frame frame;
	const char *const *fields;
	const unsigned char *body;
	size_t size;

	sides_init(&login, &service);
	mapi_channel_send_fields(login.channel, 9, 404, sent, "x\0y", 3);
	run();
	assert_int_equal(service.last.type, MAPI_FRAME_SERVICE);
	assert_int_equal(service.last.request_id, 9);
	assert_int_equal(service.last.code, 404);
	service.last.data = service.data->data;
	assert_true(mapi_channel_parse_fields(&service.last, &fields, &body,
					      &size));
	assert_string_equal(mapi_channel_field(fields, "a"), "1");
	assert_string_equal(mapi_channel_field(fields, "bc"), "x=y");
	assert_string_equal(mapi_channel_field(fields, "d"), "");
	assert_null(mapi_channel_field(fields, "b"));
	assert_int_equal(size, 3);
	assert_memory_equal(body, "x\0y", 3);
	side_deinit(&login);
	side_deinit(&service);

	i_zero(&frame);
	frame.type = MAPI_FRAME_SERVICE;
	for (unsigned int i = 0; i < N_ELEMENTS(bad); i++) {
		frame.data = (const unsigned char *)bad[i];
		frame.size = bad_size[i];
		assert_false(mapi_channel_parse_fields(&frame, &fields, &body,
						       &size));
	}
	frame.data = (const unsigned char *)"a=1\0";
	frame.size = 5;
	assert_true(mapi_channel_parse_fields(&frame, &fields, &body, &size));
	assert_int_equal(size, 0);
	frame.type = MAPI_FRAME_REQUEST;
	assert_false(mapi_channel_parse_fields(&frame, &fields, &body, &size));
}

static void test_big_and_many(void **state)
{
	struct side login, worker;
	unsigned char *big = i_malloc(BIG_SIZE);

	for (unsigned int i = 0; i < BIG_SIZE; i++)
		big[i] = (i * 2654435761U) >> 24;
	sides_init(&login, &worker);
	worker.answers = 3;
	mapi_channel_send_request(login.channel, 1, "X", big, BIG_SIZE);
	while (login.frames < 3)
		run();
	assert_int_equal(worker.frames, 1);
	assert_int_equal(login.data->used, BIG_SIZE + 2);
	assert_memory_equal(CONST_PTR_OFFSET(login.data->data, 2), big,
			    BIG_SIZE);
	i_free(big);
	side_deinit(&login);
	side_deinit(&worker);
}

static void test_closed(void **state)
{
	struct side a, b;

	sides_init(&a, &b);
	side_deinit(&a);
	run();
	assert_int_equal(b.closed, 1);
	assert_null(b.channel);
	side_deinit(&b);
}

/* What was sent before the end arrives before the end. */
static void test_closed_after_frame(void **state)
{
	struct side a, b;

	sides_init(&a, &b);
	mapi_channel_send_request(a.channel, 1, "PING", "", 0);
	side_deinit(&a);
	run();
	assert_int_equal(b.frames, 1);
	if (b.closed == 0)
		run();
	assert_int_equal(b.closed, 1);
	side_deinit(&b);
}

static void test_leave_in_callback(void **state)
{
	struct side a, b;

	sides_init(&a, &b);
	b.leave = TRUE;
	mapi_channel_send_request(a.channel, 1, "PING", "", 0);
	mapi_channel_send_request(a.channel, 2, "PING", "", 0);
	run();
	assert_int_equal(b.frames, 1);
	assert_null(b.channel);
	if (a.closed == 0)
		run();
	assert_int_equal(a.closed, 1);
	side_deinit(&a);
	side_deinit(&b);
}

static void test_nonsense(void **state)
{
	struct side b;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	i_zero(&b);
	b.data = buffer_create_dynamic(default_pool, 128);
	b.channel = mapi_channel_init(fd[1], &side_callbacks, &b);
	assert_int_equal(write(fd[0], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	run();
	assert_int_equal(b.closed, 1);
	assert_int_equal(b.frames, 0);
	side_deinit(&b);
	i_close_fd(&fd[0]);
}

/* Frames that are taken apart byte by byte. The header is the host's: magic,
   type, flags, code, request id, size. */
static void test_parse(void **state)
{
	struct {
		uint32_t magic;
		uint8_t type, flags;
		uint16_t code;
		uint32_t request_id, size;
		unsigned char data[8];
	} raw = { 0x4950414d, MAPI_FRAME_RESPONSE, 1, 10, 99, 4,
		  { 'b', 'o', 'd', 'y', 'n', 'e', 'x', 't' } };
	const unsigned char *bytes = (const void *)&raw;
	struct mapi_frame frame;
	size_t size;

	for (size_t i = 0; i < HEADER_SIZE + 4; i++)
		assert_int_equal(mapi_frame_parse(bytes, i, &frame, &size), 0);
	for (size_t i = HEADER_SIZE + 4; i <= sizeof(raw); i++) {
		assert_int_equal(mapi_frame_parse(bytes, i, &frame, &size), 1);
		assert_int_equal(size, HEADER_SIZE + 4);
		assert_int_equal(frame.type, MAPI_FRAME_RESPONSE);
		assert_int_equal(frame.flags, MAPI_FRAME_FLAG_SESSION_ENDED);
		assert_int_equal(frame.code, 10);
		assert_int_equal(frame.request_id, 99);
		assert_int_equal(frame.size, 4);
		assert_memory_equal(frame.data, "body", 4);
	}

	raw.size = MAPI_CHANNEL_MAX_PAYLOAD;
	assert_int_equal(mapi_frame_parse(bytes, sizeof(raw), &frame, &size),
			 0);
	raw.size++;
	assert_int_equal(mapi_frame_parse(bytes, sizeof(raw), &frame, &size),
			 -1);
	/* refused as soon as the header is there */
	assert_int_equal(mapi_frame_parse(bytes, HEADER_SIZE, &frame, &size),
			 -1);
	raw.size = UINT32_MAX;
	assert_int_equal(mapi_frame_parse(bytes, sizeof(raw), &frame, &size),
			 -1);
	raw.size = 0;
	raw.type = 0;
	assert_int_equal(mapi_frame_parse(bytes, sizeof(raw), &frame, &size),
			 -1);
	raw.type = MAPI_FRAME_TYPE_MAX + 1;
	assert_int_equal(mapi_frame_parse(bytes, sizeof(raw), &frame, &size),
			 -1);
	raw.type = MAPI_FRAME_CANCEL;
	raw.magic ^= 1;
	assert_int_equal(mapi_frame_parse(bytes, sizeof(raw), &frame, &size),
			 -1);
}

static void test_parse_request(void **state)
{
	struct mapi_frame frame;
	const char *type;
	const unsigned char *body;
	size_t size;

	i_zero(&frame);
	frame.type = MAPI_FRAME_REQUEST;
	frame.data = (const unsigned char *)"PING\0";
	frame.size = 0;
	assert_false(mapi_channel_parse_request(&frame, &type, &body, &size));
	/* no NUL within the frame */
	frame.size = 4;
	assert_false(mapi_channel_parse_request(&frame, &type, &body, &size));
	frame.size = 5;
	assert_true(mapi_channel_parse_request(&frame, &type, &body, &size));
	assert_string_equal(type, "PING");
	assert_int_equal(size, 0);
	frame.type = MAPI_FRAME_RESPONSE;
	assert_false(mapi_channel_parse_request(&frame, &type, &body, &size));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_request),
		cmocka_unit_test(test_request_and_response),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_service),
		cmocka_unit_test(test_big_and_many),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_closed_after_frame),
		cmocka_unit_test(test_leave_in_callback),
		cmocka_unit_test(test_nonsense),
	};
	int ret;

	lib_init();
	ioloop = io_loop_create();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	io_loop_destroy(&ioloop);
	lib_deinit();
	return ret;
}
