/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ADDRESSBOOK_SNAPSHOT_H
#define ADDRESSBOOK_SNAPSHOT_H

/* The snapshot of the directory that requests are answered from: the newest
   file that mapi-directory has written. */

struct snapshot;

void addressbook_snapshot_init(const char *path);
void addressbook_snapshot_deinit(void);

/* The current snapshot, or NULL if there's no file, or none that can be used,
   which is logged. Whether there's a new file is looked at no more than once a
   second. Valid until the next call: snapshot_ref() it to keep it. */
struct snapshot *addressbook_snapshot_get(void);

#endif
