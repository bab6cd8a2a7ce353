/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SNAPSHOT_USE_H
#define SNAPSHOT_USE_H

/* For test-snapshot.c and fuzz-snapshot.c. Include lib.h first. */

#include "mapi-props.h"
#include "snapshot.h"

#include <string.h>
#include <talloc.h>

/* Uses everything: nothing may crash, whatever the answers are. */
static inline void snapshot_use_all(struct snapshot *snap)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct snapshot_object obj;
	struct snapshot_table table;
	struct snapshot_list list;
	struct mapi_value value;
	const uint32_t *mids;
	uint32_t found[8], idx, mid;
	unsigned int i;

	for (mid = 0; mid < SNAPSHOT_MID_FIRST + 100; mid++) {
		if (!snapshot_get(snap, mid, &obj))
			continue;
		for (i = 0; i < obj.props_count; i++) {
			(void)snapshot_object_property(&obj,
				snapshot_object_tag(&obj, i), mem, &value);
		}
		for (i = 0; i < obj.addresses_count; i++)
			(void)strlen(snapshot_object_address(&obj, i));
		(void)snapshot_object_links(&obj, PIDTAG_ADDRESS_BOOK_MEMBER,
					    mem, &mids);
		(void)snapshot_object_backlinks(&obj,
			PIDTAG_ADDRESS_BOOK_MEMBER, mem, &mids);
		(void)snapshot_find_dn(snap, obj.dn);
	}
	for (i = 0; i < snapshot_lists_count(snap); i++) {
		snapshot_list_get(snap, i, &list);
		if (!snapshot_table_open(snap, list.mid, 0x41d, &table))
			continue;
		for (idx = 0; idx < table.count && idx < 100; idx++) {
			uint32_t pos;

			mid = snapshot_table_mid(&table, idx);
			(void)snapshot_table_find(&table, mid, &pos);
		}
		(void)snapshot_table_seek(&table, "M");
	}
	(void)snapshot_resolve(snap, "mary smith", 0, found, 8);
	(void)snapshot_resolve(snap, "u11@example.org", 0, found, 8);
	talloc_free(mem);
}

#endif
