/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "file-lock.h"
#include "istream.h"
#include "ostream.h"
#include "strescape.h"
#include "strnum.h"
#include "deferred-queue.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A process that ends lets go of it at once. */
#define LOCK_SECS 60
#define LINE_MAX_SIZE (16 * 1024)

struct deferred_queue {
	char *path;
	int lock_fd;
	struct file_lock *lock;
	HASH_TABLE(char *, struct deferred_user *) users;
	/* the file isn't as it should be */
	bool dirty;
};

/* --- the file --------------------------------------------------------------------- */

static void
queue_insert(struct deferred_queue *queue, const char *username, time_t due)
{
	struct deferred_user *user;

	user = i_new(struct deferred_user, 1);
	user->username = i_strdup(username);
	user->due = due;
	hash_table_insert(queue->users, user->username, user);
}

static int queue_read_line(struct deferred_queue *queue, const char *line)
{
	const char *const *args = t_strsplit_tabescaped(line);
	time_t due;

	if (str_array_length(args) != 2 || str_to_time(args[0], &due) < 0 ||
	    due <= 0 || *args[1] == '\0' ||
	    hash_table_lookup(queue->users, args[1]) != NULL)
		return -1;
	queue_insert(queue, args[1], due);
	return 0;
}

static int queue_read(struct deferred_queue *queue, const char **error_r)
{
	struct istream *input;
	const char *line;
	unsigned int bad_lines = 0;
	int fd, ret = 0;

	fd = open(queue->path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOENT)
			return 0;
		*error_r = t_strdup_printf("open(%s) failed: %m", queue->path);
		return -1;
	}
	input = i_stream_create_fd_autoclose(&fd, LINE_MAX_SIZE);
	while ((line = i_stream_read_next_line(input)) != NULL) T_BEGIN {
		if (queue_read_line(queue, line) < 0)
			bad_lines++;
	} T_END;
	if (input->stream_errno != 0) {
		*error_r = t_strdup_printf("read(%s) failed: %s", queue->path,
					   i_stream_get_error(input));
		ret = -1;
	}
	i_stream_destroy(&input);
	if (bad_lines > 0) {
		i_error("%s: %u lines aren't valid", queue->path, bad_lines);
		queue->dirty = TRUE;
	}
	return ret;
}

static void queue_send(struct deferred_queue *queue, struct ostream *output)
{
	struct hash_iterate_context *iter;
	struct deferred_user *user;
	char *username;

	iter = hash_table_iterate_init(queue->users);
	while (hash_table_iterate(iter, queue->users, &username, &user)) T_BEGIN {
		o_stream_nsend_str(output, t_strdup_printf("%s\t%s\n",
			dec2str(user->due), str_tabescape(username)));
	} T_END;
	hash_table_iterate_deinit(&iter);
}

static int queue_sync_dir(struct deferred_queue *queue, const char **error_r)
{
	const char *end = strrchr(queue->path, '/');
	const char *dir = end == NULL ? "." :
		end == queue->path ? "/" : t_strdup_until(queue->path, end);
	int fd, ret;

	fd = open(dir, O_RDONLY | O_CLOEXEC);
	ret = fd == -1 ? -1 : fsync(fd);
	if (ret < 0)
		*error_r = t_strdup_printf("fsync(%s) failed: %m", dir);
	i_close_fd(&fd);
	return ret;
}

static int queue_write_file(struct deferred_queue *queue, const char **error_r)
{
	const char *tmp_path = t_strconcat(queue->path, ".tmp", NULL);
	struct ostream *output;
	int fd, ret = 0;

	fd = open(tmp_path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m", tmp_path);
		return -1;
	}
	output = o_stream_create_fd_file(fd, 0, FALSE);
	o_stream_cork(output);
	queue_send(queue, output);
	if (o_stream_finish(output) < 0) {
		*error_r = t_strdup_printf("write(%s) failed: %s", tmp_path,
					   o_stream_get_error(output));
		ret = -1;
	}
	o_stream_destroy(&output);
	if (ret == 0 && fdatasync(fd) < 0) {
		*error_r = t_strdup_printf("fdatasync(%s) failed: %m",
					   tmp_path);
		ret = -1;
	}
	i_close_fd(&fd);
	if (ret == 0 && rename(tmp_path, queue->path) < 0) {
		*error_r = t_strdup_printf("rename(%s, %s) failed: %m",
					   tmp_path, queue->path);
		ret = -1;
	}
	return ret < 0 ? -1 : queue_sync_dir(queue, error_r);
}

static int queue_write(struct deferred_queue *queue, const char **error_r)
{
	if (!queue->dirty)
		return 0;
	if (queue_write_file(queue, error_r) < 0)
		return -1;
	queue->dirty = FALSE;
	return 0;
}

static int queue_lock(struct deferred_queue *queue, const char **error_r)
{
	const struct file_lock_settings set = {
		.lock_method = FILE_LOCK_METHOD_FCNTL,
	};
	const char *path = t_strconcat(queue->path, ".lock", NULL);
	int ret;

	queue->lock_fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (queue->lock_fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}
	ret = file_wait_lock(queue->lock_fd, path, F_WRLCK, &set, LOCK_SECS,
			     &queue->lock, error_r);
	return ret > 0 ? 0 : -1;
}

/* --- users ------------------------------------------------------------------------ */

int deferred_queue_init(const char *path, struct deferred_queue **queue_r,
			const char **error_r)
{
	struct deferred_queue *queue;

	queue = i_new(struct deferred_queue, 1);
	queue->path = i_strdup(path);
	hash_table_create(&queue->users, default_pool, 0, str_hash, strcmp);
	if (queue_lock(queue, error_r) < 0 || queue_read(queue, error_r) < 0) {
		deferred_queue_deinit(&queue);
		return -1;
	}
	*queue_r = queue;
	return 0;
}

void deferred_queue_deinit(struct deferred_queue **_queue)
{
	struct deferred_queue *queue = *_queue;
	struct hash_iterate_context *iter;
	struct deferred_user *user;
	char *username;

	*_queue = NULL;
	iter = hash_table_iterate_init(queue->users);
	while (hash_table_iterate(iter, queue->users, &username, &user)) {
		i_free(user->username);
		i_free(user);
	}
	hash_table_iterate_deinit(&iter);
	hash_table_destroy(&queue->users);
	file_lock_free(&queue->lock);
	i_close_fd(&queue->lock_fd);
	i_free(queue->path);
	i_free(queue);
}

struct deferred_user *
deferred_queue_find(struct deferred_queue *queue, const char *username)
{
	return hash_table_lookup(queue->users, username);
}

int deferred_queue_add(struct deferred_queue *queue, const char *username,
		       time_t due, const char **error_r)
{
	struct deferred_user *user = deferred_queue_find(queue, username);

	i_assert(due > 0 && *username != '\0');
	if (user == NULL) {
		queue_insert(queue, username, due);
		queue->dirty = TRUE;
	} else if (due < user->due) {
		user->due = due;
		queue->dirty = TRUE;
	}
	return queue_write(queue, error_r);
}

int deferred_queue_set(struct deferred_queue *queue, struct deferred_user *user,
		       time_t due, const char **error_r)
{
	if (due != user->due)
		queue->dirty = TRUE;
	user->due = due;
	if (due == 0) {
		hash_table_remove(queue->users, user->username);
		i_free(user->username);
		i_free(user);
	}
	return queue_write(queue, error_r);
}

void deferred_queue_foreach(struct deferred_queue *queue,
			    void (*callback)(struct deferred_user *user,
					     void *context), void *context)
{
	struct hash_iterate_context *iter;
	struct deferred_user *user;
	char *username;

	iter = hash_table_iterate_init(queue->users);
	while (hash_table_iterate(iter, queue->users, &username, &user))
		callback(user, context);
	hash_table_iterate_deinit(&iter);
}
