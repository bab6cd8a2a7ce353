/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Entry ids, server ids, conversation indexes. */

#include "mapi-convindex.h"
#include "mapi-entryid.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_binary bin = { (uint32_t)size, data }, bin2;
	struct mapi_entry_id eid, eid2;
	struct mapi_server_id sid;
	struct mapi_convindex index;

	if (mapi_entry_id_parse(mem, data, size, &eid) !=
	    MAPI_ENTRY_ID_UNKNOWN) {
		bin2 = mapi_entry_id_build(mem, &eid);
		if (bin2.len == 0 ||
		    mapi_entry_id_parse(mem, bin2.data, bin2.len, &eid2) !=
		    eid.kind)
			abort();
		bin = mapi_entry_id_build(mem, &eid2);
		if (bin.len != bin2.len ||
		    memcmp(bin.data, bin2.data, bin.len) != 0)
			abort();
	}
	bin.data = data;
	bin.len = (uint32_t)size;
	if (mapi_server_id_parse(&bin, &sid)) {
		bin2 = mapi_server_id_build(mem, &sid);
		if (bin2.len != bin.len ||
		    memcmp(bin2.data, bin.data, bin.len) != 0)
			abort();
	}
	if (mapi_convindex_parse(&bin, &index)) {
		bin2 = mapi_convindex_reply(mem, &bin, index.time + size, 7);
		if (bin2.len != bin.len + MAPI_CONVINDEX_LEVEL_SIZE)
			abort();
	}
	talloc_free(mem);
	return 0;
}
