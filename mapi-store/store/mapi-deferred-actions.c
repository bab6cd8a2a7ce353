/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "mail-storage-private.h"
#include "mapi-deferred-actions.h"
#include "mapi-message.h"
#include "mapi-message-edit.h"
#include "mapi-props.h"

static bool
bin_equals(const struct mapi_binary *a, const struct mapi_binary *b)
{
	return a->len == b->len &&
		(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* [MS-OXORULE] 3.2.5.4 has PidTagDeferredActionMessageOriginalEntryId changed, 2.2.3
   PidTagDamOriginalEntryId, by which clients find the message: so both are. */
static enum mapi_error
dam_set(struct mapi_message *msg, uint16_t type,
	const struct mapi_binary *client_eid)
{
	struct mapi_property props[] = {
		{ MAPI_TAG_AS(PIDTAG_DEFERRED_ACTION_MESSAGE_ORIGINAL_ENTRY_ID,
			      type),
		  mapi_value_bin(client_eid->data, client_eid->len) },
		{ PIDTAG_DAM_ORIGINAL_ENTRY_ID,
		  mapi_value_bin(client_eid->data, client_eid->len) },
		{ PIDTAG_DAM_BACK_PATCHED, mapi_value_bool(TRUE) },
	};
	enum mapi_error errors[N_ELEMENTS(props)], error;
	unsigned int i;

	props[0].value.type = type;
	mapi_message_set_writable(msg, TRUE);
	memset(errors, 0, sizeof(errors));
	error = msg->obj.v->set_props(&msg->obj, props, N_ELEMENTS(props),
				      errors);
	for (i = 0; i < N_ELEMENTS(props) && error == EC_NONE; i++)
		error = errors[i];
	return error == EC_NONE ? mapi_message_save(msg, TRUE) : error;
}

static enum mapi_error
dam_update(struct mapi_store *store, mapi_id_t fid, mapi_id_t mid,
	   const struct mapi_binary *server_eid,
	   const struct mapi_binary *client_eid)
{
	const uint32_t tag = MAPI_TAG_AS(
		PIDTAG_DEFERRED_ACTION_MESSAGE_ORIGINAL_ENTRY_ID,
		PTYP_UNSPECIFIED);
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_value value = { .type = PTYP_UNSPECIFIED };
	struct mapi_message *msg;
	enum mapi_error error;

	error = mapi_message_open(mem, store, fid, mid, &msg);
	if (error == EC_NONE) {
		error = msg->obj.v->get_props(&msg->obj, mem, &tag, 1,
					      SIZE_MAX, &value);
	}
	if (error == EC_NONE &&
	    (value.type == PTYP_SERVER_ID || value.type == PTYP_BINARY) &&
	    bin_equals(&value.u.bin, server_eid))
		error = dam_set(msg, value.type, client_eid);
	talloc_free(mem);
	/* the client has done it, and has deleted the DAM */
	return error == EC_NOT_FOUND || error == EC_OBJECT_DELETED ?
		EC_NONE : error;
}

static enum mapi_error
dams_list(struct mapi_store *store, mapi_id_t fid, ARRAY_TYPE(uint64_t) *mids)
{
	struct mapi_folder *folder;
	enum mapi_error error;
	uint32_t seq, uid, count;
	mapi_id_t mid;

	error = mapi_folder_open(NULL, store, fid, &folder);
	if (error != EC_NONE)
		return error;
	error = mapi_folder_sync(folder);
	if (error == EC_NONE && folder->box != NULL) {
		count = mail_index_view_get_messages_count(folder->box->view);
		for (seq = 1; seq <= count; seq++) {
			mail_index_lookup_uid(folder->box->view, seq, &uid);
			mid = mapi_folder_mid(folder, FALSE, uid);
			array_push_back(mids, &mid);
		}
	}
	talloc_free(folder);
	return error;
}

enum mapi_error
mapi_deferred_actions_update(struct mapi_store *store,
			     const struct mapi_binary *server_eid,
			     const struct mapi_binary *client_eid)
{
	ARRAY_TYPE(uint64_t) mids;
	const uint64_t *midp;
	enum mapi_error error, first = EC_NONE;
	mapi_id_t fid;

	fid = mapi_store_special_fid(store, MAPI_SPECIAL_DEFERRED_ACTION);
	i_array_init(&mids, 16);
	first = dams_list(store, fid, &mids);
	array_foreach(&mids, midp) {
		error = dam_update(store, fid, *midp, server_eid, client_eid);
		if (first == EC_NONE)
			first = error;
	}
	array_free(&mids);
	return first;
}
