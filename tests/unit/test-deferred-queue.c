/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The file that says whose mail is to be sent when. */

#include "lib.h"
#include "deferred-queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

static char dir[] = "/tmp/mapi-deferred-queue-XXXXXX";
static char *path;

static struct deferred_queue *open_queue(void)
{
	struct deferred_queue *queue;
	const char *error;

	if (deferred_queue_init(path, &queue, &error) < 0)
		fail_msg("%s", error);
	return queue;
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static time_t queue_due(struct deferred_queue *queue, const char *username)
{
	const struct deferred_user *user = deferred_queue_find(queue, username);

	return user == NULL ? 0 : user->due;
}

/* What the next process would find; the lock is this one's. */
static void assert_file(const char *wanted)
{
	char text[1024];
	size_t size;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	size = fread(text, 1, sizeof(text) - 1, f);
	text[size] = '\0';
	fclose(f);
	assert_string_equal(text, wanted);
}

static void test_add(void **state)
{
	struct deferred_queue *queue;
	const char *error;

	queue = open_queue();
	assert_int_equal(deferred_queue_add(queue, "alice", 100, &error), 0);
	assert_file("100\talice\n");
	/* later than what is known */
	assert_int_equal(deferred_queue_add(queue, "alice", 200, &error), 0);
	assert_file("100\talice\n");
	assert_int_equal(deferred_queue_add(queue, "alice", 50, &error), 0);
	assert_file("50\talice\n");
	deferred_queue_deinit(&queue);

	queue = open_queue();
	assert_int_equal(queue_due(queue, "alice"), 50);
	assert_int_equal(queue_due(queue, "bob"), 0);
	assert_int_equal(deferred_queue_set(queue,
		deferred_queue_find(queue, "alice"), 300, &error), 0);
	assert_file("300\talice\n");
	assert_int_equal(deferred_queue_set(queue,
		deferred_queue_find(queue, "alice"), 0, &error), 0);
	assert_null(deferred_queue_find(queue, "alice"));
	assert_file("");
	deferred_queue_deinit(&queue);
	queue = open_queue();
	assert_null(deferred_queue_find(queue, "alice"));
	deferred_queue_deinit(&queue);
}

static void test_names(void **state)
{
	static const char *const names[] = {
		"a\tb", "two\nlines", "\001x", "Gr\xc3\xbc\xc3\x9f" "e", " ",
	};
	struct deferred_queue *queue = open_queue();
	const char *error;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		assert_int_equal(deferred_queue_add(queue, names[i], i + 1,
						    &error), 0);
	}
	deferred_queue_deinit(&queue);
	queue = open_queue();
	for (i = 0; i < N_ELEMENTS(names); i++)
		assert_int_equal(queue_due(queue, names[i]), i + 1);
	deferred_queue_deinit(&queue);
}

/* Lines that make no sense cost no others. */
static void test_damaged(void **state)
{
	struct deferred_queue *queue;
	const char *error;

	write_file("x\talice\n\n5\n-7\tmary\n0\tjoe\n10\tbob\textra\n"
		   "20\tcarol\n30\tcarol\n40\t\n50\tdave");
	queue = open_queue();
	assert_int_equal(queue_due(queue, "carol"), 20);
	assert_null(deferred_queue_find(queue, "alice"));
	assert_null(deferred_queue_find(queue, "mary"));
	assert_null(deferred_queue_find(queue, "joe"));
	assert_null(deferred_queue_find(queue, "bob"));
	/* half a line: there was none in the file that was renamed */
	assert_null(deferred_queue_find(queue, "dave"));
	assert_int_equal(deferred_queue_add(queue, "carol", 20, &error), 0);
	assert_file("20\tcarol\n");
	deferred_queue_deinit(&queue);
}

/* What can't be written isn't taken on, and is written with the next change. */
static void test_not_written(void **state)
{
	struct deferred_queue *queue = open_queue();
	const char *error, *tmp_path = t_strconcat(path, ".tmp", NULL);

	assert_int_equal(mkdir(tmp_path, 0700), 0);
	assert_int_equal(deferred_queue_add(queue, "alice", 7, &error), -1);
	assert_int_equal(deferred_queue_add(queue, "alice", 7, &error), -1);
	assert_int_equal(rmdir(tmp_path), 0);
	assert_int_equal(deferred_queue_add(queue, "alice", 9, &error), 0);
	assert_file("7\talice\n");
	deferred_queue_deinit(&queue);
}

static int setup(void **state)
{
	return unlink(path) == 0 || errno == ENOENT ? 0 : -1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_add, setup),
		cmocka_unit_test_setup(test_names, setup),
		cmocka_unit_test_setup(test_damaged, setup),
		cmocka_unit_test_setup(test_not_written, setup),
	};
	int ret;

	lib_init();
	if (mkdtemp(dir) == NULL)
		i_fatal("mkdtemp(%s) failed: %m", dir);
	path = i_strconcat(dir, "/deferred", NULL);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	i_unlink_if_exists(path);
	i_unlink_if_exists(t_strconcat(path, ".lock", NULL));
	(void)rmdir(dir);
	i_free(path);
	lib_deinit();
	return ret;
}
