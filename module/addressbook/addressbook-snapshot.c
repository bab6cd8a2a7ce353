/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "snapshot.h"
#include "addressbook-snapshot.h"

static char *snapshot_path;
static struct snapshot *current;
/* when the file was looked at */
static time_t checked;
/* the last thing that was wrong with it, so that it's logged once */
static char *last_error;

void addressbook_snapshot_init(const char *path)
{
	snapshot_path = i_strdup(path);
}

void addressbook_snapshot_deinit(void)
{
	if (current != NULL)
		snapshot_unref(&current);
	i_free(snapshot_path);
	i_free(last_error);
	checked = 0;
}

static void addressbook_snapshot_open(void)
{
	struct snapshot *snapshot;
	const char *error;
	int ret;

	ret = snapshot_open(snapshot_path, &snapshot, &error);
	if (ret > 0) {
		/* An older one that is still mapped is better than a file that
		   is gone or damaged, so it's only given up for this. */
		if (current != NULL)
			snapshot_unref(&current);
		current = snapshot;
		i_free(last_error);
	} else if (ret < 0 && null_strcmp(error, last_error) != 0) {
		i_error("%s", error);
		i_free(last_error);
		last_error = i_strdup(error);
	}
}

struct snapshot *addressbook_snapshot_get(void)
{
	if (checked != ioloop_time) {
		checked = ioloop_time;
		if (current == NULL || snapshot_is_stale(current)) T_BEGIN {
			addressbook_snapshot_open();
		} T_END;
	}
	return current;
}
