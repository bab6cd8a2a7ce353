/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-entryid.h"

#include <stdlib.h>
#include <string.h>

#define GUID_SIZE 16
#define XID_SIZE_MIN (GUID_SIZE + 1)
#define XID_SIZE_MAX 255

bool mapi_xid_parse(const void *data, size_t size, struct mapi_xid *xid_r)
{
	memset(xid_r, 0, sizeof(*xid_r));
	if (size < XID_SIZE_MIN || size > XID_SIZE_MAX)
		return false;
	memcpy(xid_r->guid.bytes, data, GUID_SIZE);
	xid_r->local = (const uint8_t *)data + GUID_SIZE;
	xid_r->local_size = (uint8_t)(size - GUID_SIZE);
	return true;
}

struct mapi_binary mapi_xid_build(TALLOC_CTX *mem, const struct mapi_xid *xid)
{
	struct mapi_binary bin = { 0, NULL };
	uint8_t *data;

	if (xid->local_size == 0 || xid->local_size > MAPI_XID_LOCAL_MAX)
		return bin;
	data = talloc_array(mem, uint8_t, GUID_SIZE + xid->local_size);
	if (data == NULL)
		return bin;
	memcpy(data, xid->guid.bytes, GUID_SIZE);
	memcpy(data + GUID_SIZE, xid->local, xid->local_size);
	bin.data = data;
	bin.len = GUID_SIZE + (uint32_t)xid->local_size;
	return bin;
}

/* Order of changes of one GUID. Local ids of one origin have one size; others
   can't be compared in a meaningful way, but still must be in some order. */
static int local_cmp(const struct mapi_xid *a, const struct mapi_xid *b)
{
	if (a->local_size != b->local_size)
		return a->local_size < b->local_size ? -1 : 1;
	return memcmp(a->local, b->local, a->local_size);
}

static int xid_cmp(const void *p1, const void *p2)
{
	const struct mapi_xid *a = p1, *b = p2;
	int ret = mapi_guid_cmp(&a->guid, &b->guid);

	return ret != 0 ? ret : local_cmp(a, b);
}

/* One XID per GUID, the last one, in order */
static void pcl_normalize(struct mapi_pcl *pcl)
{
	unsigned int i, out = 0;

	if (pcl->count == 0)
		return;
	qsort(pcl->xids, pcl->count, sizeof(*pcl->xids), xid_cmp);
	for (i = 1; i < pcl->count; i++) {
		if (mapi_guid_cmp(&pcl->xids[i].guid,
				  &pcl->xids[out].guid) != 0)
			out++;
		pcl->xids[out] = pcl->xids[i];
	}
	pcl->count = out + 1;
}

bool mapi_pcl_parse(TALLOC_CTX *mem, const void *data, size_t size,
		    struct mapi_pcl *pcl_r)
{
	const uint8_t *p = data, *end;

	memset(pcl_r, 0, sizeof(*pcl_r));
	pcl_r->xids = talloc_array(mem, struct mapi_xid,
				   size / (XID_SIZE_MIN + 1) + 1);
	if (pcl_r->xids == NULL)
		return false;
	if (size == 0)
		return true;
	for (end = p + size; p != end; ) {
		size_t xid_size = *p++;

		if (xid_size > (size_t)(end - p) ||
		    !mapi_xid_parse(p, xid_size, &pcl_r->xids[pcl_r->count])) {
			pcl_r->count = 0;
			return false;
		}
		pcl_r->count++;
		p += xid_size;
	}
	pcl_normalize(pcl_r);
	return true;
}

struct mapi_binary mapi_pcl_build(TALLOC_CTX *mem, const struct mapi_pcl *pcl)
{
	struct mapi_binary bin = { 0, NULL };
	struct mapi_push push;
	unsigned int i;

	mapi_push_init(&push, mem, 0);
	for (i = 0; i < pcl->count; i++) {
		const struct mapi_xid *xid = &pcl->xids[i];

		if (xid->local_size == 0 ||
		    xid->local_size > MAPI_XID_LOCAL_MAX)
			(void)mapi_push_fail(&push, MAPI_WIRE_INVALID);
		(void)mapi_push_u8(&push,
				   (uint8_t)(GUID_SIZE + xid->local_size));
		(void)mapi_push_guid(&push, &xid->guid);
		(void)mapi_push_bytes(&push, xid->local, xid->local_size);
	}
	if (!mapi_push_ok(&push)) {
		talloc_free(push.data);
		return bin;
	}
	bin.len = (uint32_t)push.size;
	bin.data = push.data;
	return bin;
}

static const struct mapi_xid *
pcl_find(const struct mapi_pcl *pcl, const struct mapi_guid *guid)
{
	unsigned int left = 0, right = pcl->count, mid;
	int ret;

	while (left < right) {
		mid = (left + right) / 2;
		ret = mapi_guid_cmp(&pcl->xids[mid].guid, guid);
		if (ret == 0)
			return &pcl->xids[mid];
		if (ret < 0)
			left = mid + 1;
		else
			right = mid;
	}
	return NULL;
}

bool mapi_pcl_includes_xid(const struct mapi_pcl *pcl,
			   const struct mapi_xid *xid)
{
	const struct mapi_xid *mine = pcl_find(pcl, &xid->guid);

	return mine != NULL && local_cmp(mine, xid) >= 0;
}

bool mapi_pcl_add(TALLOC_CTX *mem, struct mapi_pcl *pcl,
		  const struct mapi_xid *xid)
{
	struct mapi_xid copy = *xid, *xids;
	unsigned int i;

	if (mapi_pcl_includes_xid(pcl, xid))
		return true;
	copy.local = talloc_memdup(mem, xid->local, xid->local_size);
	if (copy.local == NULL)
		return false;
	for (i = 0; i < pcl->count; i++) {
		int ret = mapi_guid_cmp(&pcl->xids[i].guid, &xid->guid);

		if (ret == 0) {
			pcl->xids[i] = copy;
			return true;
		}
		if (ret > 0)
			break;
	}
	/* The array may be somebody else's: make a new one. */
	xids = talloc_array(mem, struct mapi_xid, pcl->count + 1);
	if (xids == NULL)
		return false;
	if (i > 0)
		memcpy(xids, pcl->xids, i * sizeof(*xids));
	xids[i] = copy;
	if (i < pcl->count) {
		memcpy(xids + i + 1, pcl->xids + i,
		       (pcl->count - i) * sizeof(*xids));
	}
	pcl->xids = xids;
	pcl->count++;
	return true;
}

bool mapi_pcl_merge(TALLOC_CTX *mem, struct mapi_pcl *pcl,
		    const struct mapi_pcl *src)
{
	unsigned int i;

	for (i = 0; i < src->count; i++) {
		if (!mapi_pcl_add(mem, pcl, &src->xids[i]))
			return false;
	}
	return true;
}

static bool pcl_includes(const struct mapi_pcl *a, const struct mapi_pcl *b)
{
	unsigned int i;

	for (i = 0; i < b->count; i++) {
		if (!mapi_pcl_includes_xid(a, &b->xids[i]))
			return false;
	}
	return true;
}

enum mapi_pcl_order mapi_pcl_compare(const struct mapi_pcl *a,
				     const struct mapi_pcl *b)
{
	bool a_has_b = pcl_includes(a, b), b_has_a = pcl_includes(b, a);

	if (a_has_b)
		return b_has_a ? MAPI_PCL_EQUAL : MAPI_PCL_NEWER;
	return b_has_a ? MAPI_PCL_OLDER : MAPI_PCL_CONFLICT;
}
