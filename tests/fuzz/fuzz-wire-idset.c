/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* IDSETs (first byte 0 or 1: by REPLID, by GUID) and predecessor change
   lists. */

#include "mapi-entryid.h"
#include "mapi-idset.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_set(const struct mapi_idset *set)
{
	unsigned int i, j;

	for (i = 0; i < set->count; i++) {
		const struct mapi_globset *g = set->replicas[i].set;

		for (j = 0; j < g->count; j++) {
			if (g->ranges[j].low > g->ranges[j].high ||
			    (j > 0 && g->ranges[j - 1].high + 1 >=
			     g->ranges[j].low))
				abort();
		}
	}
}

static void check_idset(TALLOC_CTX *mem, bool by_guid, const uint8_t *data,
			size_t size)
{
	struct mapi_idset *set, *set2;
	struct mapi_binary bin;

	set = mapi_idset_decode(mem, by_guid, data, size);
	if (set == NULL)
		return;
	check_set(set);
	bin = mapi_idset_encode(mem, set);
	if (bin.data == NULL)
		abort();
	set2 = mapi_idset_decode(mem, by_guid, bin.data, bin.len);
	if (set2 == NULL || !mapi_idset_equal(set, set2))
		abort();
	/* first half and second half make the whole */
	if (!mapi_idset_union(set2, set) || !mapi_idset_equal(set, set2) ||
	    !mapi_idset_subtract(set2, set) || !mapi_idset_is_empty(set2))
		abort();
}

static void check_pcl(TALLOC_CTX *mem, const uint8_t *data, size_t size)
{
	struct mapi_pcl pcl, pcl2;
	struct mapi_binary bin;

	if (!mapi_pcl_parse(mem, data, size, &pcl))
		return;
	bin = mapi_pcl_build(mem, &pcl);
	if (!mapi_pcl_parse(mem, bin.data, bin.len, &pcl2) ||
	    mapi_pcl_compare(&pcl, &pcl2) != MAPI_PCL_EQUAL ||
	    !mapi_pcl_merge(mem, &pcl2, &pcl) || pcl2.count != pcl.count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem;

	if (size < 1)
		return 0;
	mem = talloc_new(NULL);
	if (data[0] <= 1)
		check_idset(mem, data[0] != 0, data + 1, size - 1);
	else
		check_pcl(mem, data + 1, size - 1);
	talloc_free(mem);
	return 0;
}
