/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "ldap-sync.h"

#include <ldap.h>
#include <lber.h>

static struct mapi_binary sync_copy(const struct berval *bv)
{
	struct mapi_binary bin;
	unsigned char *data = t_malloc_no0(bv->bv_len + 1);

	memcpy(data, bv->bv_val, bv->bv_len);
	data[bv->bv_len] = '\0';
	bin.data = data;
	bin.len = bv->bv_len;
	return bin;
}

struct mapi_binary ldap_sync_request(const struct mapi_binary *cookie)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	struct berval bv;
	struct mapi_binary bin;
	int ret;

	if (cookie != NULL) {
		ret = ber_printf(ber, "{eo}", LDAP_SYNC_REFRESH_AND_PERSIST,
				 (const char *)cookie->data,
				 (ber_len_t)cookie->len);
	} else
		ret = ber_printf(ber, "{e}", LDAP_SYNC_REFRESH_AND_PERSIST);
	if (ret < 0 || ber_flatten2(ber, &bv, 0) < 0)
		i_fatal_status(FATAL_OUTOFMEM, "ber_printf() failed");
	bin = sync_copy(&bv);
	ber_free(ber, 1);
	return bin;
}

/* A cookie is left out where it's optional. */
static bool sync_pull_cookie(BerElement *ber, struct mapi_binary *cookie_r)
{
	struct berval bv;
	ber_len_t len;

	if (ber_peek_tag(ber, &len) != LDAP_TAG_SYNC_COOKIE)
		return TRUE;
	if (ber_scanf(ber, "m", &bv) == LBER_ERROR)
		return FALSE;
	*cookie_r = sync_copy(&bv);
	return TRUE;
}

static bool sync_pull_bool(BerElement *ber, bool *value)
{
	ber_int_t i;
	ber_len_t len;

	if (ber_peek_tag(ber, &len) != LBER_BOOLEAN)
		return TRUE;
	if (ber_scanf(ber, "b", &i) == LBER_ERROR)
		return FALSE;
	*value = i != 0;
	return TRUE;
}

static bool
sync_entry_pull(BerElement *ber, struct ldap_sync_entry *entry_r)
{
	ber_int_t state;
	struct berval uuid;

	if (ber_scanf(ber, "{em", &state, &uuid) == LBER_ERROR ||
	    state < LDAP_SYNC_STATE_PRESENT || state > LDAP_SYNC_STATE_DELETE ||
	    uuid.bv_len != LDAP_SYNC_UUID_SIZE)
		return FALSE;
	entry_r->state = (enum ldap_sync_state)state;
	memcpy(entry_r->uuid, uuid.bv_val, LDAP_SYNC_UUID_SIZE);
	return sync_pull_cookie(ber, &entry_r->cookie);
}

/* NULL if there's no value: the library would look at it nevertheless */
static BerElement *sync_ber(const struct berval *value)
{
	return value->bv_val == NULL || value->bv_len == 0 ? NULL :
		ber_init((struct berval *)value);
}

int ldap_sync_entry_parse(const struct berval *value,
			  struct ldap_sync_entry *entry_r,
			  const char **error_r)
{
	BerElement *ber;
	bool ok;

	i_zero(entry_r);
	ber = sync_ber(value);
	ok = ber != NULL && sync_entry_pull(ber, entry_r);
	if (ber != NULL)
		ber_free(ber, 1);
	if (!ok) {
		*error_r = "Invalid Sync State Control";
		return -1;
	}
	return 0;
}

static bool sync_pull_uuids(BerElement *ber, struct ldap_sync_info *info_r)
{
	BerVarray uuids = NULL;
	buffer_t *buf;
	unsigned int i;
	bool ok = TRUE;

	if (ber_scanf(ber, "[W]", &uuids) == LBER_ERROR)
		return FALSE;
	buf = t_buffer_create(1024);
	for (i = 0; uuids != NULL && uuids[i].bv_val != NULL; i++) {
		if (uuids[i].bv_len != LDAP_SYNC_UUID_SIZE) {
			ok = FALSE;
			break;
		}
		buffer_append(buf, uuids[i].bv_val, LDAP_SYNC_UUID_SIZE);
	}
	ber_bvarray_free(uuids);
	info_r->uuids = buf->data;
	info_r->uuids_count = i;
	return ok;
}

static bool sync_info_pull(BerElement *ber, struct ldap_sync_info *info_r)
{
	struct berval bv;
	ber_len_t len;
	ber_tag_t tag = ber_peek_tag(ber, &len);

	switch (tag) {
	case LDAP_TAG_SYNC_NEW_COOKIE:
		info_r->type = LDAP_SYNC_INFO_NEW_COOKIE;
		if (ber_scanf(ber, "m", &bv) == LBER_ERROR)
			return FALSE;
		info_r->cookie = sync_copy(&bv);
		return TRUE;
	case LDAP_TAG_SYNC_REFRESH_DELETE:
	case LDAP_TAG_SYNC_REFRESH_PRESENT:
		info_r->type = tag == LDAP_TAG_SYNC_REFRESH_DELETE ?
			LDAP_SYNC_INFO_REFRESH_DELETE :
			LDAP_SYNC_INFO_REFRESH_PRESENT;
		info_r->refresh_done = TRUE;
		return ber_scanf(ber, "{") != LBER_ERROR &&
			sync_pull_cookie(ber, &info_r->cookie) &&
			sync_pull_bool(ber, &info_r->refresh_done);
	case LDAP_TAG_SYNC_ID_SET:
		info_r->type = LDAP_SYNC_INFO_ID_SET;
		return ber_scanf(ber, "{") != LBER_ERROR &&
			sync_pull_cookie(ber, &info_r->cookie) &&
			sync_pull_bool(ber, &info_r->deleted) &&
			sync_pull_uuids(ber, info_r);
	}
	return FALSE;
}

int ldap_sync_info_parse(const struct berval *value,
			 struct ldap_sync_info *info_r, const char **error_r)
{
	BerElement *ber;
	bool ok;

	i_zero(info_r);
	ber = sync_ber(value);
	ok = ber != NULL && sync_info_pull(ber, info_r);
	if (ber != NULL)
		ber_free(ber, 1);
	if (!ok) {
		*error_r = "Invalid Sync Info Message";
		return -1;
	}
	return 0;
}
