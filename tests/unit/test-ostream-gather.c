/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The stream that hands on in one piece what is written while it's corked:
   above a stream that counts what it is given, and above a socket whose other
   end doesn't read. */

#include "lib.h"
#include "buffer.h"
#include "ioloop.h"
#include "net.h"
#include "ostream-private.h"
#include "ostream-gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>
#include <sys/socket.h>
#include <cmocka.h>

#define BIG_SIZE (4 * 1024 * 1024)

/* What is below: takes so many bytes and no more. */
struct counting_ostream {
	struct ostream_private ostream;
	buffer_t *taken;
	size_t left;
	unsigned int sends, corks;
	bool broken;
};

static ssize_t
o_stream_counting_sendv(struct ostream_private *stream,
			const struct const_iovec *iov, unsigned int count)
{
	struct counting_ostream *cstream =
		container_of(stream, struct counting_ostream, ostream);
	ssize_t ret = 0;

	if (cstream->broken) {
		stream->ostream.stream_errno = EPIPE;
		return -1;
	}
	cstream->sends++;
	for (unsigned int i = 0; i < count; i++) {
		size_t size = I_MIN(iov[i].iov_len, cstream->left);

		buffer_append(cstream->taken, iov[i].iov_base, size);
		cstream->left -= size;
		ret += size;
	}
	stream->ostream.offset += ret;
	return ret;
}

static void o_stream_counting_cork(struct ostream_private *stream, bool set)
{
	struct counting_ostream *cstream =
		container_of(stream, struct counting_ostream, ostream);

	cstream->corks++;
	stream->corked = set;
}

static void o_stream_counting_destroy(struct iostream_private *stream)
{
	struct counting_ostream *cstream =
		container_of(stream, struct counting_ostream, ostream.iostream);

	buffer_free(&cstream->taken);
}

static struct counting_ostream *counting_create(struct ostream **output_r)
{
	struct counting_ostream *cstream = i_new(struct counting_ostream, 1);

	cstream->taken = buffer_create_dynamic(default_pool, 128);
	cstream->left = SIZE_MAX;
	cstream->ostream.max_buffer_size = SIZE_MAX;
	cstream->ostream.sendv = o_stream_counting_sendv;
	cstream->ostream.cork = o_stream_counting_cork;
	cstream->ostream.iostream.destroy = o_stream_counting_destroy;
	*output_r = o_stream_create(&cstream->ostream, NULL, -1);
	o_stream_set_no_error_handling(*output_r, TRUE);
	o_stream_gather(output_r);
	return cstream;
}

static void assert_taken(const struct counting_ostream *cstream,
			 const char *expected)
{
	assert_int_equal(cstream->taken->used, strlen(expected));
	assert_memory_equal(cstream->taken->data, expected, strlen(expected));
}

static void test_gathers_while_corked(void **state ATTR_UNUSED)
{
	struct counting_ostream *cstream;
	struct ostream *output;

	cstream = counting_create(&output);
	o_stream_nsend_str(output, "alone ");
	assert_int_equal(cstream->sends, 1);

	o_stream_cork(output);
	o_stream_nsend_str(output, "headers ");
	o_stream_nsend_str(output, "body");
	assert_int_equal(cstream->sends, 1);
	assert_int_equal(o_stream_get_buffer_used_size(output), 12);
	assert_int_equal(output->offset, 18);
	assert_int_equal(o_stream_uncork_flush(output), 1);
	assert_int_equal(cstream->sends, 2);
	assert_taken(cstream, "alone headers body");
	/* what costs */
	assert_int_equal(cstream->corks, 0);

	/* flushing sends although it's corked */
	o_stream_cork(output);
	o_stream_nsend_str(output, "!");
	assert_int_equal(o_stream_flush(output), 1);
	assert_int_equal(cstream->sends, 3);
	o_stream_uncork(output);
	assert_int_equal(cstream->sends, 3);
	o_stream_destroy(&output);
}

static void test_much_is_not_copied(void **state ATTR_UNUSED)
{
	struct counting_ostream *cstream;
	struct ostream *output;
	char *big = i_malloc(BIG_SIZE);

	cstream = counting_create(&output);
	memset(big, 'x', BIG_SIZE);
	o_stream_cork(output);
	o_stream_nsend_str(output, "headers");
	assert_int_equal(o_stream_send(output, big, BIG_SIZE), BIG_SIZE);
	assert_int_equal(cstream->sends, 1);
	assert_int_equal(cstream->taken->used, 7 + BIG_SIZE);
	assert_memory_equal(cstream->taken->data, "headersx", 8);
	o_stream_uncork(output);
	assert_int_equal(cstream->sends, 1);
	o_stream_destroy(&output);
	i_free(big);
}

static void test_parent_takes_a_part(void **state ATTR_UNUSED)
{
	struct counting_ostream *cstream;
	struct ostream *output;

	cstream = counting_create(&output);
	o_stream_cork(output);
	o_stream_nsend_str(output, "headers");
	cstream->left = 4;
	assert_int_equal(o_stream_flush(output), 0);
	assert_taken(cstream, "head");
	assert_int_equal(o_stream_get_buffer_used_size(output), 3);
	/* nothing may overtake the rest */
	o_stream_uncork(output);
	assert_int_equal(o_stream_send(output, "b", 1), 0);
	cstream->left = SIZE_MAX;
	assert_int_equal(o_stream_send(output, "body", 4), 4);
	assert_taken(cstream, "headersbody");

	cstream->left = 2;
	assert_int_equal(o_stream_send(output, "end", 3), 2);
	assert_int_equal(output->offset, 13);
	o_stream_destroy(&output);
}

static void test_error(void **state ATTR_UNUSED)
{
	struct counting_ostream *cstream;
	struct ostream *output;

	cstream = counting_create(&output);
	o_stream_cork(output);
	o_stream_nsend_str(output, "lost");
	cstream->broken = TRUE;
	assert_int_equal(o_stream_uncork_flush(output), -1);
	assert_int_equal(output->stream_errno, EPIPE);
	o_stream_destroy(&output);
}

/* --- flush callbacks ------------------------------------------------------ */

struct flushes {
	struct ioloop *ioloop;
	struct ostream *output;
	unsigned int calls, stop_after;
	bool again;
};

static int flushes_callback(struct flushes *flushes)
{
	flushes->calls++;
	if (flushes->again) {
		flushes->again = FALSE;
		o_stream_set_flush_pending(flushes->output, TRUE);
	}
	if (flushes->calls == flushes->stop_after)
		io_loop_stop(flushes->ioloop);
	return o_stream_flush(flushes->output);
}

static void flushes_timeout(struct flushes *flushes)
{
	io_loop_stop(flushes->ioloop);
}

/* Runs until there have been so many calls; the time limit is for none. */
static void flushes_run(struct flushes *flushes, unsigned int calls)
{
	struct timeout *to = timeout_add(calls == 0 ? 50 : 5000,
					 flushes_timeout, flushes);

	flushes->calls = 0;
	flushes->stop_after = calls;
	io_loop_run(flushes->ioloop);
	timeout_remove(&to);
	assert_int_equal(flushes->calls, calls);
}

static void test_flush_pending(void **state ATTR_UNUSED)
{
	struct flushes flushes;

	i_zero(&flushes);
	flushes.ioloop = io_loop_create();
	(void)counting_create(&flushes.output);
	o_stream_set_flush_callback(flushes.output, flushes_callback,
				    &flushes);

	o_stream_set_flush_pending(flushes.output, TRUE);
	flushes_run(&flushes, 1);
	flushes_run(&flushes, 0);

	/* the callback may want to be called once more */
	flushes.again = TRUE;
	o_stream_set_flush_pending(flushes.output, TRUE);
	flushes_run(&flushes, 2);

	/* not while corked, nor if it has been taken back */
	o_stream_cork(flushes.output);
	o_stream_set_flush_pending(flushes.output, TRUE);
	flushes_run(&flushes, 0);
	o_stream_uncork(flushes.output);
	flushes_run(&flushes, 1);
	o_stream_set_flush_pending(flushes.output, TRUE);
	o_stream_set_flush_pending(flushes.output, FALSE);
	flushes_run(&flushes, 0);

	/* nor after it's gone */
	o_stream_set_flush_pending(flushes.output, TRUE);
	o_stream_destroy(&flushes.output);
	flushes_run(&flushes, 0);
	io_loop_destroy(&flushes.ioloop);
}

struct reader {
	struct flushes *flushes;
	int fd;
	size_t size;
};

static void reader_input(struct reader *reader)
{
	char buf[65536];
	ssize_t ret = read(reader->fd, buf, sizeof(buf));

	assert_true(ret > 0);
	reader->size += ret;
	if (reader->size == BIG_SIZE)
		io_loop_stop(reader->flushes->ioloop);
}

/* Two of them above a socket, as there are with TLS between them. */
static void test_slow_socket(void **state ATTR_UNUSED)
{
	struct flushes flushes;
	struct reader reader;
	struct ostream *output;
	struct io *io;
	char *big = i_malloc(BIG_SIZE);
	int fds[2];

	i_zero(&flushes);
	flushes.ioloop = io_loop_create();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	net_set_nonblock(fds[0], TRUE);
	output = o_stream_create_fd(fds[0], SIZE_MAX);
	o_stream_set_no_error_handling(output, TRUE);
	o_stream_gather(&output);
	o_stream_gather(&output);
	flushes.output = output;
	o_stream_set_flush_callback(output, flushes_callback, &flushes);

	o_stream_cork(output);
	assert_int_equal(o_stream_send(output, big, BIG_SIZE), BIG_SIZE);
	assert_int_equal(o_stream_uncork_flush(output), 0);
	assert_true(o_stream_get_buffer_used_size(output) > 0);
	/* it's writable for nobody */
	o_stream_set_flush_pending(output, TRUE);
	flushes_run(&flushes, 0);

	i_zero(&reader);
	reader.flushes = &flushes;
	reader.fd = fds[1];
	io = io_add(fds[1], IO_READ, reader_input, &reader);
	io_loop_run(flushes.ioloop);
	io_remove(&io);
	assert_int_equal(reader.size, BIG_SIZE);
	assert_true(flushes.calls > 0);
	assert_int_equal(o_stream_flush(output), 1);

	o_stream_destroy(&output);
	i_close_fd(&fds[0]);
	i_close_fd(&fds[1]);
	i_free(big);
	io_loop_destroy(&flushes.ioloop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gathers_while_corked),
		cmocka_unit_test(test_much_is_not_copied),
		cmocka_unit_test(test_parent_takes_a_part),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_flush_pending),
		cmocka_unit_test(test_slow_socket),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
