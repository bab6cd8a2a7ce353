/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "lib-event.h"
#include "source-ldif.h"

#include <fcntl.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define LDIF_CHECK_MSECS 1000

struct directory_ldif {
	struct directory_source source;
	char *path;
	struct timeout *to;
	/* of the file that has been read, or has been found to be bad */
	struct stat st;
	bool missing;
};

static void ldif_entry(void *context, const struct directory_entry *entry)
{
	struct directory_ldif *ldif = context;

	ldif->source.callbacks->entry(ldif->source.context, entry);
}

static void
ldif_read(struct directory_ldif *ldif, const unsigned char *data, size_t size)
{
	const struct directory_source_callbacks *cb = ldif->source.callbacks;
	void *context = ldif->source.context;
	const char *error;

	cb->refresh_begin(context);
	if (ldif_parse(data, size, ldif_entry, ldif, &error) < 0) {
		e_error(ldif->source.event, "%s, %s. What has been read before "
			"stays.", ldif->path, error);
		cb->refresh_abort(context);
		return;
	}
	cb->refresh_end(context);
	cb->commit(context, "", 0);
}

static void ldif_open(struct directory_ldif *ldif)
{
	struct stat st;
	void *map;
	int fd;

	fd = open(ldif->path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) < 0) {
		e_error(ldif->source.event, "open(%s) failed: %m", ldif->path);
		i_close_fd(&fd);
		return;
	}
	ldif->st = st;
	if (st.st_size > LDIF_MAX_SIZE) {
		e_error(ldif->source.event, "%s is larger than %u bytes",
			ldif->path, LDIF_MAX_SIZE);
	} else if (st.st_size == 0) {
		ldif_read(ldif, (const unsigned char *)"", 0);
	} else {
		/* a private copy, since the file may be written to */
		map = i_malloc(st.st_size);
		ssize_t ret = pread(fd, map, st.st_size, 0);

		if (ret == st.st_size)
			ldif_read(ldif, map, st.st_size);
		else {
			e_error(ldif->source.event, "read(%s) failed: %s",
				ldif->path, ret < 0 ? strerror(errno) :
				"it has become shorter");
			i_zero(&ldif->st);
		}
		i_free(map);
	}
	i_close_fd(&fd);
}

static void ldif_check(struct directory_ldif *ldif)
{
	struct stat st;

	timeout_remove(&ldif->to);
	if (stat(ldif->path, &st) < 0) {
		if (!ldif->missing)
			e_error(ldif->source.event, "stat(%s) failed: %m",
				ldif->path);
		ldif->missing = TRUE;
	} else {
		ldif->missing = FALSE;
		if (st.st_ino != ldif->st.st_ino ||
		    st.st_dev != ldif->st.st_dev ||
		    st.st_size != ldif->st.st_size ||
		    st.st_mtim.tv_sec != ldif->st.st_mtim.tv_sec ||
		    st.st_mtim.tv_nsec != ldif->st.st_mtim.tv_nsec)
			ldif_open(ldif);
	}
	ldif->to = timeout_add(LDIF_CHECK_MSECS, ldif_check, ldif);
}

static void ldif_deinit(struct directory_source *source)
{
	struct directory_ldif *ldif =
		container_of(source, struct directory_ldif, source);

	timeout_remove(&ldif->to);
	event_unref(&ldif->source.event);
	i_free(ldif->path);
	i_free(ldif);
}

static void ldif_refresh(struct directory_source *source)
{
	struct directory_ldif *ldif =
		container_of(source, struct directory_ldif, source);

	i_zero(&ldif->st);
	ldif_check(ldif);
}

struct directory_source *
directory_source_ldif_init(const char *path, struct event *event,
			   const struct directory_source_callbacks *callbacks,
			   void *context)
{
	struct directory_ldif *ldif = i_new(struct directory_ldif, 1);

	ldif->source.v.deinit = ldif_deinit;
	ldif->source.v.refresh = ldif_refresh;
	ldif->source.callbacks = callbacks;
	ldif->source.context = context;
	ldif->source.event = event;
	event_ref(event);
	ldif->path = i_strdup(path);
	ldif->to = timeout_add_short(0, ldif_check, ldif);
	return &ldif->source;
}
